"""Which input goes to which argument of forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mmbench.adapters.wiring import parse_map, wire
from mmbench.core.errors import LoadError, UsageError


class Declared:
    modalities = ("depth", "rgb")

    def forward(self, rgb: Any, depth: Any, extra: int = 0) -> Any:
        return ("rgb", rgb), ("depth", depth)


class Named:
    def forward(self, depth: Any) -> Any:
        return depth


class Foreign:
    def forward(self, x: Any, modal_x: Any) -> Any:
        return ("x", x), ("modal_x", modal_x)


class Star:
    def forward(self, *inputs: Any) -> Any:
        return inputs


INPUTS = {"rgb": 1, "depth": 2}


@pytest.mark.parametrize(
    ("module", "map_", "modalities", "called", "text"),
    [
        (Declared(), None, ("depth", "rgb"), (("rgb", 1), ("depth", 2)), ""),
        (Named(), None, ("depth",), 2, ""),
        (Foreign(), "rgb=x,depth=modal_x", ("rgb", "depth"), (("x", 1), ("modal_x", 2)), "rgb=x,depth=modal_x"),
        (Foreign(), "depth=x,rgb=modal_x", ("depth", "rgb"), (("x", 2), ("modal_x", 1)), "depth=x,rgb=modal_x"),
        (Foreign(), "positional", ("rgb", "depth"), (("x", 1), ("modal_x", 2)), "positional: rgb, depth"),
        (Declared(), "positional", ("depth", "rgb"), (("rgb", 2), ("depth", 1)), "positional: depth, rgb"),
        (Star(), "positional", ("rgb", "depth"), (1, 2), "positional: rgb, depth"),
        (Named(), "rgb=depth", ("rgb",), 1, "rgb=depth"),
    ],
)
def test_inputs_arrive_by_name_by_map_or_by_position(
    request_for: Callable[..., Any], module: Any, map_: str, modalities: tuple[str, ...], called: Any, text: str
) -> None:
    wiring = wire(module, "M", request_for(map=map_))
    assert wiring.modalities == modalities
    assert wiring.call(module.forward, INPUTS) == called
    assert wiring.text == text


@pytest.mark.parametrize(
    "text", ["", "rgb", "rgb=", "=x", "rgb=x y", "rgb=x,rgb=y", "rgb=x,depth=x", "rgb=x,,", "Positional"]
)
def test_a_bad_map_is_a_usage_error(request_for: Callable[..., Any], text: str) -> None:
    with pytest.raises(UsageError, match="--map"):
        wire(Foreign(), "M", request_for(map=text))


def test_a_map_is_read() -> None:
    assert parse_map("rgb=x,depth=modal_x") == {"rgb": "x", "depth": "modal_x"}


@pytest.mark.parametrize(
    ("module", "map_", "sentence"),
    [
        (
            Foreign(),
            None,
            r"Foreign.forward takes \(x, modal_x\), but would be called with \(rgb, depth\) by name; "
            r"give --map rgb=ARGUMENT,depth=ARGUMENT or --map positional",
        ),
        (Foreign(), "rgb=x", r"would be called with \(x\) by name"),
        (Foreign(), "rgb=x,thermal=modal_x", "needs modality 'thermal', but suite 'toy' has rgb, depth"),
        (Named(), "positional", None),
        (Star(), None, "by name"),
        (type("P", (Declared,), {"modalities": "rgb"})(), None, "declares modalities = 'rgb'; expected a tuple"),
        (type("P", (Declared,), {"modalities": ("rgb", "lidar")})(), None, "needs modality 'lidar', but suite 'toy'"),
        (type("P", (Named,), {"modalities": ("rgb", "depth")})(), "positional", "by position"),
    ],
)
def test_a_module_that_cannot_be_called_is_refused_before_the_first_batch(
    request_for: Callable[..., Any], module: Any, map_: str, sentence: str | None
) -> None:
    if sentence is None:
        assert wire(module, "M", request_for(map=map_)).modalities == ("depth",)
        return
    with pytest.raises(LoadError, match=sentence):
        wire(module, "M", request_for(map=map_))

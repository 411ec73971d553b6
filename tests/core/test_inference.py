"""Inference protocols: what stands in a key, and what cannot be written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mmbench.core.errors import UnknownName
from mmbench.core.inference import PROTOCOLS, Inference, protocol_named, protocol_of


def test_the_plain_protocol_stands_in_keys_as_it_always_did() -> None:
    """Old records hold just these two fields; they must stay comparable."""
    assert Inference().identity() == {"mode": "whole", "resize_logits": "bilinear"}
    assert protocol_of({"mode": "whole", "resize_logits": "bilinear"}) == ""


def test_every_setting_is_part_of_the_identity() -> None:
    """Law: protocols that differ in anything have different identities."""
    changed = [
        Inference(scales=(1.0, 2.0)),
        Inference(flip=True),
        Inference(flip=True, combine="softmax"),
        Inference(mode="slide", crop=(4, 4), stride=(2, 2)),
        Inference(mode="slide", crop=(4, 4), stride=(2, 2), pad=True),
        Inference(mode="slide", crop=(4, 4), stride=(4, 2)),
        Inference(plane_divisor=1000.0),
        Inference(plane_channels=3),
        *PROTOCOLS.values(),
    ]
    assert len({tuple(one.identity().items()) for one in changed}) == len(changed)


def test_a_named_protocol_is_called_by_its_name_and_another_by_its_settings() -> None:
    assert protocol_of(PROTOCOLS["cmx-ms-flip"].identity()) == "cmx-ms-flip"
    assert protocol_of(Inference(flip=True).identity()) == "mode=whole flip=True"
    with pytest.raises(UnknownName, match="did you mean 'mmseg-slide'"):
        protocol_named("mmseg-slid")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "slide"},
        {"crop": (4, 4), "stride": (2, 2)},
        {"mode": "slide", "crop": (4, 4), "stride": (5, 2)},
        {"scales": ()},
        {"scales": (0.0,)},
        {"combine": "max"},
    ],
)
def test_protocols_that_mean_nothing_cannot_be_written(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Inference(**wrong)  # type: ignore[arg-type]

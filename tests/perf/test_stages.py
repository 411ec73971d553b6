"""Stages: what the marks add up to, and that instruments leave no trace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from mmbench.perf import stages
from mmbench.perf.clock import VirtualClock
from mmbench.perf.stages import Marks, Turns, measure_stages, split, summed

torch = pytest.importorskip("torch")


class Part(torch.nn.Module):
    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        super().__init__()
        self.clock, self.seconds = clock, seconds

    def forward(self) -> None:
        self.clock.advance(self.seconds)


class Joining(Part):
    """As the fusions of mmbench: its forward is ``fuse``, which a model calls itself."""

    def fuse(self) -> None:
        self.clock.advance(self.seconds)

    def forward(self) -> None:
        self.fuse()


class Model(torch.nn.Module):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock
        self.encoders = torch.nn.ModuleDict({"rgb": Part(clock, 0.004), "depth": Part(clock, 0.003)})
        self.fusion = Joining(clock, 0.002)
        self.heads = torch.nn.ModuleDict({"fused": Part(clock, 0.001)})

    def forward(self) -> None:
        for encoder in self.encoders.values():
            encoder()
        self.fusion.fuse()
        self.clock.advance(0.0005)
        self.heads["fused"]()


def request(model: Model) -> None:
    model.clock.advance(0.0007)
    model()
    model.clock.advance(0.0003)


def test_each_part_costs_what_it_costs() -> None:
    """On a virtual clock the decomposition is exact, and a fusion whose forward calls fuse counts once."""
    model = Model(VirtualClock())
    found = measure_stages([lambda: request(model)], model, model.clock, 1, seconds=0.5)
    spent = {part.name: part.ms for part in found.parts}
    expected = {
        "preprocess": 0.7,
        "encoder:depth": 3,
        "encoder:rgb": 4,
        "fusion": 2,
        "head": 1,
        "glue": 0.5,
        "postprocess": 0.3,
    }
    assert list(spent) == list(expected)
    assert spent == pytest.approx(expected)
    assert found.whole_ms == pytest.approx(11.5)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert not found.overlap


def test_the_instruments_are_gone_afterwards() -> None:
    model = Model(VirtualClock())
    measure_stages([lambda: request(model)], model, model.clock, 1, seconds=0.1)
    assert all("forward" not in vars(module) and "fuse" not in vars(module) for module in model.modules())


def test_instruments_that_disturb_are_told() -> None:
    """Instrumented calls 6 % slower than plain ones: the stages do not add up to the whole."""
    found = summed([Turns([1.0] * 20, [{"preprocess": 0.5, "glue": 0.56}] * 20)], 4)
    assert found.error == pytest.approx(0.06)
    assert found.overlap


def costly(model: Model, seconds: float) -> None:
    model.encoders["rgb"].seconds = seconds
    request(model)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_inputs_that_cost_more_are_on_both_sides(count: int) -> None:
    """As captions, which take longer the more words they have: the parts add up, and are means over all inputs."""
    model = Model(VirtualClock())
    requests = [partial(costly, model, 0.001 * place) for place in range(count)]
    found = measure_stages(requests, model, model.clock, 1, seconds=0.5)
    assert found.error == pytest.approx(0, abs=1e-9)
    rgb = next(part.ms for part in found.parts if part.name == "encoder:rgb")
    assert rgb == pytest.approx((count - 1) / 2)


def test_each_request_is_first_plain_as_often_as_instrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two calls on the same input finds the caches warm; neither side is to gain by it."""
    model, order = Model(VirtualClock()), []
    requests = [partial(costly, model, 0.001) for _ in range(3)]
    for name in ("_whole", "_split"):
        monkeypatch.setattr(stages, name, noting(getattr(stages, name), name, order))
    measure_stages(requests, model, model.clock, 1, seconds=0.0, least=12)
    first = [(requests.index(request), name) for request, name in order[::2]]
    assert {one: first.count(one) for one in first} == {(n, side): 2 for n in range(3) for side in ("_whole", "_split")}


def noting(call: Callable[..., Any], name: str, order: list[tuple[Any, str]]) -> Callable[..., Any]:
    def noted(request: Any, *rest: Any) -> Any:
        order.append((request, name))
        return call(request, *rest)

    return noted


def test_slow_calls_are_fewer() -> None:
    """A request of 11.5 ms and 0.05 s: three calls of each kind, where there would have been twenty."""
    model = Model(VirtualClock())
    measure_stages([lambda: request(model)], model, model.clock, 1, seconds=0.01, most=0.05)
    assert model.clock.time == pytest.approx(6 * 0.0115)


def test_a_module_without_known_parts_is_one_stage() -> None:
    marks = Marks(VirtualClock(), [("forward", 1.0, 4.0)])
    assert split(marks, 0.0, 6.0) == {"glue": 3.0, "preprocess": 1.0, "postprocess": 2.0}
    assert split(Marks(VirtualClock()), 0.0, 6.0) == {"preprocess": 6.0}

"""What it takes until a model answers, on a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mmbench.core.errors import UsageError
from mmbench.core.sample import Batch
from mmbench.perf.clock import VirtualClock
from mmbench.perf.ready import compiled_call, timed_call

BATCH = Batch((), {}, {})


@dataclass
class Lazy:
    """Compiles as torch does: at the first call after ``compile``, for 9 s; a call takes 1 s."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    waiting: bool = False

    @property
    def module(self) -> Lazy:
        return self

    def compile(self) -> None:
        self.waiting = True

    def predict(self, batch: Batch) -> list[None]:
        self.clock.advance(10.0 if self.waiting else 1.0)
        self.waiting = False
        return []


def test_the_time_of_compiling_is_that_of_the_first_compiled_call() -> None:
    model = Lazy()
    assert timed_call(model, BATCH, model.clock) == pytest.approx(1.0)
    assert compiled_call(model, BATCH, model.clock) == pytest.approx(10.0)
    assert timed_call(model, BATCH, model.clock) == pytest.approx(1.0)


def test_what_is_no_torch_module_is_not_compiled() -> None:
    with pytest.raises(UsageError, match="needs a torch module"):
        compiled_call(object(), BATCH, VirtualClock())

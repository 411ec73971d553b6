"""When memory ends within a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmbench.adapters.halving import Halving, out_of_memory
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.core.errors import LoadError
from mmbench.core.sample import Batch


class Hungry(torch.nn.Module):
    """Integer arithmetic on at most ``holds`` items at once."""

    modalities = ("rgb",)

    def __init__(self, holds: int, error: Exception) -> None:
        super().__init__()
        self.holds, self.error = holds, error
        self.sizes: list[int] = []

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(rgb))
        if len(rgb) > self.holds:
            raise self.error
        return (rgb * 255).round()


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried 8 bytes"),
]


@pytest.fixture
def model_of(request_for: Callable[..., Any]) -> Callable[..., TorchModel]:
    return lambda module: TorchModel(module, "M", request_for(), Identity("0" * 16))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 9), holds=st.integers(1, 9), error=st.sampled_from(ERRORS))
def test_halves_give_the_answers_of_the_whole(
    model_of: Callable[..., TorchModel], batch_of: Callable[..., Batch], count: int, holds: int, error: Exception
) -> None:
    """Law: memory changes no answer, id or order; ``sub_batch`` is what went through at once, and it fits."""
    batch = batch_of([(2, 3)] * count)
    whole = model_of(Hungry(9, error)).predict(batch)
    model = model_of(Hungry(holds, error))
    found = model.predict(batch)
    assert [one.sample_id for one in found] == list(batch.ids)
    assert all(np.array_equal(a.labels, b.labels) for a, b in zip(found, whole, strict=True))
    assert (model.sub_batch is None) == (count <= holds)
    assert (model.sub_batch or count) <= holds


def test_what_was_found_is_kept_for_batches_of_the_same_shape(
    model_of: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    """A second batch of eight goes in halves at once; another shape is tried whole, whatever came before."""
    module = Hungry(4, ERRORS[0])
    model = model_of(module)
    for name in "ab":
        model.predict(batch_of([(2, 3)] * 8, [f"{name}{i}" for i in range(8)]))
        assert model.sub_batch == 4
    assert module.sizes == [8, 4, 4, 4, 4]
    model.predict(batch_of([(3, 3)] * 6))
    assert (module.sizes[5:], model.sub_batch) == ([6, 3, 3], 3)
    model.predict(batch_of([(3, 3)] * 2))
    assert model.sub_batch is None


def test_a_sample_that_does_not_fit_alone_ends_the_run(
    model_of: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    with pytest.raises(LoadError, match="Memory does not hold a single sample; use smaller inputs"):
        model_of(Hungry(0, ERRORS[0])).predict(batch_of([(2, 3)] * 5))


def test_other_failures_are_not_tried_again(
    model_of: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    module = Hungry(0, RuntimeError("shapes do not match"))
    with pytest.raises(LoadError, match="shapes do not match"):
        model_of(module).predict(batch_of([(2, 3)] * 4))
    assert module.sizes == [4]


def test_what_the_allocator_says_is_known() -> None:
    """Torch's own sentence, of an allocation that no machine holds."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert out_of_memory(caught.value)
    assert not out_of_memory(RuntimeError("memory format"))


def test_the_smallest_part_of_a_batch_is_told() -> None:
    """A batch of two shapes, of which memory held 4 and 2 at once."""
    halving = Halving()

    def predict(part: Any, holds: int) -> list[int]:
        if len(part) > holds:
            raise MemoryError
        return list(part)

    halving.begin()
    assert halving.run(range(8), "small", lambda part: predict(part, 4)) == list(range(8))
    assert halving.run(range(8), "large", lambda part: predict(part, 2)) == list(range(8))
    assert halving.run(range(8), "tiny", lambda part: predict(part, 8)) == list(range(8))
    assert halving.smallest == 2

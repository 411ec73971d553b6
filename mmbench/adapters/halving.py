"""When memory does not hold a batch, its items go through the model in halves, quarters, ..."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeVar

import torch

from mmbench.core.errors import LoadError

T = TypeVar("T")

# What torch says on the CPU, where the error has no class of its own (c10/core/impl/alloc_cpu.cpp).
_CPU_MESSAGES = ("DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory")


class Halving:
    """Remembers for each shape of a group how many items memory holds at once.

    What was found for one shape never changes how another is split: so the parts of a batch do not depend on the
    batches before it, and a resumed run splits as one that was never stopped.
    """

    def __init__(self) -> None:
        self._held: dict[Hashable, int] = {}
        self.smallest: int | None = None

    def begin(self) -> None:
        """A new batch: nothing of it was split yet."""
        self.smallest = None

    def run(self, items: Sequence[int], shape: Hashable, predict: Callable[[Sequence[int]], Sequence[T]]) -> list[T]:
        """One answer per item, in their order; ``shape`` is what decides the memory that these items need together.

        ``smallest`` is then the size of the smallest group since ``begin`` that was split. Raises LoadError when memory
        does not hold a single item.
        """
        at_once = self._held.get(shape, len(items))
        while True:
            found = _attempt(items, at_once, predict)
            if found is not None:
                break
            if at_once == 1:
                raise LoadError(
                    "Memory does not hold a single sample; use smaller inputs, --precision bf16 or a larger device."
                )
            at_once = (at_once + 1) // 2
            self._held[shape] = at_once
        if at_once < len(items):
            self.smallest = min(at_once, self.smallest or at_once)
        return found


def _attempt(items: Sequence[int], at_once: int, predict: Callable[[Sequence[int]], Sequence[T]]) -> list[T] | None:
    """The answers, None when memory ended."""
    found: list[T] = []
    try:
        for start in range(0, len(items), at_once):
            found += predict(items[start : start + at_once])
    except Exception as error:  # the class of the error depends on the device
        if not out_of_memory(error):
            raise
    else:
        return found
    if torch.cuda.is_available():  # only here, where the error and the tensors of its frames are gone
        torch.cuda.empty_cache()
    return None


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ended: CUDA's own error, Python's, or what the CPU allocator says; also as the cause."""
    return any(_is_out_of_memory(one) for one in _chain(error))


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(message in str(error) for message in _CPU_MESSAGES)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


def shape_of(value: Any) -> Hashable:
    """What of an input decides the memory that it takes: the shape of an array, the length of a text."""
    return value if value is None else tuple(value.shape) if hasattr(value, "shape") else len(value)

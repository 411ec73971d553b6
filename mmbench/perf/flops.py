"""Floating point operations of one call, what they leave out, and what the device could do at best.

FLOP = 2 per multiply-add, by torch's FlopCounterMode over matrix products and convolutions. Attention is counted on the
path of plain matrix products and with the fast path of encoder layers off: fused operators have no formula everywhere
and would count 0. What has no formula is listed, with its calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from mmbench.core.performance import Operations
from mmbench.perf.peaks import Peak

_FREE = {"aten.detach", "aten.empty", "aten.empty_like", "aten.new_empty", "aten.lift_fresh", "aten.empty_strided"}


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's metaclass hook
    """Counts the calls of operators that have no formula and move or make data; views are free."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Calls the operator, and notes it."""
        name = str(func.overloadpacket)
        if func.overloadpacket not in flop_registry and not func.is_view and name not in _FREE:
            self.calls[name] += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def countable() -> Iterator[None]:
    """Every operator that can be counted is: no fused attention, no fast path."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def count(call: Callable[[], object]) -> tuple[int, dict[str, int]]:
    """FLOP of one call, and the operators that were not counted with their calls.

    The call must not be one under ``inference_mode``, where nothing is seen.
    """
    operators = _Operators()
    with countable(), FlopCounterMode(display=False) as counter, operators:
        call()
    return int(counter.get_total_flops()), dict(operators.calls.most_common())


def operations(
    call: Callable[[], object], batch: int, bytes_least: int, seconds: float, peak: Peak | None
) -> Operations:
    """FLOP, intensity and, where the device's peak is known, MFU and which roof binds (Williams et al., CACM 2009)."""
    flop, uncounted = count(call)
    intensity = flop / max(bytes_least, 1)
    bound: Literal["compute", "memory"] | None = None
    if peak is not None:
        bound = "compute" if intensity >= peak.flops / peak.bandwidth else "memory"
    return Operations(
        batch=batch,
        flop=flop,
        uncounted=uncounted,
        bytes_least=bytes_least,
        intensity=intensity,
        peak=None if peak is None else peak.flops,
        mfu=None if peak is None else flop / (seconds * peak.flops),
        bound=bound,
    )


def tensor_bytes(*values: Any) -> int:
    """Bytes of all tensors in nested containers."""
    leaves = torch.utils._pytree.tree_leaves(values)
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves if isinstance(leaf, torch.Tensor))

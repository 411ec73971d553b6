"""What is timed: a model on rotating batches, as a whole (``request``) and its module alone (``device``).

The module's own call is recorded once per batch, with the tensors, precision and cuDNN settings that the adapter gave
it, and played back: whatever the adapter does around the module is in the request and not in the device time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import Model
from mmbench.core.sample import Batch, Sample
from mmbench.core.source import Source

# Different batches that are rotated, so that no result can be kept from one call to the next.
ROTATED = 8
Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Workload:
    """Calls that go through the batches in turn; ``device`` is None for a model without a torch module.

    ``each`` has the request of every batch, where one and the same is to be made twice.
    ``plain`` is the device's call of one batch outside of inference mode, for counting. ``bytes_least``: weights,
    inputs and outputs of that call. ``constant``: different inputs had the same output, as if it were kept.
    """

    batch_size: int
    request: Call
    device: Call | None
    plain: Call
    each: tuple[Call, ...] = ()
    bytes_least: int = 0
    constant: bool = False


class SamplePool:
    """Samples of a source in random order, each loaded once."""

    def __init__(self, source: Source, seed: int) -> None:
        random = np.random.Generator(np.random.Philox(key=seed))
        self._source = source
        self._ids = [source.ids[i] for i in random.permutation(len(source.ids))]
        self._loaded: list[Sample] = []

    def take(self, count: int) -> list[Sample]:
        """``count`` samples; where the source has fewer they repeat, shifted, so that no two inputs are alike."""
        for sample_id in self._ids[len(self._loaded) : count]:
            self._loaded.append(self._source.load(sample_id))
        size = len(self._loaded)
        return [_shifted(self._loaded[i % size], i // size, i) for i in range(count)]


def draw_batches(
    pool: SamplePool, modalities: Sequence[str], spatial: bool, batch_size: int, count: int = ROTATED
) -> tuple[Batch, ...]:
    """``count`` batches of samples of the suite: real statistics and the real mix of sizes."""
    samples = pool.take(batch_size * count)
    starts = range(0, len(samples), batch_size)
    return tuple(Batch.of(samples[start : start + batch_size], modalities, spatial) for start in starts)


def requests(model: Model, batches: Sequence[Batch]) -> tuple[Call, ...]:
    """The prediction of each batch.

    Raises LoadError when the model refuses a sample of the suite, or when memory does not hold a batch as a whole: what
    an adapter then does in halves has not this batch size.
    """
    for batch in batches[:1]:
        broken = next((found for found in model.predict(batch) if isinstance(found, SampleError)), None)
        if broken is not None:
            raise LoadError(f"The model {model.info.name!r} cannot be timed: {broken}")
        _check_held(model, batch)
    return tuple(_predicting(model, batch) for batch in batches)


def _check_held(model: Model, batch: Batch) -> None:
    held = getattr(model, "sub_batch", None)
    if held is not None and held < len(batch):
        message = f"Memory holds {held} items at once and no batch of {len(batch)}; give a smaller --batch."
        raise LoadError(message) from MemoryError()


def workload(model: Model, batches: Sequence[Batch]) -> Workload:
    """Raises LoadError when the model refuses a sample of the suite."""
    each = requests(model, batches)
    request = rotating(each)
    module = getattr(model, "module", None)
    if module is None:
        return Workload(len(batches[0]), request, None, request)
    recorded = [_recorded(model, module, batch) for batch in batches]
    plays = [_playback(module, calls) for calls in recorded]
    plain = _playback(module, recorded[0], inference=False)
    out = plays[0]()
    constant = len(plays) > 1 and are_equal(out, plays[1]())
    if is_compiled(module):
        # Each shape once, so that torch has compiled it before the warm-up.
        for play in plays[2:]:
            play()
    return Workload(
        batch_size=len(batches[0]),
        request=request,
        device=rotating(plays),
        plain=plain,
        each=each,
        bytes_least=_bytes_least(module, recorded[0], out),
        constant=constant,
    )


def is_compiled(module: Any) -> bool:
    """Whether ``module.compile()`` was called."""
    return getattr(module, "_compiled_call_impl", None) is not None


@contextmanager
def uncompiled(module: Any) -> Iterator[None]:
    """While it lasts the module runs as it is written: what is compiled shows neither hooks nor operators."""
    if not is_compiled(module):
        yield
        return
    compiled, module._compiled_call_impl = module._compiled_call_impl, None
    try:
        yield
    finally:
        module._compiled_call_impl = compiled


def are_equal(first: object, other: object) -> bool:
    """Whether two outputs hold the same tensors; False for outputs without any."""
    import torch

    one, two = (
        [leaf for leaf in torch.utils._pytree.tree_leaves(out) if isinstance(leaf, torch.Tensor)]
        for out in (first, other)
    )
    same = all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, two, strict=False))
    return bool(one) and len(one) == len(two) and same


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call of a module: its arguments, and the settings that were in force."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    autocast: Any
    cudnn: Mapping[str, bool]
    matmul: str


def _recorded(model: Model, module: Any, batch: Batch) -> list[Recorded]:
    import torch

    calls: list[Recorded] = []
    device = str(getattr(model, "device", "cpu"))

    def note(_: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        calls.append(Recorded(args, dict(kwargs), _autocast(device), _cudnn(), torch.get_float32_matmul_precision()))

    handle = module.register_forward_pre_hook(note, with_kwargs=True)
    try:
        with uncompiled(module):
            model.predict(batch)
    finally:
        handle.remove()
    return calls


def _playback(module: Any, calls: Sequence[Recorded], inference: bool = True) -> Call:
    """The calls again; without ``inference`` they are those that a counter of operators can see, uncompiled."""
    import torch

    def play() -> object:
        out = None
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode() if inference else torch.no_grad())
            if not inference:
                stack.enter_context(uncompiled(module))
            for call in calls:
                with settings(call):
                    out = module(*call.args, **call.kwargs)
        return out

    return play


def _bytes_least(module: Any, calls: Sequence[Recorded], out: object) -> int:
    """What must move at least once: weights, inputs of all calls, the output of the last."""
    from mmbench.perf.flops import tensor_bytes

    inputs = [(call.args, call.kwargs) for call in calls]
    return tensor_bytes(list(module.parameters()), list(module.buffers()), inputs, out)


@contextmanager
def settings(call: Recorded) -> Iterator[None]:
    """The precision, of autocast and of products, and the cuDNN settings of a recorded call."""
    import torch

    from mmbench.adapters.numerics import matmul_precision

    with ExitStack() as stack:
        if torch.cuda.is_available():
            stack.enter_context(torch.backends.cudnn.flags(**call.cudnn))
        stack.enter_context(matmul_precision(call.matmul))
        stack.enter_context(torch.autocast(*call.autocast) if call.autocast else nullcontext())
        yield


def _autocast(device: str) -> tuple[str, Any] | None:
    import torch

    kind = device.partition(":")[0]
    return (kind, torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else None


def _cudnn() -> dict[str, bool]:
    import torch

    flags = torch.backends.cudnn
    names = ("enabled", "benchmark", "deterministic", "allow_tf32")
    return {name: bool(getattr(flags, name)) for name in names}


def _predicting(model: Model, batch: Batch) -> Call:
    return lambda: model.predict(batch)


def rotating(calls: Sequence[Call]) -> Call:
    """A call that makes these in turn."""
    place = 0

    def call() -> object:
        nonlocal place
        place = (place + 1) % len(calls)
        return calls[place]()

    return call


def _shifted(sample: Sample, by: int, number: int) -> Sample:
    """The sample under an id of its own; its arrays shifted by so many places along the width or the time."""
    inputs = {
        m: np.roll(x, by, axis=min(1, x.ndim - 1)) if isinstance(x, np.ndarray) else x for m, x in sample.inputs.items()
    }
    return replace(sample, id=f"{sample.id}/{number}", inputs=inputs if by else sample.inputs)

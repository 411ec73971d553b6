"""How a module computes: device, precision, memory layout, compilation, and a random state that depends on the ids."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from mmbench.adapters.user_code import user_code
from mmbench.core.errors import UsageError
from mmbench.core.model import ModelOptions

TF32 = "tf32"
_AUTOCAST = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16, TF32: None}
_DEVICE = re.compile(r"^(cpu|mps|cuda(:\d+)?)$")


@dataclass(frozen=True, slots=True)
class Numerics:
    """What the flags ``--device``, ``--precision``, ``--compile`` and ``--channels-last`` came to.

    ``fp32`` is true float32 everywhere; ``tf32`` rounds the inputs of matrix products and convolutions on the GPU to 10
    bits (torch's ``high``, cuDNN's ``allow_tf32``); ``bf16`` and ``fp16`` are torch's autocast.
    """

    device: torch.device
    precision: str = "fp32"
    compiled: bool = False
    channels_last: bool = False

    @classmethod
    def of(cls, options: ModelOptions) -> Numerics:
        """Raises UsageError for what is not known, or what the device does not have."""
        device = choose_device(options.device)
        if options.precision not in _AUTOCAST:
            known = ", ".join(_AUTOCAST)
            raise UsageError(f"--precision {options.precision!r} is not known; expected one of: {known}.")
        if options.precision == TF32 and device.type != "cuda":
            raise UsageError(
                f"--precision tf32 is a mode of CUDA devices and would change nothing on {device}; use fp32 or bf16."
            )
        return cls(device, options.precision, options.compile, options.channels_last)

    def prepared(self, module: torch.nn.Module, name: str) -> torch.nn.Module:
        """The module on the device, in evaluation mode; compiled (on its first call) and laid out as asked for."""
        with user_code(f"Moving {name} to {self.device}"):
            module = module.to(self.device).eval()
            if self.channels_last:
                module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            if self.compiled:
                module.compile()
        return module

    def laid_out(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs, those of [B,C,H,W] with the channels last in memory where that was asked for."""
        return {m: self._laid_out(value) for m, value in inputs.items()}

    def _laid_out(self, value: Any) -> Any:
        if not self.channels_last or not isinstance(value, torch.Tensor) or value.ndim != 4:
            return value
        return value.contiguous(memory_format=torch.channels_last)

    @contextmanager
    def in_force(self, ids: Sequence[str]) -> Iterator[None]:
        """Seeds torch from the ids and sets the precision of products; on CUDA also takes the deterministic kernels."""
        cuda = self.device.type == "cuda"
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=[self.device] if cuda else []))
            torch.manual_seed(_seed(ids))
            stack.enter_context(matmul_precision("high" if self.precision == TF32 else "highest"))
            if cuda:
                stack.enter_context(
                    torch.backends.cudnn.flags(
                        enabled=True, benchmark=False, deterministic=True, allow_tf32=self.precision == TF32
                    )
                )
            yield

    def autocast(self) -> AbstractContextManager[Any]:
        """What the module's own code runs in."""
        dtype = _AUTOCAST[self.precision]
        return torch.autocast(self.device.type, dtype=dtype) if dtype is not None else nullcontext()


@contextmanager
def matmul_precision(name: str) -> Iterator[None]:
    """Torch's precision of float32 matrix products (``highest`` | ``high`` | ``medium``) meanwhile."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def choose_device(text: str) -> torch.device:
    """``auto`` (CUDA if there is a device), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``; raises UsageError."""
    if text == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if not _DEVICE.match(text):
        raise UsageError(f"--device {text!r} is not a device; expected auto, cpu, cuda, cuda:N or mps.")
    device = torch.device("cuda:0" if text == "cuda" else text)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"--device {text}: torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("--device mps: torch cannot use Metal here; use --device cpu.")
    return device


def _seed(ids: Sequence[str]) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(ids).encode(), digest_size=4).digest(), "big")

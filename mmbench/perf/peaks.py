"""What devices can do at best, by the name that torch gives them, from the maker's data sheets (dense, boost clock).

The sheets of Hopper state tensor cores with sparsity, which doubles the figure; half of it stands here. A device that
is not here has no peak, and then there is no MFU: a guess would be worse.
"""

from __future__ import annotations

from dataclasses import dataclass

_TERA = 1e12


@dataclass(frozen=True, slots=True)
class Peak:
    """FLOP/s in one precision, and bytes/s of the device's memory."""

    flops: float
    bandwidth: float


# bf16 and fp16 have one figure; fp32 is that of the plain cores.
def _known(bandwidth: float, fp32: float, tf32: float, half: float) -> dict[str, Peak]:
    rates = {"fp32": fp32, "tf32": tf32, "bf16": half, "fp16": half}
    return {precision: Peak(rate * _TERA, bandwidth * _TERA) for precision, rate in rates.items()}


_KNOWN: dict[str, dict[str, Peak]] = {
    # NVIDIA H200 Tensor Core GPU data sheet, column H200 SXM: 4.8 TB/s, 67, 989 and 1,979 TFLOPS with sparsity.
    "NVIDIA H200": _known(4.8, 67, 494.5, 989.5),
    # NVIDIA H100 Tensor Core GPU data sheet, column H100 SXM: 3.35 TB/s, 67, 989 and 1,979 TFLOPS with sparsity.
    "NVIDIA H100 80GB HBM3": _known(3.35, 67, 494.5, 989.5),
    # NVIDIA A100 Tensor Core GPU data sheet, column A100 80GB SXM: 2,039 GB/s, 19.5, 156 and 312 TFLOPS.
    "NVIDIA A100-SXM4-80GB": _known(2.039, 19.5, 156, 312),
    # NVIDIA A100 Tensor Core GPU data sheet, column A100 40GB SXM: 1,555 GB/s, otherwise as with 80 GB.
    "NVIDIA A100-SXM4-40GB": _known(1.555, 19.5, 156, 312),
}


def peak_of(device_name: str, precision: str) -> Peak | None:
    """The peak of a device in a precision; None where it is not known."""
    return _KNOWN.get(device_name, {}).get(precision)

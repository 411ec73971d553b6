"""What devices can do at best, by name, from the makers' data sheets (dense, without sparsity, boost clock).

A device that is not here has no peak, and then there is no MFU: a guess would be worse.
"""

from __future__ import annotations

from dataclasses import dataclass

_TERA = 1e12


@dataclass(frozen=True, slots=True)
class Peak:
    """FLOP/s in one precision, and bytes/s of the device's memory."""

    flops: float
    bandwidth: float


# Name -> (bytes/s, {precision: FLOP/s}); fp32 is that of the plain cores, as the adapters switch TF32 off.
_KNOWN: dict[str, tuple[float, dict[str, float]]] = {
    "H200": (4.8 * _TERA, {"fp32": 67 * _TERA, "bf16": 989 * _TERA, "fp16": 989 * _TERA}),
    "H100 SXM": (3.35 * _TERA, {"fp32": 67 * _TERA, "bf16": 989 * _TERA, "fp16": 989 * _TERA}),
    "H100 80GB HBM3": (3.35 * _TERA, {"fp32": 67 * _TERA, "bf16": 989 * _TERA, "fp16": 989 * _TERA}),
    "A100-SXM4-80GB": (2.039 * _TERA, {"fp32": 19.5 * _TERA, "bf16": 312 * _TERA, "fp16": 312 * _TERA}),
    "A100-SXM4-40GB": (1.555 * _TERA, {"fp32": 19.5 * _TERA, "bf16": 312 * _TERA, "fp16": 312 * _TERA}),
    "Tesla T4": (0.32 * _TERA, {"fp32": 8.1 * _TERA, "fp16": 65 * _TERA}),
}


def peak_of(device_name: str, precision: str) -> Peak | None:
    """The peak of a device by a part of its name; None where it is not known."""
    for name, (bandwidth, flops) in _KNOWN.items():
        if name in device_name and precision in flops:
            return Peak(flops[precision], bandwidth)
    return None

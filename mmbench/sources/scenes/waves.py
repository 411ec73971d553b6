"""Tables that sound and noise are read from: integers that are the same on every platform.

The sine is computed in integers alone, because the last bit of a library's sine differs between platforms.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mmbench.core.streams import bell
from mmbench.sources.scenes.stream import raw_words

PHASE_BITS = 32  # a phase is a uint32: 2**32 is a full turn
TABLE_BITS = 12
FULL = 32767

_FRACTION = 120  # bits after the binary point
_PI = 31415926535897932384626433832795028841971693993751 * (1 << _FRACTION) // 10**49
_NOISE = 1 << 17


@cache
def sines() -> NDArray[np.int32]:
    """int32 [4096] in -32767..32767: one turn of a sine, rounded to the nearest integer; read-only."""
    steps = 1 << TABLE_BITS
    cosine, sine = _turned(2 * _PI // steps)
    across, up, values = 1 << _FRACTION, 0, []
    for _ in range(steps):
        values.append((up * FULL + (1 << (_FRACTION - 1))) >> _FRACTION)
        across, up = (across * cosine - up * sine) >> _FRACTION, (across * sine + up * cosine) >> _FRACTION
    table = np.array(values, dtype=np.int32)
    table.setflags(write=False)
    return table


def _turned(angle: int) -> tuple[int, int]:
    """Cosine and sine of a small fixed-point angle, by the power series."""
    parts, term = [0, 0], 1 << _FRACTION
    for power in range(24):
        parts[power % 2] += -term if power % 4 > 1 else term
        term = (term * angle >> _FRACTION) // (power + 1)
    return parts[0], parts[1]


def tone(frequency: int, start: int, samples: int, rate: int) -> NDArray[np.int32]:
    """int32 [samples] in -32767..32767: a sine of ``frequency`` Hz from the phase ``start`` (0..2**32-1)."""
    increment = (frequency << PHASE_BITS) // rate
    phases = np.arange(samples, dtype=np.uint64) * np.uint64(increment) + np.uint64(start)
    wave: NDArray[np.int32] = sines()[(phases >> np.uint64(PHASE_BITS - TABLE_BITS)) & np.uint64((1 << TABLE_BITS) - 1)]
    return wave


@cache
def noise_table() -> NDArray[np.int16]:
    """int16 [131072], standard deviation 209: windows of it are an item's noise; read-only."""
    table = bell(raw_words(_NOISE, "noise"))
    table.setflags(write=False)
    return table

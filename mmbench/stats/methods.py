"""Which interval method belongs to which kind of metric, as the coverage simulation shows, and that interval."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmbench.stats import intervals, proportions
from mmbench.stats.intervals import Interval
from mmbench.stats.jackknife import Jackknife

Floats = NDArray[np.float64]
Kind = Literal["proportion", "mean", "sums", "weighted"]
Quantity = Literal["score", "difference"]

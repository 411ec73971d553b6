"""The metric protocol: per-sample statistics (rows), then a value of weighted rows.

A *statistic* turns one target and one prediction into a row of integers. Metrics that read the same statistic share its
rows. Merging two runs is concatenating their rows, a slice is 0/1 weights, a bootstrap draw is integer counts: with a
metric of kind ``sums`` the draws of all resamples are one matrix product ``W @ rows``.

    @statistic("confusion", version=1)
    class Confusion: ...

    @metric("miou", statistic="confusion", version=1, task="segmentation")
    def miou(sums, context): ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mmbench.core import registry
from mmbench.core.prediction import Prediction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What a statistic and a metric know of the suite: class names (the index is the label) and the ignored label."""

    classes: tuple[str, ...]
    ignore: int | None


class Statistic(Protocol):
    """Per-sample statistics."""

    def width(self, context: TaskContext) -> int:
        """k, the number of integers in a row."""

    def row(self, target: Any, prediction: Prediction, context: TaskContext) -> Ints:
        """int64 [k] of one sample; raises SampleError when the prediction cannot be scored."""

    def support(self, rows: Ints, context: TaskContext) -> Ints:
        """int64 [C]: the number of samples of ``rows`` [n,k] whose target holds each class; [0] without classes."""

    def absent(self, rows: Ints, context: TaskContext) -> int:
        """The number of classes that neither a target nor a prediction of ``rows`` [n,k] holds."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as registered.

    ``value(sums, context)`` takes float64 [..., k] summed rows (any leading axes: draws) and gives float64 [...], or
    [..., C] when ``per_class``. NaN means undefined, never 0. ``low``/``high`` bound the value.
    """

    id: str
    version: int
    statistic: str
    task: str
    value: Callable[[Floats, TaskContext], Floats]
    direction: Literal["higher", "lower"] = "higher"
    low: float = 0.0
    high: float = 1.0
    per_class: bool = False
    estimand: str = "expected score on test sets of this size and class set"

    @property
    def key(self) -> str:
        """``id@version``, as it stands in the comparability key."""
        return f"{self.id}@{self.version}"


def metric_named(name: str) -> Metric:
    """The registered metric; raises UnknownName."""
    options = registry.metric.entry(name).options
    return Metric(id=name, value=registry.metric.get(name), **options)

"""The metric protocol: per-sample statistics (rows), then a value of weighted rows.

A *statistic* turns targets and predictions into a row per sample. Metrics that read the same statistic share its rows.
Merging two runs is concatenating their rows, a slice is 0/1 weights, a bootstrap draw is integer weights: with a metric
of kind ``sums`` the draws of all resamples are one matrix product ``W @ rows``; metrics of kind ``weighted`` (AUROC)
and ``joint`` (the figures of COCO) take the weights themselves.

    @statistic("confusion", version=1)
    class Confusion: ...

    @metric("miou", statistic="confusion", version=1, task="segmentation")
    def miou(sums, context): ...

    @metric("auroc", statistic="class_scores", version=1, task="classification", kind="weighted")
    def auroc(table, weights, context): ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from mmbench.core import registry
from mmbench.core.prediction import Prediction
from mmbench.core.table import Floats as Floats
from mmbench.core.table import Ints as Ints
from mmbench.core.table import Table


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What a statistic and a metric know of the suite: class names (the index is the label) and the ignored label."""

    classes: tuple[str, ...]
    ignore: int | None


class Statistic(Protocol):
    """Per-sample statistics: a RowStatistic or a SetStatistic."""

    def support(self, rows: Any, context: TaskContext) -> Ints:
        """int64 [C]: the number of samples of the table whose target holds each class; [0] without classes."""

    def absent(self, rows: Any, context: TaskContext) -> int:
        """The number of classes that neither a target nor a prediction of the table holds."""


@runtime_checkable
class RowStatistic(Statistic, Protocol):
    """A row of fixed width from one sample alone: counted inside the loop and journalled beside the prediction."""

    def width(self, context: TaskContext) -> int:
        """k, the number of integers in a row."""

    def row(self, target: Any, prediction: Prediction, context: TaskContext) -> Ints:
        """int64 [k] of one sample; raises SampleError when the prediction cannot be scored."""


@runtime_checkable
class SetStatistic(Statistic, Protocol):
    """Rows that need all samples at once (document frequencies), or are much faster so; counted after the loop."""

    def check(self, target: Any, prediction: Prediction, context: TaskContext) -> None:
        """Raises SampleError when the prediction cannot be scored; called inside the loop."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:
        """int64 or float64 [n,k], or a Ragged of n samples."""


class Classless:
    """The part of a statistic that counts classes, where there are none."""

    def support(self, rows: Any, context: TaskContext) -> Ints:  # noqa: ARG002
        """int64 [0]."""
        return np.zeros(0, dtype=np.int64)

    def absent(self, rows: Any, context: TaskContext) -> int:  # noqa: ARG002
        """0."""
        return 0


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as registered.

    Kind ``sums``: ``value(sums, context)`` takes float64 [..., k] summed rows (any leading axes: draws) and gives
    float64 [...], or [..., C] when ``per_class``. Kind ``weighted``: ``value(table, weights, context)`` takes the whole
    table and float64 [D,n] whole numbers, how often each sample is in each draw, and gives float64 [D], or [D,C]. Kind
    ``joint``: metrics that share most of their work are registered on one function, ``value(table, weights, context,
    names)``, which gives those of ``names`` by name. NaN means undefined, never 0. ``low``/``high`` bound the value.
    """

    id: str
    version: int
    statistic: str
    task: str
    value: Callable[..., Any]
    kind: Literal["sums", "weighted", "joint"] = "sums"
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

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
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from mmbench.core import registry
from mmbench.core.parts import joined, of_part, own_name, part_of
from mmbench.core.prediction import Prediction
from mmbench.core.table import Floats as Floats
from mmbench.core.table import Ints as Ints
from mmbench.core.table import Table


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What a statistic and a metric know of the suite: class names (the index is the label) and the ignored label.

    The classes of a joint suite are those of its parts (``core.parts``).
    """

    classes: tuple[str, ...]
    ignore: int | None

    def of(self, part: str) -> TaskContext:
        """What is known of one part of a joint suite; itself for ""."""
        return TaskContext(of_part(self.classes, part), self.ignore) if part else self


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

    def classes(self, context: TaskContext) -> tuple[str, ...]:
        """The class names that C counts."""
        return context.of(part_of(self.id)).classes

    @property
    def key(self) -> str:
        """``id@version``, as it stands in the comparability key."""
        return f"{self.id}@{self.version}"


@dataclass(frozen=True, slots=True)
class ValueOfPart:
    """The value of a metric on one part of a joint suite: called as ``Metric.value``, with the whole suite's context.

    Equal for metrics of one part that are registered on one function, as kind ``joint`` needs.
    """

    part: str
    value: Callable[..., Any]
    kind: str

    def __call__(self, *arguments: Any) -> Any:
        """As in ``Metric``."""
        if self.kind != "joint":
            *data, context = arguments
            return self.value(*data, context.of(self.part))
        *data, context, names = arguments
        found = self.value(*data, context.of(self.part), [own_name(name) for name in names])
        return {joined(self.part, name): values for name, values in found.items()}


def metric_named(name: str) -> Metric:
    """The registered metric, or that of one part of a joint suite (``vqa/answer_accuracy``); raises UnknownName."""
    part, own = part_of(name), own_name(name)
    options = registry.metric.entry(own).options
    found = Metric(id=own, value=registry.metric.get(own), **options)
    if not part:
        return found
    value = ValueOfPart(part, found.value, found.kind)
    return replace(found, id=name, statistic=joined(part, found.statistic), value=value)

"""A statistic of one part of a joint suite: what it is given is narrowed to the part, and it counts as always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmbench.core.errors import SampleError
from mmbench.core.metric import Ints, RowStatistic, Statistic, TaskContext
from mmbench.core.prediction import Joint, Prediction
from mmbench.core.table import Table


def statistic_of_part(part: str, own: Statistic) -> Statistic:
    """``own``, counted on the part alone."""
    return RowsOfPart(part, own) if isinstance(own, RowStatistic) else SetOfPart(part, own)


@dataclass(frozen=True, slots=True)
class _OfPart:
    part: str
    own: Any

    def support(self, rows: Any, context: TaskContext) -> Ints:
        """As in ``Statistic``, of the part's classes."""
        return self.own.support(rows, context.of(self.part))  # type: ignore[no-any-return]

    def absent(self, rows: Any, context: TaskContext) -> int:
        """As in ``Statistic``, of the part's classes."""
        return self.own.absent(rows, context.of(self.part))  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class RowsOfPart(_OfPart):
    """A row statistic of one part."""

    def width(self, context: TaskContext) -> int:
        """As in ``RowStatistic``."""
        return self.own.width(context.of(self.part))  # type: ignore[no-any-return]

    def row(self, target: Any, prediction: Prediction, context: TaskContext) -> Ints:
        """As in ``RowStatistic``; raises SampleError too when the prediction lacks the part."""
        own = prediction_of_part(prediction, self.part)
        return self.own.row(target.parts[self.part], own, context.of(self.part))  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class SetOfPart(_OfPart):
    """A set statistic of one part."""

    def check(self, target: Any, prediction: Prediction, context: TaskContext) -> None:
        """As in ``SetStatistic``; raises SampleError too when the prediction lacks the part."""
        own = prediction_of_part(prediction, self.part)
        self.own.check(target.parts[self.part], own, context.of(self.part))

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:
        """As in ``SetStatistic``."""
        own = [prediction_of_part(prediction, self.part) for prediction in predictions]
        parts = [target.parts[self.part] for target in targets]
        return self.own.rows(parts, own, context.of(self.part))  # type: ignore[no-any-return]


def prediction_of_part(prediction: Prediction, part: str) -> Prediction:
    """What is predicted for the part; raises SampleError when there is nothing."""
    if isinstance(prediction, Joint) and part in prediction.parts:
        return prediction.parts[part]
    found = ", ".join(prediction.parts) if isinstance(prediction, Joint) else f"one {prediction.kind}"
    raise SampleError(
        f"The prediction of {prediction.sample_id!r} has no part {part!r} (found: {found or 'none'}); predict every "
        "task of the suite."
    )

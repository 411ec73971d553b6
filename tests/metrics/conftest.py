"""Registered metrics from targets and predictions, the way a suite is scored."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from mmbench.core.metric import Floats, TaskContext, metric_named
from mmbench.core.prediction import Prediction
from mmbench.core.table import Table, select
from mmbench.metrics.scoring import needed_statistics, tables_of
from mmbench.metrics.weighing import GroupedTable, values_of


class Scored:
    """The tables of n samples, each of which is its own group."""

    def __init__(
        self, names: Sequence[str], targets: Sequence[Any], predictions: Sequence[Prediction], context
    ) -> None:
        self._metrics = [metric_named(name) for name in names]
        self._context = context
        self.tables = tables_of(targets, predictions, needed_statistics(names), context)

    def only(self, names: Sequence[str]) -> Scored:
        """The same tables, read by these metrics alone."""
        found = copy.copy(self)
        found._metrics = [metric_named(name) for name in names]
        return found

    def values(self, weights: Sequence[Sequence[int]] | None = None) -> dict[str, Floats]:
        """By metric float64 [D] or [D,C], in each draw."""
        return self._of(self.tables, None if weights is None else np.array(weights, dtype=np.float64))

    def repeated(self, counts: Sequence[int]) -> dict[str, Floats]:
        """The values of a set in which each sample's rows literally occur so many times, [1] or [1,C]."""
        index = np.repeat(np.arange(len(counts)), counts)
        return self._of({name: select(table, index) for name, table in self.tables.items()}, None)

    def _of(self, tables: dict[str, Table], weights: Floats | None) -> dict[str, Floats]:
        grouped = {name: GroupedTable.of(table, np.arange(len(table))) for name, table in tables.items()}
        return values_of(grouped, self._metrics, self._context, weights)


@pytest.fixture
def scored() -> Callable[..., Scored]:
    """``scored(names, targets, predictions, classes=())``."""

    def build(names, targets, predictions, classes: Sequence[str] = ()) -> Scored:
        return Scored(names, targets, predictions, TaskContext(tuple(classes), None))

    return build

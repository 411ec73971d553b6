"""The mean over held-out tasks, each between chance and its ceiling."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.core.bounds import Bounds
from mmbench.core.metric import metric_named
from mmbench.study.generality import generality
from mmbench.study.table import StudyTable, Subject, tabulate


def study(made: SimpleNamespace, name: str, rates: dict[str, list[float]], chance: float, fused: float) -> StudyTable:
    bounds = Bounds(metric="accuracy", chance=chance, unimodal={"image": chance}, fused=fused, spec_version=1)
    subject = Subject(name, "frozen", metric_named("accuracy"), "concat", 100, bounds if fused else None)
    right = {s: np.array([np.arange(100) < 100 * rate for rate in of]) for s, of in rates.items()}
    return tabulate(subject, [made.measured(s, table) for s, table in right.items()])


def test_tasks_are_normalised_before_the_mean(made: SimpleNamespace) -> None:
    """(.6 - .2)/(1 - .2) and (.45 - 0)/(.9 - 0): the mean of halves is a half."""
    tables = [
        study(made, "a", {"concat": [0.6] * 3, "gmu": [0.2] * 3}, 0.2, 1.0),
        study(made, "b", {"concat": [0.45] * 3, "gmu": [0.9] * 3}, 0.0, 0.9),
    ]
    found = generality(tables)
    assert found.tables == ("a", "b")
    by_name = {line.name: line for line in found.lines}
    assert by_name["concat"].parts == pytest.approx((0.5, 0.5))
    assert by_name["gmu"].parts == pytest.approx((0.0, 1.0))
    assert by_name["gmu"].mean.value == pytest.approx(0.5)


def test_seeds_are_the_clusters(made: SimpleNamespace) -> None:
    """Student's interval of the seeds' means; two seeds have none."""
    rates = [0.5, 0.6, 0.7]
    (line,) = generality([study(made, "a", {"concat": rates}, 0.0, 1.0)]).lines
    reach = 4.302653 * np.std(rates, ddof=1) / np.sqrt(3)
    assert (line.mean.low, line.mean.high) == pytest.approx((0.6 - reach, 0.6 + reach))
    (line,) = generality([study(made, "a", {"concat": rates[:2]}, 0.0, 1.0)]).lines
    assert line.mean.low is None


def test_unknown_bounds_are_said(made: SimpleNamespace) -> None:
    found = generality(
        [study(made, "a", {"concat": [0.5] * 3}, 0.0, 1.0), study(made, "b", {"concat": [0.5] * 3}, 0, 0)]
    )
    assert (found.tables, found.left_out) == (("a",), ("b",))

"""The choice of the interval method, and the interval that it names."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from mmbench.stats.intervals import percentile_interval, student_interval
from mmbench.stats.jackknife import Jackknife
from mmbench.stats.methods import CHOICES, FEW_SAMPLES, SIZES, Choice, Kind, Method, Quantity, choose_method, interval
from mmbench.stats.proportions import clopper_pearson_interval, tango_interval, wilson_interval


@pytest.mark.parametrize(
    ("kind", "score", "difference"),
    [
        ("proportion", Method.WILSON, Method.TANGO),
        ("mean", Method.JACKKNIFE_T, Method.JACKKNIFE_T),
        ("sums", Method.JACKKNIFE_T, Method.JACKKNIFE_T),
        ("weighted", Method.JACKKNIFE_T, Method.JACKKNIFE_T),
    ],
)
def test_the_choice(kind: str, score: Method, difference: Method) -> None:
    """By kind; one group has no interval, several seeds have the two-way one, whatever the kind."""
    assert choose_method(kind, "score", samples=200, groups=200) is score
    assert choose_method(kind, "difference", samples=200, groups=200) is difference
    for quantity in ("score", "difference"):
        assert choose_method(kind, quantity, samples=200, groups=1) is Method.NONE
        assert choose_method(kind, quantity, samples=200, groups=200, seeds=3) is Method.TWO_WAY_T


def test_few_instances_change_the_score_alone() -> None:
    """A rare class skews the score of a corpus metric; in a difference it cancels; shares have no classes."""
    assert choose_method("sums", "score", samples=200, groups=200, few_instances=True) is Method.PERCENTILE
    assert choose_method("sums", "difference", samples=200, groups=200, few_instances=True) is Method.JACKKNIFE_T
    assert choose_method("proportion", "score", samples=200, groups=200, few_instances=True) is Method.WILSON


def test_few_samples_make_a_share_exact() -> None:
    """Under 200 samples the exact interval of a share; its difference keeps Tango's at every size."""
    assert choose_method("proportion", "score", samples=FEW_SAMPLES - 1, groups=199) is Method.CLOPPER_PEARSON
    assert choose_method("proportion", "score", samples=FEW_SAMPLES, groups=200) is Method.WILSON
    assert choose_method("proportion", "difference", samples=50, groups=50) is Method.TANGO


def documented(quantity: str, scenario: str, method: str) -> list[float]:
    """The coverage of a method in docs/coverage.md at each size, in percent."""
    text = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text()
    section = text.split({"difference": "### Paired", "score": "### Absolute"}[quantity])[1].split("###")[0]
    rows = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in section.splitlines() if "|" in line]
    column = rows[0].index(method)
    found = {int(row[1]): row[column] for row in rows[2:] if row[0] == scenario}
    return [float(found[size].split()[0]) for size in SIZES]


@pytest.mark.parametrize(
    "choice", [choice for choice in CHOICES if choice.covers], ids=lambda c: f"{c.kind} {c.quantity}"
)
def test_the_figures_beside_a_choice_are_those_of_the_study(choice: Choice) -> None:
    """Within three standard errors of the page, and inside the claim: 93 to 97 %."""
    for scenario, figures in choice.covers.items():
        found = documented(choice.quantity, scenario, choice.method.value)
        assert figures == pytest.approx(found, abs=1.6)
        assert all(93 <= figure <= 97 for figure in found)


def test_every_kind_has_a_choice_for_both_quantities_with_its_reason() -> None:
    always = {(choice.kind, choice.quantity) for choice in CHOICES if choice.condition == "always"}
    assert always == {(kind, quantity) for kind in get_args(Kind) for quantity in get_args(Quantity)}
    assert all(choice.reason for choice in CHOICES)


def test_the_interval_is_that_of_the_method() -> None:
    """Each name gives the bounds of its function."""
    jackknife = Jackknife(0.5, np.array([0.4, 0.5, 0.45, 0.6]))
    replicates = np.linspace(0, 1, 101)
    expected = student_interval(0.5, jackknife.error, 3, 0.9)
    assert interval(Method.JACKKNIFE_T, 0.9, jackknife=jackknife) == expected
    assert interval(Method.PERCENTILE, 0.9, replicates=replicates) == percentile_interval(replicates, 0.9)
    assert interval(Method.WILSON, 0.9, share=(7, 9)) == wilson_interval(7, 9, 0.9)
    assert interval(Method.CLOPPER_PEARSON, 0.9, share=(7, 9)) == clopper_pearson_interval(7, 9, 0.9)
    assert interval(Method.TANGO, 0.9, pairs=(7, 2, 30)) == tango_interval(7, 2, 30, 0.9)
    assert interval(Method.NONE, 0.9).reason == "all samples are of one group"


@pytest.mark.parametrize(
    "method", [Method.JACKKNIFE_T, Method.PERCENTILE, Method.WILSON, Method.TANGO, Method.TWO_WAY_T]
)
def test_nothing_is_made_up(method: Method) -> None:
    """Without what the method reads there is an error, not another method."""
    with pytest.raises(ValueError, match=method.value):
        interval(method, 0.95)

"""How numbers are written."""

from __future__ import annotations

import pytest

from mmbench.reports import numbers
from mmbench.reports.board import Cell, Place, Span


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, "-"),
        (Span(0.5, None, None), "0.500"),
        (Span(0.81234, 0.79, 1.0), "0.812 [.790, 1.000]"),
        (Span(-0.05, -0.125, 0.0), "-0.050 [-.125, .000]"),
        (Span(-0.0001, -0.9999, -1.5), "0.000 [-1.000, -1.500]"),
        (Span(10.05, 10.0, 20.0), "10.050 [10.000, 20.000]"),
    ],
)
def test_spans(span, text):
    assert numbers.spanned(span) == text


def test_ranks(build):
    cell = Cell(Place("c"), build.estimate())
    assert numbers.rank(None) == numbers.rank(cell) == "-"
    assert numbers.rank(Cell(Place("c"), build.estimate(), rank=(2, 2))) == "2"
    assert numbers.rank(Cell(Place("c"), build.estimate(), rank=(1, 3))) == "1-3"


def test_phi_is_a_dash_with_the_regret_where_there_is_no_gain_to_share(build):
    cell = Cell(Place("c"), build.estimate(), regret=Span(0.0123, None, None))
    assert numbers.phi(cell) == "- (regret 0.012)"
    assert numbers.phi(Cell(Place("c"), build.estimate())) == "-"
    assert numbers.psi(cell) == "-"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0"), (999, "999"), (1000, "1.0k"), (123_456, "123k"), (4_200_000, "4.2M"), (13 * 10**8, "1.3G")],
)
def test_parameters(build, count, text):
    assert numbers.parameters(build.run(model={"parameters": count})) == text


@pytest.mark.parametrize(
    ("cost", "text"), [(None, "-"), (0.5123, "0.512"), (12.0, "12.0"), (123.4, "123"), (0.0, "0.00")]
)
def test_milliseconds(build, cost, text):
    record = build.run()
    assert (
        numbers.milliseconds(record.model_copy(update={"cost": record.cost.model_copy(update={"ms_per_item": cost})}))
        == text
    )


def test_what_failed_is_seen_in_the_count_and_the_status(build):
    assert numbers.samples(build.partial()) == "1021/1024"
    assert numbers.status(build.partial()) == "partial, 3 failed"
    assert numbers.samples(build.run()) == "1024"
    assert numbers.status(build.run()) == "ok"

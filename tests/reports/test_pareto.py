"""Quality against cost: who is on the front."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench import content
from mmbench.cli.main import main
from mmbench.reports.pareto import front

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12)


def test_a_front_worked_out_by_hand() -> None:
    """(cost, quality): the third is dearer and worse than the second; equal ones both stay."""
    assert front([(1, 5), (2, 8), (3, 7), (4, 8), (2, 8)]) == [True, True, False, False, True]


@given(PAIRS)
def test_what_is_off_the_front_is_dominated_by_what_is_on_it(pairs: list[tuple[int, int]]) -> None:
    """And no two on the front dominate one another; the order of the runs does not matter."""
    marks = front(pairs)
    best = [pair for pair, mark in zip(pairs, marks, strict=True) if mark]
    assert best
    for cost, quality in pairs:
        beaten = any(c <= cost and q >= quality and (c, q) != (cost, quality) for c, q in best)
        assert beaten == ((cost, quality) not in best)
    assert front(pairs[::-1]) == marks[::-1]


@pytest.mark.parametrize("cost", ["ms", "memory", "parameters"])
def test_the_view_and_its_figure(cost: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Of the shipped baselines the best one is on every front."""
    folder = str(content.folder("results/reference"))
    assert main(["leaderboard", folder, "--cost", cost, "--figure", str(tmp_path / "front.svg")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("*") and " concat " in line for line in lines)
    assert (tmp_path / "front.svg").stat().st_size > 5_000


@pytest.mark.parametrize(("flags", "code"), [(["--cost", "money"], 2), (["--figure", "front.txt"], 2)])
def test_a_mistake_is_told(flags: list[str], code: int) -> None:
    assert main(["leaderboard", str(content.folder("results/reference")), *flags]) == code


def test_latency_runs_alone_have_no_quality(latency_run, tmp_path: Path) -> None:
    latency_run(tmp_path, 0.01)
    assert main(["leaderboard", str(tmp_path), "--cost", "ms"]) == 4

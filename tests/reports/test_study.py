"""A study as a table, Markdown, CSV and figures."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.bounds import Bounds
from mmbench.core.metric import metric_named
from mmbench.reports import markdown, table
from mmbench.reports.study_figures import apart, cost_figure, save_figures
from mmbench.reports.study_sections import part
from mmbench.reports.terminal import drawn
from mmbench.stats.jackknife import Jackknife, leave_one_out
from mmbench.study.design import Control, Strategy
from mmbench.study.sizing import Size
from mmbench.study.table import Cost, Measured, StudyTable, Subject, tabulate

SAMPLES = 300


def measured(
    name: str, rate: float, seeds: int, control: Control = "", curve: tuple = (), size: Size | None = None
) -> Measured:
    """Trainings that hardly differ: the samples decide what can be told apart."""
    right = np.random.default_rng([ord(c) for c in name]).uniform(size=SAMPLES) < rate
    found = []
    for seed in range(seeds):
        right = right.astype(float)
        right[seed] = 1 - right[seed]
        sums = leave_one_out(np.stack([right, np.ones(SAMPLES)], axis=1))
        found.append(Jackknife(float(right.mean()), sums[:, 0] / sums[:, 1]))
    strategy = Strategy(name, name, ("image", "text"), control)
    return Measured(strategy, tuple(found), rate, Cost(1200, 150_000, 0.41, size), curve)


BOUNDS = Bounds(
    metric="accuracy", chance=0.25, unimodal={"image": 0.5, "text": 0.5}, fused=1.0, additive=0.75, spec_version=1
)


def study(seeds: int = 5, bounds: Bounds = BOUNDS) -> StudyTable:
    subject = Subject(
        "cls-it@1[regime=S4,tier=ci]", "frozen", metric_named("accuracy"), "concat", SAMPLES, bounds,
        ("early is left out: it joins pictures.",),
    )  # fmt: skip
    curve = ((20, 0.4), (200, 0.7), (2000, 0.93))
    return tabulate(
        subject,
        [
            measured("concat", 0.93, seeds, curve=curve),
            measured("gmu", 0.92, seeds, curve=((20, 0.3), (2000, 0.6))),
            measured("feat_linear", 0.3, seeds),
            measured("only:text", 0.5, seeds, "unimodal"),
            measured("concat_shuffled", 0.5, seeds, "shuffled"),
        ],
    )


def sized(wanted: int | None) -> StudyTable:
    """One strategy of each kind of size; ``wanted`` are the parameters of concat, None without matching."""
    subject = Subject("cls-it@1", "frozen", metric_named("accuracy"), "concat", SAMPLES, None)
    trained = {"concat": 1616, "mfb": 1664, "low_rank_tensor": 1760, "film": 576}
    sizes = {
        name: Size(count, 576 if name == "film" else 2000, wanted) if name != "concat" else Size(1616, 1616)
        for name, count in trained.items()
    }
    lines = [measured(name, 0.8, 3, size=size) for name, size in sizes.items()]
    return tabulate(subject, [*lines, measured("only:text", 0.5, 3, "unimodal")])


def test_matched_and_native_parameters_are_told_apart() -> None:
    """Every strategy says whether its parameters are its own, those of concat, or cannot be; a control does not."""
    found = part(sized(1616))
    (grid,) = found.grids
    places = [[head.text for head in grid.heads].index(name) for name in ("strategy", "native", "size")]
    assert sorted(tuple(line.cells[place] for place in places) for line in grid.lines) == [
        ("concat", "1.6k", "native"),
        ("film", "576", "native (unmatched), -64%"),
        ("low_rank_tensor", "2.0k", "nearest, +9%"),
        ("mfb", "2.0k", "matched"),
        ("only:text", "-", "-"),
    ]
    assert any("within 5% of the 1,616 parameters of concat's fusion" in remark for remark in found.remarks)


def test_without_matching_and_tuning_there_is_no_size_to_tell() -> None:
    heads = {head.text for head in part(study()).grids[0].heads}
    assert not {"native", "size"} & heads
    assert any("are native, each operator's own" in remark for remark in part(study()).remarks)


def test_tuned_widths_are_told() -> None:
    assert any(remark.startswith("tuned: ") for remark in part(sized(None)).remarks)


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_the_terminal(width: int) -> None:
    """No line is wider, and nothing is cut off."""
    text = drawn(table.blocks([part(study())]), width, False)
    assert max(len(line) for line in text.splitlines()) <= width
    for told in ("concat_shuffled", "not reached", "F* fused", "P(A>B)", "ms/item", "early is left out"):
        assert told in text


def test_it_says_what_may_be_claimed() -> None:
    """Undecided pairs with the samples it would take, certificates, the detectable effect, controls."""
    text = " ".join(part(study()).remarks)
    assert "gmu and concat cannot be told apart at this n; you would need n = " in text
    assert "certifies fusion that is not additive: concat, gmu" in text
    assert "5 seeds x 300 samples: intervals speak of new trainings and new samples" in text
    assert "is found in four of five such studies (MDE" in text
    assert "gain is over only:text" in text
    assert "U* = 0.500 is the best score with one modality" in text
    assert "Above it (after Holm): concat, gmu." in text


def test_a_gain_over_a_trained_modality_is_no_proof_of_fusion() -> None:
    """Where the trained ones are short of U* strategies may be above them, and yet below it."""
    high = BOUNDS.model_copy(update={"unimodal": {"image": 0.95, "text": 0.5}, "additive": None})
    text = " ".join(part(study(bounds=high)).remarks)
    assert re.search(r"it is above 0 \(after Holm\) for concat, gmu", text)
    assert "Above it (after Holm): no strategy." in text


@pytest.mark.parametrize(
    ("seeds", "told"), [(1, "1 seed, 300"), (2, "2 seeds, 300"), (3, "Few seeds"), (4, "Few seeds")]
)
def test_few_seeds_are_flagged(seeds: int, told: str) -> None:
    """Under three nothing is claimed of new trainings; three and four are flagged."""
    text = " ".join(part(study(seeds)).remarks)
    assert told in text
    assert ("not of new trainings" in text) == (seeds < 3)


def test_markdown_is_a_table() -> None:
    text = "\n\n".join(markdown.blocks([part(study())]))
    (grid,) = [block for block in text.split("\n\n") if block.startswith("|")]
    rows = list(csv.reader(grid.replace("\\|", "").splitlines(), delimiter="|"))
    assert len({len(row) for row in rows}) == 1


def test_figures_are_the_same_bytes(tmp_path: Path) -> None:
    """Both figures, in both formats; an SVG tells its strategies."""
    for form in ("png", "svg"):
        first = save_figures(study(), tmp_path / "a", form)
        again = save_figures(study(), tmp_path / "b", form)
        assert [file.name.rpartition("-")[2] for file in first] == [f"cost.{form}", f"labels.{form}"]
        for one, two in zip(first, again, strict=True):
            assert one.read_bytes() == two.read_bytes()
    assert "gmu" in (tmp_path / "a" / first[0].name).read_text()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.001, 0.03))
def test_names_do_not_touch_and_keep_their_order(heights: list[float], gap: float) -> None:
    """Those with room enough stay where they are; all stay inside the axes."""
    found = np.array(apart(heights, gap))
    order = np.argsort(heights, kind="stable")
    assert (np.diff(found[order]) >= gap - 1e-9).all()
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-9
    if (np.diff(np.sort(heights)) > gap).all():
        assert found == pytest.approx(np.array(heights))


def test_every_point_of_the_cost_figure_has_a_number_and_a_name() -> None:
    """Where points lie on each other their names would too: numbers stand at the points, names in a list."""
    table = study()
    left, right = cost_figure(table).axes
    names = [f"{n} {line.name}" for n, line in enumerate(table.lines, 1)]
    told = [text.get_text() for text in right.texts]
    assert [text for text in told if " " in text] == names
    numbers = {str(n) for n in range(1, 1 + len(names))}
    assert numbers <= set(told)
    assert numbers <= {text.get_text() for text in left.texts}


def test_several_undecided_strategies_share_a_sentence() -> None:
    """Each with the samples that it would take."""
    (told,) = [remark for remark in part(sized(None)).remarks if remark.startswith("Each of these and concat cannot")]
    undecided = [line for line in sized(None).lines if line.needed is not None and not math.isinf(line.needed)]
    assert len(undecided) > 1
    assert all(f"{line.needed:,.0f} for {line.name}" in told for line in undecided)

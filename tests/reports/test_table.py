"""The table fits the terminal, loses nothing, reads the same without colour and obeys no text of the data."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from mmbench.core.errors import LoadError
from mmbench.reports.board import View
from mmbench.reports.leaderboard import leaderboard
from mmbench.reports.table import render

# Hypothesis takes no fixtures that are made per test.
MAKE = runpy.run_path(str(Path(__file__).with_name("records.py")))
CODES = re.compile(r"\x1b\[[0-9;]*m")
EVERYTHING = View(metrics=("pixel_accuracy",), slices=True, per_class=True)

GOLDEN = """\
seg@1[regime=X,tier=ci]: RGB and depth segmentation
rank  model             miou [95%]        phi [95%]  params  ms/item     n
--------------------------------------------------------------------------
   1  concat    0.820 [.800, .840]  0.50 [.44, .56]    123k    0.512  1024
   -  broken             undefined                -    123k    0.512  1024
--------------------------------------------------------------------------
      chance                 0.100
      U* rgb                 0.600
      U* depth               0.640
      F* fused               1.000

model   modalities  status  flags  execution
--------------------------------------------------
concat  rgb+depth   ok      -      cpu fp32 b16 t2
broken  rgb+depth   ok      -      cpu fp32 b16 t2

Intervals: bootstrap over groups, 1000 draws.
execution: device, precision, batch size (b) and threads (t).
phi = (score - U*)/(F* - U*) is the share of the attainable fusion gain; U* is
the best single modality.
miou is undefined: no class occurs.
Also measured: pixel_accuracy (--metric NAME, or the CSV).
Licence of the data: Apache-2.0.
"""


def no_rows(record):
    raise LoadError("The rows are missing.")


def made(*records):
    return leaderboard(records, no_rows)


def test_golden(build):
    text = render(made(build.run("concat", 0.82), build.run("broken", None)), View())
    assert text == GOLDEN


def test_phi_is_a_dash_with_the_regret_where_the_gap_is_small(build):
    small = build.bounds(unimodal={"rgb": 0.69, "depth": 0.7}, fused=0.72)
    assert " - (regret 0.220) " in render(made(build.run(value=0.5, bounds=(small,))), View())


def test_psi_stands_where_the_additive_bound_is_certified(build):
    assert "psi" not in render(made(build.run()), View())
    text = render(made(build.run(value=0.9, bounds=(build.bounds(additive=0.8),))), View(width=120))
    assert "0.50 [.40, .60]" in text
    assert "A* additive" in text


def test_without_bounds_there_is_no_column_for_them(build):
    text = render(made(build.run(bounds=())), View())
    assert "phi" not in text
    assert "F*" not in text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(st.characters(), min_size=1, max_size=40), min_size=1, max_size=3, unique=True),
    st.integers(80, 200),
)
def test_no_line_is_wider_than_the_terminal(names, width):
    """Property: any names, from data nobody checked."""
    view = View(metrics=("pixel_accuracy",), slices=True, per_class=True, width=width)
    runs = [MAKE["run"](name, time=i, classes=("x",), key=MAKE["key"]()) for i, name in enumerate(names)]
    text = render(made(*runs), view)
    assert max(cell_len(line) for line in text.splitlines()) <= width


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"[a-z0-9_]{1,70}", fullmatch=True))
def test_a_long_name_is_folded_and_never_cut(name):
    """Property: every character of the name is there, in order."""
    lines = render(made(MAKE["run"](name)), View()).splitlines()
    start, end, *_ = (i for i, line in enumerate(lines) if line.startswith("---"))
    assert "".join(line[6:26].partition(" ")[0] for line in lines[start + 1 : end]) == name


def test_everything_asked_for_is_there_at_80_columns(build):
    text = render(made(build.run("concat", 0.82)), EVERYTHING)
    assert max(map(len, text.splitlines())) <= 80
    for heading in ("pixel_accuracy [95%]", "miou by regime", "iou by class", "execution", "flags", "status", "n"):
        assert heading in text
    assert "0.433 [.413, .453]" in text
    assert "S4      concat  256  0.820 [.780, .860]" in text
    assert "background  concat  0.100 [.080, .120]  few-instances" in text
    assert "Also measured" not in text


def test_colour_changes_nothing_but_the_codes(build):
    found = made(build.run("concat", 0.82), build.run("broken", None))
    coloured = render(found, View(colour=True))
    assert CODES.search(coloured)
    plain = "\n".join(line.rstrip() for line in CODES.sub("", coloured).splitlines()) + "\n"
    assert plain == render(found, View())


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "[/]", ":smile:", "[link=a]b[/link]"])
def test_markup_of_data_is_text(build, name):
    assert f" {name} " in render(made(build.run(name, model={"digest": "d"})), View(width=120))


def test_terminal_codes_of_data_are_shown_and_not_obeyed(build):
    failures = ("\x1b]0;title\x07", "two\nlines")
    record = build.partial("\x1b[2J", title="\x1b[31m", licence="\x9b1m")
    record = record.model_copy(update={"failures": tuple(build.Failure(id="i", reason=text) for text in failures)})
    text = render(made(record), View())
    assert not set(text) & {"\x1b", "\x9b", "\x07"}
    assert r"\x1b[2J" in text


def test_refusals_are_said(build):
    found = made(build.run("a"), build.run("b", key=build.key(data="9999")))
    assert "Kept apart" in render(found, View())
    assert "data: 9999 against 2222." in render(found, View(width=200))


def test_failures_and_older_runs_are_said(build):
    text = render(made(build.partial(time=1), build.partial(time=2)), View())
    assert "partial: the newest of 2 runs is shown." in text
    assert "partial: 3 of 1024 samples failed (The file x.png is missing.)" in text
    assert "1021/1024" in text

"""Markdown: a table that renders, and no text of the data taken for markup."""

from __future__ import annotations

import pytest

from mmbench.reports.board import View
from mmbench.reports.markdown import escape, render

GOLDEN = r"""### seg@1\[regime=X,tier=ci\]: RGB and depth segmentation

| rank | model | miou \[95%\] | phi \[95%\] | params | ms/item | n | modalities | status | flags | execution |
| ---: | :--- | ---: | ---: | ---: | ---: | ---: | :--- | :--- | :--- | :--- |
| 1 | a\|b | 0.820 \[.800, .840\] | 0.50 \[.44, .56\] | 123k | 0.512 | 1024 | rgb+depth | ok | - | cpu fp32 b16 t2 |
|  | *chance* | *0.100* |  |  |  |  |  |  |  |  |
|  | *U\* rgb* | *0.600* |  |  |  |  |  |  |  |  |
|  | *U\* depth* | *0.640* |  |  |  |  |  |  |  |  |
|  | *F\* fused* | *1.000* |  |  |  |  |  |  |  |  |

- Intervals: bootstrap over groups, 1000 draws.
- execution: device, precision, batch size (b) and threads (t).
- phi = (score - U\*)/(F\* - U\*) is the share of the attainable fusion gain; U\* is the best single modality.
- Also measured: pixel\_accuracy (--metric NAME, or the CSV).
- Licence of the data: Apache-2.0.
"""


def test_golden(build, board):
    assert render(board(build.run("a|b", 0.82)), View()) == GOLDEN


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("![x](http://y)", r"\!\[x\](http://y)"),
        ("`*_~#$", r"\`\*\_\~\#\$"),
        ("a\nb", r"a\\nb"),
        ("\\", "\\\\"),
    ],
)
def test_escapes(text, escaped):
    assert escape(text) == escaped


def test_every_row_has_as_many_cells_as_the_head(build, board):
    view = View(metrics=("pixel_accuracy",), slices=True, per_class=True)
    text = render(board(build.run("a | b\n| c"), build.run("d", key=build.key(data="9"))), view)
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 6
    for table in tables:
        assert len({line.replace(r"\|", "").count("|") for line in table.splitlines()}) == 1
    assert text.splitlines()[-1].startswith("> Kept apart: miou of")

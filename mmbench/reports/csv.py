"""CSV in long form; the columns are documented in ``mmbench.reports.tidy.COLUMNS``.

RFC 4180 with a header line, UTF-8 and ``\\n`` line ends; floats are written so that they read back equal, an empty cell
means "does not apply". Text that a spreadsheet would take for a formula gets a leading apostrophe.
"""

from __future__ import annotations

import csv
import io

from mmbench.core.registry import report
from mmbench.reports.board import Leaderboard, View
from mmbench.reports.printable import printable
from mmbench.reports.tidy import COLUMNS, Value, tidy


@report("csv")
def render(board: Leaderboard, view: View) -> str:
    """All that was measured, one line per suite, model, metric, class and slice; for spreadsheets and pandas."""
    del view  # a view selects for the eye; a file holds everything
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(value) for value in line.values()] for line in tidy(board))
    return text.getvalue()


def cell(value: Value) -> str:
    """A value as text that reads back equal and that no spreadsheet takes for a formula; None is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        shown = printable(value)
        return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
    return repr(value)

"""A report: the names of the models, best first."""

from __future__ import annotations

from mmbench.core.registry import report


@report("toy-names")
def render(board, view):
    """One name per line."""
    return "".join(f"{row.record.model.name}\n" for table in board.tables for row in table.rows)

"""docs/fusions.md is what the operators say of themselves."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILE = HERE.parents[1] / "docs" / "fusions.md"


@pytest.mark.skipif(not FILE.is_file(), reason="needs the checkout, in which docs is")
def test_the_page_is_up_to_date() -> None:
    """``python tests/fusion/fusions_table.py > docs/fusions.md`` writes it again."""
    assert FILE.read_text(encoding="utf-8") == runpy.run_path(str(HERE / "fusions_table.py"))["document"]()

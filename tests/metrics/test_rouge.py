"""ROUGE-L against the textbook table of the longest common subsequence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.metrics.rouge import rouge_l

WORDS = st.sampled_from(["a", "b", "c", "dd", "e\xa0f", ""])
TEXTS = st.one_of(st.lists(WORDS, max_size=9), st.lists(WORDS, min_size=60, max_size=70)).map(" ".join)


def common(first: list[str], second: list[str]) -> int:
    """Row by row; a row holds the length for each end of ``second``."""
    row = [0] * (len(second) + 1)
    for word in first:
        last = row
        row = [0]
        for place, other in enumerate(second):
            row.append(last[place] + 1 if word == other else max(row[-1], last[place + 1]))
    return row[-1]


def plain(candidate: str, references: list[str]) -> float:
    words = candidate.split(" ")
    lengths = [(common(words, text.split(" ")), len(text.split(" "))) for text in references]
    precision = max(length / len(words) for length, _ in lengths)
    recall = max(length / size for length, size in lengths)
    return 2.44 * precision * recall / (recall + 1.44 * precision) if precision and recall else 0.0


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4))
def test_table(candidate: str, references: list[str]) -> None:
    """Equal to the plain table, also of texts longer than the 64 bits of a machine word."""
    assert rouge_l([references], [candidate]) == pytest.approx([plain(candidate, references)], rel=1e-12)


def test_by_hand() -> None:
    """Precision 2/3 from one reference, recall 1 from the other; U+00A0 joins; "" is one empty word."""
    assert rouge_l([["a x b y z", "c"]], ["a b c"]) == pytest.approx([2.44 * (2 / 3) / (1 + 1.44 * (2 / 3))])
    assert rouge_l([["1 2"], ["x"], [""]], ["1\xa02", "", ""]).tolist() == [0.0, 0.0, 1.0]

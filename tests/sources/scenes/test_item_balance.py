"""Assignment of classes to items: balanced by counts, twins that differ, any order of access."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.scenes.item_balance import even, shown_in, twin
from mmbench.sources.scenes.label_laws import PAIR_LAWS, laws_named
from mmbench.sources.scenes.regimes import MIXED


@pytest.mark.parametrize("regime", [name for name in PAIR_LAWS if name not in ("S3", "G")] + ["X"])
@pytest.mark.parametrize("block", [0, 3])
def test_each_block_holds_each_row_of_a_law_equally_often(regime: str, block: int) -> None:
    drawn = [shown_in("cls-it", regime, "test", index) for index in range(256 * block, 256 * block + 256)]
    for law in laws_named(regime):
        found = Counter((item.label, *item.shown) for item in drawn if item.law is law)
        assert set(Counter(item.law.name for item in drawn)) == set(MIXED if regime == "X" else (regime,))
        share = found.total() // len(law.rows)
        assert found == {row: share * n for row, n in Counter(map(tuple, law.rows.tolist())).items()}


def test_nine_rows_fill_a_block_as_evenly_as_they_can() -> None:
    found = Counter(shown_in("cls-it", "S3", "test", index)[1:] for index in range(256))
    assert sorted(Counter(found.values()).items()) == [(28, 5), (29, 4)]


def test_graded_evidence_is_drawn_without_replacement() -> None:
    found = Counter(shown_in("cls-it", "G", "test", index)[1:] for index in range(20_000))
    law = PAIR_LAWS["G"]
    assert found == Counter((row[0], tuple(row[1:])) for row in law.rows.tolist())


@pytest.mark.parametrize("values", [4, 5, 6, 8, 16])
def test_values_are_even_in_each_block(values: int) -> None:
    for block in (0, 2):
        counts = Counter(even(values, index, "x") for index in range(256 * block, 256 * block + 256))
        assert len(counts) == values
        assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("values", [4, 5, 6, 8])
def test_twins_differ_and_are_even(values: int) -> None:
    found = [twin(values, scene, "x") for scene in range(256)]
    assert all(first != second for first, second in zip(found[::2], found[1::2], strict=True))
    counts = Counter(found)
    assert len(counts) == values
    assert max(counts.values()) - min(counts.values()) <= 2


@given(index=st.integers(0, 10_000))
def test_purposes_are_independent_streams(index: int) -> None:
    """The same purpose gives the same value again; over 32 items two purposes do not agree throughout."""
    assert even(8, index, "a") == even(8, index, "a")
    first, second = ([even(8, index + n, purpose) for n in range(32)] for purpose in ("a", "b"))
    assert first != second

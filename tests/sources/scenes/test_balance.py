"""Assignment of signatures: exact balance within blocks, any order of access, prefixes."""

from __future__ import annotations

from collections import Counter

import pytest

from mmbench.sources.scenes import balance
from mmbench.sources.scenes.balance import BLOCK, OBJECTS, assigned
from mmbench.sources.scenes.regimes import LAWS, MIXED, REGIMES


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("block", [0, 3])
def test_each_block_holds_each_row_of_a_law_equally_often(regime: str, block: int) -> None:
    found: dict[str, Counter[tuple[int, ...]]] = {}
    for index in range(block * BLOCK, (block + 1) * BLOCK):
        law, rows = assigned("seg", regime, "test", index)
        assert len(rows) == OBJECTS
        found.setdefault(law.name, Counter()).update(map(tuple, rows))
    assert set(found) == set(MIXED if regime == "X" else (regime,))
    for name, counts in found.items():
        law_rows = LAWS[name].rows.tolist()
        repeats = BLOCK * OBJECTS // len(found) // len(law_rows)
        assert counts == {row: repeats * n for row, n in Counter(map(tuple, law_rows)).items()}


def test_items_do_not_depend_on_the_order_of_access() -> None:
    indices = [700, 3, 51_199, 256, 0]
    forward = [assigned("seg", "X", "train", i) for i in indices]
    balance._block.cache_clear()
    assert [assigned("seg", "X", "train", i) for i in reversed(indices)] == forward[::-1]


def test_blocks_and_splits_are_shuffled_independently() -> None:
    orders = [
        tuple(assigned("seg", "X", split, i + offset)[0].name for i in range(BLOCK))
        for split, offset in (("test", 0), ("test", BLOCK), ("val", 0))
    ]
    assert len(set(orders)) == 3

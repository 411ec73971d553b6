"""Which class and signatures each object has: exact balance within blocks, any item in constant time.

Item i belongs to block i div 256. A block's 1,024 objects (four an item) carry each row of the law equally often, in
the order of a permutation keyed by the block. In regime X a keyed permutation first gives each of the four laws 64
items; the objects of those share that law's rows equally.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mmbench.sources.scenes.regimes import Law, Rows, laws_of
from mmbench.sources.scenes.stream import permutation

BLOCK = 256
OBJECTS = 4  # in segmentation


@lru_cache(maxsize=1024)
def _block(task: str, regime: str, split: str, block: int) -> tuple[tuple[Law, ...], Rows]:
    """The law of each item of a block, and int8 [256, 4, 1+M] the rows of its objects."""
    laws = laws_of(regime)
    share = BLOCK // len(laws)
    drawn = [_shuffled(law, share * OBJECTS, task, regime, split, block) for law in laws]
    rows = np.concatenate(drawn).reshape(BLOCK, OBJECTS, -1)
    order = permutation(BLOCK, task, regime, split, "block", block, "items")
    return tuple(laws[int(position) // share] for position in order), rows[order]


def _shuffled(law: Law, objects: int, *stream: str | int) -> Rows:
    repeats, rest = divmod(objects, len(law.rows))
    if rest:
        raise ValueError(f"{objects} objects do not hold the {len(law.rows)} rows of regime {law.name} equally often")
    order = permutation(objects, *stream, "objects", law.name)
    shuffled: Rows = np.tile(law.rows, (repeats, 1))[order]
    return shuffled


def assigned(task: str, regime: str, split: str, index: int) -> tuple[Law, list[list[int]]]:
    """The law of item ``index`` and, for each of its objects, (y, shown by each modality)."""
    block, position = divmod(index, BLOCK)
    laws, rows = _block(task, regime, split, block)
    drawn: list[list[int]] = rows[position].tolist()
    return laws[position], drawn

"""Which class and signatures each item has, where the class is the whole item's: balanced by counts, in constant time.

The items of a block carry each row of the law equally often, in the order of a permutation keyed by the block. A block
has 256 items, or as many as the law has rows if these are more: then a tier may end within a block, and its counts are
those of a draw without replacement. In regime X each of the four laws has 64 items of a block.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.balance import BLOCK
from mmbench.sources.scenes.label_laws import Shown, laws_named
from mmbench.sources.scenes.regimes import Law, Rows
from mmbench.sources.scenes.stream import permutation


def shown_in(task: str, regime: str, split: str, index: int) -> Shown:
    """The law of item ``index``, its class and what each modality shows."""
    laws = laws_named(regime)
    size = max(BLOCK, *(len(law.rows) for law in laws))
    block, position = divmod(index, size)
    laws, rows = _block(task, regime, split, block, size)
    label, *shown = rows[position].tolist()
    return Shown(laws[position], label, tuple(shown))


@lru_cache(maxsize=256)
def _block(task: str, regime: str, split: str, block: int, size: int) -> tuple[tuple[Law, ...], Rows]:
    """The law of each item of a block, and int8 [size, 1+M] the rows of its items."""
    laws = laws_named(regime)
    share = size // len(laws)
    rows = np.concatenate([_filled(law, share, task, regime, split, "rows", law.name, block) for law in laws])
    order = permutation(size, task, regime, split, "block", block)
    return tuple(laws[int(place) // share] for place in order), rows[order]


def _filled(law: Law, items: int, *stream: str | int) -> Rows:
    """The law's rows, each equally often; where that is not possible (the nine of S3) some random ones once more."""
    rows = law.rows[permutation(len(law.rows), *stream)] if items % len(law.rows) else law.rows
    filled: Rows = np.resize(rows, (items, law.rows.shape[1]))
    return filled


@lru_cache(maxsize=512)
def _order(count: int, purpose: tuple[str | int, ...]) -> NDArray[np.intp]:
    return permutation(count, *purpose)


def even(values: int, index: int, *purpose: str | int, block: int = BLOCK) -> int:
    """A value 0..values-1 of item ``index``; in each block all values occur equally often, but for a difference of one.

    ``purpose`` names the stream; values of different purposes are independent.
    """
    number, position = divmod(index, block)
    return int(_order(block, (*purpose, number))[position]) % values


def twin(values: int, scene: int, *purpose: str | int) -> int:
    """As ``even``, but scenes 2n and 2n + 1 always have different values."""
    pair, side = divmod(scene, 2)
    number, place = divmod(pair, BLOCK // 2)
    position = int(_order(BLOCK // 2, (*purpose, number))[place])
    step = 1 + position // values % (values - 1)
    return (position + side * step) % values

"""Tables of pixels by what is observed and what is true, from the latents alone, without rendering."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.geometry import area
from mmbench.sources.scenes.regimes import HIDDEN, laws_of
from mmbench.sources.scenes.scene import Scene

Table = NDArray[np.float64]
Columns = NDArray[np.int64]

_BACKGROUND = 0


def pixels_of(scenes: Iterable[Scene]) -> Columns:
    """int64 [4n, 3 + M], a row an object: cue, pixels, label, then what each modality shows."""
    rows = [
        (scene.law.cue, area(thing.shape, thing.size), thing.label, *thing.shown)
        for scene in scenes
        for thing in scene.things
    ]
    return np.array(rows, dtype=np.int64)


def table_of(objects: Columns, observed: Sequence[int], classes: int, pixels: int) -> Table:
    """float64 [O, C]: pixels of true class c that look like o to the modalities ``observed``, all pixels summed.

    ``objects`` is from ``pixels_of``, ``classes`` counts background, ``pixels`` is the size of all label maps together.
    An observation is what the modalities show together with the regime's cue; row 0 is what looks like background,
    hidden objects included. With no modality observed there is one row.
    """
    cue, size, label = objects[:, :3].T
    if observed:
        shown = objects[:, [3 + m for m in observed]]
        seen = np.concatenate([np.where((shown == HIDDEN).all(axis=1), -1, cue)[:, None], shown], axis=1)
        kinds, row = np.unique(seen, axis=0, return_inverse=True)
        unseen = (kinds[:, 1:] == HIDDEN).all(axis=1)
        row = np.where(unseen, 0, np.cumsum(~unseen))[row.reshape(-1)]
    else:
        row = np.zeros(len(objects), dtype=np.intp)
    table = np.zeros((int(row.max(initial=0)) + 1, classes))
    np.add.at(table, (row, label), size)
    table[_BACKGROUND, 0] = pixels - size.sum()
    return table


def classes_of(regime: str) -> int:
    """Number of classes of a regime, background included."""
    return 1 + max(law.classes for law in laws_of(regime))

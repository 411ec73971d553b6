"""The best mask of an object whose place is not known, only its shape or not even that.

A place is a cell of 16, a size and a jitter, all equally likely. With p the chance that a pixel of the cell belongs to
the object, the candidates are the level sets p >= t, in one cell or in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.geometry import GRID, JITTER, SHAPES, SIZES, outline

_CELLS = GRID * GRID
_COPIES = (1, _CELLS)

Floats = NDArray[np.float64]


def blind_scores(shapes: Sequence[int], canvas: int, *, told: bool) -> dict[str, float]:
    """The best ``mean_iou``, ``oiou`` and ``p50`` on objects of these shapes, the shape being ``told`` or not."""
    counts = np.bincount(shapes, minlength=len(SHAPES)) / len(shapes)
    kinds = [(shape,) for shape in range(len(SHAPES))] if told else [tuple(range(len(SHAPES)))]
    scores = [(sum(counts[shape] for shape in kind), _scores(kind, canvas)) for kind in kinds]
    mean = {name: float(sum(weight * score[name].max() for weight, score in scores)) for name in ("mean_iou", "p50")}
    return mean | {"oiou": _best_ratio(scores)}


def _best_ratio(scores: Sequence[tuple[float, dict[str, Floats]]]) -> float:
    """max of sum w I / sum w U over one candidate a kind (Dinkelbach, Management Science 1967)."""
    value = 0.0
    for _ in range(50):
        picks = [int((score["shared"] - value * score["united"]).argmax()) for _, score in scores]
        chosen = list(zip(scores, picks, strict=True))
        shared = sum(weight * score["shared"][pick] for (weight, score), pick in chosen)
        value = float(shared / sum(weight * score["united"][pick] for (weight, score), pick in chosen))
    return value


@lru_cache(maxsize=32)
def _scores(shapes: tuple[int, ...], canvas: int) -> dict[str, Floats]:
    """By candidate: mean IoU, mean shared and united pixels, chance of an IoU of at least one half."""
    objects = np.concatenate([_places(shape, canvas) for shape in shapes]).astype(np.float64)
    levels = objects.mean(axis=0)
    masks = np.stack([levels >= level for level in np.unique(levels[levels > 0])]).astype(np.float64)
    inside, sizes, areas = objects @ masks.T, masks.sum(axis=1), objects.sum(axis=1)[:, None]
    found: dict[str, list[Floats]] = {"mean_iou": [], "shared": [], "united": [], "p50": []}
    for copies in _COPIES:
        hit = copies / _CELLS
        united = copies * sizes + areas - inside
        found["mean_iou"].append(hit * (inside / united).mean(axis=0))
        found["p50"].append(hit * (2 * inside >= united).mean(axis=0))
        found["shared"].append(hit * inside.mean(axis=0))
        found["united"].append((copies * sizes + areas - hit * inside).mean(axis=0))
    return {name: np.concatenate(values) for name, values in found.items()}


def best_mask(shapes: tuple[int, ...], canvas: int) -> NDArray[np.uint8]:
    """uint8 [canvas, canvas]: the mask whose mean IoU is best, the same in all cells; of all shapes when none is given.

    All cells are better than some: n masks of s pixels give n i / (n s + a - i), which rises with n as i <= a.
    """
    known = tuple(shapes) or tuple(range(len(SHAPES)))
    levels = np.concatenate([_places(shape, canvas) for shape in known]).astype(np.float64).mean(axis=0)
    candidates = np.unique(levels[levels > 0])
    best = candidates[_scores(known, canvas)["mean_iou"][-len(candidates) :].argmax()]
    side = canvas // GRID
    return np.tile((levels >= best).reshape(side, side), (GRID, GRID)).astype(np.uint8)


def _places(shape: int, canvas: int) -> NDArray[np.bool_]:
    """bool [N, side * side]: an object of that shape in all places of its cell."""
    side, (least, most) = canvas // GRID, SIZES[canvas]
    found = []
    for size in range(least, most + 1):
        middle = (side - size) // 2
        for down in range(-JITTER, JITTER + 1):
            for across in range(-JITTER, JITTER + 1):
                cell = np.zeros((side, side), dtype=np.bool_)
                cell[middle + down : middle + down + size, middle + across : middle + across + size] = outline(
                    shape, size
                )
                found.append(cell.ravel())
    return np.stack(found)

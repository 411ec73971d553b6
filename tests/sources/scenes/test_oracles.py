"""Rule-based decoders that read the rendered arrays only: each modality reaches its U*, both together F*.

No decoder knows a latent or a renderer's table of objects: textures are told by which neighbours are equal, ramps by
the sign of their slopes, 16-valued signatures by the middle of the colour or depth range as well.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from mmbench.content import load_suite
from mmbench.core.source import SourceRequest
from mmbench.sources.scenes.policy import best_policy
from mmbench.sources.scenes.regimes import BLANK, HIDDEN, REGIMES
from mmbench.sources.scenes.source import SceneSource

CELL = 16
# What a reader of the images is told: the red of each regime's background, and the colours of 16-valued signatures.
BACKGROUNDS = np.array([16, 84, 156, 240, 48, 120, 196, 220])
FIRST_COLOURS = np.array([[200, 60, 60], [60, 160, 60], [70, 80, 200], [200, 190, 50]])


def cells_of(mask: np.ndarray):
    """The windows of the 4 x 4 cells that hold an object."""
    for top in range(0, 64, CELL):
        for left in range(0, 64, CELL):
            window = np.s_[top : top + CELL, left : left + CELL]
            if mask[window].any():
                yield window


def steady(values: np.ndarray, mask: np.ndarray, down: int, across: int) -> bool:
    """Whether each object pixel equals its neighbour ``down`` rows below and ``across`` columns to the left."""
    rows, columns = values.shape
    here, there = np.s_[: rows - down, across:], np.s_[down:, : columns - across]
    both = mask[here] & mask[there]
    return bool((values[here] == values[there])[both].all())


def see_rgb(image: np.ndarray, sixteen: bool) -> tuple[int, np.ndarray, dict]:
    """Which background, object mask, and per cell what the texture shows."""
    colours, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    tint = colours[counts.argmax()]
    mask = (image != tint).any(axis=2)
    seen = {}
    for window in cells_of(mask):
        inside, patch = mask[window], image[window].astype(int)
        grey = patch.sum(axis=2)
        if steady(grey, inside, 1, 0) and steady(grey, inside, 0, 1):
            shown = BLANK
        else:
            stripes = [steady(grey, inside, *step) for step in ((0, 1), (1, 0), (1, 1))]
            shown = stripes.index(True) if any(stripes) else 3
        if sixteen and shown >= 0:
            middle = (patch[inside].min(axis=0) + patch[inside].max(axis=0)) / 2
            shown += 4 * int(np.abs(FIRST_COLOURS - middle).sum(axis=1).argmin())
        seen[window[0].start, window[1].start] = shown
    return int(np.abs(BACKGROUNDS - int(tint[0])).argmin()), mask, seen


def see_depth(depth: np.ndarray, sixteen: bool) -> tuple[int, np.ndarray, dict]:
    """Background relief (by which neighbours differ in the last rows), object mask, per cell what the slope shows."""
    mask = depth < 1.13
    behind = ~mask
    relief = [not steady(depth, behind, *step) for step in ((1, 0), (0, 1))]
    seen = {}
    for window in cells_of(mask):
        inside, patch = mask[window], depth[window]
        slopes = [
            np.sign((patch[1:] - patch[:-1])[inside[1:] & inside[:-1]].sum()),
            np.sign((patch[:, 1:] - patch[:, :-1])[inside[:, 1:] & inside[:, :-1]].sum()),
        ]
        shown = {(0, 0): BLANK, (1, 0): 0, (0, 1): 1, (-1, 0): 2, (0, -1): 3}[int(slopes[0]), int(slopes[1])]
        if sixteen and shown >= 0:
            middle = float(patch[inside].min() + patch[inside].max()) / 2
            shown += 4 * round((middle - 0.5) / 0.15)
        seen[window[0].start, window[1].start] = shown
    return relief[0] + 2 * relief[1], mask, seen


@lru_cache(maxsize=16)
def decoded(regime: str):
    """Of each smoke item: label map, and observation maps (rgb, depth, both) as names of what is seen per pixel."""
    spec, _ = load_suite("seg")
    source = SceneSource.open(SourceRequest(spec, {"regime": regime, "tier": "smoke"}, None, "test"))
    maps: dict[tuple[int, ...], list[np.ndarray]] = {(0,): [], (1,): [], (0, 1): []}
    names: dict[tuple, int] = {}
    labels = []
    for sample_id in source.ids:
        sample = source.load(sample_id)
        eyes = (see_rgb(sample.inputs["rgb"], regime == "M16"), see_depth(sample.inputs["depth"], regime == "M16"))
        labels.append(sample.target)
        for observed, pile in maps.items():
            pile.append(observation(sample.target.shape, [eyes[m] for m in observed], names, observed))
    return np.stack(labels), {observed: np.stack(pile) for observed, pile in maps.items()}


def observation(shape, eyes, names, observed) -> np.ndarray:
    """int [H, W]: a number for each distinct combination of cue and what is shown; the same for equal ones."""
    seen = np.zeros(shape, dtype=np.int64)
    seen[:] = names.setdefault((observed, "background"), len(names))
    cue = tuple(eye[0] for eye in eyes)
    mask = np.logical_or.reduce([eye[1] for eye in eyes])
    for window in cells_of(mask):
        corner = window[0].start, window[1].start
        shown = tuple(eye[2].get(corner, HIDDEN) for eye in eyes)
        seen[window][mask[window]] = names.setdefault((observed, cue, shown), len(names))
    return seen


def mean_iou(labels: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    confusion = np.bincount((labels.astype(int) * classes + predicted).ravel(), minlength=classes**2)
    confusion = confusion.reshape(classes, classes)
    shared = np.diag(confusion)
    return float((shared / (confusion.sum(axis=0) + confusion.sum(axis=1) - shared)).mean())


def answer(seen: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels drawn pixel by pixel from the best policy for what was seen (seeded)."""
    _, numbers = np.unique(seen, return_inverse=True)
    numbers = numbers.reshape(seen.shape)
    table = np.bincount((numbers * classes + labels).ravel(), minlength=(numbers.max() + 1) * classes)
    rule = best_policy(table.reshape(-1, classes).astype(float)).rule
    steps = rule.cumsum(axis=1)[:, :-1]
    draws = np.random.default_rng(0).random(seen.shape)
    return (draws[..., None] > steps[numbers]).sum(axis=-1)


@pytest.mark.parametrize("regime", REGIMES)
def test_rule_based_decoders_reach_the_bounds(open_seg, regime: str) -> None:
    """U*_rgb, U*_depth and F* within .003 of mean IoU (pixel-wise guessing on 10^5 object pixels)."""
    source = open_seg(regime)
    bounds = source.bounds(source.ids)[0]
    labels, maps = decoded(regime)
    classes = len(source.classes)
    for observed, bound in (((0,), bounds.unimodal["rgb"]), ((1,), bounds.unimodal["depth"]), ((0, 1), bounds.fused)):
        value = mean_iou(labels, answer(maps[observed], labels, classes), classes)
        assert value == pytest.approx(bound, abs=0.003)


@pytest.mark.parametrize(("regime", "k"), [("S4", 4), ("M16", 16)])
def test_the_law_applied_to_what_is_seen_is_the_label(regime: str, k: int) -> None:
    """y = (s_1 + s_2) mod k from the two arrays alone, at every pixel of 256 items."""
    spec, _ = load_suite("seg")
    source = SceneSource.open(SourceRequest(spec, {"regime": regime, "tier": "smoke"}, None, "test"))
    for sample_id in source.ids:
        sample = source.load(sample_id)
        _, mask, textures = see_rgb(sample.inputs["rgb"], k == 16)
        _, _, ramps = see_depth(sample.inputs["depth"], k == 16)
        fused = np.zeros_like(sample.target)
        for window in cells_of(mask):
            corner = window[0].start, window[1].start
            fused[window][mask[window]] = 1 + (textures[corner] + ramps[corner]) % k
        assert np.array_equal(fused, sample.target)


def test_a_rule_of_wrong_labels_lies_below_the_best_single_modality(open_seg) -> None:
    """S4 with every class shifted by one: phi is -U*/(F* - U*) but for the background, which it has right."""
    source = open_seg("S4")
    bounds = source.bounds(source.ids)[0]
    labels, _ = decoded("S4")
    shifted = np.where(labels > 0, labels % 4 + 1, 0)
    phi = bounds.phi(mean_iou(labels, shifted, 5))
    assert phi == pytest.approx((0.2 - bounds.best_unimodal) / bounds.gap, abs=1e-6)
    assert phi < -0.15

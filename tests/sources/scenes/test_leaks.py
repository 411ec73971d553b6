"""Leaks: where the law says that a modality knows nothing of the class, its pixels must not tell it either."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.linear_model import LogisticRegression

from mmbench.sources.scenes.geometry import outline
from mmbench.sources.scenes.rgb import CONTRAST, PALETTE
from mmbench.sources.scenes.scene import scene_of

# Of a fixed draw: below this a test of independence would be a one in a thousand accident.
ACCIDENT = 1e-3


def items(regime: str, split: str = "test", count: int = 256):
    return [scene_of("seg", regime, split, index, 64) for index in range(count)]


@pytest.mark.parametrize("regime", ["S4", "X", "H"])
def test_geometry_and_order_are_independent_of_the_class(regime: str) -> None:
    """Chi-square of class against cell, size, shape, place in the item, colour, level and place in the split."""
    found: dict[str, list[int]] = {}
    labels = []
    for index, scene in enumerate(items(regime)):
        for slot, thing in enumerate(scene.things):
            labels.append(thing.label)
            values = {
                "row": thing.top // 16,
                "column": thing.left // 16,
                "size": thing.size,
                "shape": thing.shape,
                "slot": slot,
                "colour": thing.colour,
                "level": thing.level,
                "phase": thing.phase[0] * 4 + thing.phase[1],
                "quarter": index // 64,
                "parity": index % 4,
            }
            for name, value in values.items():
                found.setdefault(name, []).append(value)
    for name, values in found.items():
        table = np.zeros((5, max(values) + 1))
        np.add.at(table, (labels, values), 1)
        table = table[1:, table.sum(axis=0) > 0]
        assert chi2_contingency(table).pvalue > ACCIDENT, name


def statistics(patch: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """First-order statistics, edge energy and compressed size of an object's pixels."""
    inside = patch[mask].astype(float)
    edges = np.abs(np.diff(patch.astype(float), axis=0)).mean() + np.abs(np.diff(patch.astype(float), axis=1)).mean()
    return {
        "mean": inside.mean(),
        "deviation": inside.std(),
        "edges": edges,
        "bytes": float(len(zlib.compress(np.ascontiguousarray(patch).tobytes()))),
    }


@pytest.mark.parametrize("modality", ["rgb", "depth"])
def test_image_statistics_are_independent_of_the_class(open_seg, modality: str) -> None:
    """S4: Kolmogorov-Smirnov of each class against the others, object by object."""
    source = open_seg("S4")
    by_class: dict[tuple[str, int], list[float]] = {}
    for index, sample_id in enumerate(source.ids):
        image = source.load(sample_id).inputs[modality]
        for thing in scene_of("seg", "S4", "test", index, 64).things:
            patch = image[thing.top : thing.top + thing.size, thing.left : thing.left + thing.size]
            for name, value in statistics(patch, outline(thing.shape, thing.size)).items():
                by_class.setdefault((name, thing.label), []).append(value)
    for name in ("mean", "deviation", "edges", "bytes"):
        for label in range(1, 5):
            others = [v for other in range(1, 5) if other != label for v in by_class[name, other]]
            assert ks_2samp(by_class[name, label], others).pvalue > ACCIDENT, (name, label)


def test_colour_statistics_say_nothing_of_the_texture(open_seg) -> None:
    """R, where texture is the class: about the object's colour, each channel has one mean and one deviation."""
    source = open_seg("R", "ci")
    pixels: dict[int, list[np.ndarray]] = {}
    for index, sample_id in enumerate(source.ids):
        image = source.load(sample_id).inputs["rgb"].astype(int)
        for thing in scene_of("seg", "R", "test", index, 64).things:
            patch = image[thing.top : thing.top + thing.size, thing.left : thing.left + thing.size]
            pixels.setdefault(thing.label, []).append((patch - PALETTE[thing.colour])[outline(thing.shape, thing.size)])
    for values in (np.concatenate(group) for group in pixels.values()):
        assert values.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.03 * CONTRAST)
        assert values.std(axis=0) == pytest.approx(np.full(3, CONTRAST), rel=0.001)


def patches(source, modality: str) -> tuple[np.ndarray, np.ndarray]:
    """The cells around objects as flat features, and the objects' classes."""
    features, labels = [], []
    for sample_id in source.ids:
        sample = source.load(sample_id)
        image = sample.inputs[modality].astype(np.float32).reshape(64, 64, -1)
        for top in range(0, 64, 16):
            for left in range(0, 64, 16):
                label = int(sample.target[top : top + 16, left : left + 16].max())
                if label:
                    features.append(image[top : top + 16, left : left + 16].mean(axis=2).ravel())
                    labels.append(label)
    matrix = np.stack(features)
    return (matrix - matrix.mean()) / matrix.std(), np.array(labels)


@pytest.mark.parametrize("modality", ["rgb", "depth"])
def test_a_probe_of_one_modality_stays_at_chance(open_seg, modality: str) -> None:
    """S4: logistic regression on the cells' pixels, fitted on val, is right on a quarter of test, within 3 SE.

    The same probe on regime R learns the class, so the test can fail.
    """
    accuracy = {}
    for regime in ("S4", "R"):
        train, test = (patches(open_seg(regime, "smoke", split), modality) for split in ("train", "test"))
        features = [
            np.concatenate([x, np.abs(np.gradient(x.reshape(-1, 16, 16), axis=1)).reshape(len(x), -1)], axis=1)
            for x in (train[0], test[0])
        ]
        probe = LogisticRegression(max_iter=60, tol=1e-2).fit(features[0], train[1])
        accuracy[regime] = probe.score(features[1], test[1])
    assert accuracy["S4"] <= 0.25 + 3 * np.sqrt(0.25 * 0.75 / 1024)
    assert accuracy["R"] > 0.35


@pytest.mark.parametrize("regime", ["X", "S4", "R"])
def test_no_image_is_repeated_across_splits(open_seg, regime: str) -> None:
    seen = [
        source.load(i).inputs["rgb"].tobytes() + source.load(i).inputs["depth"].tobytes()
        for source in (open_seg(regime, "smoke", split) for split in ("train", "val", "test"))
        for i in source.ids
    ]
    assert len(set(seen)) == len(seen) == 768

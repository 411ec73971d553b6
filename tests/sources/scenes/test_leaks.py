"""Leaks: where the law says that a modality knows nothing of the class, its pixels must not tell it either."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from mmbench.core.sample import Sample
from mmbench.sources.scenes.geometry import outline
from mmbench.sources.scenes.leaks import association, difference, excess, findings, leaks, repeated
from mmbench.sources.scenes.rgb import CONTRAST, PALETTE
from mmbench.sources.scenes.scene import scene_of
from mmbench.sources.scenes.source import SPLITS, SceneSource
from mmbench.sources.scenes.tasks.catalogue import TASKS

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


@pytest.mark.parametrize("regime", ["X", "S4", "R"])
def test_no_image_is_repeated_across_splits(open_seg, regime: str) -> None:
    seen = [
        source.load(i).inputs["rgb"].tobytes() + source.load(i).inputs["depth"].tobytes()
        for source in (open_seg(regime, "smoke", split) for split in ("train", "val", "test"))
        for i in source.ids
    ]
    assert len(set(seen)) == len(seen) == 768


RUNS = [(name, regime) for name, task in TASKS.items() for regime in task.regimes]


@pytest.mark.parametrize(("task", "regime"), RUNS)
def test_no_simple_measure_tells_what_a_modality_must_not(open_task, task: str, regime: str) -> None:
    """Brightness, edges, size, loudness, onset, length, order: all tests of a suite together at one in a thousand."""
    assert leaks(findings(open_task(task, regime))) == []


@dataclass(frozen=True)
class Leaky(SceneSource):
    """The samples of a source with a leak: ``planted(sample)`` gives the changed one."""

    planted: Callable[[Sample], Sample] = lambda sample: sample

    def load(self, sample_id: str) -> Sample:
        return self.planted(super().load(sample_id))


def brighter(sample: Sample) -> Sample:
    """Six levels of brightness more for one class, within the range of the tone (-6..6)."""
    return replace(
        sample, inputs=sample.inputs | {"image": sample.inputs["image"] + np.uint8(6 * (sample.target == 1))}
    )


def paler(sample: Sample) -> Sample:
    """Three quarters of the contrast for the objects of one class in a label map."""
    rgb = sample.inputs["rgb"]
    pale = np.where((sample.target == 1)[:, :, None], rgb // 4 * 3 + 32, rgb)
    return replace(sample, inputs=sample.inputs | {"rgb": pale})


def louder(sample: Sample) -> Sample:
    return replace(
        sample, inputs=sample.inputs | {"audio": sample.inputs["audio"] * np.float32(1 + 0.5 * (sample.target == 1))}
    )


def wordier(sample: Sample) -> Sample:
    return replace(sample, inputs=sample.inputs | {"text": sample.inputs["text"] + " and" * (sample.target == 1)})


@pytest.mark.parametrize(("task", "planted"), [("cls-it", brighter), ("cls-av", louder), ("cls-it", wordier)])
def test_a_planted_leak_is_caught(task: str, planted: Callable[[Sample], Sample]) -> None:
    source = Leaky(task, "S4", "smoke", "test", planted=planted)
    modality = {brighter: "image", louder: "audio", wordier: "text"}[planted]
    found = leaks(findings(source))
    assert found
    assert {finding.secret for finding in found} == {f"{modality} tells the class (S4)"}


@pytest.mark.parametrize(("task", "regime"), [("seg", "S4"), ("det", "M16"), ("seg", "X"), ("det", "U1")])
def test_objects_have_secrets_too(open_task, task: str, regime: str) -> None:
    """U1: depth knows nothing; in X of U2 and S4 the picture neither. Each with the seven measures of an object."""
    found = findings(open_task(task, regime))
    expected = {
        "S4": {"rgb tells the class (S4)", "depth tells the class (S4)"},
        "M16": {"rgb tells the class (M16)", "depth tells the class (M16)"},
        "U1": {"depth tells the class (U1)"},
        "X": {"rgb tells the class (U2)", "depth tells the class (U1)"}
        | {"rgb tells the class (S4)", "depth tells the class (S4)"},
    }[regime]
    assert {finding.secret for finding in found} == expected
    assert len(found) == 7 * len(expected)


def test_a_planted_leak_of_objects_is_caught() -> None:
    found = leaks(findings(Leaky("seg", "S4", "smoke", "test", planted=paler)))
    assert {finding.secret for finding in found} == {"rgb tells the class (S4)"}


def test_samples_in_the_order_of_their_class_are_caught() -> None:
    source = SceneSource("cls-it", "S4", "smoke", "test")
    ordered = tuple(sorted(source.ids, key=lambda sample_id: source.without_inputs(sample_id).target))
    source.__dict__["ids"] = ordered
    assert {finding.measure for finding in leaks(findings(source))} >= {"quarter"}


@pytest.mark.parametrize(("task", "regime"), [("cls-it", "S4"), ("cls-av", "S4"), ("refseg", "S"), ("caption", "C")])
def test_no_sample_is_repeated_across_splits(open_task, task: str, regime: str) -> None:
    digests = {}
    for split in SPLITS:
        source = open_task(task, regime, "smoke", split)
        digests[split] = [source.load(sample_id).digest() for sample_id in source.ids[:256]]
    assert repeated(digests) == []
    assert repeated({"train": ["a", "b"], "test": ["b", "c"]}) == ["b"]


def test_the_tests_are_calibrated() -> None:
    """Independent columns give small p-values as often as they should, dependent ones always."""
    random = np.random.default_rng(0)
    labels = [str(label) for label in random.integers(0, 4, 400)]
    apart = [difference(labels, random.normal(size=400).tolist()) for _ in range(100)]
    assert np.mean([chance < 0.1 for chance in apart]) < 0.2
    assert (
        difference(labels, [float(label) + 0.1 * x for label, x in zip(labels, random.normal(size=400), strict=True)])
        < 1e-6
    )
    assert association(labels, labels) < 1e-6
    assert association(labels, [1] * 400) == 1
    assert np.mean([association(labels, random.integers(0, 5, 400).tolist()) < 0.1 for _ in range(100)]) < 0.2
    assert excess([True] * 75 + [False] * 25, 0.5) == pytest.approx(5)

"""Training on less: nested parts, uneven classes; nothing else of the source changes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from mmbench.core.errors import UsageError
from mmbench.core.source import SignedSource, TargetedSource
from mmbench.models.splits import open_splits
from mmbench.models.subset import WHOLE, Subset
from mmbench.sources.scenes.source import SceneSource


def opened(suite: str, subset: Subset = WHOLE):
    return open_splits(f"{suite}[tier=smoke]", {}, {}, subset)


@pytest.mark.parametrize("task", ["seg", "cls-it", "vqa", "refseg"])
def test_parts_are_nested_and_take_whole_groups(task: str) -> None:
    """A part of 10 % has 10 % of the pictures, with all their questions."""
    regime = "X" if task in ("seg", "cls-it") else "S"
    source = SceneSource(task, regime, "smoke", "train")
    parts = [set(Subset(part).of(source).ids) for part in (1, 2, 5, 10, 25, 100)]
    assert all(small <= large for small, large in pairwise(parts))
    assert parts[-1] == set(source.ids)
    per_scene = Counter(i.rpartition("-")[0] or i for i in parts[3])
    assert len(set(per_scene.values())) == 1
    assert 0.1 <= len(per_scene) / 256 <= 0.13


def test_a_part_keeps_the_classes_even() -> None:
    source = Subset(25).of(SceneSource("cls-it", "S4", "smoke", "train"))
    counts = Counter(source.load(i).target for i in source.ids)
    assert set(counts.values()) == {16}


@pytest.mark.parametrize("task", ["cls-it", "cls-vqa"])
def test_classes_become_uneven(task: str) -> None:
    """Of 4 classes 10 : 4.6 : 2.2 : 1, and a part of that in the same proportion."""
    regime = "S4" if task == "cls-it" else "S"
    source = SceneSource(task, regime, "smoke", "train")
    for subset in (Subset(imbalance=10), Subset(25, 10)):
        found = subset.of(source)
        labels = [getattr(t := found.without_inputs(i).target, "parts", {"classification": t}) for i in found.ids]
        counts = Counter(label["classification"] for label in labels)
        assert counts[0] / counts[3] == pytest.approx(10, rel=0.35)
        assert counts[0] > counts[1] > counts[2] > counts[3]


def test_samples_without_a_class_cannot_be_uneven() -> None:
    with pytest.raises(UsageError, match="--imbalance needs samples of one class each"):
        Subset(imbalance=10).of(SceneSource("seg", "X", "smoke", "train"))


def test_the_rest_is_the_source() -> None:
    source = SceneSource("seg", "X", "smoke", "train")
    found = Subset(10).of(source)
    assert isinstance(found, SignedSource)
    assert isinstance(found, TargetedSource)
    one = found.ids[0]
    assert (found.classes, found.ignore, found.modalities) == (source.classes, source.ignore, source.modalities)
    assert (found.stamp(one), found.stratum(one)) == (source.stamp(one), source.stratum(one))
    assert found.load(one).digest() == source.load(one).digest()
    assert (found.signature(one, "rgb") == source.signature(one, "rgb")).all()
    assert found.signature_classes("rgb") == source.signature_classes("rgb")
    assert Subset().of(source) is source


def test_the_splits_know_what_was_kept() -> None:
    """Training alone shrinks; stamp (of resumed trainings and cached encoders) and record say so."""
    whole, part = opened("seg"), opened("seg", Subset(25))
    assert (whole.record(), part.record()) == (
        {"part": 100, "imbalance": 1, "samples": 256},
        {"part": 25, "imbalance": 1, "samples": len(part.train.ids)},
    )
    assert part.val.ids == whole.val.ids
    assert part.stamp() != whole.stamp()
    with pytest.raises(UsageError, match="no part of 3%"):
        opened("seg", Subset(3))


def test_a_training_holds_out_what_its_run_tests() -> None:
    """The parameter is part of the reference that the checkpoint records, and of that of a run."""
    splits = open_splits("seg[tier=smoke]", {"hold_out": "pairs"}, {})
    assert str(splits.reference) == "seg@1[hold_out=pairs,regime=X,tier=smoke]"
    assert 0 < len(splits.train.ids) < 256
    assert 0 < len(splits.val.ids) < 256

"""What a model is trained on: never what it is measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench.core.errors import NothingMeasured, UsageError
from mmbench.models.splits import open_splits

SUITE = """
name = "toy"
version = 1
title = "Toy"
task = "segmentation"
modalities = ["rgb", "depth"]
metrics = ["miou"]
primary = "miou"
{splits}
[source]
kind = "scenes"
params = {{ task = "seg", tier = "smoke" }}
"""


def suite_file(folder: Path, splits: str = "") -> str:
    path = folder / "toy.toml"
    path.write_text(SUITE.format(splits=splits))
    return str(path)


def test_training_and_validation_are_opened_and_nothing_else() -> None:
    splits = open_splits("seg[tier=smoke]", {"regime": "S4"}, {})
    assert str(splits.reference) == "seg@1[regime=S4,tier=smoke]"
    assert {i.partition("/")[0] for i in splits.train.ids} == {"train"}
    assert {i.partition("/")[0] for i in splits.val.ids} == {"val"}


def test_the_stamp_changes_with_the_data() -> None:
    stamps = [open_splits("seg[tier=smoke]", {"regime": r}, {}).stamp() for r in ("S4", "R", "S4")]
    assert stamps[0] == stamps[2] != stamps[1]


@pytest.mark.parametrize("key", ["train_split", "val_split"])
def test_the_test_split_is_never_trained_on(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match="measures on split 'test' and names it for training too"):
        open_splits(suite_file(tmp_path, f'{key} = "test"'), {}, {})


def test_an_empty_split_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.sources.scenes.source.SceneSource.ids", ())
    with pytest.raises(NothingMeasured, match="Split 'train' of suite 'toy' is empty; training needs samples there"):
        open_splits(suite_file(tmp_path), {}, {})


def test_splits_that_share_samples_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.sources.scenes.source.SceneSource.ids", ("a/1", "a/2"))
    with pytest.raises(UsageError, match=r"Splits 'train' and 'val' of suite 'toy' share 2 samples \('a/1'\)"):
        open_splits(suite_file(tmp_path), {}, {})

"""Label PNGs on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmbench.adapters.opening import open_model
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import Model, ModelOptions
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Batch

LABELS = (np.arange(12) % 3).reshape(3, 4)


@pytest.fixture
def preds(tmp_path: Path) -> Path:
    folder = tmp_path / "preds"
    (folder / "scene").mkdir(parents=True)
    Image.fromarray(LABELS.astype(np.uint8)).save(folder / "grey.png")
    Image.fromarray(LABELS.astype(np.uint16)).save(folder / "sixteen.png")
    palette = Image.fromarray(LABELS.astype(np.uint8)[::-1].copy(), mode=None).convert("P")
    palette.putpalette([9, 9, 9, 200, 0, 0, 0, 0, 200])
    palette.putdata(LABELS.astype(np.uint8).ravel().tolist())
    palette.save(folder / "scene" / "palette.png")
    return folder


@pytest.fixture
def opened(preds: Path, toy_spec: Any, toy_source: Any) -> Callable[[], Model]:
    return lambda: open_model(f"predictions:{preds}", toy_spec, toy_source, ModelOptions())


def batch(*ids: str, size: tuple[int, int] = (3, 4)) -> Batch:
    return Batch(ids, {}, {}, (size,) * len(ids))


def test_grey_sixteen_bit_and_palette_pngs_give_the_indices(opened: Callable[[], Model]) -> None:
    outcomes = opened().predict(batch("grey", "sixteen", "scene/palette"))
    for outcome in outcomes:
        assert isinstance(outcome, LabelMap), outcome
        assert outcome.labels.dtype == np.uint8
        assert np.array_equal(outcome.labels, LABELS)
    assert [o.sample_id for o in outcomes] == ["grey", "sixteen", "scene/palette"]


def test_the_info_names_the_folder_and_digests_the_files(opened: Callable[[], Model], preds: Path) -> None:
    info = opened().info
    assert (info.name, info.modalities, info.parameters, info.locator) == ("preds", (), None, f"predictions:{preds}")
    assert opened().info.digest == info.digest
    Image.fromarray(LABELS.astype(np.uint8).T.copy()).save(preds / "grey.png")
    assert opened().info.digest != info.digest


def test_a_broken_file_fails_its_sample_alone(opened: Callable[[], Model], preds: Path) -> None:
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(preds / "colour.png")
    Image.fromarray(np.full((3, 4), 3, np.uint8)).save(preds / "range.png")
    Image.fromarray(LABELS.astype(np.uint8)).convert("L").save(preds / "jpeg.png", format="JPEG")
    Image.fromarray(np.zeros((4, 3), np.uint8)).save(preds / "size.png")
    (preds / "text.png").write_text("no picture", encoding="utf-8")
    (preds / "empty.png").touch()
    (preds / "cut.png").write_bytes((preds / "grey.png").read_bytes()[:45])
    (preds / "folder.png").mkdir()
    ids = ("colour", "range", "jpeg", "size", "text", "empty", "cut", "folder", "gone", "grey")
    outcomes = opened().predict(batch(*ids))
    parts = (
        "mode RGB; expected a PNG of label indices",
        "holds labels 3..3, expected 0..2",
        "is a JPEG picture",
        "has size (4, 3), expected (3, 4)",
        "cannot be read as a PNG",
        "cannot be read as a PNG",
        "cannot be read as a PNG",
        "cannot be read as a PNG",
        "does not exist; expected one label PNG per sample",
    )
    for sample_id, part, outcome in zip(ids[:-1], parts, outcomes, strict=False):
        assert isinstance(outcome, SampleError)
        assert part in str(outcome)
        assert str(preds / f"{sample_id}.png") in str(outcome)
    assert isinstance(outcomes[-1], LabelMap)


def test_no_path_leaves_the_folder(opened: Callable[[], Model], preds: Path, tmp_path: Path) -> None:
    """Law: an id from the data reads nothing outside the folder, by dots, links or absolute paths."""
    secret = tmp_path / "secret.png"
    Image.fromarray(LABELS.astype(np.uint8)).save(secret)
    (preds / "link.png").symlink_to(secret)
    (preds / "out").symlink_to(tmp_path, target_is_directory=True)
    (preds / "loop.png").symlink_to(preds / "loop.png")
    ids = ("../secret", "link", "out/secret", str(tmp_path / "secret"), "scene/../../secret")
    for outcome in opened().predict(batch(*ids)):
        assert isinstance(outcome, SampleError)
        assert "lies outside" in str(outcome)
    for outcome in opened().predict(batch("nul\0", "loop")):
        assert isinstance(outcome, SampleError)
    (inside,) = opened().predict(batch("scene/../grey"))
    assert isinstance(inside, LabelMap)


@pytest.mark.parametrize(("make", "sentence"), [(False, "there is no such folder"), (True, "the folder holds no PNG")])
def test_a_folder_without_predictions_is_a_load_error(
    tmp_path: Path, toy_spec: Any, toy_source: Any, make: bool, sentence: str
) -> None:
    if make:
        (tmp_path / "empty").mkdir()
    with pytest.raises(LoadError, match=sentence):
        open_model(f"predictions:{tmp_path / 'empty'}", toy_spec, toy_source, ModelOptions())

"""A desk for compare and gate: a tiny suite with slices and groups, and a model whose weights are a small JSON file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbench.cli.main import main

SUITE = """
name = "tiny"
version = 1
title = "Tiny images by day and by night"
task = "segmentation"
modalities = ["rgb"]
metrics = ["miou", "iou", "pixel_accuracy"]
primary = "miou"
[source]
kind = "folders"
[source.params]
classes = ["a", "b", "c"]
id = "{time}_{number}"
tags = {time = "{time}"}
[source.params.modalities.rgb]
path = "rgb/{time}_{number}.png"
decode = "image"
[source.params.label]
path = "labels/{time}_{number}.png"
ignore = 255
[source.params.splits.test]
folder = "."
"""
# The nearest of three shades, at night with shades of their own.
MODEL = """
import json
from pathlib import Path

import numpy as np

class Shades:
    modalities = ("rgb",)

    def __init__(self):
        self.weights = json.loads(Path("weights.json").read_text())

    def predict(self, batch):
        found = {}
        for i, rgb in zip(batch.ids, batch.inputs["rgb"]):
            shades = np.array(self.weights["night" if i.startswith("night") else "day"], dtype=float)
            grey = np.asarray(rgb, dtype=float)[..., 0]
            found[i] = np.abs(grey[..., None] - shades).argmin(-1)
        return found

def make():
    return Shades()
"""
SHADES = {"day": [40.0, 120.0, 200.0], "night": [10.0, 30.0, 50.0]}
NOISE = {"day": 30, "night": 8}
COUNT = 80


class Desk:
    """The working directory, and what a user does there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weigh()

    def weigh(self, **shades: list[float]) -> None:
        """Writes the model's weights; those not given are the good ones."""
        (self.folder / "weights.json").write_text(json.dumps(SHADES | shades))

    def run(self, results: str, *more: str) -> int:
        """Measures the model with the weights that lie there."""
        suite = ["--suite", "tiny.toml", "--data-root", "data", "--draws", "100", "--model", "python:shades.py:make"]
        return main(["run", *suite, "-o", results, *more])

    def draw(self, count: int = COUNT, seed: int = 0) -> None:
        """Draws the pictures, half of them by night."""
        random = np.random.default_rng(seed)
        for kind in ("rgb", "labels"):
            (self.folder / "data" / kind).mkdir(parents=True, exist_ok=True)
            for old in (self.folder / "data" / kind).iterdir():
                old.unlink()
        for index in range(count):
            time = "night" if index % 2 else "day"
            labels = random.integers(0, 3, (8, 8))
            grey = np.array(SHADES[time])[labels] + random.normal(0, NOISE[time], (8, 8))
            rgb = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
            Image.fromarray(rgb).save(self.folder / "data" / "rgb" / f"{time}_{index:03d}.png")
            Image.fromarray(labels.astype(np.uint8)).save(self.folder / "data" / "labels" / f"{time}_{index:03d}.png")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A directory with a suite of 80 pictures and a model, and in it the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("MMBENCH_DATA", raising=False)
    (tmp_path / "tiny.toml").write_text(SUITE)
    (tmp_path / "shades.py").write_text(MODEL)
    found = Desk(tmp_path)
    found.draw()
    return found


@pytest.fixture
def edit_record() -> Callable[..., None]:
    """Changes a run's record: ``edit_record("results", lambda record: ...)``."""

    def edit(results: str, change: Callable[[dict], object]) -> None:
        (file,) = Path(results).rglob("record.json")
        record = json.loads(file.read_text())
        change(record)
        file.write_text(json.dumps(record))

    return edit

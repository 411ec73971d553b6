"""``mmbench run``: what a user gets from the command, with label images and with an own module."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbench.cli.main import main

SUITE = """
name = "tiny"
version = 1
title = "Twelve tiny images"
task = "segmentation"
modalities = ["rgb", "depth"]
metrics = ["miou", "iou", "pixel_accuracy"]
primary = "miou"
[source]
kind = "folders"
[source.params]
classes = ["a", "b", "c"]
[source.params.modalities.rgb]
path = "rgb/{id}.png"
decode = "image"
[source.params.modalities.depth]
path = "depth/{id}.png"
decode = "plane"
[source.params.label]
path = "labels/{id}.png"
ignore = 255
[source.params.splits.test]
folder = "."
"""
SHADES = """
import numpy as np

class Shades:
    modalities = ("rgb",)

    def predict(self, batch):
        return {i: np.asarray(rgb)[..., 0] % 3 for i, rgb in zip(batch.ids, batch.inputs["rgb"])}

def make():
    return Shades()
"""
NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = torch.nn.Conv2d(3, width, 1)
        self.last = torch.nn.Conv2d(width, 3, 1)

    def forward(self, picture, far):
        return {"aux": far, "seg": self.last(self.first(picture)) + far}
"""
COUNT = 12


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a suite, its data, a model without torch and one with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("MMBENCH_DATA", raising=False)
    rng = np.random.default_rng(0)
    for kind, shape in (("rgb", (8, 8, 3)), ("depth", (8, 8)), ("labels", (8, 8))):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for index in range(COUNT):
            values = rng.integers(0, 3 if kind == "labels" else 255, shape, dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / "data" / kind / f"s{index:02d}.png")
    (tmp_path / "tiny.toml").write_text(SUITE)
    (tmp_path / "shades.py").write_text(SHADES)
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def run(*more: str) -> int:
    return main(["run", "--suite", "tiny.toml", "--data-root", "data", "--draws", "100", *more])


def records(results: str = "results") -> dict[str, dict]:
    found = [json.loads(file.read_text()) for file in Path(results).glob("*/record.json")]
    return {record["model"]["name"]: record for record in found}


def value(record: dict, metric: str = "miou") -> float:
    return next(e["value"] for e in record["estimates"] if (e["metric"], e["label"], e["tag"]) == (metric, "", ""))


def pixels(file: str) -> np.ndarray:
    with Image.open(file) as picture:
        return np.asarray(picture)


def test_one_model_ends_with_its_score_and_the_next_command(desk, capsys):
    assert run("--model", "python:shades.py:make") == 0
    said = capsys.readouterr()
    assert "miou 0." in said.out
    assert "n=12" in said.out
    assert "Next: mmbench leaderboard results" in said.out
    assert "12/12 samples" in said.err
    (record,) = records().values()
    assert record["status"] == "ok"
    assert record["provenance"]["argv"][:3] == ["mmbench", "run", "--suite"]


def test_saved_predictions_score_the_same(desk):
    """What a run writes is what ``predictions:DIR`` reads: the same labels, hence the same numbers."""
    assert run("--model", "python:shades.py:make", "--save-predictions", "out", "-o", "first") == 0
    assert len(list(Path("out").glob("s*.png"))) == COUNT
    with Image.open("out/worst.png") as picture:
        assert picture.size[0] > 100
    assert run("--model", "predictions:out", "-o", "second") == 0
    (first,), (second,) = records("first").values(), records("second").values()
    assert first["estimates"] == second["estimates"]
    assert first["key"] == second["key"]


def test_several_models_end_in_a_leaderboard(desk, capsys):
    models = ["--model", "python:shades.py:make", "--model", "predictions:data/labels", "--save-predictions", "out"]
    assert run(*models) == 0
    out = capsys.readouterr().out
    assert "rank" in out
    assert len(records()) == 2
    assert len(list(Path("out").glob("*/worst.png"))) == 2


def test_a_model_that_cannot_be_loaded_does_not_stop_the_others(desk, capsys):
    assert run("--model", "python:shades.py:nothing", "--model", "predictions:data/labels") == 7
    said = capsys.readouterr()
    assert "nothing" in said.err
    (record,) = records().values()
    assert value(record) == 1.0


def test_broken_samples_are_counted_and_not_scored(desk, capsys):
    (desk / "data" / "rgb" / "s03.png").write_bytes(b"not a picture")
    assert run("--model", "predictions:data/labels") == 6
    assert "1 of 12 samples failed and were not scored" in capsys.readouterr().out
    (record,) = records().values()
    assert (record["status"], record["counts"]["scored"], value(record)) == ("partial", 11, 1.0)


def test_a_subset_says_so_in_its_key(desk):
    assert run("--model", "predictions:data/labels", "--limit", "5", "--limit-seed", "3") == 0
    (record,) = records().values()
    assert record["counts"]["planned"] == 5
    assert record["key"]["subset"] == "n=5,seed=3"


def test_json_is_all_that_is_printed(desk, capsys):
    models = ["--model", "predictions:data/labels", "--model", "python:shades.py:nothing"]
    assert run(*models, "--json") == 7
    content = json.loads(capsys.readouterr().out)
    assert [value(entry["record"]) for entry in content["runs"]] == [1.0]
    assert content["failures"][0]["exit_code"] == 7


def test_a_dry_run_writes_nothing(desk, capsys):
    assert run("--model", "python:shades.py:make", "--dry-run") == 0
    assert "12 samples in 1 batches" in capsys.readouterr().out
    assert not Path("results").exists()
    assert run("--model", "python:shades.py:make", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["dry_run"][0]["samples"] == COUNT


def test_an_own_module_with_its_own_names(desk):
    """--arch, --arch-kwargs, --key, --map and --output together, against the same module called by hand."""
    torch = pytest.importorskip("torch")
    scope: dict = {}
    exec(compile(NET, "net.py", "exec"), scope)  # noqa: S102  written above
    torch.manual_seed(1)
    net = scope["Net"](4)
    torch.save({"ema": net.state_dict(), "step": 7}, "my.ckpt")
    flags = ["--arch", "net.py:Net", "--arch-kwargs", "width=4", "--key", "ema", "--output", "seg"]
    assert run("--model", "my.ckpt", *flags, "--map", "rgb=picture,depth=far") == 0
    right = total = 0
    for index in range(COUNT):
        rgb, depth, label = (pixels(f"data/{k}/s{index:02d}.png") for k in ("rgb", "depth", "labels"))
        picture = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None] / 255
        far = torch.from_numpy(depth.astype(np.float32))[None, None]
        found = net(picture, far)["seg"].argmax(1)[0].numpy()
        right, total = right + int((found == label).sum()), total + label.size
    (record,) = records().values()
    assert value(record, "pixel_accuracy") == pytest.approx(right / total, abs=1e-12)
    assert record["model"]["consents"]


def test_unknown_checkpoint_lists_what_there_is(desk, capsys):
    assert run("--model", "no-such-*.ckpt") == 7
    assert "matches nothing" in capsys.readouterr().err


def test_event_files_for_tensorboard(desk, capsys, monkeypatch):
    """A folder per run; without the package the extra is named before anything is measured."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert run("--model", "python:shades.py:make", "--tensorboard", "events") == 0
    (folder,) = Path("events").iterdir()
    assert folder.name == next(Path("results").iterdir()).name
    found = accumulator.EventAccumulator(str(folder)).Reload()
    (record,) = records().values()
    assert found.Scalars("miou/value")[0].value == pytest.approx(value(record))
    monkeypatch.setattr("mmbench.reports.event_files.find_spec", lambda _: None)
    capsys.readouterr()
    assert run("--model", "python:shades.py:make", "--tensorboard", "events", "-o", "other") == 2
    assert "--tensorboard needs mmbench[tensorboard]" in capsys.readouterr().err
    assert not Path("other").exists()

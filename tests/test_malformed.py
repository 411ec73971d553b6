"""Every user's mistake ends with its exit code and one sentence, without a traceback: the table of malformed inputs."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbench.cli.main import main

SUITE = """
name = "tiny"
version = 1
title = "Three tiny images"
task = "segmentation"
modalities = ["rgb", "depth"]
metrics = ["miou"]
primary = "miou"

[source]
kind = "folders"

[source.params]
classes = ["a", "b"]

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
list = "test.txt"
"""
MANIFEST = """
name = "tiny"
version = 1
title = "Three tiny images"
task = "segmentation"
modalities = ["rgb"]
metrics = ["miou"]
primary = "miou"

[source]
kind = "manifest"

[source.params]
file = "manifest.csv"
classes = ["a", "b"]

[source.params.modalities.rgb]
decode = "image"
"""
MODEL = """
import torch

class Net(torch.nn.Module):
    modalities = ("rgb",)
    def __init__(self, width=2):
        super().__init__()
        self.net = torch.nn.Conv2d(3, width, 1)
    def forward(self, rgb):
        return self.net(rgb)

class Broken(Net):
    def forward(self, rgb):
        return self.net(rgb[:, :2])

class Pooled(Net):
    def forward(self, rgb):
        return self.net(rgb).mean(dim=(2, 3))

class NotFinite(Net):
    def forward(self, rgb):
        return self.net(rgb) * float("nan")

class Hungry(torch.nn.Module):
    def forward(self, rgb, thermal):
        return rgb

def broken_factory():
    raise RuntimeError("no weights today")
"""


REFERENCES = {
    "images": [{"id": 1}, {"id": 2}],
    "annotations": [{"image_id": 1, "caption": "a dog"}, {"image_id": 2, "caption": "a cat"}],
}


def caption(image: int, text: str = "a dog") -> dict[str, object]:
    return {"image_id": image, "caption": text}


@dataclass(frozen=True)
class Place:
    """A folder with a data set, a suite file, a module and its weights; a case breaks one of them."""

    folder: Path

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def label(self, name: str, values: np.ndarray) -> None:
        Image.fromarray(values.astype(np.uint8)).save(self.folder / "data" / "labels" / name)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MMBENCH_DATA", raising=False)
    rng = np.random.default_rng(0)
    for kind, shape in (("rgb", (8, 8, 3)), ("depth", (8, 8)), ("labels", (8, 8))):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for index in range(3):
            values = rng.integers(0, 2 if kind == "labels" else 255, shape, dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / "data" / kind / f"s{index}.png")
    made = Place(tmp_path)
    made.write("data/test.txt", "s0\ns1\ns2\n")
    made.write(
        "data/manifest.csv",
        "id,split,rgb,label\n" + "".join(f"s{i},test,rgb/s{i}.png,labels/s{i}.png\n" for i in range(3)),
    )
    made.write("tiny.toml", SUITE)
    made.write("manifest.toml", MANIFEST)
    made.write("net.py", MODEL)
    made.write("refs.json", json.dumps(REFERENCES))
    made.write("a.json", json.dumps([caption(1), caption(2)]))
    made.write("b.json", json.dumps([caption(2)]))
    return made


def _weights(place: Place, state: object | None = None) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Conv2d(3, 2, 1)
    own = {f"net.{name}": value for name, value in net.state_dict().items()}
    torch.save(own if state is None else state, place.folder / "my.ckpt")


RUN = ("run", "--suite", "tiny.toml", "--data-root", "data")
NET = ("--model", "my.ckpt", "--arch", "net.py:Net")
PREDICTIONS = ("--model", "predictions:data/labels")
SCORE = ("score", "--suite", "caption-coco", "--annotations", "refs.json")
LABELS = ("score", "--suite", "tiny.toml", "--data-root", "data")
Break = Callable[[Place], None]


def nothing(place: Place) -> None:
    """Leaves the place as it is; the arguments are the mistake."""


def suite(old: str, new: str) -> Break:
    return lambda place: place.replace("tiny.toml", old, new)


def manifest(old: str, new: str) -> Break:
    return lambda place: place.replace("data/manifest.csv", old, new)


def weights(state: Callable[[], object] | None = None) -> Break:
    return lambda place: _weights(place, state() if state else None)


def file(name: str, content: bytes) -> Break:
    def write(place: Place) -> None:
        (place.folder / name).write_bytes(content)

    return write


def results(*entries: object) -> Break:
    return lambda place: place.write("a.json", json.dumps(entries))


def remove(name: str) -> Break:
    return lambda place: (place.folder / name).unlink()


def both(*breaks: Break) -> Break:
    def apply(place: Place) -> None:
        for each in breaks:
            each(place)

    return apply


def whole_module(place: Place) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Conv2d(3, 2, 1), place.folder / "my.ckpt")


def mis_shaped(place: Place) -> None:
    torch = pytest.importorskip("torch")
    _weights(place, {"net.weight": torch.zeros(2, 4, 1, 1), "net.bias": torch.zeros(2)})


def wrong_keys(place: Place) -> None:
    torch = pytest.importorskip("torch")
    _weights(place, {"conv.weight": torch.zeros(2, 3, 1, 1)})


def five_classes(place: Place) -> None:
    torch = pytest.importorskip("torch")
    _weights(place, {"net.weight": torch.zeros(5, 3, 1, 1), "net.bias": torch.zeros(5)})


def truncated_png(place: Place) -> None:
    picture = place.folder / "data" / "rgb" / "s1.png"
    picture.write_bytes(picture.read_bytes()[:60])


def newer_record(place: Place) -> None:
    (place.folder / "results" / "r").mkdir(parents=True)
    (place.folder / "results" / "r" / "record.json").write_text(json.dumps({"schema": 99}))


def broken_record(place: Place) -> None:
    (place.folder / "results" / "r").mkdir(parents=True)
    (place.folder / "results" / "r" / "record.json").write_text('{"schema": 1, "id": ')


def escape_by_link(place: Place) -> None:
    shutil.copy(place.folder / "data" / "rgb" / "s1.png", place.folder / "outside.png")
    (place.folder / "data" / "rgb" / "s1.png").unlink()
    (place.folder / "data" / "rgb" / "s1.png").symlink_to(place.folder / "outside.png")


# name, what is broken, arguments, exit code, what the sentence must say
CASES: list[tuple[str, Break, tuple[str, ...], int, str]] = [
    # flags
    ("unknown verb", nothing, ("rum",), 2, "rum"),
    ("unknown flag", nothing, (*RUN, "--modle", "x"), 2, "--modle"),
    ("no model", nothing, RUN, 2, "--model"),
    ("limit 0", nothing, (*RUN, *PREDICTIONS, "--limit", "0"), 2, "--limit"),
    ("batch size not a number", nothing, (*RUN, *PREDICTIONS, "--batch-size", "many"), 2, "--batch-size"),
    ("unknown device", weights(), (*RUN, *NET, "--device", "tpu"), 2, "'tpu'"),
    ("unknown precision", weights(), (*RUN, *NET, "--precision", "fp8"), 2, "'fp8'"),
    ("map without equals", weights(), (*RUN, *NET, "--map", "rgb"), 2, "--map"),
    ("map of an unknown modality", weights(), (*RUN, *NET, "--map", "sonar=rgb"), 7, "sonar"),
    ("arch without a name", weights(), (*RUN, "--model", "my.ckpt", "--arch", "net.py"), 2, "--arch"),
    ("arch kwargs without equals", weights(), (*RUN, *NET, "--arch-kwargs", "width"), 2, "--arch-kwargs"),
    # suites
    ("unknown suite", nothing, ("run", "--suite", "sge", "--model", "x"), 2, "did you mean 'seg'"),
    ("not a reference", nothing, ("run", "--suite", "seg@@1", "--model", "x"), 2, "seg@1[regime=X,tier=ci]"),
    ("version not installed", nothing, ("run", "--suite", "seg@9", "--model", "x"), 2, "version 9"),
    ("unknown parameter", nothing, ("run", "--suite", "seg", "--model", "x", "--set", "mood=S4"), 2, "'mood'"),
    ("unknown value", nothing, ("run", "--suite", "seg", "--model", "x", "--set", "regime=Z"), 2, "regime='Z'"),
    ("unknown tier", nothing, ("run", "--suite", "seg", "--model", "x", "--tier", "giant"), 2, "giant"),
    ("no suite file", remove("tiny.toml"), (*RUN, *PREDICTIONS), 2, "tiny.toml"),
    ("suite not TOML", file("tiny.toml", b"name = "), (*RUN, *PREDICTIONS), 2, "is not TOML"),
    ("suite unknown key", suite("version = 1", "version = 1\nflavour = 3"), (*RUN, *PREDICTIONS), 2, "flavour"),
    ("suite version 0", suite("version = 1", "version = 0"), (*RUN, *PREDICTIONS), 2, "version"),
    ("primary not measured", suite('primary = "miou"', 'primary = "iou"'), (*RUN, *PREDICTIONS), 2, "primary"),
    ("unknown metric", suite('["miou"]', '["miou", "moui"]'), (*RUN, *PREDICTIONS), 2, "moui"),
    ("unknown source", suite('"folders"', '"folder"'), (*RUN, *PREDICTIONS), 2, "did you mean 'folders'"),
    ("unknown source key", suite("ignore = 255", "ignored = 255"), (*RUN, *PREDICTIONS), 2, "ignored"),
    ("pattern leaves the root", suite("labels/{id}", "../labels/{id}"), (*RUN, *PREDICTIONS), 2, ".."),
    # roots, lists and manifests
    ("no data root", nothing, ("run", "--suite", "tiny.toml", "--data-root", "nowhere", *PREDICTIONS), 7, "nowhere"),
    ("real data not found", nothing, ("run", "--suite", "seg-camvid", *PREDICTIONS), 7, "MMBENCH_DATA"),
    ("no split list", remove("data/test.txt"), (*RUN, *PREDICTIONS), 7, "test.txt"),
    ("empty split list", file("data/test.txt", b"\n"), (*RUN, *PREDICTIONS), 7, "test.txt"),
    ("id listed twice", file("data/test.txt", b"s0\ns0\n"), (*RUN, *PREDICTIONS), 7, "s0"),
    (
        "manifest without a column",
        manifest("rgb,label", "colour,label"),
        ("run", "--suite", "manifest.toml", "--data-root", "data", *PREDICTIONS),
        2,
        "no column 'rgb'",
    ),
    (
        "manifest leaves the root",
        manifest("rgb/s1.png", "../../s1.png"),
        ("run", "--suite", "manifest.toml", "--data-root", "data", *PREDICTIONS),
        6,
        "../../s1.png",
    ),
    # samples: counted, never scored
    ("image missing", remove("data/rgb/s1.png"), (*RUN, *PREDICTIONS), 6, "s1.png"),
    ("image truncated", truncated_png, (*RUN, *PREDICTIONS), 6, "s1.png"),
    ("image is a link out of the root", escape_by_link, (*RUN, *PREDICTIONS), 6, "s1.png"),
    ("label out of range", lambda p: p.label("s1.png", np.full((8, 8), 7)), (*RUN, *PREDICTIONS), 6, "7"),
    ("label of another size", lambda p: p.label("s1.png", np.zeros((4, 8))), (*RUN, *PREDICTIONS), 6, "s1"),
    ("nothing is scored", lambda p: shutil.rmtree(p.folder / "data" / "rgb"), (*RUN, *PREDICTIONS), 6, "png"),
    ("predictions missing", nothing, (*RUN, "--model", "predictions:data/depth2"), 7, "depth2"),
    # models
    ("no checkpoint", nothing, (*RUN, *NET), 7, "my.ckpt"),
    ("glob without a match", nothing, (*RUN, "--model", "runs/*.ckpt"), 7, "runs/*.ckpt"),
    ("unknown baseline", nothing, (*RUN, "--model", "baseline:nope"), 7, "nope"),
    ("unknown scheme", nothing, (*RUN, "--model", "s3:bucket/my.ckpt"), 2, "s3"),
    ("empty checkpoint", file("my.ckpt", b""), (*RUN, *NET), 7, "my.ckpt"),
    ("checkpoint is a web page", file("my.ckpt", b"<!DOCTYPE html><html></html>"), (*RUN, *NET), 7, "my.ckpt"),
    ("checkpoint is a pickle", file("my.ckpt", pickle.dumps({"a": 1})), (*RUN, *NET), 7, "my.ckpt"),
    ("checkpoint is a whole module", whole_module, (*RUN, *NET), 7, "state_dict"),
    ("no architecture", weights(), (*RUN, "--model", "my.ckpt"), 7, "--arch"),
    ("wrong keys", wrong_keys, (*RUN, *NET), 7, "conv.weight"),
    ("wrong shapes", mis_shaped, (*RUN, *NET), 7, "net.weight"),
    ("no such class", weights(), (*RUN, "--model", "my.ckpt", "--arch", "net.py:Nat"), 7, "Nat"),
    ("wrong keyword", weights(), (*RUN, *NET, "--arch-kwargs", "depth=3"), 7, "depth"),
    ("wrong number of classes", five_classes, (*RUN, *NET, "--arch-kwargs", "width=5"), 7, "5"),
    ("forward fails", weights(), (*RUN, "--model", "my.ckpt", "--arch", "net.py:Broken"), 7, "forward"),
    ("wrong output shape", weights(), (*RUN, "--model", "my.ckpt", "--arch", "net.py:Pooled"), 7, "[3,2,h,w]"),
    ("not finite", weights(), (*RUN, "--model", "my.ckpt", "--arch", "net.py:NotFinite"), 6, "finite"),
    ("modality the suite lacks", nothing, (*RUN, "--model", "python:net.py:Hungry"), 7, "thermal"),
    ("factory fails", nothing, (*RUN, "--model", "python:net.py:broken_factory"), 7, "no weights today"),
    # results
    ("no runs", nothing, ("leaderboard", "."), 4, "run"),
    ("record cut off", broken_record, ("leaderboard", "results"), 7, "record.json"),
    ("record of a newer schema", newer_record, ("leaderboard", "results"), 7, "99"),
    # result files
    ("no result file", nothing, (*SCORE, "-p", "gone.json"), 7, "'gone.json'"),
    ("no predictions", nothing, SCORE, 2, "--predictions"),
    ("results cut off", file("a.json", b'[\n{"image_id": 1, "cap'), (*SCORE, "-p", "a.json"), 7, "line 2"),
    ("results no list", file("a.json", b'"a dog"'), (*SCORE, "-p", "a.json"), 7, "must be a list"),
    ("results by id no texts", file("a.json", b'{"1": ["a dog"]}'), (*SCORE, "-p", "a.json"), 7, "expected a text"),
    ("results without captions", results({"image_id": 1}), (*SCORE, "-p", "a.json"), 7, "Entry 0"),
    ("results of an unknown image", results(caption(99)), (*SCORE, "-p", "a.json"), 7, "'99'"),
    ("image captioned twice", results(caption(1), caption(1)), (*SCORE, "-p", "a.json"), 7, "'1' twice"),
    ("results name nothing", results(), (*SCORE, "-p", "a.json"), 7, "no prediction"),
    ("no annotations", remove("refs.json"), (*SCORE, "-p", "a.json"), 7, "refs.json"),
    (
        "annotations not under the root",
        nothing,
        ("score", "--suite", "caption-coco", "--data-root", "data", "-p", "a.json"),
        7,
        "captions_val2014_karpathy_test.json",
    ),
    ("annotations of another kind", file("refs.json", b"[]"), (*SCORE, "-p", "a.json"), 7, "no list 'annotations'"),
    ("annotations cut off", file("refs.json", b'{\n"images": [{'), (*SCORE, "-p", "a.json"), 7, "line 2"),
    ("no place for annotations", nothing, (*LABELS, "--annotations", "refs.json", "-p", "data/labels"), 2, "--annotat"),
    ("score on an unknown suite", nothing, ("score", "--suite", "caption-coc", "-p", "a.json"), 2, "'caption-coco'"),
    ("unknown parameter of a score", nothing, (*SCORE, "-p", "a.json", "--set", "set=val2030"), 2, "val2030"),
    ("no label folder", nothing, (*LABELS, "-p", "data/labels2"), 7, "data/labels2"),
    ("csv of label folders", nothing, (*LABELS, "-p", "data/labels", "--csv", "x.csv"), 2, "--csv"),
    (
        "nothing in common",
        results(caption(1)),
        (*SCORE, "-p", "a.json", "-p", "b.json", "--common-ids"),
        4,
        "in common",
    ),
    ("csv in no folder", nothing, (*SCORE, "-p", "a.json", "--csv", "gone/x.csv"), 2, "gone/x.csv"),
    # train and init
    ("unknown fusion", nothing, ("train", "--suite", "seg", "--fusion", "concatt", "-o", "x.ckpt"), 2, "'concat'"),
    (
        "training on keypoints",
        nothing,
        ("train", "--suite", "det-coco-keypoints", "--fusion", "concat", "-o", "x.ckpt"),
        2,
        "No model is trained here for keypoints",
    ),
    (
        "detection of another size",
        nothing,
        ("train", "--suite", "det", "--tier", "smoke", "--fusion", "concat", "--size", "32x32", "-o", "x.ckpt"),
        2,
        "--size is not for detection",
    ),
    ("init of nothing", nothing, ("init", "--data", "nowhere"), 7, "nowhere"),
]


@pytest.mark.parametrize(("breaks", "arguments", "code", "says"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_mistake_is_one_sentence_with_its_exit_code(
    breaks: Break,
    arguments: tuple[str, ...],
    code: int,
    says: str,
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    breaks(place)
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert says in out + err
    assert "Traceback" not in out + err
    if code in {2, 7, 4}:
        sentences = [line for line in err.splitlines() if line.startswith("mmbench: ")]
        assert len(sentences) == 1, err
        assert sentences[0].rstrip()[-1] in ".?", err


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 40


def test_the_unbroken_results_are_scored(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The cases above fail for their mistake alone; label folders can be printed as JSON too."""
    assert main((*SCORE, "-p", "a.json", "-p", "b.json", "--common-ids", "--csv", "x.csv")) == 0
    assert "cider" in (place.folder / "x.csv").read_text()
    assert main((*LABELS, "-p", "data/labels")) == 0
    assert "miou 1.000" in capsys.readouterr().out
    assert main((*LABELS, "-p", "data/labels", "--json")) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 1


def test_the_unbroken_place_is_measured(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*RUN, *PREDICTIONS)) == 0
    assert "miou 1.000" in capsys.readouterr().out

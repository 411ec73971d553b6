"""``mmbench train`` from the command line, on a folder of small pictures and on the embedded suite."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbench.cli.main import main
from mmbench.models.assembled import load_model

SUITE = """
name = "squares"
version = 1
title = "Squares"
task = "segmentation"
modalities = ["rgb", "depth"]
metrics = ["miou"]
primary = "miou"
[source]
kind = "folders"
[source.params]
classes = ["ground", "square"]
[source.params.modalities.rgb]
path = "{split}/{id}_rgb.png"
decode = "image"
[source.params.modalities.depth]
path = "{split}/{id}_depth.png"
decode = "plane"
typical = 255.0
[source.params.label]
path = "{split}/{id}_label.png"
[source.params.splits]
train = { folder = "train" }
val = { folder = "val" }
test = { folder = "test" }
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A suite file and its pictures: a light and near square on a dark ground."""
    (tmp_path / "squares.toml").write_text(SUITE)
    for split, count in (("train", 6), ("val", 3), ("test", 3)):
        folder = tmp_path / split
        folder.mkdir()
        for n in range(count):
            window = (slice(2 + n, 9 + n), slice(4, 12))
            pictures = {"rgb": np.full((16, 18, 3), 60), "depth": np.full((16, 18), 200), "label": np.zeros((16, 18))}
            pictures["rgb"][window], pictures["depth"][window], pictures["label"][window] = 190, 90, 1
            for name, pixels in pictures.items():
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{n}_{name}.png")
    return tmp_path


@pytest.fixture
def command(data: Path) -> Callable[..., list[str]]:
    def build(output: str, *more: str, fusion: str = "concat", steps: int = 10) -> list[str]:
        fixed = ["train", "--suite", str(data / "squares.toml"), "--data-root", str(data), "-o", str(data / output)]
        sizes = ["--width", "4", "--batch-size", "4", "--device", "cpu", "--threads", "1", "--steps", str(steps)]
        return [*fixed, *sizes, "--fusion", fusion, *more]

    return build


def test_trains_on_own_data_and_names_the_next_command(
    data: Path, command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkpoint, its validation score and budget, plain lines on stderr; the command it names measures it."""
    assert main(command("my.ckpt", "--seed", "3", "--fusion-set", "hidden=6")) == 0
    out, err = capsys.readouterr()
    assert "concat: step 10/10, loss " in err
    result, next_command = out.splitlines()
    assert result.startswith(f"{data}/my.ckpt: ")
    assert "validation miou 0." in result
    assert result.endswith("of 10 steps (40 items)")
    arguments = next_command.removeprefix("Next: mmbench ").split()
    assert arguments[:4] == ["run", "--suite", str(data / "squares.toml"), "--data-root"]
    assert main([*arguments, "-o", str(data / "results")]) == 0
    model, metadata = load_model(data / "my.ckpt")
    assert model.config.fusion_options == {"hidden": 6}
    assert metadata["training"]["seed"] == 3
    assert metadata["training"]["augmentation"] == "crop"


def test_trains_on_the_embedded_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoders first, on their signatures; the reference with its parameters stands in the checkpoint."""
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path))
    flags = "--tier smoke --set regime=S4 --steps 1 --encoder-steps 1 --batch-size 2 --width 1 --stride 4 --threads 1"
    output = tmp_path / "my.safetensors"
    assert main(["train", "--suite", "seg", "--fusion", "late", *flags.split(), "-o", str(output)]) == 0
    model, metadata = load_model(output)
    assert model.fusion.level == "logits"
    assert metadata["training"]["suite"] == "seg@1[regime=S4,tier=smoke]"
    assert metadata["training"]["encoder_stages"].keys() == {"rgb", "depth"}
    assert len(list((tmp_path / "encoders").glob("*.safetensors"))) == 2


def test_killed_and_started_again_it_ends_the_same(
    data: Path, command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """kill -9 of a real process in the middle: the same command resumes and writes the same bytes."""
    arguments = command("killed.ckpt", steps=200)
    state = data / "killed.ckpt.training"
    process = subprocess.Popen([sys.executable, "-m", "mmbench.cli.main", *arguments], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not state.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert state.exists()
    assert not (data / "killed.ckpt").exists()
    assert main(arguments) == 0
    assert "step 20/200" not in capsys.readouterr().err  # that validation lies before the kill
    assert main(command("whole.ckpt", steps=200)) == 0
    assert (data / "killed.ckpt").read_bytes() == (data / "whole.ckpt").read_bytes()


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        (["--fusion", "concatt"], 2, "There is no fusion named 'concatt'; did you mean 'concat'"),
        (["--fusion", "only:sonar"], 2, "there is no modality 'sonar'; the suite has: rgb, depth"),
        (["--fusion", "only:rgb", "--fusion-set", "hidden=3"], 2, "--fusion-set is for fusions, and only:rgb has none"),
        (["--fusion-set", "hiden=3"], 2, "'concat' does not take the options {'hiden': 3}"),
        (["--size", "64"], 2, "--size '64' is not a size; expected HEIGHTxWIDTH in pixels, as in --size 360x480"),
        (["--encoders", "frozen"], 2, "knows no signatures"),
        (["--encoders", "warm"], 2, "--encoders 'warm' is not known; expected one of: joint, frozen, finetuned"),
        (["--stride", "3"], 2, "--stride 3 is not possible; expected 1, 2, 4 or 8"),
        (["--precision", "fp8"], 2, "--precision 'fp8' is not known; expected one of: fp32, bf16"),
        (["--lr", "0"], 2, "--lr 0.0 is not a learning rate; expected a number above 0"),
        (["--device", "tpu"], 2, "--device 'tpu' is not a device"),
        (["--set", "regime=X"], 2, "Suite 'squares' has no parameter 'regime'"),
        (["-o", "."], 2, "-o . is a folder; expected the checkpoint's file name"),
        (["--data-root", "/nowhere"], 7, "The data root /nowhere of suite 'squares' is not a directory"),
    ],
)
def test_a_mistake_is_one_sentence(
    command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], flags: list[str], code: int, sentence: str
) -> None:
    """What was expected, what was found, what to do; the right exit code; no traceback."""
    arguments = command("my.ckpt")
    if flags[0] == "--data-root":
        arguments = [a for n, a in enumerate(arguments) if "--data-root" not in (a, arguments[n - 1])]
    assert main([*arguments, *flags]) == code
    err = capsys.readouterr().err
    assert sentence in err
    assert err.startswith("mmbench: ")
    assert err.count("\n") == 1


def test_a_broken_picture_is_named(
    data: Path, command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "train" / "2_depth.png").write_bytes(b"no picture")
    assert main(command("my.ckpt")) == 6
    assert "2_depth.png" in capsys.readouterr().err


def test_one_modality_cannot_be_fused(
    data: Path, command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    head, _, rest = SUITE.partition("[source.params.modalities.depth]")
    text = head.replace('["rgb", "depth"]', '["rgb"]') + rest[rest.index("[source.params.label]") :]
    (data / "squares.toml").write_text(text)
    assert main(command("my.ckpt")) == 2
    assert "--fusion concat joins modalities, but the suite has one; use --fusion only:rgb." in capsys.readouterr().err
    assert main(command("my.ckpt", fusion="only:rgb")) == 0


def test_help_imports_no_torch() -> None:
    """Listing the options needs none of the heavy packages."""
    code = "import sys; from mmbench.cli.main import main; main(['train', '--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert "--fusion" in done.stdout


def test_curves_for_tensorboard(data: Path, command: Callable[..., list[str]]) -> None:
    """The loss after every step, the validation where there was one."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert main([*command("my.ckpt"), "--tensorboard", str(data / "events")]) == 0
    found = accumulator.EventAccumulator(str(data / "events")).Reload()
    loss, validation = (found.Scalars(f"concat/{name}") for name in ("loss", "validation"))
    steps = [event.step for event in loss]
    assert steps == list(range(1, len(steps) + 1))
    assert steps[-1] == validation[-1].step
    assert 0 < len(validation) <= len(loss)
    assert all(0 <= event.value <= 1 for event in validation)


def test_a_card_tells_how_the_model_was_made(tmp_path, monkeypatch, capsys):
    """Encoders go into files that others share, and the model runs from there."""
    import tomllib

    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))
    output = tmp_path / "cls-it" / "concat" / "weights.safetensors"
    flags = ["--suite", "cls-it", "--tier", "smoke", "--width", "4", "--stride", "8", "--threads", "1"]
    steps = ["--steps", "2", "--encoder-steps", "2", "--device", "cpu"]
    command = [
        "train",
        *flags,
        "--fusion",
        "concat",
        *steps,
        "--share-encoders",
        "--card",
        "Two words",
        "-o",
        str(output),
    ]
    assert main(command) == 0
    card = tomllib.loads(output.with_name("model.toml").read_text())
    assert card["title"] == "Two words"
    assert card["command"] == " ".join(["mmbench", *(word for word in command if word not in ("--card", "Two words"))])
    assert card["training"]["steps"] == 2
    assert "validation_accuracy" in card["training"]
    assert len(list((tmp_path / "cls-it").glob("encoders-*.safetensors"))) == 2
    assert main(["run", "--suite", "cls-it", "--tier", "smoke", "--model", str(output), "-o", str(tmp_path / "r")]) == 0
    assert main([*command[:3], "--encoders", "joint", *command[3:]]) == 2
    assert "--share-encoders is for encoders that stay as they are" in capsys.readouterr().err

"""``mmbench init``: from a folder to a suite that runs."""

import numpy as np
import pytest
import typer
from PIL import Image

from mmbench.cli.init import init
from mmbench.content import read_suite
from mmbench.core.errors import ExitCode, LoadError, UsageError
from mmbench.sources.opening import open_source


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Ten samples of rgb, depth and labels; the working directory is another."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    draw = np.random.Generator(np.random.Philox(0))
    for kind in ("rgb", "depth", "labels"):
        (tmp_path / "My Data" / kind).mkdir(parents=True)
    for i in range(10):
        shape = (12, 16)
        Image.fromarray(draw.integers(0, 256, (*shape, 3), np.uint8)).save(tmp_path / f"My Data/rgb/{i}.png")
        Image.fromarray(draw.integers(0, 4000, shape, np.uint16)).save(tmp_path / f"My Data/depth/{i}.png")
        Image.fromarray(draw.choice(np.array([0, 1, 2, 255], np.uint8), shape)).save(
            tmp_path / f"My Data/labels/{i}.png"
        )
    return tmp_path / "My Data"


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(init)
    return lambda *arguments: app([str(argument) for argument in arguments], standalone_mode=False)


def test_it_writes_a_suite_that_opens_lists_beside_it_and_a_picture(folder, command, capsys):
    assert command("--data", folder) == ExitCode.OK
    said = capsys.readouterr().out
    here = folder.parent / "here"
    assert {path.name for path in here.iterdir()} == {
        "my-data.toml",
        "my-data.png",
        "my-data.train.txt",
        "my-data.val.txt",
        "my-data.test.txt",
    }
    spec = read_suite(here / "my-data.toml")
    assert (spec.name, spec.modalities) == ("my-data", ("rgb", "depth"))
    assert len(open_source(spec, {}, "train").ids) == 7
    with Image.open(here / "my-data.png") as picture:
        assert picture.size[0] > 700
    assert "10 samples with rgb, depth and labels" in said
    assert "3 classes; label 255 is not scored" in said
    assert "mmbench train --suite my-data.toml --fusion concat --seed 0 -o my.ckpt" in said
    assert "mmbench run --suite my-data.toml --model my.ckpt" in said


def test_names_places_and_the_label_can_be_chosen(folder, command):
    (folder / "labels").rename(folder / "truth")
    with pytest.raises(UsageError, match="choose with --label"):
        command("--data", folder)
    arguments = ("--label", "truth", "--name", "Mine", "-o", "out/a.toml", "--sheet", "out/b.jpg", "--seed", 4)
    assert command("--data", folder, *arguments) == ExitCode.OK
    assert {path.name for path in (folder.parent / "here/out").iterdir()} >= {"a.toml", "b.jpg", "a.test.txt"}
    assert read_suite(folder.parent / "here/out/a.toml").name == "mine"


def test_nothing_is_overwritten_without_force(folder, command):
    command("--data", folder)
    with pytest.raises(UsageError, match=r"my-data\.toml exists; .*--force"):
        command("--data", folder)
    assert command("--data", folder, "--force") == ExitCode.OK


def test_data_that_cannot_be_read_is_said_and_leaves_nothing_behind(folder, command):
    """Only the first depth map has the size of its labels; the test split is shown, and none of it can be read."""
    for i in range(1, 10):
        Image.fromarray(np.zeros((5, 5), np.uint16)).save(folder / f"depth/{i}.png")
    with pytest.raises(UsageError, match=r"depth/\d\.png' is 5 x 5 pixels but its label map is 12 x 16"):
        command("--data", folder, "--seed", 1)
    assert not list((folder.parent / "here").iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("--data", "nowhere"), LoadError, "nowhere does not exist"),
        (("--data", "DATA", "-o", "x.yaml"), UsageError, r"must end in \.toml"),
        (("--data", "DATA", "--sheet", "x.pdf"), UsageError, r"must end in \.png"),
        (("--data", "DATA/rgb"), UsageError, "no pictures in subfolders"),
        (("--data", "DATA", "-o", "DATA/rgb/0.png/x.toml"), UsageError, "cannot be written"),
    ],
)
def test_mistakes_are_one_sentence(folder, command, arguments, error, says):
    with pytest.raises(error, match=says):
        command(*(str(argument).replace("DATA", str(folder)) for argument in arguments))
    assert not list((folder.parent / "here").iterdir())


def test_the_modules_of_the_command_are_light():
    """``mmbench --help`` imports the verb; numpy and PIL wait until it runs."""
    import subprocess
    import sys

    code = "import sys, mmbench.cli.init; print([m for m in ('numpy', 'PIL', 'torch', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"

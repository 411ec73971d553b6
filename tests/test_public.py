"""The public names, and a checkpoint of one's own module in three lines."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import mmbench
from mmbench.cli.main import main
from mmbench.core.errors import UsageError

NET = """
import torch

class Net(torch.nn.Module):
    modalities = ("rgb", "depth")
    def __init__(self, classes):
        super().__init__()
        self.head = torch.nn.Conv2d(4, classes, 1)
    def forward(self, rgb, depth):
        return self.head(torch.cat([rgb, depth], 1))
"""
SAVE = "import torch, mmbench\nmmbench.save_checkpoint('my.ckpt', Net(5), arch_kwargs={'classes': 5})\n"


def test_the_public_names_are_pinned() -> None:
    assert mmbench.__all__ == ["__version__", "save_checkpoint"]


def test_import_brings_no_torch() -> None:
    program = "import sys, mmbench; print(any(m in sys.modules for m in ('torch', 'numpy', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a script of the user's has saved ``my.ckpt``."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "train.py").write_text(NET + "if __name__ == '__main__':\n    " + SAVE.replace("\n", "\n    "))
    environment = {"PYTHONPATH": str(Path(mmbench.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "train.py"], capture_output=True, text=True, env=environment, cwd=folder, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def saved(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """``mmbench run`` of the user's checkpoint with flags, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("train.py", "my.ckpt"):
        shutil.copy(written / name, tmp_path / name)

    def run(*flags: str) -> int:
        return main(["run", "--suite", "seg", "--tier", "smoke", "--limit", "4", "--model", "my.ckpt", *flags])

    return run


def test_a_checkpoint_names_its_code_and_does_not_choose_it(saved: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Law: without consent nothing of the code is run, and the sentence says how to give it."""
    assert saved() == 7
    assert "add --arch train.py:Net (or --allow-code)" in capsys.readouterr().err
    assert saved("--allow-code", "-o", "a") == 0
    assert saved("--arch", "train.py:Net", "-o", "b") == 0  # the arguments are data, and taken from the file
    assert saved("--arch", "train.py:Net", "--arch-kwargs", "classes=4", "-o", "c") == 7


def test_what_cannot_be_saved_is_one_sentence(tmp_path: Path) -> None:
    class Local(torch.nn.Linear):
        pass

    with pytest.raises(UsageError, match=r"stands inside another definition; give arch='FILE\.py:Class'"):
        mmbench.save_checkpoint(tmp_path / "x.ckpt", Local(1, 1))
    with pytest.raises(UsageError, match=r"that JSON can hold; found"):
        mmbench.save_checkpoint(tmp_path / "x.ckpt", torch.nn.Linear(1, 1), arch_kwargs={"f": len})


def test_a_rewritten_file_of_equal_size_and_time_gives_no_old_answers(
    saved: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law: the weights' bytes are the identity, not the name, the size or the time of their file."""
    import json
    import os

    def measured(folder: str) -> tuple[str, Any]:
        capsys.readouterr()
        assert saved("--allow-code", "--json", "-o", folder) == 0
        run = json.loads(capsys.readouterr().out)["runs"][0]
        record = json.loads(next(Path(folder).glob(f"*{run['record']['id']}*/record.json")).read_text())
        return record["model"]["digest"], record["estimates"][0]["value"]

    def rewrite(change: float) -> None:
        content = torch.load("my.ckpt", weights_only=True)
        content["state_dict"]["head.bias"] = torch.tensor([0.0, change, 0.0, 0.0, 0.0])
        before = Path("my.ckpt").stat()
        torch.save(content, "my.ckpt")
        os.utime("my.ckpt", ns=(before.st_atime_ns, before.st_mtime_ns))
        after = Path("my.ckpt").stat()
        sizes.append((after.st_size, after.st_mtime_ns))

    sizes: list[tuple[int, int]] = []
    rewrite(50.0)
    first = measured("results")
    rewrite(-50.0)
    second = measured("results")
    rewrite(50.0)
    assert len(set(sizes)) == 1
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert measured("results") == first

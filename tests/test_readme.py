"""Every command of the README runs, and its make targets are the ones that CI calls."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ").partition("   #")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
# The README shows the defaults; a test spends less on the same command.
SHORTER = {
    "train": ["--steps", "2", "--batch-size", "2", "--threads", "1"],
    "train --suite seg": ["--tier", "smoke", "--encoder-steps", "2"],
    "run --suite seg": ["--tier", "smoke"],
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the README's reader has: a module, its weights, and pictures of two modalities."""
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("desk")
    source = re.findall(r"```python\n(# my_model.py\n.*?)```", TEXT, re.DOTALL)[0]
    (folder / "my_model.py").write_text(source)
    scope: dict[str, type[torch.nn.Module]] = {}
    exec(compile(source, "my_model.py", "exec"), scope)  # noqa: S102  the README's own code
    torch.save(scope["MyFusion"]().state_dict(), folder / "my.ckpt")
    from mmbench.selftest.scores import DATA

    (folder / "COCO" / "annotations").mkdir(parents=True)
    shutil.copy(DATA / "captions.json", folder / "COCO" / "annotations" / "captions_val2014_karpathy_test.json")
    shutil.copy(DATA / "captions_results.json", folder)
    rng = np.random.default_rng(0)
    for kind, shape in (("rgb", (32, 48, 3)), ("depth", (32, 48)), ("labels", (32, 48))):
        (folder / "DIR" / kind).mkdir(parents=True)
        for index in range(20):
            values = rng.integers(0, 3 if kind == "labels" else 255, shape, dtype=np.uint8)
            Image.fromarray(values).save(folder / "DIR" / kind / f"{index:03d}.png")
    return folder


def _shortened(command: str) -> list[str]:
    words = shlex.split(command)
    extra = [word for start, more in SHORTER.items() if command.startswith(f"mmbench {start} ") for word in more]
    return [sys.executable, "-m", "mmbench.cli.main", *words[1:], *extra]


def test_the_commands_of_the_readme_run_one_after_the_other(desk: Path, tmp_path: Path) -> None:
    ours = [command for command in COMMANDS if command.startswith("mmbench ")]
    assert len(ours) >= 5
    for command in ours:
        done = subprocess.run(
            _shortened(command),
            cwd=desk,
            capture_output=True,
            text=True,
            timeout=300,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MMBENCH_CACHE": str(tmp_path / "cache")},
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_the_make_targets_of_the_readme_are_those_of_ci() -> None:
    targets = {command.split()[1] for command in COMMANDS if command.startswith("make ")}
    assert targets == {"demo", "test"}
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(re.search(rf"^make .*\b{target}$", ci, re.MULTILINE) for target in targets)


def test_every_other_command_is_one_of_these() -> None:
    assert all(command.startswith(("mmbench ", "make ")) for command in COMMANDS)

"""Checkpoints as the field's training code writes them open, and nothing of them is imported or called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# One of each format: what torch itself imports on first use is imported before the watch begins.
WARM = ("lightning_dict", "deit", "legacy", "tar_of_2016", "distributed")


def python(script: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_real_layouts_open_without_an_import_or_a_call(tmp_path: Path) -> None:
    """Law of the project: of at least 30 layouts that ``weights_only`` refuses at least 95 % open, bit for bit equal.

    The process that reads them shares nothing with the one that wrote them; hooks of the interpreter see every import,
    call of the system and write.
    """
    for library in ("pytorch_lightning", "omegaconf", "addict", "easydict", "yacs", "transformers"):
        pytest.importorskip(library, reason=f"{library} writes some of the layouts; it comes with mmbench[dev]")
    python("layouts.py", str(tmp_path))
    files = json.loads((tmp_path / "layouts.json").read_text())
    task = {"warm": [files[n]["path"] for n in WARM], "files": files, "expected": f"{tmp_path}/expected.safetensors"}
    (tmp_path / "task.json").write_text(json.dumps(task))
    found = json.loads(python("traced.py", str(tmp_path / "task.json")))
    refused = [name for name, one in found.items() if one["refused"]]
    assert len(refused) >= 30
    assert {name: one["events"] for name, one in found.items() if one["events"]} == {}
    assert {name: one["outcome"] for name, one in found.items() if one["outcome"] != "ok"} == {}

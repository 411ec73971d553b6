"""Files that are made to harm: nothing of them runs, nothing is written, and each ends in one sentence."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mmbench.cli.main import main
from mmbench.core.errors import ExitCode

HERE = Path(__file__).parent
_CORPUS = runpy.run_path(str(HERE / "hostile.py"))
FILES, MARK, PICKLES, WEIGHTS = (_CORPUS[name] for name in ("FILES", "MARK", "PICKLES", "WEIGHTS"))
RUN_IN_PYTHON = _CORPUS["runs_in_python"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Each hostile file, with what a process of its own made of it."""
    root = tmp_path_factory.mktemp("hostile")
    plain = root / "plain"
    plain.mkdir()
    warm = [plain / "a.ckpt", plain / "b.ckpt", plain / "c.ckpt"]
    torch.save(WEIGHTS, warm[0])
    torch.save(WEIGHTS, warm[1], _use_new_zipfile_serialization=False)
    torch.save({"w": WEIGHTS["w"], "p": Path("x")}, warm[2])
    files = {}
    for name, write in FILES.items():
        folder = root / name
        folder.mkdir()
        files[name] = {"path": str(write(folder, root / MARK)), "key": None}
    before = _tree(root)
    (root / "task.json").write_text(json.dumps({"warm": list(map(str, warm)), "files": files, "expected": None}))
    done = subprocess.run(
        [sys.executable, str(HERE / "traced.py"), str(root / "task.json")],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2]), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert _tree(root) - before == {"task.json"}, "something was written"
    found = json.loads(done.stdout)
    return {name: {**files[name], **found[name]} for name in files}


def _tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_no_hostile_file_runs_and_each_is_one_sentence(corpus: dict[str, dict[str, Any]]) -> None:
    """Law: at least 50 files; code 7, one sentence, no event of the interpreter, nothing written (see ``corpus``)."""
    assert len(corpus) >= 50
    assert {name: found["events"] for name, found in corpus.items() if found["events"]} == {}
    odd = {name: found["outcome"] for name, found in corpus.items() if not found["outcome"].startswith("7 ")}
    assert odd == {}
    for found in corpus.values():
        assert "\n" not in found["outcome"]
        assert found["outcome"].endswith(".")
        assert len(found["outcome"]) < 1000


@pytest.mark.parametrize("name", RUN_IN_PYTHON)
def test_the_pickles_are_hostile_indeed(tmp_path: Path, name: str) -> None:
    """They do run in Python's own unpickler, so that not running here means something."""
    program = "import pickle, sys\ntry: pickle.loads(sys.stdin.buffer.read())\nexcept Exception as error: print(error)"
    data = PICKLES[name](f"touch {tmp_path / MARK}".encode())
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True)
    assert (tmp_path / MARK).exists(), done


def test_a_terminal_is_told_nothing_by_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law: whatever a file or its name holds, what is printed has no character that a terminal obeys."""
    monkeypatch.chdir(tmp_path)
    for name in ("names_with_terminal_codes", "objects_with_terminal_codes", "file_name_with_terminal_codes"):
        folder = tmp_path / name
        folder.mkdir()
        path = FILES[name](folder, tmp_path / MARK)
        code = main(["run", "--suite", "seg", "--tier", "smoke", "--model", f"checkpoint:{path}", "-o", str(tmp_path)])
        printed = "".join(capsys.readouterr())
        assert code == ExitCode.LOAD_FAILED
        assert all(c.isprintable() or c == "\n" for c in printed), printed
        assert "<b>" not in printed or "\\x1b" in printed


def test_weights_only_alone_would_crash(tmp_path: Path) -> None:
    """Why a look at the file comes before ``torch.load``: when this no longer crashes, it may go."""
    path = FILES["tuples_as_a_key"](tmp_path, tmp_path / MARK)
    load = f"import torch; torch.load({str(path)!r}, weights_only=True)"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True)
    assert done.returncode < 0, "torch survives it"

"""``mmbench gate ab``: two revisions of a repository, each in a checkout of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mmbench.cli.main import main
from mmbench.perf import plan
from mmbench.perf.protocol import BlockRule, WarmUpRule
from mmbench.perf.request import Rules

# It notes who made it, and where.
MODEL = """
import os
from pathlib import Path

import numpy as np

class Worker:
    modalities = ("rgb",)

    def predict(self, batch):
        return {{i: np.zeros(np.asarray(rgb).shape[:2], np.int64) for i, rgb in zip(batch.ids, batch.inputs["rgb"])}}

def make():
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"{version} {{Path.cwd()}}\\n")
    return Worker()
"""


def git(folder: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of a model. It is the working directory."""
    git(tmp_path, "init", "-q", "-b", "main")
    for version in ("old", "new"):
        (tmp_path / "model.py").write_text(MODEL.format(version=version))
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", version)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    short = WarmUpRule(least_s=0.01, window_s=0.01, window_calls=2, cap_s=0.05, tolerance=1.0)
    rules = Rules(first_warm_up=short, blocks=BlockRule(calls=4, seconds=1))
    monkeypatch.setattr(plan, "cpu_rules", lambda: rules)
    return tmp_path


FLAGS = ["--model", "python:model.py:make", "--inputs-from", "seg[tier=smoke]", "--budget", "0"]


def test_each_side_is_measured_by_its_own_code(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One session, as the budget is nothing: too few to decide, but either revision made a model in its checkout."""
    (repository / "mmbench.toml").write_text('[ab]\nsetup = "git status"\n[gate]\non_inconclusive = { pr = "fail" }\n')
    files = ["--md", "summary.md", "--junit", "gate.xml"]
    assert main(["gate", "ab", "--base", "main~1", "--head", "main", *FLAGS, *files, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert "### mmbench gate: INCONCLUSIVE" in (repository / "summary.md").read_text()
    assert 'failures="2"' in (repository / "gate.xml").read_text()
    line = next(f for f in told["findings"] if f["metric"] == "latency_ms")
    assert line["status"] == "inconclusive"
    made = [line.split() for line in (repository / "notes").read_text().splitlines()]
    assert sorted(version for version, _ in made) == ["new", "old"]
    assert len({repository.resolve()} | {Path(place).resolve() for _, place in made}) == 3
    assert (line["lower"], line["upper"]) == (0.0, None)
    assert git(repository, "worktree", "list").count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--base", "nothing", "--head", "main"], "git rev-parse failed"),
        (["--base", "main"], "give both --base and --head"),
        (["--suite", "seg"], "use --suite latency"),
        (["--precision", "fp32,bf16,fp16"], "names 3 sides"),
        (["--annotations", "gitlab"], "form of annotations"),
    ],
)
def test_a_mistake_is_one_sentence(
    repository: Path, capsys: pytest.CaptureFixture[str], flags: list[str], sentence: str
) -> None:
    assert main(["gate", "ab", *FLAGS, *flags]) == 2
    assert sentence in capsys.readouterr().err


def test_a_setup_that_fails_is_told_with_what_it_said(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "mmbench.toml").write_text('[ab]\nsetup = "git nonsense"\n')
    assert main(["gate", "ab", "--base", "main~1", "--head", "main", *FLAGS]) == 7
    assert "nonsense" in capsys.readouterr().err
    assert git(repository, "worktree", "list").count("\n") == 1

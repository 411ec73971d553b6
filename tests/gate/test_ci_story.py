"""The story of a project's CI: the jobs of examples/ci run in a git repository with a reference that was accepted."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "ci"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples do not come with an installed package")


def github_commands() -> list[str]:
    steps = yaml.safe_load((EXAMPLES / "github.yml").read_text())["jobs"]["gate"]["steps"]
    return [step["run"] for step in steps if step.get("run", "").startswith("mmbench ")]


def gitlab_commands() -> list[str]:
    return yaml.safe_load((EXAMPLES / "gitlab.yml").read_text())["model gate"]["script"]


class Repository:
    """A git repository with a suite, data, a model, its weights, and the gate's file of the examples."""

    def __init__(self, folder: Path, desk: Any) -> None:
        self.folder, self.desk = folder, desk
        self.environment = {
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "SUITE": "tiny.toml",
            "DATA": "data",
            "MODEL": "python:shades.py:make",
            "GITHUB_STEP_SUMMARY": "summary.md",
            "OMP_NUM_THREADS": "1",
            **{f"GIT_{who}_{what}": "ci@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        (folder / "bin").mkdir()
        (folder / "bin" / "mmbench").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mmbench.cli.main "$@"\n')
        (folder / "bin" / "mmbench").chmod(0o755)
        (folder / "mmbench.toml").write_text((EXAMPLES / "mmbench.toml").read_text())
        (folder / ".gitignore").write_text("head/\nresults/\nbin/\ngate.*\nsummary.md\n__pycache__/\n")

    def sh(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment | more
        return subprocess.run(["sh", "-c", command], cwd=self.folder, env=environment, capture_output=True, text=True)

    def commit(self, message: str) -> None:
        done = self.sh(f"git add -A && git commit -q -m '{message}'")
        assert done.returncode == 0, done.stderr

    def job(self, commands: list[str], context: str = "pr") -> subprocess.CompletedProcess[str]:
        """What a fresh checkout does: measure, then gate; the last command's result."""
        self.sh("git clean -qfdx -e bin")
        *first, gate = commands
        for command in first:
            done = self.sh(command)
            assert done.returncode == 0, done.stderr
        return self.sh(gate, CONTEXT=context)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """With the good weights measured, accepted and committed."""
    spec = importlib.util.spec_from_file_location("desk_of_the_cli", ROOT / "tests" / "cli" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "tiny.toml").write_text(module.SUITE)
    (tmp_path / "shades.py").write_text(module.MODEL)
    desk = module.Desk(tmp_path)
    desk.draw()
    found = Repository(tmp_path, desk)
    assert found.sh("git init -q .").returncode == 0
    accept = 'mmbench gate accept results -o references --reason "first"'
    done = found.sh(f'mmbench run --suite "$SUITE" --data-root "$DATA" --model "$MODEL" -o results && {accept}')
    assert done.returncode == 0, done.stderr
    found.commit("A model and its reference")
    return found


@pytest.mark.skipif(os.name != "posix", reason="the jobs are shell scripts")
def test_a_pull_request_is_gated(repository: Repository) -> None:
    """Unchanged: 0. A damaged weight: 1, with metric, difference and slice. A small change: by policy."""
    same = repository.job(github_commands())
    assert same.returncode == 0, same.stdout + same.stderr
    assert "0/80" in same.stdout

    repository.desk.weigh(night=[10.0, 20.0, 50.0])
    repository.commit("A weight is damaged")
    for commands in (github_commands(), gitlab_commands()):
        worse = repository.job(commands)
        assert worse.returncode == 1, worse.stdout + worse.stderr
        text = " ".join(worse.stdout.split())
        assert "REGRESS miou" in text
        assert "worse by 3.4" in text
        assert "time=night" in text
    repository.job(github_commands())
    assert "REGRESS" in (repository.folder / "summary.md").read_text()
    assert "<failure" in (repository.folder / "gate.xml").read_text()

    repository.desk.weigh(night=[10.0, 26.0, 50.0])
    repository.commit("A small change, with too few samples to tell")
    assert repository.job(github_commands(), "pr").returncode == 0
    small = repository.job(github_commands(), "release")
    assert small.returncode == 3, small.stdout + small.stderr
    assert "groups would decide" in " ".join(small.stdout.split())


def test_a_new_reference_replaces_the_old_one_and_is_small(repository: Repository) -> None:
    """Accepting again changes files, adds none; no journal and no prediction is kept."""
    names = sorted(str(file.relative_to(repository.folder)) for file in repository.folder.glob("references/*/*"))
    assert names == ["references/tiny_1-make/record.json", "references/tiny_1-make/rows.npz"]
    assert sum((repository.folder / name).stat().st_size for name in names) < 20_000
    repository.desk.weigh(night=[10.0, 20.0, 50.0])
    repository.sh('mmbench run --suite "$SUITE" --data-root "$DATA" --model "$MODEL" -o head')
    assert repository.sh("mmbench gate accept head -o references").returncode == 0
    assert repository.sh("git status --porcelain").stdout.split() == [
        word for name in (*names, "weights.json") for word in ("M", name)
    ]
    assert repository.sh("mmbench gate --base references --head head").returncode == 0

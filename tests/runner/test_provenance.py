"""Provenance: what it tells of code, versions, command and time; nothing about the host."""

from __future__ import annotations

import getpass
import json
import platform
import subprocess
from datetime import UTC, datetime

import pytest

import mmbench
from mmbench.runner.provenance import checkout, device_name, provenance

ARGV = ("mmbench", "run", "--suite", "seg", "--model", "my model.ckpt")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_facts_are_json_and_complete():
    facts = json.loads(json.dumps(provenance(ARGV, "cpu", NOON)))
    assert facts["argv"] == list(ARGV)
    assert facts["time"] == "2026-03-01T12:00:00Z"
    assert facts["versions"]["mmbench"] == mmbench.__version__
    assert {"python", "numpy", "scipy", "pillow"} <= facts["versions"].keys()
    assert facts["device"]
    assert facts.keys() == {"argv", "time", "versions", "device", "system", "commit", "dirty"}


def test_facts_name_neither_host_nor_folder():
    facts = provenance(ARGV, "cpu", NOON)
    text = json.dumps({name: value for name, value in facts.items() if name != "argv"})
    assert platform.node() not in text or len(platform.node()) < 4
    assert getpass.getuser() not in text or len(getpass.getuser()) < 5
    assert str(mmbench.__path__[0]) not in text


@pytest.fixture
def repository(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "pyproject.toml").write_text("one")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    return tmp_path


def test_checkout_tells_commit_and_changes(repository):
    clean = checkout(repository)
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (repository / "untracked.txt").touch()
    assert checkout(repository) == clean
    (repository / "pyproject.toml").write_text("two")
    assert checkout(repository) == {**clean, "dirty": True}


def test_checkout_is_not_misled_by_an_enclosing_git_command(repository, monkeypatch, tmp_path_factory):
    """A hook sets GIT_DIR; the commit must still be that of mmbench."""
    expected = checkout(repository)
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("other")))
    assert checkout(repository) == expected


def test_installed_package_has_no_commit(tmp_path):
    """Even when the environment lies inside somebody's repository."""
    assert checkout(tmp_path) == {"commit": None, "dirty": None}


def test_broken_repository_has_no_commit(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert checkout(tmp_path) == {"commit": None, "dirty": None}


def test_processor_has_a_name():
    assert device_name("cpu").strip()

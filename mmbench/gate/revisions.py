"""Two revisions of a repository side by side: git worktrees, made ready by the user's own command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mmbench.core.errors import LoadError, UsageError
from mmbench.gate.spec import AbSpec
from mmbench.perf.processes import Side

_LAST = 300


@contextmanager
def checkout(reference: str, spec: AbSpec) -> Iterator[Side]:
    """The revision in a folder of its own, set up; the folder is gone afterwards.

    Raises UsageError where git does not know the revision, LoadError where the setup fails.
    """
    commit = _git("rev-parse", "--verify", f"{reference}^{{commit}}")
    with TemporaryDirectory(prefix="mmbench-ab-") as parent:
        folder = Path(parent) / commit[:12]
        _git("worktree", "add", "--detach", str(folder), commit)
        try:
            _set_up(folder, spec)
            yield Side(_python(folder, spec), folder)
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _set_up(folder: Path, spec: AbSpec) -> None:
    if not spec.setup:
        return
    done = subprocess.run(
        shlex.split(spec.setup), cwd=folder, env=_clean(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout)[-_LAST:].split())
        raise LoadError(f"The setup {spec.setup!r} of {folder.name} ended with code {done.returncode} ({said}).")


def _python(folder: Path, spec: AbSpec) -> str:
    if not spec.python:
        return sys.executable
    found = folder / spec.python
    if not found.exists():
        raise UsageError(f"[ab] python = {spec.python!r} does not exist in {folder.name} after its setup.")
    return str(found)


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], env=_clean(), capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"git cannot be run ({error.strerror}); mmbench gate ab needs it.") from error
    if done.returncode:
        raise UsageError(f"git {arguments[0]} failed: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


def _clean() -> dict[str, str]:
    """Variables of an enclosing git command (a hook) would point to another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

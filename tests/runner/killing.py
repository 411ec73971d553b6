"""Kills a run again and again: ``killing.py SEED KILLS RESULTS -- COMMAND...``; prints JSON of where it struck.

Imports are done once; every attempt is a process of its own that does the whole command (fork, then SIGKILL after a
random time). When a run got to its end, the next attempt starts in another folder of results.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import numpy  # noqa: F401  imported before the fork
import scipy  # noqa: F401

from mmbench.cli.main import main
from mmbench.runner import campaign  # noqa: F401
from mmbench.runner.suites import SuiteChoice, open_suite


def attempt(command: list[str]) -> int:
    """Starts the command in a forked process; returns its id."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        os._exit(main(command))
    return child


def ended(child: int) -> tuple[bool, int]:
    """Whether the process was killed, and its exit code."""
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status)


def journalled(results: Path) -> int:
    """Batches in the unfinished journal; of a copy, so that the next attempt finds the files as the kill left them."""
    found = sorted(results.glob("*/journal.sqlite*"))
    if not found:
        return 0
    with tempfile.TemporaryDirectory() as copy:
        for file in found:
            shutil.copy(file, copy)
        connection = sqlite3.connect(Path(copy, "journal.sqlite"))
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'batches'").fetchone()
        count = connection.execute("SELECT COUNT(*) FROM batches").fetchone()[0] if known else 0
        connection.close()
    return int(count)


def main_loop(seed: int, kills: int, base: Path, command: list[str]) -> list[int]:
    """The number of journalled batches at each kill."""
    whole = time.perf_counter()
    killed, code = ended(attempt([*command, "-o", str(base / "whole")]))
    whole = time.perf_counter() - whole
    assert (killed, code) == (False, 0), f"the run ends with {code} when it is left alone"
    chance, strikes, folder = random.Random(seed), [], 0
    while len(strikes) < kills:
        results = base / f"killed-{folder}"
        child = attempt([*command, "-o", str(results)])
        time.sleep(chance.uniform(0.02, whole))
        os.kill(child, signal.SIGKILL)
        killed, code = ended(child)
        assert killed or code == 0, f"the resumed run ends with {code}"
        if list(results.glob("*/record.json")):
            folder += 1  # done, even if the kill came after the record
        elif killed:
            strikes.append(journalled(results))
    killed, code = ended(attempt([*command, "-o", str(base / f"killed-{folder}")]))
    assert (killed, code) == (False, 0), f"the last run ends with {code}"
    return strikes


if __name__ == "__main__":
    # What is imported on first use is imported before the fork too.
    open_suite("seg[tier=smoke]", SuiteChoice()).source.load("test/000000")
    seed, kills, base, _, *rest = sys.argv[1:]
    print(json.dumps(main_loop(int(seed), int(kills), Path(base), rest)))

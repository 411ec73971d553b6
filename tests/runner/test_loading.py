"""Loading: the same batches for any number of workers, broken samples as failures, a dead worker as a sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmbench.core.errors import LoadError, UsageError
from mmbench.runner.loading import load_batches

BROKEN = frozenset({"s004", "s005"})


def _batches(source, size=3):
    return [(start // size, source.ids[start : start + size]) for start in range(0, len(source.ids), size)]


def _seen(source, workers):
    loaded = load_batches(source, _batches(source), workers)
    return [(b.index, [(one.sample.id, one.digest) for one in b.loaded], list(b.failures)) for b in loaded]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_are_the_same_for_any_number_of_workers(toysource, workers):
    """In the order of the plan, with the digest of the content, whoever loads."""
    source = toysource(20, broken=BROKEN)
    seen = _seen(source, workers)
    expected = [[(i, source.load(i).digest()) for i in ids if i not in BROKEN] for _, ids in _batches(source)]
    assert [loaded for _, loaded, _ in seen] == expected
    assert [index for index, _, _ in seen] == list(range(7))


def test_broken_sample_is_a_failure_with_its_reason(toysource):
    failures = [f for _, _, failures in _seen(toysource(8, broken=BROKEN), 0) for f in failures]
    assert [(f.id, f.reason) for f in failures] == [(i, f"{i}.png cannot be read.") for i in sorted(BROKEN)]


def test_killed_worker_is_a_sentence_and_no_hang(toysource):
    """The worker that loads s007 is killed as the system does it for want of memory."""
    source = toysource(20, deadly="s007")
    with pytest.raises(LoadError, match=r"ended unexpectedly .* --workers"):
        list(load_batches(source, _batches(source), 2))


def test_source_that_cannot_be_sent_says_what_to_do(toysource):
    source = toysource(4, stamps={"s000": lambda: None})
    with pytest.raises(UsageError, match=r"cannot be sent to worker processes .* --workers 0"):
        list(load_batches(source, _batches(source), 1))


def test_bug_of_a_source_is_not_hidden(toysource):
    """What is no SampleError ends the run: it must not look like a broken sample."""

    class Buggy(toysource):
        def load(self, sample_id):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(load_batches(Buggy(2), [(0, ("s000",))], 0))


def test_loading_stays_a_bounded_number_of_batches_ahead(toysource):
    """Memory does not grow with the split: while batch 0 is worked on, at most batch 1 is loaded."""
    loaded = []

    class Counting(toysource):
        def load(self, sample_id):
            loaded.append(sample_id)
            return super().load(sample_id)

    source = Counting(30)
    for batch in load_batches(source, _batches(source), 0):
        time.sleep(0.005)
        assert len(loaded) <= 3 * (batch.index + 2)


_PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from toysource import ToySource
from mmbench.runner.loading import load_batches
if __name__ == "__main__":
    source = ToySource(1000)
    for batch in load_batches(source, [(n, (i,)) for n, i in enumerate(source.ids)], 2):
        if batch.index == 2:
            print("loading", flush=True)
            import time; time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")
def test_workers_end_with_a_killed_parent(tmp_path):
    """After kill -9 of the run no worker stays behind."""
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    plugins = str(Path(__file__).parent / "plugins")
    parent = subprocess.Popen([sys.executable, script, plugins], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout.readline() == "loading\n"
        children = _children(parent.pid)
        assert len(children) >= 2
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(_alive(child) for child in children):
        assert time.monotonic() < deadline, "workers outlive the killed run"
        time.sleep(0.02)


def _stat(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _children(pid):
    processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [process for process in processes if _alive(process) and int(_stat(process)[1]) == pid]


def _alive(pid):
    try:
        return _stat(pid)[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False

"""Nothing lost: a real process that is killed at any point resumes, and its rows are those of a run left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mmbench.core.registry import Registry

SHADES = """
import numpy as np

class Shades:
    modalities = ("rgb", "depth")

    def predict(self, batch):
        return {i: np.asarray(rgb)[..., 0] % 5 for i, rgb in zip(batch.ids, batch.inputs["rgb"])}

def make():
    return Shades()
"""

NET = """
import time

import torch

class Net(torch.nn.Module):
    modalities = ("rgb", "depth")

    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Conv2d(4, 16, 5, padding=2)
        self.head = torch.nn.Conv2d(16, 5, 1)

    def forward(self, rgb, depth):
        time.sleep(0.01)  # leaves time to be killed
        return self.head(torch.relu(self.mix(torch.cat([rgb, depth], 1))))

def make():
    torch.manual_seed(0)
    return Net()
"""


def command(model: Path, *more: str) -> list[str]:
    suite = ["--suite", "seg[regime=R,tier=smoke]", "--model", f"python:{model}:make"]
    return ["run", *suite, "--batch-size", "8", "--draws", "100", *more]


def rows_of(results: Path) -> bytes:
    (record,) = results.glob("*/record.json")
    assert json.loads(record.read_text())["status"] == "ok"
    return (record.parent / "rows.npz").read_bytes()


def test_run_killed_at_twenty_random_points_resumes_to_the_same_bytes(tmp_path):
    """A numpy model; the kills fall before the first batch, between batches and while the record is written."""
    model = tmp_path / "shades.py"
    model.write_text(SHADES)
    driver = Path(__file__).parent / "killing.py"
    arguments = ["11", "20", str(tmp_path), "--", *command(model)]
    done = subprocess.run([sys.executable, driver, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    strikes = json.loads(done.stdout)
    assert len(strikes) == 20
    assert len(set(strikes)) >= 4, f"the kills fell on too few points: {strikes}"
    whole = rows_of(tmp_path / "whole")
    killed = sorted(tmp_path.glob("killed-*"))
    assert killed
    assert all(rows_of(results) == whole for results in killed)


def start(arguments, results):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "mmbench.cli.main", *arguments, "-o", str(results)]
    return subprocess.Popen(call, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)


def killed_after(samples, arguments, results):
    """Kills the run as soon as it says that it has done so many samples; returns what it said."""
    with start(arguments, results) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if "/256 samples" in line and int(line.split(": ")[1].split("/")[0]) >= samples:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL, "".join(said)
    return said


@pytest.mark.skipif(Registry("adapter", "mmbench.adapters").entry("checkpoint").missing is not None, reason="no torch")
def test_torch_run_killed_twice_resumes_to_the_same_bytes(tmp_path):
    """Floats too: the batches of a resumed run are those of the plan. Other workers load the second time."""
    model = tmp_path / "net.py"
    model.write_text(NET)
    arguments = command(model, "--threads", "1")
    with start(arguments, tmp_path / "whole") as process:
        said = process.stderr.read()
    assert process.returncode == 0, said
    killed_after(60, arguments, tmp_path / "killed")
    said = killed_after(160, [*arguments, "--workers", "2"], tmp_path / "killed")
    first = int(said[0].split(": ")[1].split("/")[0])
    assert first >= 60, "the second start did not resume"
    with start(arguments, tmp_path / "killed") as process:
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "whole")

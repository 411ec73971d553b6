"""How long a person waits for a command that computes nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("arguments", [["--help"], ["show", "suites"]], ids=" ".join)
def test_start(benchmark, arguments: list[str]) -> None:
    """At most 0.3 s of wall-clock on an idle machine, the best of ten starts."""
    command = [sys.executable, "-m", "mmbench.cli.main", *arguments]
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True), rounds=10, warmup_rounds=2)
    if not benchmark.disabled:
        assert benchmark.stats.stats.min <= 0.3

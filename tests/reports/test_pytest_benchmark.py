"""pytest-benchmark's JSON: read by pytest-benchmark itself, with its own statistics of the same data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmbench.cli.main import main
from mmbench.core.errors import LoadError
from mmbench.reports.pytest_benchmark import read


@pytest.fixture
def exported(latency_run, tmp_path: Path) -> Path:
    latency_run(tmp_path / "runs", 0.01)
    assert main(["leaderboard", str(tmp_path / "runs"), "--benchmark-json", str(tmp_path / "out.json")]) == 0
    return tmp_path / "out.json"


def test_pytest_benchmark_compare_reads_it(exported: Path) -> None:
    """Its own command prints our medians: 10 ms at batch size 1."""
    command = [sys.executable, "-m", "pytest_benchmark", "compare", str(exported), "--columns=median,rounds"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=exported.parent)
    assert done.returncode == 0, done.stderr
    assert "model[latency_ms-b1]" in done.stdout
    assert "9.9" in done.stdout or "10.0" in done.stdout


def test_statistics_are_those_of_pytest_benchmark(exported: Path) -> None:
    from pytest_benchmark.stats import Stats

    for one in json.loads(exported.read_text())["benchmarks"]:
        theirs = Stats()
        for value in one["stats"]["data"]:
            theirs.update(value)
        for name in ("min", "max", "mean", "stddev", "median", "q1", "q3", "iqr", "ops", "total", "rounds"):
            assert one["stats"][name] == pytest.approx(getattr(theirs, name)), name
        for name in ("outliers", "ld15iqr", "hd15iqr", "iqr_outliers", "stddev_outliers"):
            assert one["stats"][name] == getattr(theirs, name), name


def test_what_github_action_benchmark_takes_is_there(exported: Path) -> None:
    """Seconds per call, and more operations per second are better."""
    one = json.loads(exported.read_text())["benchmarks"][0]
    assert one["stats"]["ops"] == pytest.approx(100, rel=0.02)
    assert {"mean", "stddev", "rounds"} <= one["stats"].keys()
    assert one["fullname"]
    assert one["extra_info"]["mmbench"]["verdict"] == "shared"


def test_what_is_no_time_is_exported_apart(latency_run, tmp_path: Path) -> None:
    """github-action-benchmark's customSmallerIsBetter: names, units and values; no energy without a counter."""
    latency_run(tmp_path / "runs", 0.01)
    file = tmp_path / "memory.json"
    assert main(["leaderboard", str(tmp_path / "runs"), "--memory-json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert {(one["unit"], one["value"]) for one in found} == {("MiB", 200.0)}
    assert len({one["name"] for one in found}) == len(found)


def test_it_reads_back_what_it_wrote(exported: Path) -> None:
    found = {one.name.rpartition("::")[2]: one for one in read(exported)}
    assert set(found) == {f"model[{m}-b{b}]" for m in ("latency_ms", "request_ms") for b in (1, 8)}
    assert found["model[latency_ms-b1]"].mean == pytest.approx(0.01, rel=0.01)


@pytest.mark.parametrize("text", ["{", "[]", '{"benchmarks": [{"name": "x"}]}'])
def test_another_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(LoadError, match="pytest-benchmark"):
        read(tmp_path / "x.json")


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.5, 3)])
def test_history_of_another_tool_neither_passes_nor_regresses(
    latency_run, tmp_path: Path, capsys: pytest.CaptureFixture[str], factor: float, code: int
) -> None:
    """Half as slow again is inconclusive, and equal times are no pass."""
    for name, seconds in (("a", 0.01), ("b", 0.01 * factor)):
        latency_run(tmp_path / name, seconds)
        main(["leaderboard", str(tmp_path / name), "--benchmark-json", str(tmp_path / f"{name}.json")])
    flags = ["--base", str(tmp_path / "a.json"), "--head", str(tmp_path / "b.json"), "--context", "release"]
    capsys.readouterr()
    assert main(["gate", *flags]) == code
    shown = capsys.readouterr().out
    assert "PASS" not in shown
    assert "REGRESS:" not in shown

"""A latency run from the command line to the record, the leaderboard and the figure."""

from __future__ import annotations

import json
from math import exp
from pathlib import Path

import pytest

from mmbench.cli.main import main
from mmbench.core.errors import UsageError
from mmbench.perf import calibration, estimating, plan, preflight, processes
from mmbench.perf.protocol import BlockRule, WarmUpRule
from mmbench.perf.replication import replicated
from mmbench.perf.request import Rules, Timed
from mmbench.store import find_runs, load_rows

pytest.importorskip("torch")
SHORT = WarmUpRule(least_s=0.02, window_s=0.01, window_calls=2, cap_s=0.1, tolerance=0.5)
RULES = Rules(
    first_warm_up=SHORT,
    warm_up=SHORT,
    blocks=BlockRule(calls=3, seconds=0.02, most_s=0.05),
    offline_s=0.02,
    stages_s=0.2,
    queries=16,
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """One run of a shipped baseline with the shortest protocol; its exit code and its folder."""
    results = tmp_path_factory.mktemp("latency")
    patch = pytest.MonkeyPatch()
    patch.setattr(plan, "cpu_rules", lambda: RULES)
    flags = [
        "--batch",
        "2,1",
        "--threads",
        "1",
        "--device",
        "cpu",
        "--budget",
        "0.001",
        "--inputs-from",
        "seg[tier=smoke]",
    ]
    where = ["-o", str(results), "--figure", str(results / "sweep.svg")]
    code = main(["run", "--suite", "latency", "--model", "baseline:seg/concat", *flags, *where])
    patch.undo()
    return code, results


def test_the_record_says_what_was_measured_and_how_far_to_trust_it(measured: tuple[int, Path]) -> None:
    """Two processes, as the budget is spent; the exit code follows the verdict on the machine."""
    code, results = measured
    (run,) = find_runs([results])
    record, performance = run.record, run.record.performance
    assert code == (5 if performance.machine.verdict == "unfit" else 0)
    assert record.suite == "latency@1[compile=no,device=cpu,inputs=seg,precision=fp32,threads=1]"
    assert record.execution.model_dump() == {"batch_size": 1, "device": "cpu", "precision": "fp32", "threads": 1}
    assert (performance.replication.processes, performance.replication.stopped) == (2, "budget")
    assert record.model.parameters == 213141
    assert performance.operations[0].flop > 2 * record.model.parameters
    assert "aten.gelu" in performance.operations[0].uncounted
    assert performance.operations[0].mfu is None
    assert {part.name for part in performance.stages[0].parts} >= {"encoder:rgb", "encoder:depth", "fusion", "head"}
    assert set(dict(load_rows(run.folder, record).tags[0])) == {"quantity", "batch"}


def test_estimates_are_per_batch_size_and_what_is_not_known_says_why(measured: tuple[int, Path]) -> None:
    """Energy without a counter is undefined with a reason, never 0; so is a percentile of too few calls."""
    (run,) = find_runs([measured[1]])
    record = run.record
    assert [e.slice for e in record.estimates if e.metric == "latency_ms"] == ["", "1", "2"]
    one = record.estimate("latency_ms", tag="batch", value="1")
    assert one.low < one.value < one.high
    assert one.groups == 2
    assert record.estimate("request_ms", tag="batch", value="1").value > 0
    tail = record.estimate("request_p99_ms", tag="batch", value="1")
    assert tail.value is None
    assert "needs 662 calls" in tail.reason
    energy = record.estimate("energy_j")
    assert energy.value is None or energy.value > 0
    assert energy.value is not None or energy.reason


def test_the_leaderboard_shows_every_quantity(
    measured: tuple[int, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["leaderboard", str(measured[1])]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("latency_ms", "throughput", "peak_memory_mib", "request_p90_ms"))
    assert main(["show", "run", str(find_runs([measured[1]])[0].folder)]) == 0
    assert "Stages of a request" in capsys.readouterr().out


def test_the_figure_is_drawn(measured: tuple[int, Path]) -> None:
    text = (measured[1] / "sweep.svg").read_text()
    assert text.startswith("<?xml")
    assert len(text) > 5_000


WORKER = """
import numpy as np

class Worker:
    modalities = ("rgb",)

    def predict(self, batch):
        return {i: np.zeros(np.asarray(rgb).shape[:2], np.int64) for i, rgb in zip(batch.ids, batch.inputs["rgb"])}

make = Worker
"""


def test_a_resident_run_is_one_process_whose_interval_holds_the_process_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a calibration it is refused before anything is measured. A budget of 60 ms leaves one batch size."""
    monkeypatch.setattr(plan, "cpu_rules", lambda: RULES)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worker.py").write_text(WORKER)
    flags = ["--model", "python:worker.py:make", "--inputs-from", "seg[tier=smoke]", "--device", "cpu"]
    resident = ["run", "--suite", "latency", *flags, "--resident", "--budget", "0.001", "--threads", "1"]
    assert main(resident) == 2
    told = capsys.readouterr().err
    assert "doctor --calibrate" in told
    assert "process 1" not in told
    calibration.keep(preflight.hard_facts("cpu", "fp32", 1), 0.03, 12)
    asked = []
    ask = processes.ask
    monkeypatch.setattr(processes, "ask", lambda *arguments: asked.append(arguments) or ask(*arguments))
    assert main(resident) in (0, 5)
    assert len(asked) == 1
    (run,) = find_runs([tmp_path / "results"])
    performance = run.record.performance
    assert (performance.replication.unit, performance.replication.processes) == ("block", 1)
    assert performance.sweep_ended == "time"
    one = run.record.estimate("latency_ms")
    assert "resident" in one.flags
    assert one.high / one.value >= exp(1.96 * 0.03)
    assert "One resident process (weaker), half-width" in capsys.readouterr().out
    assert performance.replication.half_width >= 1.96 * 0.03


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--model", "python:nothing.py:make"], "Nothing says which inputs"),
        (["--model", "baseline:seg/concat", "--batch", "1,x"], "is no list of batch sizes"),
        (["--model", "baseline:seg/concat", "--suite", "seg"], "is measured alone"),
        (["--model", "baseline:seg/concat", "--device", "cpu", "--lock-clocks", "1000"], "concerns an NVIDIA GPU"),
    ],
)
def test_a_mistake_is_told_before_anything_is_measured(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["run", "--suite", "latency", *flags, "-o", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_loaded_ends_as_in_a_quality_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a measuring process finds comes back with its sentence and its exit code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("def make():\n    raise ValueError('no weights')\n")
    flags = ["--model", "python:broken.py:make", "--inputs-from", "seg[tier=smoke]", "--device", "cpu"]
    assert main(["run", "--suite", "latency", *flags]) == 7
    assert "no weights" in capsys.readouterr().err


def test_the_plan_is_told_without_measuring(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flags = ["--model", "baseline:seg/concat", "--precision", "fp32,bf16", "--dry-run", "-o", str(tmp_path)]
    assert main(["run", "--suite", "latency", *flags]) == 0
    assert "2 latency runs: about" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_json_is_all_that_is_printed(measured: tuple[int, Path]) -> None:
    """The stored record is JSON without NaN or infinity."""
    (file,) = measured[1].rglob("record.json")

    def refuse(name: str) -> float:
        raise AssertionError(name)

    assert json.loads(file.read_text(), parse_constant=refuse)["task"] == "latency"


def test_a_resident_run_is_widened_by_the_process_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a calibration it is refused; with one the half-width is at least 1.96 times the effect."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="doctor --calibrate"):
        calibration.process_effect({"cpu": "one"})
    calibration.keep({"cpu": "one"}, 0.03, 12)
    part = Timed(blocks=((0.01,), (0.0101,), (0.0099,)), invalid=("", "", ""))
    alone = replicated([one.log_time for one in estimating.blocks_of(part)])
    found = estimating.summary([-4.6], [part], calibration.process_effect({"cpu": "one"}))
    assert found.half_width == pytest.approx((alone.half_width**2 + (1.96 * 0.03) ** 2) ** 0.5)
    assert found.processes == 1

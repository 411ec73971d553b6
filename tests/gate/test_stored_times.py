"""Stored latency runs at the gate: the same machine or nothing, and independent processes on either side."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.stats import ttest_ind

from mmbench.cli.main import main
from mmbench.core.errors import NotComparable, UsageError
from mmbench.gate.spec import GateSpec, MetricRule
from mmbench.gate.stored_times import gate_times, welch
from mmbench.stats.intervals import student_tail
from mmbench.store import find_runs


def test_welch_is_that_of_scipy() -> None:
    random = np.random.default_rng(0)
    base, head = random.normal(0, 1, 6), random.normal(0.5, 3, 9)
    found = welch(list(base), list(head))
    expected = ttest_ind(head, base, equal_var=False)
    assert found.degrees == pytest.approx(expected.df)
    assert 2 * student_tail(abs(found.value / found.error), found.degrees) == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(("factor", "code", "word"), [(1.0, 0, "PASS"), (1.3, 1, "REGRESS")])
def test_the_exit_code_tells(
    latency_run, tmp_path: Path, capsys: pytest.CaptureFixture[str], factor: float, code: int, word: str
) -> None:
    latency_run(tmp_path / "base", 0.01)
    latency_run(tmp_path / "head", 0.01 * factor)
    assert main(["gate", "--base", str(tmp_path / "base"), "--head", str(tmp_path / "head")]) == code
    assert f"Gate: {word}" in capsys.readouterr().out


def test_another_machine_is_not_comparable(latency_run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hard fingerprint is part of the key: exit code 4 and the field that differs."""
    latency_run(tmp_path / "base", 0.01)
    latency_run(tmp_path / "head", 0.01, cpu="another")
    assert main(["gate", "--base", str(tmp_path / "base"), "--head", str(tmp_path / "head")]) == 4
    assert "another" in capsys.readouterr().err


def test_an_unfit_machine_is_unfit(latency_run, tmp_path: Path) -> None:
    latency_run(tmp_path / "base", 0.01)
    latency_run(tmp_path / "head", 0.01, verdict="unfit")
    assert main(["gate", "--base", str(tmp_path / "base"), "--head", str(tmp_path / "head")]) == 5


def test_one_process_says_nothing(latency_run, tmp_path: Path) -> None:
    latency_run(tmp_path / "base", 0.01, processes=1)
    latency_run(tmp_path / "head", 0.01)
    assert main(["gate", "--base", str(tmp_path / "base"), "--head", str(tmp_path / "head")]) == 5


def test_a_model_on_one_side_alone_is_refused(latency_run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        latency_run(tmp_path / "base", 0.01, name=name)
    latency_run(tmp_path / "head", 0.01, name="a")
    latency_run(tmp_path / "head", 0.01, name="c")
    with pytest.raises(NotComparable, match="one side alone"):
        gate_times(find_runs([tmp_path / "base"]), find_runs([tmp_path / "head"]), GateSpec(), "pr")


def test_rules_choose_metric_batch_and_margin(latency_run, tmp_path: Path) -> None:
    """+30 % passes under a margin of 50 %; what no rule selects is not decided."""
    latency_run(tmp_path / "base", 0.01)
    latency_run(tmp_path / "head", 0.013)
    rule = MetricRule(select="latency_ms", slice="batch=1", margin="50%")
    sides = find_runs([tmp_path / "base"]), find_runs([tmp_path / "head"])
    with pytest.raises(UsageError, match="must be relative"):
        gate_times(*sides, GateSpec(metric=(MetricRule(select="latency_ms", margin=0.5),)), "pr")
    (line,) = gate_times(*sides, GateSpec(metric=(rule,)), "pr").findings
    assert (line.metric, line.status.value) == ("latency_ms{batch=1}", "pass")
    assert line.ratio == pytest.approx(1.3, rel=0.02)


@pytest.mark.parametrize(("mib", "status"), [(209.0, "pass"), (211.0, "regress")])
def test_peak_memory_may_grow_by_one_percent_and_eight_mib(
    latency_run, tmp_path: Path, mib: float, status: str
) -> None:
    """Of 200 MiB that is 10; without statistics, as it repeats."""
    latency_run(tmp_path / "base", 0.01)
    latency_run(tmp_path / "head", 0.01, mib=mib)
    told = gate_times(find_runs([tmp_path / "base"]), find_runs([tmp_path / "head"]), GateSpec(), "pr")
    found = {line.metric: line for line in told.findings}
    assert found["peak_memory_mib{batch=1}"].status.value == status
    assert told.code == int(status == "regress")


def test_a_slower_tail_regresses_beside_an_equal_median(latency_run, tmp_path: Path) -> None:
    """One request in four takes twice as long: the median of a block and the device's time are as before."""
    latency_run(tmp_path / "base", 0.01)
    latency_run(tmp_path / "head", 0.01, tail=2.0)
    told = gate_times(find_runs([tmp_path / "base"]), find_runs([tmp_path / "head"]), GateSpec(), "pr")
    status = {line.metric: line.status.value for line in told.findings}
    assert (status["latency_ms{batch=1}"], status["request_ms{batch=1}"]) == ("pass", "pass")
    assert status["request_p90_ms{batch=1}"] == "regress"


def test_a_regression_in_time_is_a_failed_test_case_and_an_annotation(
    latency_run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latency_run(tmp_path / "base", 0.01)
    latency_run(tmp_path / "head", 0.013)
    sides = ["--base", str(tmp_path / "base"), "--head", str(tmp_path / "head")]
    assert main(["gate", *sides, "--junit", str(tmp_path / "gate.xml"), "--annotations", "github"]) == 1
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot()  # noqa: S314
    failed = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert "latency_ms{batch=1}" in failed
    assert int(suite.get("failures")) == len(failed)
    assert "peak_memory_mib{batch=1}" not in failed
    assert "::error title=REGRESS latency_ms{batch=1} (model on latency@1" in capsys.readouterr().out


def test_sweeps_of_unequal_length_are_compared_where_both_were_measured(latency_run, tmp_path: Path) -> None:
    """One that ended early on its own; what was asked for on one side alone is not comparable."""
    latency_run(tmp_path / "base", 0.01, batches=(1, 8, 16))
    latency_run(tmp_path / "head", 0.01, ended="gain")
    latency_run(tmp_path / "asked", 0.01)
    base, head, asked = (find_runs([tmp_path / name]) for name in ("base", "head", "asked"))
    for sides in ((base, head), (head, base)):
        told = gate_times(*sides, GateSpec(), "pr")
        assert not [line for line in told.findings if "16" in line.metric]
        assert "batch size 16: not compared" in told.notes[-1]
    with pytest.raises(NotComparable, match="Batch size 16 was measured on one side alone"):
        gate_times(base, asked, GateSpec(), "pr")

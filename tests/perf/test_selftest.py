"""``mmbench selftest timing``, ``mmbench doctor`` and the checks behind them."""

from __future__ import annotations

import json
import threading
import time

import pytest

from mmbench.cli.main import main
from mmbench.perf import calibration, host, preflight
from mmbench.perf.calibrating import calibrate
from mmbench.perf.liars import works_on
from mmbench.perf.protocol import BlockRule, WarmUpRule
from mmbench.perf.request import Rules


def test_the_checks_hold_here_and_those_of_a_gpu_say_that_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """The fastest of many calls made in turns: a busy machine only ever adds time."""
    assert main(["selftest", "timing"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line[:5].strip() for line in told[:8]] == ["ok"] * 8
    assert [line.split()[1] for line in told[:8]] == ["T1", "T2", "T6", "T6", "T7", "T8", "T9", "T10"]


def test_work_after_the_return_is_seen_and_rest_is_not() -> None:
    """A thread of our own that goes on for 0.5 s; a call that is done when it returns."""
    thread = threading.Thread(target=burn, args=(0.5,))
    assert not works_on(lambda: None)
    assert works_on(thread.start, calm=0.02)
    thread.join()


def burn(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@pytest.mark.gpu
def test_the_checks_of_a_gpu_hold() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    from mmbench.perf.selftest_gpu import check_gpu

    assert not [check for check in check_gpu() if check.right is False]


@pytest.mark.parametrize(
    ("load", "verdict"), [(0.0, "dedicated"), (0.05, "dedicated"), (0.2, "shared"), (0.8, "unfit"), (None, "shared")]
)
def test_the_load_of_others_decides_the_verdict(load: float | None, verdict: str) -> None:
    remarks = tuple(preflight.load_remarks(load))
    assert preflight.verdict(remarks) == verdict
    assert all(remark.advice for remark in remarks)


def test_more_threads_than_processors_is_unfit() -> None:
    found = preflight.machine("cpu", "fp32", threads=10_000, seconds=0.01)
    assert found.verdict == "unfit"
    assert "threads" in {remark.name for remark in found.remarks}


def test_hard_facts_decide_and_soft_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another processor, precision or thread count is another fingerprint; another load is not."""
    before = preflight.fingerprint(preflight.hard_facts("cpu", "fp32", 1))
    assert preflight.fingerprint(preflight.hard_facts("cpu", "fp32", 1)) == before
    assert preflight.fingerprint(preflight.hard_facts("cpu", "bf16", 1)) != before
    assert preflight.fingerprint(preflight.hard_facts("cpu", "fp32", 2)) != before
    monkeypatch.setattr(preflight, "device_name", lambda _: "another processor")
    assert preflight.fingerprint(preflight.hard_facts("cpu", "fp32", 1)) != before


def test_the_quota_of_a_control_group_limits_the_processors(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(host, "_CGROUP", quota)
    quota.write_text("50000 100000\n")
    assert host.allowed_cpus() == 0.5
    quota.write_text("max 100000\n")
    assert host.allowed_cpus() >= 1


def test_doctor_tells_the_verdict_by_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--seconds", "0.1", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == (5 if told["verdict"] == "unfit" else 0)
    assert told["hard"]["threads"] == 1
    assert len(told["fingerprint"]) == 16


def test_calibration_is_kept_for_the_machine(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three fresh processes of arithmetic; without it a resident run has no interval and is refused."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    facts = preflight.hard_facts("cpu", "bf16", 2)
    with pytest.raises(Exception, match="doctor --calibrate"):
        calibration.process_effect(facts)
    short = WarmUpRule(least_s=0.01, window_s=0.01, window_calls=2, cap_s=0.05)
    rules = Rules(first_warm_up=short, blocks=BlockRule(calls=3, most_s=0.05), offline_s=0.01)
    effect = calibrate(lambda _: None, 3, rules)
    assert effect > 0
    assert calibration.process_effect(facts) == effect
    with pytest.raises(Exception, match="doctor --calibrate"):
        calibration.process_effect({**facts, "cpu": "another"})

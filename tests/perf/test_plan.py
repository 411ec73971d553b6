"""What a latency run asks of its processes, and what it says before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench.core.model import ModelOptions
from mmbench.perf.plan import LatencyOptions, estimate, request
from mmbench.perf.processes import Side, ask
from mmbench.perf.request import Request, Subject, Sweep

CPU = ModelOptions(device="cpu", threads=1)


def test_sizes_that_were_spelled_out_are_all_measured_and_the_usual_sweep_may_end() -> None:
    """Two processes must fit the budget, and the details beside them."""
    spelled = LatencyOptions(model=CPU, batches=(1, 64), full_sweep=True)
    assert request("baseline:seg/concat", spelled).sweep == Sweep()
    usual = request("baseline:seg/concat", LatencyOptions(model=CPU, budget_s=100))
    assert usual.sweep.gain == pytest.approx(0.02)
    assert usual.sweep.most_s == pytest.approx(30)
    alone = request("baseline:seg/concat", LatencyOptions(model=CPU, budget_s=100, resident=True))
    assert alone.sweep.most_s == pytest.approx(60)
    assert 2 * usual.sweep.most_s + 2 * usual.rules.detail_s <= 100


def test_the_plan_knows_the_budget_and_what_is_left_out() -> None:
    """Fewer sizes, a smaller budget and one process alone take less; compiling takes more."""
    about, most = estimate(LatencyOptions(model=CPU))
    assert about < most < 180
    assert estimate(LatencyOptions(model=CPU, batches=(1,)))[0] < about
    assert estimate(LatencyOptions(model=CPU, budget_s=6))[0] < about
    assert estimate(LatencyOptions(model=CPU, resident=True))[0] < about
    assert estimate(LatencyOptions(model=CPU, compile=True))[0] > about


def test_a_process_of_an_older_revision_is_asked_only_what_differs_from_the_defaults(tmp_path: Path) -> None:
    """An interpreter that answers with its request and its cache of compiled code."""
    script = tmp_path / "python"
    script.write_text('#!/bin/sh\nread line\necho "{\\"answer\\": [$line, \\"$TORCHINDUCTOR_CACHE_DIR\\"]}"\n')
    script.chmod(0o755)
    asked = Request(subject=Subject(burn=1), kind="session", batches=(2,))
    heard, cache = ask(asked, 1, Side(python=str(script), cache=tmp_path / "cache"))
    assert heard.keys() == {"subject", "kind", "batches", "started"}
    assert (heard["subject"], heard["batches"]) == ({"burn": 1.0}, [2])
    assert cache == str(tmp_path / "cache")

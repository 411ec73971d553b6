"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples everywhere, and no verdict by the clock of a busy machine.
settings.register_profile("mmbench", deadline=None, derandomize=True)
settings.load_profile("mmbench")


def _find(variable: str, name: str) -> Path:
    base = os.environ.get(variable)
    path = Path(base, name) if base else None
    if path is not None and path.exists():
        return path
    reason = f"{variable}/{name} does not exist" if base else f"{variable} is not set"
    if os.environ.get("MMBENCH_REQUIRE_DATA") == "1":
        pytest.fail(f"{reason}, but MMBENCH_REQUIRE_DATA=1 says it must be there")
    pytest.skip(f"{reason}: the real data does not come with the project")


@pytest.fixture
def data_root() -> Callable[[str], Path]:
    """The folder of a real data set under MMBENCH_DATA; skips with a reason, fails under MMBENCH_REQUIRE_DATA=1."""
    return lambda name: _find("MMBENCH_DATA", name)


@pytest.fixture
def parity() -> Callable[[str], Path]:
    """A file of outputs of the official scorers under MMBENCH_PARITY; skips and fails as ``data_root``."""
    return lambda name: _find("MMBENCH_PARITY", name)


@pytest.fixture
def latency_run() -> Callable[..., None]:
    """Stores a latency run with made times: ``latency_run(results, seconds, cpu=..., verdict=..., processes=...)``.

    ``tail``: the slowest request of each block takes so many times as long; ``mib`` is the peak memory.
    """
    from mmbench.core.performance import Energy, Machine, Memory, SweepEnd
    from mmbench.core.record import Execution, ModelRecord
    from mmbench.perf import measuring
    from mmbench.perf.measured import Measured
    from mmbench.perf.plan import LatencyOptions
    from mmbench.perf.request import BatchResult, Cold, Details, Replicate, Request, Subject, Timed
    from mmbench.runner.measure import now

    def process(seconds: float, batch: int, number: int, tail: float) -> BatchResult:
        own = seconds * batch**0.5 * (1 + 0.005 * ((number * 7) % 5 - 2))
        timed = Timed(blocks=((own, own * 1.01, own * 0.99),) * 5, invalid=("",) * 5)
        request = Timed(blocks=((own, own * 1.01, own * 0.99, own * 1.02 * tail),) * 5, invalid=("",) * 5)
        shared = {"batch": batch, "warm_up_calls": 9, "warm_up_s": 1.0, "steady": True}
        return BatchResult(**shared, device=timed, request=request, offline=batch / own)

    def store(
        results: Path,
        seconds: float,
        *,
        cpu: str = "one",
        verdict: str = "shared",
        processes: int = 5,
        name: str = "model",
        mib: float = 200.0,
        tail: float = 1.0,
        batches: tuple[int, ...] = (1, 8),
        ended: SweepEnd = "",
    ) -> None:
        facts = {"cpu": cpu, "device": "cpu"}
        memory = {"allocated_mib": None, "reserved_mib": None, "device_mib": None, "weights_mib": 1.0}
        memory |= {"activations_mib": None, "rss_mib": mib, "rss_growth_mib": 1.0}
        details = Details(
            model=ModelRecord(name=name, locator=name, task="segmentation", modalities=("rgb",), digest=name),
            execution=Execution(batch_size=1, device="cpu", precision="fp32", threads=1),
            facts=facts,
            memory=tuple(Memory(batch=batch, **memory) for batch in batches),
            energy=Energy(joules=None, reason="no counter"),
        )
        replicates = tuple(
            Replicate(
                cold=Cold(import_s=1.0, load_s=0.1, first_call_s=0.1),
                batches=tuple(process(seconds, batch, number, tail) for batch in batches),
            )
            for number in range(processes)
        )
        request = Request(subject=Subject(locator=name, suite="seg"), kind="replicate", batches=batches)
        machine = Machine(verdict=verdict, hard=facts)
        measured = Measured(request, machine, details, replicates, "target", 0.02, 9.0, now(), ended)
        measuring.store(measured, LatencyOptions(results=results))

    return store

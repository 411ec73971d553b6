"""What a latency run says beside its estimates: the machine, the cold start, stages, memory, operations, the server.

All of it is optional on purpose: what cannot be measured is None with a reason, never 0.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
# The task of the records that hold times.
LATENCY = "latency"
Verdict = Literal["dedicated", "shared", "unfit"]
# What ended a sweep of batch sizes before its last: steps that gain little, the budget, memory; "" for nothing.
SweepEnd = Literal["", "gain", "time", "memory"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Remark(_Table):
    """Something about the machine that disturbs timing: what was found, what to do, and how bad it is."""

    name: str
    severity: Literal["note", "shared", "unfit"]
    found: str
    advice: str


class Machine(_Table):
    """The machine and its fitness. ``hard`` facts must be equal to compare stored runs, ``soft`` ones are told."""

    verdict: Verdict
    hard: dict[str, Any]
    soft: dict[str, Any] = Field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()


class ColdStart(_Table):
    """Seconds before the steady state, medians over fresh processes.

    ``compile_s`` is of the first process alone, with an empty cache; None without torch.compile.
    """

    import_s: Finite
    load_s: Finite
    first_call_s: Finite
    compile_s: Finite | None = None


class Stage(_Table):
    """One part of a request, milliseconds per call (mean over the faster half of the calls)."""

    name: str
    ms: Finite


class Stages(_Table):
    """The parts of a request at one batch size, checked against the whole that was timed without them.

    ``whole_ms`` is that of calls without instruments, made in turns with those with them. ``error`` is
    (sum - whole) / whole; over 5 % in either direction the stages ``overlap`` and are no decomposition.
    """

    batch: int
    parts: tuple[Stage, ...]
    whole_ms: Finite
    error: Finite
    overlap: bool


class Memory(_Table):
    """Peaks in MiB at one batch size; device figures None on a CPU, ``rss_growth_mib`` over what was held before."""

    batch: int
    allocated_mib: Finite | None
    reserved_mib: Finite | None
    device_mib: Finite | None
    weights_mib: Finite
    activations_mib: Finite | None
    rss_mib: Finite
    rss_growth_mib: Finite | None


class Operations(_Table):
    """Floating point operations of one call at one batch size: 2 per multiply-add.

    ``uncounted`` lists operators without a formula with their calls. ``bytes_least`` (weights, inputs and outputs moved
    once) makes ``intensity`` an upper bound. ``mfu`` is None where the device's ``peak`` (FLOP/s) is not known.
    """

    batch: int
    flop: int
    uncounted: dict[str, int]
    bytes_least: int
    intensity: Finite
    peak: Finite | None = None
    mfu: Finite | None = None
    bound: Literal["compute", "memory"] | None = None


class Server(_Table):
    """The highest rate of a Poisson stream of single requests whose ``percentile`` is shown to lie under the SLO.

    ``rate`` requests per second, None where no rate passed, with the ``reason``. ``goodput``: those within the SLO per
    second. Latency counts from the scheduled arrival; ``issue_ms`` is the 99th percentile of our own delay.
    """

    slo_ms: Finite
    percentile: Finite
    seed: int
    queries: int
    rate: Finite | None
    goodput: Finite | None
    issue_ms: Finite | None
    reason: str = ""


class Energy(_Table):
    """Joules per item over ``window_s`` seconds, the idle power taken off; None with the ``reason``, never 0."""

    joules: Finite | None
    idle_watts: Finite | None = None
    window_s: Finite | None = None
    counter: str = ""
    reason: str = ""


class Replication(_Table):
    """How the run was replicated and why it stopped; ``half_width`` is the largest, relative, of the main quantity."""

    unit: Literal["process", "block"]
    processes: int
    half_width: Finite | None
    target: Finite
    stopped: Literal["target", "budget", "most"]
    invalid_blocks: int
    blocks: int
    unsteady: int
    outliers: Finite
    between: Finite | None = None


class Performance(_Table):
    """Everything of a latency run that is not an estimate; ``knee`` is the batch size after which more gains little,
    ``sweep_ended`` why the sweep went no further than its largest size.
    """

    protocol: int
    machine: Machine
    replication: Replication
    knee: int
    sweep_ended: SweepEnd = ""
    cold: ColdStart
    stages: tuple[Stages, ...] = ()
    memory: tuple[Memory, ...] = ()
    operations: tuple[Operations, ...] = ()
    server: Server | None = None
    energy: Energy | None = None
    host_bound: dict[str, Finite] = Field(default_factory=dict)

"""What a measuring process is asked, and what it answers: JSON over a pipe and a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mmbench.core.model import ModelOptions
from mmbench.core.performance import Energy, Memory, Operations, Server, Stages, SweepEnd
from mmbench.core.record import Execution, ModelRecord
from mmbench.perf.protocol import BlockRule, WarmUpRule


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subject(_Table):
    """A model with its inputs: everything that a fresh process needs to be ready for the first call.

    ``suite`` is the reference of the suite whose samples are the inputs, ``root`` its data. ``compile`` asks for
    ``torch.compile``. ``burn`` replaces the model by arithmetic of so many milliseconds, for the tests of the timing.
    """

    locator: str = ""
    suite: str = ""
    root: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    compile: bool = False
    seed: int = 0
    burn: float | None = None

    def model_options(self) -> ModelOptions:
        """The options as the adapters take them."""
        return ModelOptions(**self.options)


class Rules(_Table):
    """The protocol's numbers for one process: ``offline_s`` seconds of throughput per batch size, ``stages_s`` of
    stages, ``queries`` of the server scenario at each rate (None: twice as many as its percentile needs). ``detail_s``:
    the stages, and the server scenario, take no longer where calls are slow.
    """

    first_warm_up: WarmUpRule = WarmUpRule()
    warm_up: WarmUpRule = WarmUpRule()
    blocks: BlockRule = BlockRule()
    offline_s: float = 3.0
    stages_s: float = 2.0
    detail_s: float = 60.0
    queries: int | None = None


class Sweep(_Table):
    """What ends a sweep before its last batch size, beside the end of memory; by default nothing.

    ``gain``: two steps in a row that gain less of the throughput (0.02 is 2 %). ``most_s``: the next size would
    probably end after so many seconds; the smallest size is always measured.
    """

    gain: float | None = None
    most_s: float | None = None


class Request(_Table):
    """``replicate``: warm-up and blocks at each batch size. ``details``: memory, stages, operations, server, energy.

    ``resident``: both in one process, the details at the sizes of the sweep. ``session``: a side of a comparison.
    """

    subject: Subject
    kind: Literal["replicate", "details", "resident", "session"]
    batches: tuple[Annotated[int, Field(ge=1)], ...] = (1,)
    rules: Rules = Rules()
    sweep: Sweep = Sweep()
    slo_ms: float | None = None
    started: float = 0.0


class Cold(_Table):
    """Seconds before the steady state, each in a fresh process: never mixed with the rest."""

    import_s: float
    load_s: float
    first_call_s: float
    compile_s: float | None = None


class Timed(_Table):
    """The blocks of one quantity, seconds per call."""

    blocks: tuple[tuple[float, ...], ...]
    invalid: tuple[str, ...]


class BatchResult(_Table):
    """One batch size in one process; ``offline`` in items per second, ``host_bound`` on a GPU alone.

    ``constant``: the output did not depend on the input, so that what was timed may be a cache. ``hidden``: work was
    done that the times do not hold (``perf.liars``).
    """

    batch: int
    warm_up_calls: int
    warm_up_s: float
    steady: bool
    device: Timed | None
    request: Timed
    offline: float
    constant: bool = False
    hidden: bool = False
    host_bound: float | None = None


class Replicate(_Table):
    """What one process measured; ``ended`` says what ended the sweep before its last batch size."""

    cold: Cold
    batches: tuple[BatchResult, ...]
    ended: SweepEnd = ""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The batch sizes that it measured, ascending."""
        return tuple(sorted(result.batch for result in self.batches))


class Details(_Table):
    """What one process of its own measured; ``facts`` are the hard facts and ``execution`` the settings it had."""

    model: ModelRecord
    execution: Execution
    facts: dict[str, Any]
    memory: tuple[Memory, ...]
    stages: tuple[Stages, ...] = ()
    operations: tuple[Operations, ...] = ()
    server: Server | None = None
    energy: Energy

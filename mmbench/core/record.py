"""The run record: the unit of every report, as JSON with a schema number."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mmbench.core.bounds import Bounds
from mmbench.core.key import CLEAN, ComparabilityKey
from mmbench.core.performance import Performance

Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(_Table):
    """A value with its interval.

    ``value`` None means undefined, with the ``reason``. ``label`` names the class of a per-class metric, else "".
    ``tag``/``slice`` name the slice, both "" for all samples. ``n`` samples in ``groups`` units of resampling.
    ``flags``: ``few-groups`` (under 30 groups), ``few-instances`` (a class in under 20 samples).
    """

    metric: str
    version: int
    direction: Literal["higher", "lower"]
    label: str = ""
    tag: str = ""
    slice: str = ""
    value: Finite | None
    low: Finite | None = None
    high: Finite | None = None
    level: Finite = 0.95
    method: str
    estimand: str
    n: int
    groups: int
    classes_absent: int = 0
    flags: tuple[str, ...] = ()
    reason: str = ""


class ModelRecord(_Table):
    """Who was measured; see ``core.model.ModelInfo``."""

    name: str
    locator: str
    task: str
    modalities: tuple[str, ...]
    digest: str
    parameters: int | None = None
    accepts_missing: bool = False
    preprocessing: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    consents: tuple[str, ...] = ()


class Failure(_Table):
    """A sample that could not be scored, and why."""

    id: str
    reason: str


class Counts(_Table):
    """How many samples were planned, scored and failed; ``available`` where a result file names only some of them."""

    planned: int
    scored: int
    failed: int
    available: int | None = None


class Execution(_Table):
    """How the model was executed; belongs to the row."""

    batch_size: int
    device: str
    precision: str
    threads: int


class Cost(_Table):
    """Milliseconds per item of the model alone (median over batches; None when nothing was timed), peaks in MiB.

    The peaks are those of the loop, without the scoring: what the process held, and what torch had allocated on a GPU
    (None without one).
    """

    ms_per_item: Finite | None
    peak_rss_mib: Finite
    peak_device_mib: Finite | None = None
    seconds: Finite


class RowsFile(_Table):
    """The per-sample statistics beside the record, with the SHA-256 of the file."""

    file: str
    sha256: str


class RunRecord(_Table):
    """One suite reference x model x condition, measured.

    The schema number rises when a field changes; older records are then migrated on load (``mmbench.store``).
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    id: str
    suite: str
    title: str
    task: str
    primary: str
    classes: tuple[str, ...]
    model: ModelRecord
    condition: str = CLEAN
    status: Literal["ok", "partial", "failed"]
    counts: Counts
    failures: tuple[Failure, ...] = ()
    estimates: tuple[Estimate, ...]
    bounds: tuple[Bounds, ...] = ()
    rows: RowsFile
    execution: Execution
    cost: Cost
    key: ComparabilityKey
    licence: str = ""
    performance: Performance | None = None
    provenance: dict[str, Any] = Field(default_factory=dict)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    def estimate(self, metric: str, label: str = "", tag: str = "", value: str = "") -> Estimate | None:
        """The estimate asked for, None if it was not measured."""
        wanted = (metric, label, tag, value)
        return next((e for e in self.estimates if (e.metric, e.label, e.tag, e.slice) == wanted), None)

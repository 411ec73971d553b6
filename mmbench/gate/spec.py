"""What a gate asks for: the ``[gate]`` table of ``mmbench.toml``.

    [gate]
    alpha_fail = 0.05
    on_inconclusive = { pr = "warn", release = "fail" }
    anchor = { ref = "references/v1", margin_factor = 2.0 }

    [[gate.metric]]
    select = "miou"
    margin = "0.5pt"          # or 0.005

    [[gate.waiver]]
    metric = "pixel_accuracy"
    until = 2026-12-31
    reason = "accepted cost of the fp32 head, PR 412"

An unknown key is an error. ``json_schema`` gives the JSON Schema, for editors.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from mmbench.content import explain
from mmbench.core.errors import UsageError

_POINTS = re.compile(r"(\d+(?:\.\d+)?)\s*pt")
Policy = Literal["warn", "fail"]
Role = Literal["gate", "guard"]


def parse_margin(value: Any) -> Any:
    """``"0.5pt"`` is 0.005, half a point of a hundred; a number is in the metric's own unit. Raises ValueError."""
    if isinstance(value, str):
        found = _POINTS.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{value!r} is no margin; write points like '0.5pt' or a number like 0.005")
        return float(found.group(1)) / 100
    return value


_MARGIN_SCHEMA = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": rf"^\s*{_POINTS.pattern}\s*$"}]
}
Margin = Annotated[
    float, BeforeValidator(parse_margin), Field(ge=0, allow_inf_nan=False), WithJsonSchema(_MARGIN_SCHEMA)
]
Level = Annotated[float, Field(gt=0, lt=0.5)]
Globs = str | tuple[str, ...]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Where(_Table):
    """Globs that the run must fit: its suite reference (``seg@1[regime=S4]``; only a star is special) and its model."""

    suite: Globs = "*"
    model: Globs = "*"


class MetricRule(_Table):
    """Metrics that are gated, by globs over the metric, its class and its slice (``time=night``).

    Without ``slice`` all samples are gated, without ``label`` the whole metric. What fits several rules follows the
    first. ``role``: ``gate`` must pass, ``guard`` may only not regress. Without ``margin`` any proven drop is a
    regression. ``better`` repeats the metric's direction, and is checked.
    """

    select: str
    where: Where = Where()
    role: Role = "gate"
    better: Literal["higher", "lower"] | None = None
    margin: Margin | None = None
    slice: str = ""
    label: str = ""


class Waiver(_Table):
    """A metric (a glob over ids like ``miou`` or ``miou{time=night}``) that may regress until a date, and why."""

    metric: str
    where: Where = Where()
    until: date
    reason: str = Field(min_length=1)


class Anchor(_Table):
    """An older reference that every run is compared with as well, under wider margins: against slow creep."""

    ref: str
    margin_factor: Annotated[float, Field(ge=1)] = 2.0


class LedgerSpec(_Table):
    """A file that remembers every look, and how alpha is shared among the looks at one head: against rerunning."""

    file: str
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.7, 0.1, 0.1, 0.1)

    @model_validator(mode="after")
    def _spend_at_most_all(self) -> LedgerSpec:
        if not self.shares or sum(self.shares) > 1 + 1e-9:
            raise ValueError(f"shares must be some and sum to at most 1, found {self.shares}")
        return self


class GateSpec(_Table):
    """The ``[gate]`` table."""

    alpha_fail: Level = 0.05
    alpha_pass: Level = 0.05
    on_inconclusive: dict[str, Policy] = {"pr": "warn", "release": "fail"}
    anchor: Anchor | None = None
    ledger: LedgerSpec | None = None
    metric: tuple[MetricRule, ...] = ()
    waiver: tuple[Waiver, ...] = ()

    def policy(self, context: str) -> Policy:
        """What an inconclusive metric does in this context; raises UsageError for an unknown one."""
        if context not in self.on_inconclusive:
            known = ", ".join(sorted(self.on_inconclusive))
            raise UsageError(f"There is no gate context {context!r} in on_inconclusive; known: {known}.")
        return self.on_inconclusive[context]


class AbSpec(_Table):
    """The ``[ab]`` table: how a revision is made ready to be measured.

    ``setup`` is a command that is run in its checkout (no shell); ``python`` the interpreter in it that measures, the
    running one where it is empty.
    """

    setup: str = ""
    python: str = ""


class _File(_Table):
    gate: GateSpec
    ab: AbSpec = AbSpec()


class _AbFile(_File):
    gate: GateSpec = GateSpec()


def read_spec(file: Path) -> GateSpec:
    """The ``[gate]`` table of ``mmbench.toml``; raises UsageError with the file and the key that is wrong."""
    return _read(file, _File).gate


def read_ab(file: Path) -> tuple[GateSpec, AbSpec]:
    """Both tables for ``mmbench gate ab``, which needs neither; raises as ``read_spec``."""
    found = _read(file, _AbFile)
    return found.gate, found.ab


def _read(file: Path, kind: type[_File]) -> _File:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return kind.model_validate(content)
    except OSError as error:
        raise UsageError(f"The gate's file {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The gate's file {file} is not TOML: {error}.") from error
    except ValidationError as error:
        raise UsageError(f"The gate's file {file}: {explain(error)}.") from error


def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``mmbench.toml``."""
    return _File.model_json_schema()

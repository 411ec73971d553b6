"""What a gate asks for: the ``[gate]`` table of ``mmbench.toml``.

    [gate]
    alpha_fail = 0.05
    on_inconclusive = { pr = "warn", release = "fail" }
    anchor = { ref = "references/v1", margin_factor = 2.0 }

    [[gate.metric]]
    select = "miou"
    margin = "0.5pt"          # or 0.005, "2%" of the base, "1% + 0.5pt"

    [[gate.waiver]]
    metric = "pixel_accuracy"
    until = 2026-12-31
    reason = "accepted cost of the fp32 head, PR 412"

An unknown key is an error. ``json_schema`` gives the JSON Schema, for editors.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from math import isnan
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from mmbench.content import explain
from mmbench.core.errors import UsageError

_NUMBER = r"(\d+(?:\.\d+)?)"
_POINTS = rf"{_NUMBER}\s*pt"
_SHARE = rf"{_NUMBER}\s*%"
_MARGIN = re.compile(rf"{_POINTS}|{_SHARE}(?:\s*\+\s*{_POINTS})?")
Policy = Literal["warn", "fail"]
Role = Literal["gate", "guard"]


@dataclass(frozen=True, slots=True)
class RelativeMargin:
    """A ``share`` of the base's score, and so much more: ``"1% + 0.5pt"`` is (0.01, 0.005)."""

    share: float
    plus: float = 0.0

    def of(self, base: float) -> float:
        """The margin for a base's score, which is taken as it was measured; 0 where that is undefined."""
        return 0.0 if isnan(base) else self.share * abs(base) + self.plus


def parse_margin(value: Any) -> Any:
    """``"0.5pt"`` is 0.005, half a point of a hundred; ``"2%"`` is relative; a number is in the metric's own unit.

    Raises ValueError.
    """
    if not isinstance(value, str):
        return value
    found = _MARGIN.fullmatch(value.strip())
    if found is None:
        raise ValueError(
            f"{value!r} is no margin; write points like '0.5pt', '2%', '1% + 0.5pt' or a number like 0.005"
        )
    points, share, plus = (None if text is None else float(text) / 100 for text in found.groups())
    return points if share is None else RelativeMargin(share, plus or 0.0)


_MARGIN_SCHEMA = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": rf"^\s*({_MARGIN.pattern})\s*$"}]
}
Margin = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | RelativeMargin,
    BeforeValidator(parse_margin),
    WithJsonSchema(_MARGIN_SCHEMA),
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
    regression. ``better`` repeats the metric's direction, and is checked. ``cluster`` names a tag: samples with one
    value of it are one unit of resampling, instead of the suite's groups, which must not be divided.
    """

    select: str
    where: Where = Where()
    role: Role = "gate"
    better: Literal["higher", "lower"] | None = None
    margin: Margin | None = None
    slice: str = ""
    label: str = ""
    cluster: str = ""

    def margin_of(self, base: float) -> float | None:
        """The margin where the base scores so much; None without one."""
        return self.margin.of(base) if isinstance(self.margin, RelativeMargin) else self.margin


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
    """The ``[gate]`` table.

    ``looks``: so many looks at one change share alpha, later ones more, in the place of the ledger's ``shares``.
    ``budget_s``: seconds of the model that a gated run may take; ``gate plan`` proposes margins for it.
    """

    alpha_fail: Level = 0.05
    alpha_pass: Level = 0.05
    on_inconclusive: dict[str, Policy] = {"pr": "warn", "release": "fail"}
    anchor: Anchor | None = None
    ledger: LedgerSpec | None = None
    looks: Annotated[int, Field(ge=1, le=100)] | None = None
    budget_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    metric: tuple[MetricRule, ...] = ()
    waiver: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _looks_are_counted_once(self) -> GateSpec:
        if self.looks is not None and self.ledger is None:
            raise ValueError("looks are counted by a ledger; add ledger = { file = ... }")
        if self.looks is not None and self.ledger is not None and "shares" in self.ledger.model_fields_set:
            raise ValueError("looks and ledger.shares both share alpha; keep one of them")
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of alpha of each look, in order; none without a ledger.

        Of ``looks`` = K the k-th gets (k + 1) / (2 + ... + K + 1): .10, .15, .20, .25, .30 of five.
        """
        if self.looks is not None:
            parts = range(2, self.looks + 2)
            return tuple(part / sum(parts) for part in parts)
        return self.ledger.shares if self.ledger is not None else ()

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

"""Suite files: what is measured, as data. One TOML file each; an unknown key is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mmbench.core.errors import UsageError
from mmbench.core.inference import Inference
from mmbench.core.parts import part_of

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


Task = Literal[
    "segmentation",
    "referring-segmentation",
    "classification",
    "captioning",
    "vqa",
    "detection",
    "instance-segmentation",
    "keypoints",
    "retrieval",
    "regression",
    "joint",
]

_SPATIAL = ("segmentation", "referring-segmentation")
_JOINT = "joint"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(_Table):
    """A parameter of a suite, set with ``--set name=value``; its value is part of the suite reference.

    The default of an ``implied`` one is not written there: a parameter that a suite gets later leaves the references of
    what was measured before as they are.
    """

    default: str
    choices: tuple[str, ...]
    help: str = ""
    implied: bool = False

    @model_validator(mode="after")
    def _default_is_a_choice(self) -> Parameter:
        if self.default not in self.choices:
            raise ValueError(f"default {self.default!r} is not one of the choices {', '.join(self.choices)}")
        return self


class SourceTable(_Table):
    """Which source reads the data; ``params`` are checked by the source itself.

    ``root`` lists folder names that are looked for under MMBENCH_DATA, or one absolute path; empty for generated data.
    """

    kind: str
    root: tuple[str, ...] = ()
    params: dict[str, Any] = Field(default_factory=dict)


class SuiteSpec(_Table):
    """One suite. ``version`` is bumped when a number of the suite may change.

    The task ``joint`` asks for several tasks on each sample; its metrics name theirs, as in ``vqa/answer_accuracy``.
    """

    name: Name
    version: int = Field(ge=1)
    title: str
    task: Task
    modalities: tuple[str, ...] = Field(min_length=1)
    metrics: tuple[str, ...] = Field(min_length=1)
    primary: str
    split: str = "test"
    train_split: str = "train"
    val_split: str = "val"
    source: SourceTable
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    inference: Inference = Inference()
    tags: tuple[str, ...] = ()
    licence: str = ""
    citation: str = ""
    notes: str = ""

    @model_validator(mode="after")
    def _primary_is_measured(self) -> SuiteSpec:
        if self.primary not in self.metrics:
            raise ValueError(f"primary {self.primary!r} is not one of the metrics {', '.join(self.metrics)}")
        return self

    @model_validator(mode="after")
    def _metrics_name_their_task(self) -> SuiteSpec:
        parts = {part_of(name) for name in self.metrics}
        if self.task != _JOINT and parts != {""}:
            raise ValueError("only the metrics of task 'joint' have a slash")
        if self.task == _JOINT and (len(parts) < 2 or not parts <= {*get_args(Task)} - {_JOINT}):
            raise ValueError("the metrics of task 'joint' are TASK/METRIC, of two tasks at least")
        return self

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of a sample, in the order of their metrics: one, or the parts of a joint suite."""
        if self.task != _JOINT:
            return (self.task,)
        return tuple(dict.fromkeys(cast(Task, part_of(name)) for name in self.metrics))

    @property
    def spatial(self) -> bool:
        """Whether a prediction is a label map of the target's size."""
        return self.task in _SPATIAL

    def resolve(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """All parameters with their values, but implied defaults; raises UsageError on an unknown name or value."""
        for name, value in chosen.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise UsageError(f"Suite {self.name!r} has no parameter {name!r}; it has: {known}.")
            if value not in self.parameters[name].choices:
                choices = ", ".join(self.parameters[name].choices)
                raise UsageError(f"Suite {self.name!r} has no {name}={value!r}; expected one of: {choices}.")
        values = {name: chosen.get(name, parameter.default) for name, parameter in self.parameters.items()}
        implied = {name for name, parameter in self.parameters.items() if parameter.implied}
        return {n: value for n, value in values.items() if n not in implied or value != self.parameters[n].default}


_REFERENCE = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9-]*)(@(?P<version>[1-9][0-9]{0,8}))?"
    r"(\[(?P<parameters>[^\[\]#]*)\])?(#(?P<subset>[^\[\]#]+))?\Z"
)


class SuiteReference(_Table):
    """A suite with its parameters, in a grammar that round-trips: ``seg@1[regime=X,tier=ci]#n=200,seed=0``.

    ``version`` None means the one that is installed; ``limit`` None means all samples.
    """

    name: Name
    version: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    limit: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)

    @classmethod
    def parse(cls, text: str) -> SuiteReference:
        """Reads the grammar; raises UsageError. ``parse(str(r)) == r`` for every reference r."""
        match = _REFERENCE.match(text)
        if match is None:
            raise UsageError(f"{text!r} is not a suite reference; write it like seg@1[regime=X,tier=ci]#n=200,seed=0.")
        subset = dict(_pairs(text, match["subset"]))
        if subset.keys() - {"n", "seed"} or (subset and "n" not in subset):
            raise UsageError(f"{text!r}: after # only n= and seed= are allowed, as in #n=200,seed=0.")
        return cls(
            name=match["name"],
            version=int(match["version"]) if match["version"] else None,
            parameters=tuple(sorted(_pairs(text, match["parameters"]))),
            limit=_count(text, subset["n"], least=1) if subset else None,
            seed=_count(text, subset.get("seed", "0"), least=0),
        )

    def __str__(self) -> str:
        version = f"@{self.version}" if self.version is not None else ""
        pairs = ",".join(f"{name}={value}" for name, value in self.parameters)
        subset = f"#n={self.limit},seed={self.seed}" if self.limit is not None else ""
        return self.name + version + (f"[{pairs}]" if pairs else "") + subset

    @model_validator(mode="after")
    def _seed_belongs_to_a_subset(self) -> SuiteReference:
        if self.limit is None and self.seed:
            raise ValueError("a seed without a limit selects nothing")
        return self


def _pairs(text: str, part: str | None) -> list[tuple[str, str]]:
    pairs = []
    for piece in (part or "").split(",") if part else []:
        name, equals, value = piece.partition("=")
        if not (equals and re.fullmatch(r"[A-Za-z0-9_]+", name) and re.fullmatch(r"[A-Za-z0-9_.:-]+", value)):
            raise UsageError(f"{text!r}: {piece!r} is not a parameter; expected name=value.")
        pairs.append((name, value))
    if len({name for name, _ in pairs}) < len(pairs):
        raise UsageError(f"{text!r} sets a parameter twice; set each once.")
    return pairs


def _count(text: str, value: str, least: int) -> int:
    if re.fullmatch(r"[0-9]{1,18}", value) is None or int(value) < least:
        raise UsageError(f"{text!r}: {value!r} is not a whole number of at least {least}.")
    return int(value)

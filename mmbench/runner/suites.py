"""From ``--suite``, ``--set``, ``--limit`` and ``--data-root`` to an opened suite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.conditions.applied import Applied, parse_conditions
from mmbench.content import load_suite
from mmbench.core.bounds import Bounds
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.inference import protocol_named
from mmbench.core.metric import TaskContext
from mmbench.core.source import BoundedSource, PolicySource, Source
from mmbench.core.suite import SuiteReference, SuiteSpec
from mmbench.runner.policy_bounds import policy_bounds
from mmbench.sources.opening import open_source


@dataclass(frozen=True, slots=True)
class SuiteChoice:
    """What the flags say of the suites: parameters, subset, data roots by suite name ("" for every suite).

    ``annotations`` is a file that takes the place of the suite's own. ``conditions`` are what is done to the inputs, as
    in ``noise:rgb=3``. ``inference`` names the protocol that takes the place of the suite's own.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    seed: int = 0
    roots: Mapping[str, Path] = field(default_factory=dict)
    annotations: Path | None = None
    conditions: Sequence[str] = ()
    inference: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedSuite:
    """A suite whose source is open; ``reference`` holds every parameter.

    The source is clean: ``conditions`` are applied to samples after they were loaded.
    """

    spec: SuiteSpec
    reference: SuiteReference
    source: Source
    conditions: tuple[Applied, ...] = ()
    _bounds: dict[tuple[str, ...], tuple[Bounds, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def context(self) -> TaskContext:
        """What statistics and metrics know of the suite."""
        return TaskContext(tuple(self.source.classes), self.source.ignore)

    def bounds(self, ids: tuple[str, ...]) -> tuple[Bounds, ...]:
        """The bounds of these samples, empty where they are not known; computed once for all models.

        They are those of clean inputs: under a condition less may be attainable, and none are given.
        """
        if self.conditions:
            return ()
        if ids not in self._bounds:
            self._bounds[ids] = self._computed(ids) if ids else ()
        return self._bounds[ids]

    def _computed(self, ids: tuple[str, ...]) -> tuple[Bounds, ...]:
        """Of the metrics that the suite measures; a source may know bounds of others."""
        found = self.source.bounds(ids) if isinstance(self.source, BoundedSource) else ()
        known = tuple(bounds for bounds in found if bounds.metric in self.spec.metrics)
        if isinstance(self.source, PolicySource):
            known += policy_bounds(self.source, self.spec.metrics, ids)
        return known


def open_suite(text: str, choice: SuiteChoice) -> OpenedSuite:
    """Opens the suite that ``text`` (a reference or a path) means; raises UsageError or LoadError."""
    spec, written = load_suite(text)
    if choice.inference is not None:
        spec = _with_protocol(spec, choice.inference)
    root = choice.roots.get(spec.name, choice.roots.get(""))
    if choice.annotations is not None:
        spec, root = _with_annotations(spec, choice.annotations)
    parameters = spec.resolve(_merged(text, dict(written.parameters), choice.parameters))
    limit, seed = _subset(text, written, choice)
    reference = SuiteReference(
        name=spec.name,
        version=spec.version,
        parameters=tuple(sorted(parameters.items())),
        limit=limit,
        seed=seed,
    )
    source = open_source(spec, parameters, spec.split, root)
    return OpenedSuite(spec, reference, source, _conditions(spec, source, choice))


def _with_protocol(spec: SuiteSpec, name: str) -> SuiteSpec:
    protocol = protocol_named(name)
    if spec.task != "segmentation" and not protocol.is_plain:
        raise UsageError(
            f"--inference {name} is for segmentation, and suite {spec.name!r} is {spec.task}; leave it out."
        )
    return spec.model_copy(update={"inference": protocol})


def _conditions(spec: SuiteSpec, source: Source, choice: SuiteChoice) -> tuple[Applied, ...]:
    """Of the modalities that are the suite's; a source may have more, or annotations alone."""
    modalities = {name: modality for name, modality in source.modalities.items() if name in spec.modalities}
    return parse_conditions(choice.conditions, modalities)


def _with_annotations(spec: SuiteSpec, file: Path) -> tuple[SuiteSpec, Path]:
    """The suite with other annotations, and their folder as its root; the content stands in the comparability key."""
    if "annotations" not in spec.source.params:
        raise UsageError(f"Suite {spec.name!r} has no annotation file that --annotations could replace; leave it out.")
    if not file.is_file():
        raise LoadError(f"There is no annotation file {str(file)!r}; check --annotations.")
    name = file.name.replace("{", "{{").replace("}", "}}")
    params = {**spec.source.params, "annotations": name}
    return spec.model_copy(update={"source": spec.source.model_copy(update={"params": params})}), file.resolve().parent


def parse_settings(texts: Iterable[str]) -> dict[str, str]:
    """``name=value`` pairs; raises UsageError on anything else and on a name that is set twice."""
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name and value):
            raise UsageError(f"--set {text!r} is not a parameter; expected name=value, as in --set regime=S4.")
        if settings.setdefault(name, value) != value:
            raise UsageError(f"--set {name} is given twice ({settings[name]} and {value}); give it once.")
    return settings


def parse_roots(texts: Iterable[str]) -> dict[str, Path]:
    """``[SUITE=]PATH``; the key is "" where no suite is named. Raises UsageError when a suite has two roots."""
    roots: dict[str, Path] = {}
    for text in texts:
        match = re.fullmatch(r"(?:([a-z0-9][a-z0-9-]*)=)?(.+)", text, re.DOTALL)
        if match is None:
            raise UsageError("--data-root is empty; expected [SUITE=]PATH.")
        name, path = match[1] or "", Path(match[2]).expanduser()
        if roots.setdefault(name, path) != path:
            raise UsageError(f"--data-root is given twice for {name or 'every suite'}; give one folder for each suite.")
    return roots


def _merged(text: str, written: Mapping[str, str], chosen: Mapping[str, str]) -> dict[str, str]:
    for name in written.keys() & chosen.keys():
        if written[name] != chosen[name]:
            raise UsageError(f"{text!r} has {name}={written[name]}, but --set has {name}={chosen[name]}; choose one.")
    return {**written, **chosen}


def _subset(text: str, written: SuiteReference, choice: SuiteChoice) -> tuple[int | None, int]:
    if choice.limit is None:
        if choice.seed:
            raise UsageError("--limit-seed chooses among samples, but there is no --limit; give both.")
        return written.limit, written.seed
    if written.limit is not None and (written.limit, written.seed) != (choice.limit, choice.seed):
        raise UsageError(f"{text!r} names a subset, and --limit {choice.limit} another; choose one.")
    return choice.limit, choice.seed

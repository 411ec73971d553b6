"""Trained probes of each modality alone against what a generated suite claims that it cannot know.

A probe is fitted to the training split and read on the one that is measured. It may reach the bound, not pass it: above
bound + 3 standard errors the modality leaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import MissingExtra
from mmbench.core.sample import Sample
from mmbench.diagnostics.claims import Claim, claims_of, units_of
from mmbench.diagnostics.probe_inputs import PICTURES, Floats, pixels, vector
from mmbench.sources.scenes.leaks import excess
from mmbench.sources.scenes.source import SceneSource

LIMIT = 3.0  # standard errors
LINEAR, NETWORK = "logistic regression", "small network"

Fit = Callable[[Floats, NDArray[np.str_], Floats], NDArray[np.str_]]


class Probed(NamedTuple):
    """A probe's share of right ``units``, its ``bound``, and by how many standard errors it lies above it."""

    modality: str
    about: str
    probe: str
    right: float
    bound: float
    errors: float
    units: int

    @property
    def leaks(self) -> bool:
        """Whether it is above bound + 3 standard errors."""
        return self.errors > LIMIT


def probed(train: SceneSource, test: SceneSource, probes: Sequence[str] = (LINEAR, NETWORK)) -> list[Probed]:
    """The probes of every claim that can fail, the strongest first; raises MissingExtra without their libraries."""
    if find_spec("sklearn") is None or find_spec("torch") is None:
        raise MissingExtra("mmbench check suite --leakage --probes", "probes")
    old, new = units_of(train), units_of(test)
    learnt = {(claim.modality, claim.about): claim for claim in claims_of(train, old)}
    found = []
    for asked in claims_of(test, new):
        if asked.bound < 1:
            kind, taught = test.modalities[asked.modality].kind, learnt[asked.modality, asked.about]
            values = _values(taught, old), _values(asked, new)
            found += [_judged(taught, asked, probe, _tables(probe, kind, values)) for probe in probes]
    return sorted(found, key=lambda one: -one.errors)


def _values(claim: Claim, units: Mapping[str, Sample]) -> list[Any]:
    return [units[unit].inputs[claim.modality] for unit in claim.labels]


def _tables(probe: str, kind: str, values: tuple[list[Any], list[Any]]) -> tuple[Floats, Floats]:
    """What a probe sees of either split."""
    if probe == NETWORK and kind in PICTURES:
        both = pixels([*values[0], *values[1]])  # one frame for both
        return both[: len(values[0])], both[len(values[0]) :]
    train, test = (np.stack([vector(kind, value) for value in own]) for own in values)
    return train, test


def _judged(learnt: Claim, asked: Claim, probe: str, tables: tuple[Floats, Floats]) -> Probed:
    train, test = tables
    found = _fit_of(probe)(train, np.array(list(learnt.labels.values())), test)
    right = found == np.array(list(asked.labels.values()))
    errors = excess(right.tolist(), asked.bound)
    return Probed(asked.modality, asked.about, probe, float(right.mean()), asked.bound, errors, len(right))


def _fit_of(probe: str) -> Fit:
    # Late: either takes seconds to import.
    if probe == LINEAR:
        from mmbench.diagnostics import linear_probe

        return linear_probe.fitted_labels
    from mmbench.diagnostics import network_probe

    return network_probe.fitted_labels

"""Probes: of one modality alone they stay at the bound; where there is something to learn, or a leak, they find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from mmbench.core.errors import MissingExtra
from mmbench.core.sample import Sample
from mmbench.diagnostics import linear_probe, network_probe, probes
from mmbench.diagnostics.claims import claims_of, units_of
from mmbench.diagnostics.probe_inputs import pixels, vector
from mmbench.diagnostics.probes import LINEAR, NETWORK, Probed, probed
from mmbench.sources.scenes.oracles.describe import slots_of
from mmbench.sources.scenes.source import SceneSource

FITS = {LINEAR: linear_probe.fitted_labels, NETWORK: network_probe.fitted_labels}


def run(task: str, regime: str, *kinds: str) -> list[Probed]:
    return probed(*(SceneSource(task, regime, "smoke", split) for split in ("train", "test")), kinds)


@pytest.mark.parametrize(
    ("task", "regime", "claims"),
    [
        ("seg", "S4", {"rgb the class (S4)", "depth the class (S4)"}),
        ("det", "M16", {"rgb the class (M16)", "depth the class (M16)"}),
        ("cls-it", "S4", {"image the class (S4)", "text the class (S4)"}),
        ("cls-av", "E", {"image accuracy", "audio accuracy"}),
        ("cls-iat", "T3", {f"{m} the class (T3)" for m in ("image", "audio", "text")}),
        ("vqa-av", "S", None),
        ("caption", "C", None),
        ("refseg", "S", {"text the place"}),
        ("cls-vqa", "S", None),
    ],
)
def test_a_line_through_one_modality_stays_at_the_bound(task: str, regime: str, claims: set[str] | None) -> None:
    found = run(task, regime, LINEAR)
    assert [one for one in found if one.leaks] == []
    assert claims is None or {f"{one.modality} {one.about}" for one in found} == claims
    assert found == sorted(found, key=lambda one: -one.errors)


@pytest.mark.parametrize(("task", "regime"), [("cls-it", "S4"), ("seg", "S4")])
def test_a_network_stays_at_the_bound(task: str, regime: str) -> None:
    assert [one for one in run(task, regime, NETWORK) if one.leaks] == []


def right(task: str, regime: str, modality: str, probe: str, shuffled: bool = False) -> float:
    """The share of test units whose target a probe of one modality knows."""
    sources = [SceneSource(task, regime, "smoke", split) for split in ("train", "test")]
    kind = sources[0].modalities[modality].kind
    units = [list(units_of(source).values()) for source in sources]
    labels = [np.array([str(unit.target) for unit in own]) for own in units]
    values = [[unit.inputs[modality] for unit in own] for own in units]
    if probe == NETWORK and kind == "image":
        both = pixels(values[0] + values[1])
        tables = [both[: len(values[0])], both[len(values[0]) :]]
    else:
        tables = [np.stack([vector(kind, value) for value in own]) for own in values]
    if shuffled:
        labels[0] = np.random.default_rng(0).permutation(labels[0])
    return float((FITS[probe](tables[0], labels[0], tables[1]) == labels[1]).mean())


@pytest.mark.parametrize(
    ("task", "modality", "probe", "least"),
    [
        ("cls-it", "image", LINEAR, 0.85),
        ("cls-it", "text", LINEAR, 0.85),
        ("cls-av", "audio", LINEAR, 0.85),
        ("cls-it", "text", NETWORK, 0.85),
        ("cls-it", "image", NETWORK, 0.5),
        ("seg", "rgb", LINEAR, 0.35),
        ("seg", "depth", LINEAR, 0.85),
    ],
)
def test_where_a_modality_tells_the_class_the_probe_learns_it(
    task: str, modality: str, probe: str, least: float
) -> None:
    """Regime R: so that the tests before can fail."""
    assert right(task, "R", modality, probe) > least


@pytest.mark.parametrize("probe", [LINEAR, NETWORK])
def test_shuffled_labels_teach_nothing(probe: str) -> None:
    """Chance is .25 of 256, whose standard error is .027."""
    assert right("cls-it", "R", "text", probe, shuffled=True) < 0.25 + 3 * 0.027


@dataclass(frozen=True)
class Leaky(SceneSource):
    """The samples of a source with a leak: ``planted(sample)`` gives the changed one."""

    planted: Callable[[Sample], Sample] = lambda sample: sample

    def load(self, sample_id: str) -> Sample:
        return self.planted(super().load(sample_id))


def brighter(sample: Sample) -> Sample:
    """Forty levels of brightness more in one corner for one class."""
    image = sample.inputs["image"].copy()
    image[:16, :16] += np.uint8(40 * (sample.target == 1))
    return replace(sample, inputs=sample.inputs | {"image": image})


def wordier(sample: Sample) -> Sample:
    return replace(sample, inputs=sample.inputs | {"text": sample.inputs["text"] + " and" * (sample.target == 1)})


@pytest.mark.parametrize(("planted", "modality"), [(wordier, "text"), (brighter, "image")])
def test_a_planted_leak_is_caught(planted: Callable[[Sample], Sample], modality: str) -> None:
    sources = (Leaky("cls-it", "S4", "smoke", split, planted=planted) for split in ("train", "test"))
    found = probed(*sources, (LINEAR,))
    assert {one.modality for one in found if one.leaks} == {modality}
    assert found[0].modality == modality


def test_a_probe_of_the_sound_knows_its_own_slots() -> None:
    """So that what is said of the other slots can fail."""
    tables, labels = [], []
    for split in ("train", "test"):
        units = units_of(SceneSource("caption", "C", "smoke", split)).values()
        tables.append(np.stack([vector("audio", unit.inputs["audio"]) for unit in units]))
        labels.append(np.array([str(slots_of(unit.target[0])["pitch"]) for unit in units]))
    assert (linear_probe.fitted_labels(tables[0], labels[0], tables[1]) == labels[1]).mean() > 0.85


def test_claims_are_those_of_the_law() -> None:
    """X: of a quarter of the samples each; U* of the whole, .625; the same labels are asked for once."""
    source = SceneSource("cls-it", "X", "smoke", "test")
    found = {(c.modality, c.about): c for c in claims_of(source, units_of(source))}
    assert found["image", "accuracy"].bound == 0.625
    assert len(found["text", "the class (U1)"].labels) == 64
    assert found["text", "the class (U1)"].bound == 0.25
    joint = SceneSource("cls-vqa", "S", "smoke", "test")
    claims = claims_of(joint, units_of(joint))
    assert len({(c.modality, tuple(c.labels.items())) for c in claims}) == len(claims)
    assert [c.bound for c in claims if c.modality == "image"] == [1, pytest.approx(1 / 6, abs=1e-6)]


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "find_spec", lambda name: None if name == "sklearn" else object())
    with pytest.raises(MissingExtra, match=r"needs mmbench\[probes\]; install it with"):
        run("cls-it", "S4", LINEAR)

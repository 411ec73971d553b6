"""Bounds by policies: for each metric and slice the best policy, undefined metrics left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from mmbench.core.prediction import Text
from mmbench.core.sample import Sample
from mmbench.runner.policy_bounds import policy_bounds
from mmbench.runner.suites import SuiteChoice, open_suite

TRUTH = {"a": "yes", "b": "yes", "c": "no", "d": "two"}


@dataclass
class Guesser:
    """Answers of one word each; what is observed decides which constant answers there are."""

    answers: dict[tuple[str, ...], tuple[str, ...]]
    policy_metrics: tuple[str, ...] = ("answer_accuracy",)
    spec_version: int = 3
    classes: tuple[str, ...] = ()
    ignore: int | None = None
    modalities: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(("image", "text"), SimpleNamespace()))

    def without_inputs(self, sample_id: str) -> Sample:
        return Sample(sample_id, {}, TRUTH[sample_id], None, {"kind": "word" if sample_id == "d" else "binary"})

    def policies(self, sample_ids, observed) -> dict[str, list[Text]]:
        return {word: [Text(i, word) for i in sample_ids] for word in self.answers[tuple(observed)]}


def test_each_slice_has_its_own_best_policy() -> None:
    """Of the constants yes and two: yes is best over all (2/4) and on two thirds of the slice, two on the other."""
    known = {(): ("no",), ("image",): ("yes", "two"), ("text",): ("no",), ("image", "text"): ("yes",)}
    overall, binary, word = policy_bounds(Guesser(known), ("answer_accuracy", "other"), list(TRUTH))
    assert (overall.tag, overall.chance, overall.unimodal, overall.fused) == (
        "",
        0.25,
        {"image": 0.5, "text": 0.25},
        0.5,
    )
    assert (binary.tag, binary.value, binary.unimodal["image"]) == ("kind", "binary", pytest.approx(2 / 3, abs=1e-6))
    assert (word.value, word.unimodal["image"], word.fused) == ("word", 1.0, 0.0)
    assert {bounds.spec_version for bounds in (overall, binary, word)} == {3}


def test_without_policies_or_samples_there_are_no_bounds() -> None:
    nothing = Guesser({})
    assert policy_bounds(nothing, ("answer_accuracy",), []) == ()
    assert policy_bounds(nothing, ("accuracy",), list(TRUTH)) == ()


def test_average_precision_of_detection() -> None:
    """S4: every class on each box gives about 1/4 of one modality, in slices of X the same; nothing gives 0."""
    suite = open_suite("det", SuiteChoice({"tier": "smoke"}))
    bounds = {(b.metric, b.value): b for b in suite.bounds(tuple(suite.source.ids))}
    assert {metric for metric, _ in bounds} == {"ap_100", "ap50_100", "ap75_100"}
    synergy, unique = bounds["ap_100", "S4"], bounds["ap_100", "U1"]
    assert synergy.unimodal == {"rgb": pytest.approx(0.27, abs=0.03), "depth": pytest.approx(0.27, abs=0.03)}
    assert unique.unimodal == {"rgb": 1, "depth": pytest.approx(0.27, abs=0.03)}
    assert {(b.chance, b.fused) for b in bounds.values()} == {(0, 1)}


def test_consensus_of_captions() -> None:
    """CIDEr: sound alone is worth less than the picture, both more; bounds of slots are not those of a metric."""
    suite = open_suite("caption", SuiteChoice({"tier": "smoke"}, limit=64))
    (bounds,) = suite.bounds(tuple(suite.source.ids[:64]))
    assert bounds.metric == "cider"
    assert 0.3 < bounds.chance < bounds.unimodal["audio"] < bounds.unimodal["image"] < bounds.fused < 10


@pytest.mark.parametrize("name", ["refseg", "det", "vqa", "vqa-av", "caption", "cls-it", "cls-av", "cls-iat"])
def test_every_generated_suite_knows_what_is_attainable(name: str) -> None:
    """The primary metric has bounds, all others are of metrics that are measured."""
    suite = open_suite(name, SuiteChoice({"tier": "smoke"}))
    bounds = suite.bounds(tuple(suite.source.ids[:128]))
    assert suite.spec.primary in {b.metric for b in bounds} <= set(suite.spec.metrics)
    assert tuple(suite.source.modalities) == suite.spec.modalities
    assert all(b.best_unimodal <= b.fused for b in bounds)

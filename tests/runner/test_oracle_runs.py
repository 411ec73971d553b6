"""Known answers through the real run: in every generated suite the oracles reach their bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from mmbench.core.bounds import Bounds
from mmbench.core.parts import of_part
from mmbench.core.prediction import ClassScores, Detections, Joint, LabelMap, Text
from mmbench.core.record import Estimate, RunRecord
from mmbench.metrics.pairing import paired_scores
from mmbench.reports.paired_runs import pair_runs
from mmbench.runner.measure import RunOptions, measure, prepare
from mmbench.runner.suites import OpenedSuite, SuiteChoice, open_suite

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUITES = ["seg", "det", "refseg", "vqa", "vqa-av", "caption", "cls-it", "cls-av", "cls-iat", "cls-vqa"]
# Segmentation is fitted to training samples and bounded by the best in hindsight.
FITTED = {"seg": 0.01}


def run(suite: OpenedSuite, locator: str, tmp_path) -> RunRecord:
    options = RunOptions(results=tmp_path, draws=200, batch_size=64)
    return measure(prepare(suite, locator, options), options, lambda _: None, lambda: NOON).record


def standard_error(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / (2 * 1.96)


def pairs(record: RunRecord) -> list[tuple[Estimate, Bounds]]:
    """Each estimate with its bounds, those of slices too."""
    bounds = {(b.metric, b.tag, b.value): b for b in record.bounds}
    keyed = [(e, bounds.get((e.metric, e.tag, e.slice))) for e in record.estimates if not e.label]
    return [(e, b) for e, b in keyed if b is not None]


@pytest.fixture(scope="module", params=SUITES)
def suite(request) -> OpenedSuite:
    return open_suite(request.param, SuiteChoice({"tier": "smoke"}))


def test_the_joint_oracle_reaches_the_ceiling(suite: OpenedSuite, tmp_path) -> None:
    """F* of every bounded metric and slice within 3 standard errors; phi is 1, nothing fails."""
    record = run(suite, "oracle:joint", tmp_path)
    assert (record.status, record.model.modalities) == ("ok", suite.spec.modalities)
    assert {e.metric for e, _ in pairs(record)} == {b.metric for b in record.bounds}
    for estimate, bounds in pairs(record):
        assert estimate.value == pytest.approx(bounds.fused, abs=3 * standard_error(estimate) + 1e-6)
    (found,) = [b.phi(e.value) for e, b in pairs(record) if e.metric == record.primary and not e.tag]
    assert found == pytest.approx(1, abs=0.06)


def test_each_modality_alone_reaches_its_bound(suite: OpenedSuite, tmp_path) -> None:
    """U*_m of the primary metric within 3 standard errors."""
    for modality in suite.spec.modalities:
        record = run(suite, f"oracle:{modality}", tmp_path)
        (estimate,) = [e for e, _ in pairs(record) if e.metric == record.primary and not e.tag]
        bounds = next(b for b in record.bounds if b.metric == record.primary and not b.tag)
        slack = 3 * standard_error(estimate) + FITTED.get(suite.spec.name, 1e-6)
        assert estimate.value == pytest.approx(bounds.unimodal[modality], abs=slack), modality
        assert bounds.phi(estimate.value) < 0.5


def test_a_picture_alone_reaches_the_other_bounds_of_referring(tmp_path) -> None:
    """All objects at once: a quarter of all united pixels, too."""
    record = run(open_suite("refseg", SuiteChoice({"tier": "smoke"})), "oracle:image", tmp_path)
    values = {e.metric: e.value for e in record.estimates}
    assert values["oiou"] == pytest.approx(0.25)


@pytest.mark.parametrize("regime", ["S4", "S3", "S8", "E", "T3"])
def test_the_additive_oracle_reaches_the_additive_bound(regime: str, tmp_path) -> None:
    """A* is a score that some sum of logits has."""
    suite = open_suite("cls-iat" if regime == "T3" else "cls-av", SuiteChoice({"tier": "smoke", "regime": regime}))
    record = run(suite, "oracle:additive", tmp_path)
    (value,) = [e.value for e, _ in pairs(record) if e.metric == "accuracy"]
    assert value == pytest.approx(record.bounds[0].additive, abs=0.02)


@pytest.mark.parametrize("name", ["cls-it", "cls-av"])
def test_the_control_gains_nothing(name: str, tmp_path) -> None:
    """H: both views together are as good as one, and there is no phi."""
    suite = open_suite(name, SuiteChoice({"tier": "smoke", "regime": "H"}))
    both, one = (run(suite, locator, tmp_path) for locator in ("oracle:joint", "oracle:image"))
    assert both.estimates[0].value == one.estimates[0].value
    assert both.bounds[0].phi(both.estimates[0].value) is None


def test_the_control_of_segmentation_gains_nothing(tmp_path) -> None:
    """H: the paired difference of both views and one is not told from 0."""
    suite = open_suite("seg", SuiteChoice({"tier": "smoke", "regime": "H"}))
    options = RunOptions(results=tmp_path, draws=100, batch_size=64)
    one, both = (
        measure(prepare(suite, locator, options), options, lambda _: None, lambda: NOON)
        for locator in ("oracle:rgb", "oracle:joint")
    )
    pair = pair_runs(one, both)
    (score,) = [s for s in paired_scores(pair.rows, pair.metrics, pair.context) if s.metric.id == "miou"]
    low, high = score.interval(0.95).bounds
    assert low <= 0 <= high
    assert both.record.bounds[0].phi(0.5) is None


class Mistaken:
    """Knows all, and always says another thing."""

    def __init__(self, model, classes: tuple[str, ...]) -> None:
        self.info, self._model, self._classes = model.info, model, classes

    def predict(self, batch):
        return [wrong(found, self._classes) for found in self._model.predict(batch)]


def wrong(found, classes: tuple[str, ...]):
    if isinstance(found, Joint):
        return Joint(found.sample_id, {task: wrong(p, of_part(classes, task)) for task, p in found.parts.items()})
    if isinstance(found, ClassScores):
        return ClassScores(found.sample_id, np.roll(found.scores, 1))
    if isinstance(found, Detections):
        return replace(found, labels=(found.labels + 1) % len(classes))
    if isinstance(found, Text):
        return Text(found.sample_id, "otherwise")
    things = found.labels % (len(classes) - 1) + 1 if len(classes) > 2 else 1 - found.labels
    return LabelMap(found.sample_id, np.where((found.labels > 0) | (len(classes) <= 2), things, 0).astype(np.uint8))


def test_wrong_labels_get_the_phi_that_they_must(suite: OpenedSuite, tmp_path) -> None:
    """Nothing is right, phi = -U*/(F* - U*); in segmentation the background alone, which is one class of all."""
    options = RunOptions(results=tmp_path, draws=100, batch_size=64)
    prepared = prepare(suite, "oracle:joint", options)
    mistaken = replace(prepared, model=Mistaken(prepared.model, suite.source.classes), key="0" * 32)
    record = measure(mistaken, options, lambda _: None, lambda: NOON).record
    score = 1 / len(suite.source.classes) if suite.spec.name == "seg" else 0
    for estimate, bounds in pairs(record):
        if not estimate.tag:
            assert estimate.value == pytest.approx(score, abs=1e-6), estimate.metric
            expected = (score - bounds.best_unimodal) / bounds.gap if bounds.gap >= 0.05 else None
            assert bounds.phi(estimate.value) == (expected and pytest.approx(expected, abs=1e-4))


def test_only_label_maps_have_a_size(tmp_path) -> None:
    """What a model is told of the prediction's size: the target's, nothing where the target has none."""
    seen = {}
    for name in ("refseg", "vqa"):
        suite = open_suite(name, SuiteChoice({"tier": "smoke"}, limit=4))
        options = RunOptions(results=tmp_path, draws=10)
        prepared = prepare(suite, "oracle:joint", options)
        predict = prepared.model.predict

        def spied(batch, predict=predict, name=name):
            seen[name] = batch.sizes
            return predict(batch)

        prepared.model.predict = spied
        measure(prepared, options, lambda _: None, lambda: NOON)
    assert seen == {"refseg": ((64, 64),) * 4, "vqa": ()}

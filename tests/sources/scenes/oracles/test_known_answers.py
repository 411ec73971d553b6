"""Rule-based decoders read the renderings alone: each subset of modalities reaches its bound, all together F*."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mmbench.core.errors import UsageError
from mmbench.sources.scenes.label_laws import ADDITIVE, PAIR_LAWS
from mmbench.sources.scenes.oracles.catalogue import oracle_for
from mmbench.sources.scenes.oracles.describe import slot_accuracy
from mmbench.sources.scenes.oracles.refer import ReferOracle
from mmbench.sources.scenes.predictions import prediction_of
from mmbench.sources.scenes.tasks.catalogue import TASKS

CLASSES = [(task, regime) for task in ("cls-it", "cls-av") for regime in (*PAIR_LAWS, "X")] + [("cls-iat", "T3")]
OTHERS = [("refseg", "S"), ("vqa", "S"), ("vqa-av", "S"), ("caption", "C")]


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


SCORES = {"refseg": overlap, "caption": lambda text, references: slot_accuracy(text, references[0])}


def scores(source, oracle, observed) -> np.ndarray:
    """Of each sample, from the modalities observed alone."""
    score = SCORES.get(source.task, lambda found, truth: float(found == truth))
    found = []
    for sample_id in source.ids:
        sample = source.load(sample_id)
        prediction = oracle.predict(sample_id, {name: sample.inputs[name] for name in observed})
        found.append(score(prediction, sample.target))
    return np.array(found)


@pytest.mark.parametrize(("task", "regime"), CLASSES + OTHERS)
def test_each_subset_reaches_its_bound(open_task, task: str, regime: str) -> None:
    """Within 3 standard errors on 256 scenes; where all is known exactly."""
    source = open_task(task, regime)
    bounds = source.bounds(source.ids)[0]
    names = tuple(source.modalities)
    for size in range(1, len(names) + 1):
        for observed in combinations(names, size):
            bound = bounds.unimodal.get("+".join(observed), bounds.fused)
            found = scores(source, oracle_for(source, observed), observed)
            error = found.std() / np.sqrt(len(found))
            assert abs(found.mean() - bound) <= 3 * error + 1e-6, observed


@pytest.mark.parametrize(("task", "regime"), CLASSES)
def test_the_additive_decoder_reaches_its_bound(open_task, task: str, regime: str) -> None:
    """From the renderings, in all regimes with a certificate (not M16)."""
    source = open_task(task, regime)
    bounds = source.bounds(source.ids)[0]
    if bounds.additive is None:
        assert regime == "M16"
        return
    found = scores(source, oracle_for(source, tuple(source.modalities), additive=True), tuple(source.modalities))
    assert found.mean() == pytest.approx(bounds.additive, abs=3 * np.sqrt(0.25 / len(found)) if regime == "G" else 0.02)
    if regime in ADDITIVE and regime != "S3":
        assert found.mean() == bounds.additive


@pytest.mark.parametrize("task", ["cls-it", "cls-av"])
def test_the_control_shows_no_gain(open_task, task: str) -> None:
    """H: two views are right exactly as often as one, and phi is not shown."""
    source = open_task(task, "H")
    both, one = (scores(source, oracle_for(source, seen), seen) for seen in (tuple(source.modalities), ("image",)))
    assert both.mean() == one.mean() == pytest.approx(43 / 64)
    assert source.bounds(source.ids)[0].phi(float(both.mean())) is None


def test_wrong_labels_get_the_phi_that_they_must(open_task) -> None:
    """S4, every class shifted by one: nothing is right, phi = -U*/(F* - U*) = -1/3."""
    source = open_task("cls-it", "S4")
    oracle = oracle_for(source, ("image", "text"))
    wrong = [(oracle.predict(i, source.load(i).inputs) + 1) % 4 == source.without_inputs(i).target for i in source.ids]
    bounds = source.bounds(source.ids)[0]
    assert bounds.phi(float(np.mean(wrong))) == pytest.approx(-1 / 3)
    assert bounds.psi(float(np.mean(wrong))) == pytest.approx(-3)


def test_the_joint_oracle_knows_class_and_answer(open_task) -> None:
    source = open_task("cls-vqa")
    for observed, expected in ((("image", "text"), (1, 1)), (("image",), (1, 1 / 6)), (("text",), (1 / 4, 0.2903))):
        oracle = oracle_for(source, observed)
        right = []
        for sample_id in source.ids[:768]:
            sample = source.load(sample_id)
            found = oracle.predict(sample_id, {name: sample.inputs[name] for name in observed})
            right.append([found[task] == truth for task, truth in sample.target.parts.items()])
        assert np.mean(right, axis=0) == pytest.approx(expected, abs=0.06)


def test_the_referring_oracle_reaches_the_other_bounds(open_task) -> None:
    """All objects at once: a quarter of the united pixels; one: more than half of it in a quarter of the cases."""
    source = open_task("refseg")
    union, first = oracle_for(source, ("image",)), ReferOracle(("image",))
    shared = united = hits = 0
    for sample_id in source.ids[:400]:
        sample = source.load(sample_id)
        both = union.predict(sample_id, sample.inputs)
        shared += int((both & sample.target).sum())
        united += int((both | sample.target).sum())
        hits += overlap(first.predict(sample_id, sample.inputs), sample.target) > 0.5
    assert shared / united == pytest.approx(0.25)
    assert hits == 100


@pytest.mark.parametrize("regime", TASKS["det"].regimes)
def test_detections_are_those_of_the_policy(open_task, regime: str) -> None:
    """What is read from the arrays is what the latents' policy gives: boxes, scores, labels, whatever the order."""
    source = open_task("det", regime)
    for observed in (("rgb",), ("depth",), ("rgb", "depth")):
        oracle, ids = oracle_for(source, observed), source.ids[:40]
        for sample_id, policy in zip(ids, source.policies(ids, observed)["every class"], strict=True):
            found = oracle.predict(sample_id, source.load(sample_id).inputs)
            assert rows(prediction_of(sample_id, found, source.classes)) == rows(policy)


def rows(found) -> list[tuple[float, ...]]:
    return sorted(map(tuple, np.column_stack([found.boxes, found.scores, found.labels]).tolist()))


@pytest.mark.parametrize("regime", TASKS["seg"].regimes)
def test_segmentation_fitted_on_train_nears_its_bound_on_test(open_task, regime: str) -> None:
    """The policy is fitted to 256 training items; the bound is the best in hindsight, .01 higher at most."""
    source = open_task("seg", regime)
    bounds = source.bounds(source.ids)[0]
    for observed in (("rgb",), ("depth",), ("rgb", "depth")):
        oracle = oracle_for(source, observed)
        table = np.zeros((len(source.classes),) * 2)
        for sample_id in source.ids:
            sample = source.load(sample_id)
            found = oracle.predict(sample_id, {name: sample.inputs[name] for name in observed})
            np.add.at(table, (sample.target.ravel(), found.ravel()), 1)
        value = float((np.diag(table) / (table.sum(axis=0) + table.sum(axis=1) - np.diag(table))).mean())
        bound = bounds.unimodal.get("+".join(observed), bounds.fused)
        assert bound - 0.01 <= value <= bound + 0.003


def test_wrong_requests_are_named(open_task) -> None:
    source = open_task("cls-it")
    with pytest.raises(UsageError, match="reads some of: image, text; got: sound"):
        oracle_for(source, ("sound",))
    with pytest.raises(UsageError, match="got: none"):
        oracle_for(source, ())
    with pytest.raises(UsageError, match="additive oracle is for classification"):
        oracle_for(source, ("image",), additive=True)
    with pytest.raises(UsageError, match="additive oracle is for classification"):
        oracle_for(open_task("vqa"), ("image", "text"), additive=True)
    assert set(TASKS) == {"seg", "det", "refseg", "vqa", "vqa-av", "caption", "cls-it", "cls-av", "cls-iat", "cls-vqa"}

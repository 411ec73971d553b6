"""A joint suite scores each part as if it were alone: the same rows, values, intervals, flags and classes."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.errors import SampleError, UnknownName
from mmbench.core.metric import RowStatistic, SetStatistic, TaskContext, metric_named
from mmbench.core.parts import joined
from mmbench.core.prediction import ClassScores, Detections, Joint, LabelMap, Text
from mmbench.core.targets import Boxes, JointTarget
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.pairing import paired_scores
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import check, estimates, needed_statistics, row_of, statistic_named, tables_of

CLASSES = ("a", "b", "c")
THINGS = ("cat", "dog")
STUFF = ("road", "sky")
CONTEXT = TaskContext(
    (
        *(joined("classification", name) for name in CLASSES),
        *(joined("detection", name) for name in THINGS),
        *(joined("segmentation", name) for name in STUFF),
    ),
    None,
)
# Kinds sums, per class, weighted; joint; statistics counted inside the loop (segmentation alone) and after it.
PARTS = {
    "classification": (("accuracy", "class_f1", "auroc"), TaskContext(CLASSES, None)),
    "vqa": (("answer_accuracy",), TaskContext((), None)),
    "detection": (("ap_100", "ap50_100"), TaskContext(THINGS, None)),
    "segmentation": (("miou", "iou"), TaskContext(STUFF, None)),
}


def made(seed: int, count: int = 40) -> tuple[list[JointTarget], list[Joint]]:
    random = np.random.default_rng(seed)
    targets, predictions = [], []
    for n in range(count):
        label, truth = int(random.integers(3)), np.array([[0, 0, 10, 10]], dtype=np.float32)
        scores = random.normal(size=3).astype(np.float32)
        scores = np.exp(scores) / np.exp(scores).sum()
        box = np.array([[*random.integers(0, 4, 2), 10, 10]], dtype=np.float64)
        found = Detections(f"i{n}", random.random(1), random.integers(0, 2, 1), np.array([100.0]), box)
        objects = Boxes(truth, random.integers(0, 2, 1))
        labels = random.integers(0, 2, (2, 4, 4)).astype(np.uint8)
        truths = {"classification": label, "vqa": "yes", "detection": objects, "segmentation": labels[0]}
        targets.append(JointTarget(truths))
        answer = Text(f"i{n}", str(random.choice(["yes", "no"])))
        parts = {"classification": ClassScores(f"i{n}", scores), "vqa": answer, "detection": found}
        predictions.append(Joint(f"i{n}", {**parts, "segmentation": LabelMap(f"i{n}", labels[1])}))
    return targets, predictions


def rows_of(metrics, targets, predictions, context: TaskContext) -> Rows:
    ids = tuple(prediction.sample_id for prediction in predictions)
    tables = tables_of(targets, predictions, needed_statistics(metrics), context)
    return Rows(ids, ids, tuple({"half": str(n % 2)} for n in range(len(ids))), tables)


def both(part: str, seed: int) -> tuple[tuple[list[str], Rows, TaskContext], tuple[list[str], Rows, TaskContext]]:
    """The metrics, rows and context of a part, alone and as a part."""
    targets, predictions = made(seed)
    names, context = PARTS[part]
    own = [target.parts[part] for target in targets], [prediction.parts[part] for prediction in predictions]
    whole = [joined(part, name) for name in names]
    return (list(names), rows_of(names, *own, context), context), (
        whole,
        rows_of(whole, targets, predictions, CONTEXT),
        CONTEXT,
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_estimated_as_if_alone(part: str) -> None:
    """Every estimate, those of classes and slices too, but for its name."""
    alone, joint = (estimates(rows, names, context, draws=100) for names, rows, context in both(part, 0))
    assert [e.metric for e in joint] == [joined(part, e.metric) for e in alone]
    assert [e.model_dump(exclude={"metric"}) for e in joint] == [e.model_dump(exclude={"metric"}) for e in alone]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_compared_as_if_alone(part: str) -> None:
    """Change, p and interval of two runs."""
    found = []
    for base, head in zip(both(part, 0), both(part, 1), strict=True):
        names, _, context = base
        pair = PairedRows.of(base[1], head[1], needed_statistics(names))
        scores = paired_scores(pair, [metric_named(name) for name in names], context)
        found.append([(s.label, s.change.value, s.p, s.interval(0.95).bounds, s.changed) for s in scores])
    np.testing.assert_equal(found[0], found[1])


def test_a_part_keeps_the_kind_of_its_statistic() -> None:
    """Row statistics are counted inside the loop, set statistics after it."""
    for part, (names, _) in PARTS.items():
        for own in needed_statistics(names):
            one, other = statistic_named(own), statistic_named(joined(part, own))
            for kind in (RowStatistic, SetStatistic):
                assert isinstance(other, kind) == isinstance(one, kind)


def test_a_prediction_without_a_part_is_a_sample_error() -> None:
    """One part that is missing fails the sample, in either kind of statistic."""
    (target, *_), (prediction, *_) = made(0)
    lacking = Joint("i0", {"vqa": prediction.parts["vqa"]})
    with pytest.raises(SampleError, match=r"'i0' has no part 'segmentation' \(found: vqa\); predict every task"):
        row_of(target, lacking, ["segmentation/confusion"], CONTEXT)
    with pytest.raises(SampleError, match="has no part 'detection'"):
        check(target, lacking, needed_statistics(["detection/ap_100"]), CONTEXT)
    with pytest.raises(SampleError, match="found: one text"):
        check(target, prediction.parts["vqa"], needed_statistics(["detection/ap_100"]), CONTEXT)


def test_versions_and_unknown_names() -> None:
    assert metric_named("vqa/answer_accuracy").version == metric_named("answer_accuracy").version
    with pytest.raises(UnknownName, match="no metric named 'acuracy'; did you mean 'accuracy'"):
        metric_named("vqa/acuracy")

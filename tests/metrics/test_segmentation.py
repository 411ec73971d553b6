"""Segmentation metrics against torchmetrics, scikit-learn and a plain loop, to 1e-12."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import LabelMap
from mmbench.metrics.scoring import row_of

IGNORE = 255
SCALAR = (
    "miou",
    "miou_nobg",
    "pixel_accuracy",
    "mean_accuracy",
    "fw_iou",
    "macro_f1",
    "macro_precision",
    "macro_recall",
)
Images = list[tuple[np.ndarray, np.ndarray]]


def context(classes: int) -> TaskContext:
    return TaskContext(tuple(str(c) for c in range(classes)), IGNORE)


def value(name: str, images: Images, classes: int) -> np.ndarray:
    """What mmbench says of (target, prediction) pairs."""
    rows = [row_of(t, LabelMap("a", p), ("confusion",), context(classes))["confusion"] for t, p in images]
    return metric_named(name).value(np.sum(rows, axis=0).astype(np.float64), context(classes))


def matrix_of(images: Images, classes: int) -> list[list[int]]:
    matrix = [[0] * classes for _ in range(classes)]
    for target, guess in images:
        for t, p in zip(target.ravel().tolist(), guess.ravel().tolist(), strict=True):
            if t != IGNORE:
                matrix[t][p] += 1
    return matrix


def by_loop(name: str, matrix: list[list[int]]) -> float:
    """The definitions, written out over the confusion matrix; NaN where no class is left."""
    classes = range(len(matrix))
    hit = [matrix[c][c] for c in classes]
    truth = [sum(matrix[c]) for c in classes]
    guess = [sum(row[c] for row in matrix) for c in classes]
    seen = [c for c in classes if truth[c] + guess[c]]
    iou = {c: hit[c] / (truth[c] + guess[c] - hit[c]) for c in seen}
    per_class = {
        "miou": list(iou.values()),
        "miou_nobg": [iou[c] for c in seen if c != 0],
        "mean_accuracy": [hit[c] / truth[c] for c in seen if truth[c]],
        "macro_f1": [2 * hit[c] / (truth[c] + guess[c]) for c in seen],
        "macro_precision": [hit[c] / guess[c] if guess[c] else 0.0 for c in seen],
        "macro_recall": [hit[c] / truth[c] if truth[c] else 0.0 for c in seen],
    }
    if name in per_class:
        return math.fsum(per_class[name]) / len(per_class[name]) if per_class[name] else math.nan
    total = sum(truth)
    if not total:
        return math.nan
    return sum(hit) / total if name == "pixel_accuracy" else math.fsum(truth[c] * iou[c] for c in seen) / total


@st.composite
def image_sets(draw: st.DrawFn) -> tuple[Images, int]:
    """Few pixels and up to seven classes, so that absent, never predicted and only predicted classes are common."""
    classes = draw(st.integers(1, 7))
    labels = st.lists(st.sampled_from([*range(classes), IGNORE]), min_size=6, max_size=6)
    guesses = st.lists(st.integers(0, classes - 1), min_size=6, max_size=6)
    pairs = draw(st.lists(st.tuples(labels, guesses), min_size=1, max_size=3))
    return [(np.array([t], np.uint8), np.array([p], np.uint8)) for t, p in pairs], classes


@given(image_sets())
def test_equal_to_a_plain_loop(case: tuple[Images, int]) -> None:
    """Every metric equals its definition on any label maps, undefined cases included."""
    images, classes = case
    matrix = matrix_of(images, classes)
    for name in SCALAR:
        assert float(value(name, images, classes)) == pytest.approx(by_loop(name, matrix), abs=1e-12, nan_ok=True)


@pytest.fixture
def hard_images() -> Images:
    """Class 4 is only predicted, class 5 never predicted, class 6 absent; 3 % of the pixels are ignored."""
    random = np.random.default_rng(7)
    images = []
    for _ in range(4):
        target = random.choice([0, 1, 2, 3, 5, IGNORE], (32, 40), p=[0.4, 0.3, 0.1, 0.1, 0.07, 0.03]).astype(np.uint8)
        noise = random.choice([0, 1, 2, 3, 4], target.shape)
        keep = (random.random(target.shape) < 0.6) & (target < 5)
        images.append((target, np.where(keep, target, noise).astype(np.uint8)))
    return images


@pytest.fixture
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs torchmetrics' own formulas in float64; some of them ask for float32 whatever the dtype is."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("name", "peer", "options"),
    [
        ("miou", "MulticlassJaccardIndex", {"average": "macro"}),
        ("fw_iou", "MulticlassJaccardIndex", {"average": "weighted"}),
        ("iou", "MulticlassJaccardIndex", {"average": "none"}),
        ("pixel_accuracy", "MulticlassAccuracy", {"average": "micro"}),
        ("macro_f1", "MulticlassF1Score", {"average": "macro"}),
        ("macro_precision", "MulticlassPrecision", {"average": "macro"}),
        ("macro_recall", "MulticlassRecall", {"average": "macro"}),
    ],
)
def test_equal_to_torchmetrics(
    name: str, peer: str, options: dict[str, str], hard_images: Images, float64: None
) -> None:
    """Also where a class is absent, never predicted or only predicted (in per-class IoU an absent class is 0 there)."""
    torch = pytest.importorskip("torch")
    classification = pytest.importorskip("torchmetrics.classification")
    theirs = getattr(classification, peer)(num_classes=7, ignore_index=IGNORE, **options)
    for target, guess in hard_images:
        theirs.update(torch.from_numpy(guess.astype(np.int64)), torch.from_numpy(target.astype(np.int64)))
    expected = theirs.compute().numpy()
    assert expected.dtype == np.float64
    ours = value(name, hard_images, 7)
    if name == "iou":
        assert np.isnan(ours).tolist() == [False] * 6 + [True]
        ours = np.nan_to_num(ours)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_equal_to_scikit_learn(hard_images: Images) -> None:
    """Macro figures over the classes that occur, 0/0 as 0; mean accuracy is the balanced accuracy."""
    sklearn = pytest.importorskip("sklearn.metrics")
    target = np.concatenate([t.ravel() for t, _ in hard_images])
    guess = np.concatenate([p.ravel() for _, p in hard_images])[target != IGNORE]
    target = target[target != IGNORE]
    occurring = sorted(set(target.tolist()) | set(guess.tolist()))
    options = {"labels": occurring, "average": "macro", "zero_division": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        balanced = sklearn.balanced_accuracy_score(target, guess)
    expected = {
        "miou": sklearn.jaccard_score(target, guess, **options),
        "macro_f1": sklearn.f1_score(target, guess, **options),
        "macro_precision": sklearn.precision_score(target, guess, **options),
        "macro_recall": sklearn.recall_score(target, guess, **options),
        "mean_accuracy": balanced,
        "pixel_accuracy": sklearn.accuracy_score(target, guess),
    }
    for name, figure in expected.items():
        assert float(value(name, hard_images, 7)) == pytest.approx(figure, abs=1e-12)


def test_a_class_that_is_only_predicted_scores_zero() -> None:
    """Union above 0: the class counts, with IoU 0; it does not vanish from the mean."""
    images = [(np.array([[0, 0, 0, 0]], np.uint8), np.array([[0, 0, 0, 1]], np.uint8))]
    assert value("iou", images, 3)[:2].tolist() == [0.75, 0.0]
    assert float(value("miou", images, 3)) == 0.375
    assert float(value("mean_accuracy", images, 3)) == 0.75


@pytest.mark.parametrize("name", SCALAR)
def test_nothing_to_score_is_undefined(name: str) -> None:
    """All pixels ignored: NaN, never 0."""
    images = [(np.full((2, 2), IGNORE, np.uint8), np.zeros((2, 2), np.uint8))]
    assert np.isnan(value(name, images, 3))


def test_only_background_has_no_mean_without_it() -> None:
    """miou_nobg of maps that hold class 0 alone is undefined, miou is 1."""
    images = [(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))]
    assert np.isnan(value("miou_nobg", images, 3))
    assert float(value("miou", images, 3)) == 1.0


@pytest.mark.parametrize("name", [*SCALAR, "iou"])
def test_leading_axes_are_draws(name: str) -> None:
    """A metric of a stack of sums is the stack of its values, bit for bit."""
    random = np.random.default_rng(3)
    hits = random.integers(0, 5, (2, 3, 4))
    sums = np.concatenate(
        [hits, hits + random.integers(0, 3, hits.shape), hits + random.integers(0, 3, hits.shape)], -1
    )
    metric = metric_named(name)
    stacked = metric.value(sums.astype(np.float64), context(4))
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(stacked[index], metric.value(sums[index].astype(np.float64), context(4)))


def test_direction_bounds_and_docs() -> None:
    """Every metric here is higher-is-better in 0..1, reads the one statistic and says what it is."""
    for name in (*SCALAR, "iou"):
        metric = metric_named(name)
        assert (metric.direction, metric.low, metric.high, metric.statistic) == ("higher", 0.0, 1.0, "confusion")
        assert metric.per_class == (name == "iou")
        assert metric.value.__doc__

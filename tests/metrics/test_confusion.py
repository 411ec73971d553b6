"""The statistic ``confusion`` against a pixel-by-pixel loop, for every dtype of label map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmbench.core.errors import SampleError
from mmbench.core.metric import TaskContext
from mmbench.core.prediction import LabelMap
from mmbench.metrics.confusion import Confusion

INTEGERS = ("u1", "i1", "u2", "i2", "i4", "i8", ">i2")


def context(classes: int, ignore: int | None = None) -> TaskContext:
    return TaskContext(tuple(f"class {c}" for c in range(classes)), ignore)


def by_loop(target: np.ndarray, labels: np.ndarray, classes: int, ignore: int | None) -> list[int]:
    """Intersection, predicted and target pixels, one pixel at a time."""
    hits, predicted, truth = [0] * classes, [0] * classes, [0] * classes
    for t, p in zip(target.ravel().tolist(), labels.ravel().tolist(), strict=True):
        if t == ignore:
            continue
        truth[t] += 1
        predicted[p] += 1
        hits[t] += t == p
    return hits + predicted + truth


@st.composite
def maps(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, int | None]:
    """Blobs (repeated labels) or noise, an ignored label in or out of the range of classes, any integer dtypes."""
    classes = draw(st.integers(1, 9))
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6))
    block = draw(st.sampled_from([1, 2, 7]))
    dtypes = draw(st.tuples(st.sampled_from(INTEGERS), st.sampled_from(INTEGERS)))
    ignore = draw(st.sampled_from([None, 0, classes, 100, -1 if dtypes[0] not in ("u1", "u2") else 255]))
    if ignore == 255 and dtypes[0] == "i1":
        ignore = -1
    allowed = [*range(classes), *([ignore] if ignore is not None else [])]
    target = draw(hnp.arrays(np.int64, shape, elements=st.sampled_from(allowed)))
    labels = draw(hnp.arrays(np.int64, shape, elements=st.integers(0, classes - 1)))
    grow = np.ones((block, block), dtype=np.int64)
    return np.kron(target, grow).astype(dtypes[0]), np.kron(labels, grow).astype(dtypes[1]), classes, ignore


@given(maps())
def test_row_equals_the_loop(case: tuple[np.ndarray, np.ndarray, int, int | None]) -> None:
    """Runs, the dense fallback and every dtype count what a loop over pixels counts."""
    target, labels, classes, ignore = case
    row = Confusion().row(target, LabelMap("a", labels), context(classes, ignore))
    assert row.dtype == np.int64
    assert row.tolist() == by_loop(target, labels, classes, ignore)


@pytest.mark.parametrize("classes", [255, 256, 257, 300])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i8"])
def test_many_classes(classes: int, dtype: str) -> None:
    """The keys of pairs do not overflow where the number of classes passes a byte."""
    random = np.random.default_rng(0)
    target, labels = random.integers(0, min(classes, 256), (2, 16, 256)).astype(dtype)
    for blobs in (1, 8):
        shape = (blobs, blobs)
        pair = np.kron(target, np.ones(shape, dtype)), np.kron(labels, np.ones(shape, dtype))
        row = Confusion().row(pair[0], LabelMap("a", pair[1]), context(classes))
        assert row.tolist() == by_loop(*pair, classes, None)


def test_a_narrow_dtype_with_more_classes_than_it_holds() -> None:
    """A signed byte with -1 ignored and 150 classes: labels up to 127 occur, the ignored one stays apart."""
    target = np.array([[-1, 0, 127, 126]], dtype=np.int8)
    labels = np.array([[149, 0, 127, 149]], dtype=np.uint8)
    row = Confusion().row(target, LabelMap("a", labels), context(150, -1))
    assert row.tolist() == by_loop(target, labels, 150, -1)


def test_views_are_counted_like_copies() -> None:
    """A transposed, sliced view is the same label map."""
    random = np.random.default_rng(1)
    target, labels = random.integers(0, 4, (2, 20, 30)).astype(np.uint8)
    whole = Confusion().row(target[::2, ::3].T.copy(), LabelMap("a", labels[::2, ::3].T.copy()), context(4))
    view = Confusion().row(target[::2, ::3].T, LabelMap("a", labels[::2, ::3].T), context(4))
    assert view.tolist() == whole.tolist()


@pytest.mark.parametrize("dtype", ["u1", "i2", "i8", "u8"])
@pytest.mark.parametrize("label", [3, 4, 100])
@pytest.mark.parametrize("ignore", [None, 90])
def test_a_label_out_of_range_is_a_broken_sample(dtype: str, label: int, ignore: int | None) -> None:
    """A target's label beyond the classes is named in one sentence, never counted and never ignored."""
    target = np.zeros((4, 4), dtype=dtype)
    target[2, 1] = label
    with pytest.raises(SampleError, match=rf"'img'.* label {label}, expected 0\.\.2"):
        Confusion().row(target, LabelMap("img", np.zeros((4, 4), np.uint8)), context(3, ignore))


def test_a_negative_label_is_a_broken_sample() -> None:
    """Negative labels are refused unless they are the ignored one."""
    target = np.array([[0, -5], [-3, 1]], dtype=np.int16)
    with pytest.raises(SampleError, match="label -3"):
        Confusion().row(target, LabelMap("img", np.zeros((2, 2), np.uint8)), context(3, -5))


@pytest.mark.parametrize("label", [3, 255])
def test_a_prediction_out_of_range_is_a_broken_sample(label: int) -> None:
    """A prediction holds classes only, also where the target is ignored."""
    target = np.full((2, 2), 255, dtype=np.uint8)
    labels = np.array([[0, 1], [2, label]], dtype=np.uint8)
    with pytest.raises(SampleError, match=f"holds labels 0..{label}"):
        Confusion().row(target, LabelMap("img", labels), context(3, 255))


def test_unequal_sizes_are_a_broken_sample() -> None:
    """A prediction of another size is refused, not resized."""
    with pytest.raises(SampleError, match="size"):
        Confusion().row(np.zeros((2, 3), np.uint8), LabelMap("img", np.zeros((3, 2), np.uint8)), context(3))


@pytest.mark.parametrize("side", ["prediction", "label map"])
def test_fractions_are_a_broken_sample(side: str) -> None:
    """Scores given as labels are refused, not cut off to whole numbers."""
    wrong, right = np.full((2, 2), 0.5), np.zeros((2, 2), np.uint8)
    target, labels = (right, wrong) if side == "prediction" else (wrong, right)
    with pytest.raises(SampleError, match=f"The {side} of 'img' holds float64"):
        Confusion().row(target, LabelMap("img", labels), context(3))


def test_support_and_absent_classes() -> None:
    """Support counts samples whose target holds a class; absent are the classes that nothing holds."""
    statistic, four = Confusion(), context(4)
    targets = [np.array([[0, 0]]), np.array([[0, 1]])]
    guesses = [np.array([[2, 0]]), np.array([[0, 0]])]
    rows = np.stack([statistic.row(t, LabelMap("a", g), four) for t, g in zip(targets, guesses, strict=True)])
    assert statistic.width(four) == rows.shape[1] == 12
    assert statistic.support(rows, four).tolist() == [2, 1, 0, 0]
    assert statistic.absent(rows, four) == 1

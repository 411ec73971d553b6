"""From a module's output to label maps."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmbench.adapters.outputs import check_output, select_output, to_predictions
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.prediction import LabelMap

T, U = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)


@pytest.mark.parametrize(
    ("raw", "choice", "expected"),
    [
        (T, None, T),
        ({"logits": T, "aux": U}, None, T),
        ({"out": T, "aux": U}, None, T),
        ({"logits": T, "aux": U}, "aux", U),
        (SimpleNamespace(logits=T), None, T),
        (SimpleNamespace(seg=T), "seg", T),
        ((U, T), "1", T),
        ([T], "0", T),
        ({"0": T}, "0", T),
    ],
)
def test_the_part_to_score_is_found(raw: Any, choice: str | None, expected: torch.Tensor) -> None:
    assert select_output(raw, choice, "M") is expected


@pytest.mark.parametrize(
    ("raw", "choice", "sentence"),
    [
        ((T, U), None, r"M returned a tuple of 2 \(float32 \[2,3,4,4\]; float32 \[2,3,4,4\]\); expected logits"),
        ({"seg": T}, None, "M returned a dict with seg; expected .* choose a part with --output NAME or INDEX"),
        (None, None, "M returned None"),
        ("text", None, "M returned an object of type str"),
        ((T,), "1", "--output 1 chooses no tensor: M returned a tuple of 1"),
        ({"seg": T}, "logits", "--output logits chooses no tensor: M returned a dict with seg"),
        (T, "logits", "--output logits chooses no tensor: M returned float32"),
    ],
)
def test_an_output_without_a_tensor_is_described(raw: Any, choice: str | None, sentence: str) -> None:
    with pytest.raises(LoadError, match=sentence):
        select_output(raw, choice, "M")


@pytest.mark.parametrize(
    "output",
    [
        torch.zeros(2, 3, 1, 1),
        torch.zeros(2, 3, 9, 9).half(),
        torch.zeros(2, 5, 5).int(),
        torch.zeros(2, 3, 4, 4).long(),
    ],
)
def test_logits_and_integer_labels_are_accepted(request_for: Callable[..., Any], output: torch.Tensor) -> None:
    check_output(output, 2, "M", request_for())


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (torch.zeros(2, 5, 4, 4), r"float32 \[2,5,4,4\]: it predicts 5 classes, but suite 'toy' has 3"),
        (torch.zeros(2, 4, 4), r"float32 \[2,4,4\]; expected logits .* labels must be integers"),
        (torch.zeros(2, 4, 4, dtype=torch.bool), "labels must be integers"),
        (torch.zeros(3, 3, 4, 4), r"expected \[2,3,h,w\] \(items, classes, height, width\) for 2 items and 3 classes"),
        (torch.zeros(3, 4, 4).int(), r"expected \[2,H,W\]"),
        (torch.zeros(2, 3), r"float32 \[2,3\]; expected \[2,3,h,w\]"),
        (torch.zeros(2, 3, 0, 4), r"expected \[2,3,h,w\]"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.complex64), r"complex64 \[2,3,4,4\]; expected"),
    ],
)
def test_a_wrong_shape_says_what_was_expected_and_found(
    request_for: Callable[..., Any], output: torch.Tensor, sentence: str
) -> None:
    with pytest.raises(LoadError, match=sentence):
        check_output(output, 2, "M", request_for())


def labels_of(output: torch.Tensor, size: tuple[int, int], classes: int = 3) -> np.ndarray:
    (outcome,) = to_predictions(output, ["s"], [size], classes)
    assert isinstance(outcome, LabelMap), outcome
    return outcome.labels


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float32, (4, 3, 5), elements=st.integers(-3, 3).map(float)))
def test_argmax_takes_the_first_of_equal_classes(logits: np.ndarray) -> None:
    """Law: without a resize the labels are numpy's argmax, whose ties go to the first class."""
    found = labels_of(torch.from_numpy(logits)[None], (3, 5), classes=4)
    assert found.dtype == np.uint8
    assert np.array_equal(found, logits.argmax(0))


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 2)), st.data())
def test_labels_are_resized_to_the_nearest_pixel_centre(labels: np.ndarray, data: st.DataObject) -> None:
    """Law: equal to torch's nearest-exact, and to repetition for whole factors."""
    size = data.draw(st.tuples(st.integers(1, 15), st.integers(1, 15)))
    found = labels_of(torch.from_numpy(labels)[None], size)
    reference = torch.nn.functional.interpolate(
        torch.from_numpy(labels)[None, None].double(), size, mode="nearest-exact"
    )
    assert np.array_equal(found, reference[0, 0].numpy())
    doubled = labels_of(torch.from_numpy(labels)[None], (2 * labels.shape[0], 2 * labels.shape[1]))
    assert np.array_equal(doubled, labels.repeat(2, 0).repeat(2, 1))


def test_logits_are_resized_bilinearly_before_argmax() -> None:
    """By hand: half-pixel centres put 4 pixels of a 2-pixel ramp at weights 0, 1/4, 3/4, 1."""
    logits = torch.zeros(1, 3, 1, 2)
    logits[0, 0] = torch.tensor([0.0, 1.0])
    logits[0, 1] = torch.tensor([0.5, 0.5])
    assert labels_of(logits, (1, 4)).tolist() == [[1, 1, 0, 0]]
    logits[0, 1] = 0.2
    assert labels_of(logits, (1, 4)).tolist() == [[1, 0, 0, 0]]


def test_more_than_255_classes_are_int16() -> None:
    output = torch.full((1, 2, 2), 299)
    assert labels_of(output, (2, 2), classes=300).dtype == np.int16
    assert labels_of(torch.full((1, 2, 2), 254), (2, 2), classes=255).dtype == np.uint8


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_non_finite_logits_fail_that_sample_alone(bad: float, dtype: torch.dtype) -> None:
    output = torch.zeros(3, 3, 4, 4, dtype=dtype)
    output[1, 2, 3, 3] = bad
    outcomes = to_predictions(output, ["a", "b", "c"], [(4, 4)] * 3, 3)
    assert [type(o) for o in outcomes] == [LabelMap, SampleError, LabelMap]
    assert "NaN or infinite logits for 'b'" in str(outcomes[1])


def test_labels_out_of_range_fail_that_sample_alone() -> None:
    """A label must not be wrapped by the conversion to uint8: 259 is not 3."""
    output = torch.zeros(3, 2, 2, dtype=torch.int64)
    output[0, 0, 0], output[2, 0, 0] = 259, -1
    outcomes = to_predictions(output, ["a", "b", "c"], [(2, 2)] * 3, 3)
    assert [type(o) for o in outcomes] == [SampleError, LabelMap, SampleError]
    assert "holds labels 0..259, expected 0..2" in str(outcomes[0])

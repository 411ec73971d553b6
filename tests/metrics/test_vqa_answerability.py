"""Answerability of VizWiz: scikit-learn as the independent reference, resampling, and what is undefined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.core.errors import SampleError
from mmbench.metrics.vqa_answerability import answerability_average_precision, answerability_f1, answerability_rows

reference = pytest.importorskip("sklearn.metrics")

# Confidences of few values, so that ties are common, 0.5 among them (on neither side of the threshold).
PAIRS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.2, 0.5, 0.500001, 0.9, 1.0])), min_size=1, max_size=30
)


def split(pairs: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [label for label, _ in pairs], [confidence for _, confidence in pairs]


@settings(deadline=None)
@given(PAIRS.filter(lambda pairs: any(label == 0 for label, _ in pairs)))
def test_agrees_with_the_challenge_script(pairs: list[tuple[int, float]]) -> None:
    """The script turns labels and confidences round and asks scikit-learn."""
    labels, confidences = split(pairs)
    turned, scores = 1 - np.array(labels), 1.0 - np.array(confidences)
    f1 = answerability_f1(answerability_rows(labels, confidences).sum(axis=0))
    assert float(f1) == pytest.approx(reference.f1_score(turned, scores > 0.5))
    average = answerability_average_precision(labels, confidences)
    assert float(average) == pytest.approx(reference.average_precision_score(turned, scores))


@settings(deadline=None)
@given(PAIRS, st.integers(0, 2**32 - 1))
def test_counts_are_repetitions(pairs: list[tuple[int, float]], seed: int) -> None:
    """A draw of a bootstrap scores as the list with each question repeated as often as it was drawn."""
    counts = np.random.default_rng(seed).integers(0, 4, (3, len(pairs)))
    drawn = answerability_average_precision(*split(pairs), counts)
    for count, value in zip(counts, drawn, strict=True):
        repeated = [pair for pair, times in zip(pairs, count, strict=True) for _ in range(times)]
        expected = answerability_average_precision(*split(repeated))
        assert value == pytest.approx(float(expected), nan_ok=True)


def test_undefined_is_nan() -> None:
    """Nothing unanswerable: no average precision; nothing found so either: no F1. Never 0."""
    assert np.isnan(answerability_average_precision([1, 1], [0.1, 0.9]))
    assert np.isnan(answerability_average_precision([], []))
    assert np.isnan(answerability_f1(answerability_rows([1, 1], [0.9, 0.9]).sum(axis=0)))
    assert answerability_f1(answerability_rows([1, 1], [0.1, 0.9]).sum(axis=0)) == 0


def test_wrong_input_is_explained() -> None:
    with pytest.raises(SampleError, match=r"Question 1 .* the label 2"):
        answerability_rows([1, 2], [0.5, 0.5])
    with pytest.raises(SampleError, match=r"Question 0 .* the confidence nan"):
        answerability_average_precision([1, 0], [float("nan"), 0.5])
    with pytest.raises(ValueError, match="of one length"):
        answerability_rows([1, 0], [0.5])

"""What users hand in is checked: the kind and shape of arrays, and every row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mmbench.core.errors import SampleError
from mmbench.metrics import calibration, classification, curves, inputs, multilabel, probability, regression, retrieval

GOOD = np.array([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])
NAN = np.array([[0.2, 0.8], [0.5, np.nan], [1.0, 0.0]])
LABELS = np.array([1, 0, 0])

BROKEN_ROWS: list[tuple[Callable[[], object], str]] = [
    (lambda: classification.predicted_labels(NAN), "Row 1 of the scores holds nan; expected numbers."),
    (
        lambda: classification.label_rows([0, 1, 2], [0, 1, 1], 2),
        "Row 2 of the predicted labels holds 2; expected 0..1.",
    ),
    (lambda: classification.label_rows([0, 1], [0, -1], 2), "Row 1 of the targets holds -1; expected 0..1."),
    (lambda: classification.top_k_rows(GOOD, [0, 5, 1], 1), "Row 1 of the targets holds 5; expected 0..1."),
    (lambda: multilabel.predicted_sets(NAN), "Row 1 of the scores holds nan; expected numbers."),
    (lambda: multilabel.subset_rows([[0, 1]], [[0, 2]]), "Row 0 of the targets holds 2; expected 0 or 1."),
    (lambda: probability.brier_rows(NAN, LABELS), "Row 1 of the probabilities holds nan; expected numbers."),
    (lambda: probability.brier_rows(GOOD * 2, LABELS), "Row 0 of the probabilities holds 1.6; expected 0..1."),
    (
        lambda: probability.nll_rows(GOOD * [[1], [1], [0.9]], LABELS),
        "Row 2 of the probabilities sums to 0.9; expected 1: apply the softmax.",
    ),
    (
        lambda: probability.binary_brier_rows([0.5, -0.1], [0, 1]),
        "Row 1 of the probabilities holds -0.1; expected 0..1.",
    ),
    (
        lambda: probability.nll_rows_of_logits([[0, 1], [-np.inf, -np.inf]], [0, 1]),
        "Row 1 of the logits has the maximum -inf; expected a finite one.",
    ),
    (
        lambda: probability.nll_rows_of_logits([[0, np.inf]], [0]),
        "Row 0 of the logits has the maximum inf; expected a finite one.",
    ),
    (lambda: calibration.top_label(GOOD, [1, 0, 2]), "Row 2 of the targets holds 2; expected 0..1."),
    (lambda: calibration.confidence_rows([0.5, 1.5], [1, 1]), "Row 1 of the confidences holds 1.5; expected 0..1."),
    (lambda: curves.binary_rows([0.1, np.nan], [0, 1]), "Row 1 of the scores holds nan; expected numbers."),
    (lambda: curves.binary_rows([0.1, 0.2], [0, 7]), "Row 1 of the targets holds 7; expected 0 or 1."),
    (lambda: curves.one_vs_rest_rows(GOOD, [0, 1, 2]), "Row 2 of the targets holds 2; expected 0..1."),
    (lambda: retrieval.first_ranks(NAN, GOOD > 0.5), "Row 1 of the similarities holds nan; expected numbers."),
    (lambda: retrieval.ndcg_rows(GOOD, [[1, 0], [0, -1], [0, 0]]), "Row 1 of the gains holds a negative one"),
    (lambda: retrieval.ndcg_rows(GOOD, [[1, 0], [0, np.inf], [0, 0]]), "Row 1 of the gains holds inf; expected finite"),
    (lambda: regression.pair_rows([0, 1, np.inf], [0, 1, 2]), "Row 2 of the predictions holds inf; expected finite"),
    (lambda: regression.pair_rows([0, 1], [np.nan, 2]), "Row 0 of the targets holds nan; expected finite numbers."),
]

WRONG_ARRAYS: list[tuple[Callable[[], object], str]] = [
    (lambda: classification.predicted_labels([0.1, 0.9]), r"The scores are of shape \[2\], expected \[any, any\]."),
    (lambda: classification.predicted_labels(np.zeros((2, 0))), "The number of classes is 0, expected 1 or more."),
    (lambda: classification.predicted_labels([["a", "b"]]), "The scores hold <U1 values, expected numbers."),
    (
        lambda: classification.label_rows([0.0, 1.0], [0, 1], 2),
        "The predicted labels hold float64 values, expected whole",
    ),
    (lambda: classification.label_rows([0, 1, 1], [0, 1], 2), r"labels are of shape \[3\], expected \[2\]."),
    (lambda: classification.top_k_rows(GOOD, LABELS, 0), "The k of the top-k accuracy is 0, expected 1 or more."),
    (lambda: multilabel.subset_rows(GOOD > 0.5, GOOD[:2] > 0.5), r"of shape \[3, 2\], expected \[2, 2\]."),
    (lambda: multilabel.subset_rows(GOOD, GOOD > 0.5), "The predicted labels hold float64 values, expected whole"),
    (lambda: probability.brier_rows(GOOD, LABELS[:2]), r"The targets are of shape \[2\], expected \[3\]."),
    (lambda: calibration.bin_rows(np.zeros((1, 2)), 0), "The number of bins is 0, expected 1 or more."),
    (lambda: calibration.adaptive_ece(np.zeros((1, 2)), bins=-1), "The number of bins is -1, expected 1 or more."),
    (lambda: curves.multilabel_rows(GOOD, LABELS), r"The targets are of shape \[3\], expected \[3, 2\]."),
    (lambda: retrieval.matches([[1]], [1]), r"The keys are of 2 and 1 axes, expected \[Q\] and \[D\]."),
    (lambda: retrieval.first_ranks(GOOD, GOOD[:, :1] > 0), r"The relevance are of shape \[3, 1\], expected \[3, 2\]."),
    (lambda: retrieval.rank_hit_rows(LABELS, 0), "The k is 0, expected 1 or more."),
    (lambda: retrieval.recall_rows(GOOD, GOOD > 0, -1), "The k is -1, expected 1 or more."),
    (lambda: retrieval.ndcg_rows(GOOD, GOOD, 0), "The k is 0, expected 1 or more."),
    (lambda: retrieval.ndcg_rows(np.zeros((2, 0)), np.zeros((2, 0))), "The number of items is 0, expected 1 or more."),
    (lambda: regression.pair_rows([1, 2], [[1, 2]]), r"The targets are of shape \[1, 2\], expected \[any\]."),
]


@pytest.mark.parametrize(("call", "sentence"), BROKEN_ROWS)
def test_a_broken_row_is_named(call: Callable[[], object], sentence: str) -> None:
    """One sentence says which row, what it holds and what was expected."""
    with pytest.raises(SampleError) as caught:
        call()
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(("call", "sentence"), WRONG_ARRAYS)
def test_a_wrong_array_is_refused(call: Callable[[], object], sentence: str) -> None:
    """Shapes, kinds and parameters are the caller's mistake, not a sample's."""
    with pytest.raises(ValueError, match=sentence):
        call()


def test_what_is_accepted() -> None:
    """Lists, booleans as labels, half precision whose rows do not sum to 1 exactly, infinite scores, no rows at all."""
    assert inputs.class_numbers("labels", [True, False], None, 2).tolist() == [1, 0]
    half = np.random.default_rng(0).dirichlet(np.ones(1000), 20).astype(np.float16)
    assert np.abs(half.astype(float).sum(axis=1) - 1).max() > 1e-6
    np.testing.assert_array_equal(inputs.distributions("probabilities", half), half)
    assert classification.predicted_labels([[-np.inf, 0.0], [np.inf, 0.0]]).tolist() == [1, 0]
    assert classification.label_rows(np.zeros(0, int), np.zeros(0, int), 3).shape == (0, 9)
    assert retrieval.first_ranks(np.zeros((0, 4)), np.zeros((0, 4), bool)).shape == (0,)
    assert inputs.numbers("scores", np.array([[1, 2]], np.uint8), (None, 2)).dtype == np.uint8

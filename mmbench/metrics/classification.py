"""Classification with one label a sample: rows of class counts, and values of their sums.

A row is int64 [3C]: for each class whether it was hit, predicted and the target. These are the diagonal and the margins
of the confusion matrix, all that accuracy, precision, recall, F1, Matthews' and Cohen's coefficients need. For many
classes keep ``label_pairs`` (two numbers a sample) and sum the draws with ``label_sums``.

Values take sums float64 [..., 3C] and give float64 [...], or [..., C] where they are per class.

What is undefined: a class that is neither a target nor predicted has no value and is left out of every mean. A class
that is one of them is in the mean, where 0/0 (a precision of what was never predicted) counts as 0: the rule of
scikit-learn's ``zero_division=0`` over the labels that occur, and of ``mmbench.metrics.segmentation``. With no class
left the value is NaN. In a bootstrap draw the same rule holds for the classes of the draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.inputs import class_numbers, numbers, positive
from mmbench.metrics.ratios import hit_rows, mean_of_defined, ratio, ratio_where, weighted_mean_of_defined
from mmbench.metrics.weighted import Weights, by_chunks, label_totals, whole_weights


def predicted_labels(scores: ArrayLike) -> Ints:
    """int64 [n]: the class of the highest score of [n,C]; of equal scores the lowest class number.

    Raises ValueError for another shape or no class, SampleError for NaN.
    """
    table = numbers("scores", scores, (None, None))
    positive("number of classes", table.shape[1])
    labels: Ints = table.argmax(axis=1)
    return labels


def label_pairs(predicted: ArrayLike, targets: ArrayLike, classes: int) -> Ints:
    """Rows int64 [n,2] of class numbers [n]: predicted and target; for ``label_sums``.

    Raises ValueError for another shape or kind, SampleError for a class out of range.
    """
    truth = class_numbers("targets", targets, None, classes)
    return np.stack([class_numbers("predicted labels", predicted, len(truth), classes), truth], axis=1)


def label_rows(predicted: ArrayLike, targets: ArrayLike, classes: int) -> Ints:
    """Rows int64 [n,3C] of class numbers [n]: one-hot hit, predicted and target; errors as ``label_pairs``."""
    pairs = label_pairs(predicted, targets, classes)
    rows = np.zeros((len(pairs), 3, classes), dtype=np.int64)
    each = np.arange(len(pairs))
    rows[each, 1, pairs[:, 0]] = 1
    rows[each, 2, pairs[:, 1]] = 1
    rows[:, 0] = rows[:, 1] & rows[:, 2]
    return rows.reshape(len(pairs), 3 * classes)


def label_sums(pairs: Ints, weights: Weights | None, classes: int) -> Floats:
    """float64 [draws,3C]: the sums of ``label_rows`` in each draw, without making these rows.

    ``pairs`` int64 [n,2] of ``label_pairs``; ``weights`` [draws,n], None for every sample once.
    """
    # A sample that is wrong hits the class that does not exist.
    hit = np.where(pairs[:, 0] == pairs[:, 1], pairs[:, 1], classes)

    def sums(chunk: Ints) -> Floats:
        counts = [label_totals(chunk, labels, classes) for labels in (hit, pairs[:, 0], pairs[:, 1])]
        return np.concatenate(counts, axis=1).astype(np.float64)

    return by_chunks(sums, whole_weights(weights, len(pairs)))


def top_k_rows(scores: ArrayLike, targets: ArrayLike, k: int) -> Ints:
    """Rows int64 [n,2] for ``ratios.mean``: whether the target is among the k highest scores of [n,C], and 1.

    Of equal scores the lower class number ranks first, so that top-1 is the accuracy of ``predicted_labels``. With k of
    C or more every target is a hit. Raises ValueError for another shape or k below 1, SampleError for NaN or a target
    out of range.
    """
    positive("k of the top-k accuracy", k)
    table = numbers("scores", scores, (None, None))
    truth = class_numbers("targets", targets, len(table), table.shape[1])
    own = np.take_along_axis(table, truth[:, None], axis=1)
    tied_before = (table == own) & (np.arange(table.shape[1]) < truth[:, None])
    return hit_rows(((table > own) | tied_before).sum(axis=1) < k)


def accuracy(sums: Floats) -> Floats:
    """Share of the samples whose label is right."""
    hit, _, target = _counts(sums)
    return ratio(hit.sum(axis=-1), target.sum(axis=-1))


def balanced_accuracy(sums: Floats) -> Floats:
    """Mean recall over the classes of the targets (Brodersen et al. 2010; scikit-learn, not adjusted for chance)."""
    hit, _, target = _counts(sums)
    return mean_of_defined(ratio(hit, target))


def class_precision(sums: Floats) -> Floats:
    """Per class, the share of its predictions that are right; 0 for a target class that was never predicted."""
    hit, predicted, target = _counts(sums)
    return ratio_where(hit, predicted, predicted + target > 0)


def class_recall(sums: Floats) -> Floats:
    """Per class, the share of its targets that were found; 0 for a predicted class that is no target."""
    hit, predicted, target = _counts(sums)
    return ratio_where(hit, target, predicted + target > 0)


def class_f1(sums: Floats) -> Floats:
    """Per class, 2 hits / (predicted + target)."""
    hit, predicted, target = _counts(sums)
    return ratio(2 * hit, predicted + target)


def macro_precision(sums: Floats) -> Floats:
    """Mean of ``class_precision``."""
    return mean_of_defined(class_precision(sums))


def macro_recall(sums: Floats) -> Floats:
    """Mean of ``class_recall``: unlike ``balanced_accuracy`` with the classes that are only predicted, as 0."""
    return mean_of_defined(class_recall(sums))


def macro_f1(sums: Floats) -> Floats:
    """Mean of ``class_f1`` (the mean of F1, not the F1 of means; Opitz and Burst 2019 on the two)."""
    return mean_of_defined(class_f1(sums))


def weighted_precision(sums: Floats) -> Floats:
    """Mean of ``class_precision`` by how often each class is the target."""
    return weighted_mean_of_defined(class_precision(sums), _counts(sums)[2])


def weighted_recall(sums: Floats) -> Floats:
    """Mean of ``class_recall`` by how often each class is the target; with one label a sample the accuracy."""
    return weighted_mean_of_defined(class_recall(sums), _counts(sums)[2])


def weighted_f1(sums: Floats) -> Floats:
    """Mean of ``class_f1`` by how often each class is the target."""
    return weighted_mean_of_defined(class_f1(sums), _counts(sums)[2])


def micro_precision(sums: Floats) -> Floats:
    """Hits over predictions of all classes together; NaN when nothing was predicted."""
    hit, predicted, _ = _counts(sums)
    return ratio(hit.sum(axis=-1), predicted.sum(axis=-1))


def micro_recall(sums: Floats) -> Floats:
    """Hits over targets of all classes together; NaN when nothing is a target."""
    hit, _, target = _counts(sums)
    return ratio(hit.sum(axis=-1), target.sum(axis=-1))


def micro_f1(sums: Floats) -> Floats:
    """2 hits / (predictions + targets) of all classes together; with one label a sample the accuracy."""
    hit, predicted, target = _counts(sums)
    return ratio(2 * hit.sum(axis=-1), (predicted + target).sum(axis=-1))


def cohens_kappa(sums: Floats) -> Floats:
    """Agreement beyond chance, (p_o - p_e) / (1 - p_e) (Cohen 1960), unweighted, -1..1.

    NaN when targets and predictions are all of one and the same class.
    """
    hit, predicted, target = _counts(sums)
    total = target.sum(axis=-1)
    chance = (predicted * target).sum(axis=-1)
    return ratio(total * hit.sum(axis=-1) - chance, total**2 - chance)


def matthews_correlation(sums: Floats) -> Floats:
    """The R_K statistic (Gorodkin 2004), for two classes Matthews' phi, -1..1.

    NaN, where scikit-learn gives 0, when the targets or the predictions are all of one class.
    """
    hit, predicted, target = _counts(sums)
    total = target.sum(axis=-1)
    spread_predicted = total**2 - (predicted**2).sum(axis=-1)
    spread_target = total**2 - (target**2).sum(axis=-1)
    covariance = total * hit.sum(axis=-1) - (predicted * target).sum(axis=-1)
    return ratio(covariance, np.sqrt(spread_predicted * spread_target))


def _counts(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Hit, predicted and target counts, each [..., C]."""
    classes = sums.shape[-1] // 3
    return sums[..., :classes], sums[..., classes : 2 * classes], sums[..., 2 * classes :]

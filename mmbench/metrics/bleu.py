"""BLEU 1 to 4 as in coco-caption's BleuScorer, with the closest reference length.

Papineni et al. 2002, in the form of the COCO caption scores (Chen et al. 2015): no smoothing but constants that keep
the ratios defined; the reference length closest to the candidate's, of two equally close ones the shorter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.ngrams import ORDERS, Images, Matches

# The official constants: added to counts above and below the bar.
_TINY, _SMALL = 1e-15, 1e-9


def bleu_rows(lengths: Ints, images: Images, correct: Sequence[Ints]) -> Ints:
    """int64 [n,10] of n images: guessed and correct n-grams of the orders 1 to 4, candidate and reference length.

    ``lengths`` int64 [t] are those of the texts in words, ``correct`` that of each order (``correct_ngrams``).
    """
    own = lengths[images.first]
    guessed = np.maximum(own[:, None] - np.arange(ORDERS), 0)
    return np.column_stack([guessed, *correct, own, _closest(lengths, images)])


def correct_ngrams(match: Matches, images: int) -> Ints:
    """int64 [n]: the candidate's n-grams that occur in a reference, each counted at most as often as in one."""
    clipped = np.minimum(match.candidate, match.reference)
    # A weighted bincount sums in float64: exact below 2**53.
    return np.bincount(match.image, weights=clipped, minlength=images).astype(np.int64)


def bleu(sums: Floats) -> Floats:
    """BLEU 1 to 4, float64 [...,4], of summed rows float64 [...,10]; a single row gives the image's own BLEU.

    BLEU_n = exp(min(0, 1 - r/c)) * prod_{k<=n} p_k^(1/n), where p_k are the shares of guessed k-grams that are correct,
    c and r the candidate and reference length; counts are clipped to the highest in one reference.
    """
    guessed, correct = sums[..., :ORDERS], sums[..., ORDERS : 2 * ORDERS]
    ratio = (sums[..., -2] + _TINY) / (sums[..., -1] + _SMALL)
    brevity = np.exp(np.minimum(1 - 1 / ratio, 0))
    products = np.cumprod((correct + _TINY) / (guessed + _SMALL), axis=-1)
    scores: Floats = products ** (1 / np.arange(1, ORDERS + 1)) * brevity[..., None]
    return scores


def _closest(lengths: Ints, images: Images) -> Ints:
    """int64 [n]: the length of the reference that is closest to the candidate's, the shorter of two."""
    distance = np.abs(lengths - lengths[images.first][images.image])
    span = int(lengths.max(initial=0)) + 1
    key = np.where(images.candidate, np.iinfo(np.int64).max, distance * span + lengths)
    nearest = np.minimum.reduceat(key, images.first) if len(images.first) else key
    return nearest % span

"""Retrieval: ranks of what is relevant in a similarity matrix [Q,D], queries by items, higher for more alike.

The tie rule is pessimistic: of equal similarities what is less relevant ranks first. So a model that gives one score to
everything gets the lowest value, similarities rounded to half precision gain nothing, ranks are whole numbers, and the
order of the items does not matter. Without ties all rules agree.

A query without a relevant item has no value and is left out of every mean (torchmetrics counts 0 by default); with no
query left the value is NaN. The units are queries: a draw resamples these and leaves the items as they are.

With several captions an image, ``matches(image_ids, caption_image_ids)`` is the relevance of image to text and its
transpose that of text to image; the published R@K (VSE++, CLIP) is ``rank_hit_rows`` in both directions: one of an
image's captions among the first K is enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats, Ints
from mmbench.metrics.inputs import Bools, indicators, numbers, positive
from mmbench.metrics.ratios import hit_rows, mean_rows
from mmbench.metrics.weighted import Weights, by_chunks, running_totals, whole_weights

# Similarities of a block of queries: the masks of a block are a few MiB.
_BLOCK = 1 << 20


def matches(query_keys: ArrayLike, item_keys: ArrayLike) -> Bools:
    """Bool [Q,D]: whether a query and an item have the same key (such as the image id); keys [Q] and [D].

    Raises ValueError for another shape.
    """
    queries, items = np.asarray(query_keys), np.asarray(item_keys)
    if queries.ndim != 1 or items.ndim != 1:
        raise ValueError(f"The keys are of {queries.ndim} and {items.ndim} axes, expected [Q] and [D].")
    same: Bools = queries[:, None] == items
    return same


def first_ranks(similarity: ArrayLike, relevance: ArrayLike) -> Ints:
    """int64 [Q]: the rank (1 is best) of the best relevant item of each query; 0 where nothing is relevant.

    Similarity [Q,D] of any real dtype, relevance bool or 0/1 [Q,D]. Raises ValueError for unequal shapes, SampleError
    for NaN or another relevance. Rows of blocks of queries can be concatenated.
    """
    table = numbers("similarities", similarity, (None, None))
    relevant = indicators("relevance", relevance, table.shape)
    step = max(1, _BLOCK // max(1, table.shape[1]))
    blocks = [_first_ranks(table[a : a + step], relevant[a : a + step]) for a in range(0, max(1, len(table)), step)]
    return np.concatenate(blocks)


def rank_hit_rows(ranks: Ints, k: int) -> Ints:
    """Rows int64 [Q,2] for ``ratios.mean``, the R@K of image-text retrieval: whether a relevant item is among k, and 1.

    Also called hit rate; ``ranks`` int64 [Q] of ``first_ranks``. Raises ValueError for k below 1.
    """
    positive("k", k)
    return hit_rows(ranks <= k, ranks > 0)


def reciprocal_rank_rows(ranks: Ints) -> Floats:
    """Rows float64 [Q,2] for ``ratios.mean``, the MRR: 1 / rank, and 1; ``ranks`` int64 [Q] of ``first_ranks``."""
    return mean_rows(np.where(ranks > 0, 1 / np.maximum(ranks, 1), np.nan))


def median_rank(ranks: Ints, weights: Weights | None = None) -> Floats:
    """float64 [draws]: the median of ``first_ranks`` int64 [Q], from 1; the mean of the middle two of an even number.

    NaN for a draw without a ranked query. Raises ValueError for weights that do not fit.
    """
    ranked = np.flatnonzero(ranks > 0)
    order = ranked[np.argsort(ranks[ranked], kind="stable")]
    # A draw of nothing points behind the last rank.
    values = np.append(ranks[order].astype(np.float64), np.nan)

    def value(chunk: Ints) -> Floats:
        totals = running_totals(np.take(chunk, order, axis=1))
        middle = (totals[:, -1:] - 1) // 2, totals[:, -1:] // 2
        low, high = (np.count_nonzero(totals[:, 1:] <= place, axis=1) for place in middle)
        return np.where(totals[:, -1] > 0, (values[low] + values[high]) / 2, np.nan)

    return by_chunks(value, whole_weights(weights, len(ranks)))


def recall_rows(similarity: ArrayLike, relevance: ArrayLike, k: int) -> Floats:
    """Rows float64 [Q,2] for ``ratios.mean``: the share of a query's relevant items that are among the first k, and 1.

    The recall of information retrieval; for the R@K of image-text retrieval see ``rank_hit_rows``. Arguments and errors
    as ``first_ranks``, and ValueError for k below 1.
    """
    positive("k", k)
    table = numbers("similarities", similarity, (None, None))
    relevant = indicators("relevance", relevance, table.shape)
    shares = [_recall(scores, marks, k) for scores, marks in zip(table, relevant, strict=True)]
    return mean_rows(np.array(shares, dtype=np.float64))


def ndcg_rows(similarity: ArrayLike, gains: ArrayLike, k: int | None = None) -> Floats:
    """Rows float64 [Q,2] for ``ratios.mean``: the nDCG of the first k items (None: of all), and 1.

    DCG = sum_i gain_i / log2(i + 1) over the ranks i from 1, divided by that of the best order (Jarvelin and Kekalainen
    2002). Gains [Q,D] are numbers from 0 up, taken as they are; for exponential gain hand in 2^relevance - 1. Raises
    ValueError for unequal shapes, no item or k below 1, SampleError for NaN or a gain that is negative or infinite.
    """
    table = numbers("similarities", similarity, (None, None))
    worth = _checked_gains(gains, table.shape)
    items = table.shape[1]
    positive("number of items", items)
    cut = items if k is None else k
    positive("k", cut)
    discounts = 1 / np.log2(np.arange(2, min(cut, items) + 2))
    values = [_ndcg(s.astype(np.float64), g.astype(np.float64), discounts) for s, g in zip(table, worth, strict=True)]
    return mean_rows(np.array(values, dtype=np.float64))


def _checked_gains(gains: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.asarray(gains)
    worth = numbers("gains", array.astype(np.int8) if array.dtype == np.bool_ else array, shape, finite=True)
    if worth.size and worth.min() < 0:
        raise SampleError(f"Row {np.argwhere(worth < 0)[0][0]} of the gains holds a negative one; expected 0 or more.")
    return worth


def _first_ranks(similarity: NDArray[Any], relevant: Bools) -> Ints:
    best = np.where(relevant, similarity, -np.inf).max(axis=1, initial=-np.inf)
    before = np.count_nonzero((similarity >= best[:, None]) & ~relevant, axis=1)
    return np.where(relevant.any(axis=1), before + 1, 0)


def _recall(scores: NDArray[Any], relevant: Bools, k: int) -> float:
    count = np.count_nonzero(relevant)
    if not count:
        return np.nan
    if k >= len(scores):
        return 1.0
    limit = np.partition(scores, len(scores) - k)[len(scores) - k]
    above, tied = scores > limit, scores == limit
    # The places left at the limit go to the irrelevant first.
    left = k - int(np.count_nonzero(above)) - int(np.count_nonzero(tied & ~relevant))
    return (int(np.count_nonzero(above & relevant)) + max(0, left)) / int(count)


def _ndcg(scores: Floats, gains: Floats, discounts: Floats) -> float:
    k = len(discounts)
    ideal = float(_largest(gains, k) @ discounts)
    if not ideal:
        return np.nan
    candidates = np.flatnonzero(scores >= _largest(scores, k)[-1])
    order = np.lexsort((gains[candidates], -scores[candidates]))[:k]
    return float(gains[candidates[order]] @ discounts) / ideal


def _largest(values: Floats, k: int) -> Floats:
    """The k largest of [D], falling."""
    return np.sort(np.partition(values, len(values) - k)[len(values) - k :])[::-1]

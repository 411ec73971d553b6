"""CIDEr as the official COCO caption scorer computes it.

What pycocoevalcap and all published COCO figures call CIDEr is CIDEr-D of Vedantam et al. 2015: counts are clipped, and
captions of unequal length are penalised by a Gaussian with sigma 6; without their stemming, times 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.ngrams import ORDERS, Grams, Images, Matches, encode, grams

_SIGMA = 6.0
_SCALE = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class DocumentFrequencies:
    """In how many of ``documents`` (images, by their references) each n-gram of the orders 1 to 4 occurs.

    ``keys`` and ``counts``, int64 [g] of each order, in ascending order of keys: a key is the number of the (n-1)-gram
    times the size of the vocabulary plus the number of the last word; the number of an n-gram is its place.
    """

    documents: int
    vocabulary: Mapping[str, int]
    keys: tuple[Ints, ...]
    counts: tuple[Ints, ...]


def document_frequencies(references: Sequence[Sequence[str]]) -> DocumentFrequencies:
    """Of a corpus: the tokenized references of each image."""
    words = encode(chain.from_iterable(references))
    document = np.repeat(np.arange(len(references)), [len(texts) for texts in references])
    keys, counts = [], []
    for found in grams(words):
        keys.append(found.prefix * len(words.vocabulary) + found.last)
        # Entries are sorted by n-gram and then by text, so those of one document stand together.
        place = np.stack([found.gram, document[found.text]])
        new = np.ones(place.shape[1], dtype=np.bool_)
        new[1:] = (place[:, 1:] != place[:, :-1]).any(axis=0)
        counts.append(np.bincount(found.gram[new], minlength=len(found.last)))
    return DocumentFrequencies(len(references), dict(words.vocabulary), tuple(keys), tuple(counts))


class Frequencies:
    """Document frequencies of the n-grams found in one pass, order by order; asked once for each order, in turn."""

    def __init__(self, images: int, words: Iterable[str], stated: DocumentFrequencies | None) -> None:
        self._stated = stated
        self.documents = images if stated is None else stated.documents
        if stated is not None:
            self._words = np.array([stated.vocabulary.get(word, -1) for word in words], dtype=np.int64)
            self._numbers = np.zeros(1, dtype=np.int64)
            self._tables = iter(zip(stated.keys, stated.counts, strict=True))

    def weights(self, match: Matches) -> Floats:
        """float64 [g]: log(documents) - log(document frequency, at least 1) of each n-gram of the order."""
        counts = self._own(match) if self._stated is None else self._known(match.grams, len(self._stated.vocabulary))
        weights: Floats = np.log(float(self.documents)) - np.log(np.maximum(counts, 1.0))
        return weights

    def _own(self, match: Matches) -> Ints:
        return np.bincount(match.gram[match.reference > 0], minlength=len(match.grams.last))

    def _known(self, found: Grams, size: int) -> Ints:
        """Counts of the stated corpus; the numbers found there are the prefixes of the next order."""
        keys, counts = next(self._tables)
        prefix, last = self._numbers[found.prefix], self._words[found.last]
        wanted = np.where((prefix >= 0) & (last >= 0), prefix * size + last, -1)
        number = np.searchsorted(keys, wanted)
        known = number < len(keys)
        known[known] = keys[number[known]] == wanted[known]
        self._numbers = np.where(known, number, -1)
        result = np.zeros(len(number), dtype=np.int64)
        result[known] = counts[number[known]]
        return result


def similarities(match: Matches, weights: Floats, images: Images) -> Floats:
    """float64 [t]: of each reference the clipped cosine with its candidate over one order's n-grams; 0 elsewhere.

    Sum of min(h, r) * r / (|h| |r|), where h and r weigh an n-gram by its count times ``weights`` float64 [g].
    """
    found, texts = match.grams, len(images.image)
    weight = weights[found.gram]
    norms = np.sqrt(np.bincount(found.text, weights=(found.count * weight) ** 2, minlength=texts))
    own = match.candidate[match.place]
    shared = (own > 0) & ~images.candidate[found.text]
    own, count, weight = own[shared], found.count[shared], weight[shared]
    dots = np.bincount(found.text[shared], weights=np.minimum(own, count) * count * weight**2, minlength=texts)
    scale = norms * norms[images.first[images.image]]
    cosines: Floats = np.divide(dots, scale, out=np.zeros(texts), where=scale > 0)
    return cosines


def cider(similarity: Floats, lengths: Ints, images: Images) -> Floats:
    """float64 [n]: CIDEr of each image, from 0 to 10; the corpus' is their mean.

    ``similarity`` float64 [t] is the sum of ``similarities`` over the orders, ``lengths`` int64 [t] in words: 10 times
    the mean over orders and references of similarity * exp(-(difference in length)^2 / (2 sigma^2)), where lengths are
    those in bigrams.
    """
    bigrams = np.maximum(lengths - 1, 0)
    penalty = np.exp(-((bigrams - bigrams[images.first[images.image]]) ** 2) / (2 * _SIGMA**2))
    totals = np.bincount(images.image, weights=similarity * penalty, minlength=len(images.first))
    references = np.diff(images.first, append=len(images.image)) - 1
    scores: Floats = _SCALE * totals / ORDERS / references
    return scores

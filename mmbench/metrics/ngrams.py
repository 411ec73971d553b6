"""One pass over the n-grams of captions and their references, which BLEU and CIDEr share.

Words are those of ``str.split()``, as in coco-caption's scorers. They become numbers, n-grams of each order too: a
number for each pair of an (n-1)-gram and a word. Nothing is hashed away, so there are no collisions.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.core.metric import Ints

ORDERS = 4
# Bits of a number that can be sorted as one.
_BITS = 63


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Texts as numbers: ``codes`` int64 [w] of all words in turn, ``lengths`` int64 [t] in words."""

    vocabulary: dict[str, int]
    codes: Ints
    lengths: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """The g distinct n-grams of one order, and how often each occurs in each text.

    N-gram i is the (n-1)-gram ``prefix[i]`` (0 for single words) and the word ``last[i]``. Entry j says that n-gram
    ``gram[j]`` occurs ``count[j]`` times in ``text[j]``; entries are sorted by n-gram, then text. All int64.
    """

    prefix: Ints
    last: Ints
    gram: Ints
    text: Ints
    count: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Texts by image: each image's candidate, then its references.

    ``image`` int64 [t] and ``candidate`` bool [t] say of each text which image it belongs to and whether it is the
    candidate; ``first`` int64 [n] is the place of each image's candidate.
    """

    image: Ints
    candidate: np.ndarray[tuple[int], np.dtype[np.bool_]]
    first: Ints

    @classmethod
    def of(cls, references: Sequence[Sequence[str]]) -> Images:
        """The order of ``in_turn``."""
        sizes = np.array([1 + len(texts) for texts in references], dtype=np.int64)
        first = np.cumsum(sizes) - sizes
        candidate = np.zeros(int(sizes.sum()), dtype=np.bool_)
        candidate[first] = True
        return cls(np.repeat(np.arange(len(sizes)), sizes), candidate, first)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """How the n-grams of one order match between candidates and references.

    A *place* is an n-gram in an image. Of each place, int64 [p]: its n-gram, its image, the count in the candidate and
    the highest count in a reference; ``place`` int64 [m] is that of each entry of ``grams``.
    """

    grams: Grams
    place: Ints
    gram: Ints
    image: Ints
    candidate: Ints
    reference: Ints


def in_turn(references: Sequence[Sequence[str]], candidates: Sequence[str]) -> Iterator[str]:
    """Each image's candidate, then its references."""
    for candidate, texts in zip(candidates, references, strict=True):
        yield candidate
        yield from texts


def encode(texts: Iterable[str]) -> Words:
    """The words of texts as numbers 0.. in the order in which they are first met."""
    vocabulary = _Vocabulary()
    codes, lengths = array("q"), array("q")
    for text in texts:
        words = text.split()
        codes.extend(map(vocabulary.__getitem__, words))
        lengths.append(len(words))
    return Words(vocabulary, np.array(codes, dtype=np.int64), np.array(lengths, dtype=np.int64))


class _Vocabulary(dict[str, int]):
    def __missing__(self, word: str) -> int:
        self[word] = code = len(self)
        return code


def grams(words: Words) -> Iterator[Grams]:
    """The n-grams of the orders 1 to 4."""
    text = np.repeat(np.arange(len(words.lengths)), words.lengths)
    end = np.repeat(np.cumsum(words.lengths), words.lengths)
    numbers = np.zeros_like(words.codes)
    for order in range(1, ORDERS + 1):
        starts = np.flatnonzero(np.arange(len(text)) + order <= end)
        prefix, last = numbers[starts], words.codes[starts + order - 1]
        ranks = _ranked(prefix, last, len(words.vocabulary))
        starts, prefix, last = starts[ranks], prefix[ranks], last[ranks]
        new = _changes(prefix, last)
        numbers[starts] = number = np.cumsum(new) - 1
        entry = np.flatnonzero(new | _changes(text[starts]))
        count = np.diff(entry, append=len(starts))
        yield Grams(prefix[new], last[new], number[entry], text[starts[entry]], count)


def matches(found: Grams, images: Images) -> Matches:
    """Where candidates and references have n-grams in common."""
    image, candidate = images.image[found.text], images.candidate[found.text]
    new = _changes(found.gram, image)
    first = np.flatnonzero(new)
    # Of a place's entries the candidate's is the first: texts are sorted, and an image's candidate comes first.
    own = np.where(candidate[first], found.count[first], 0)
    others = np.where(candidate, 0, found.count)
    best = np.maximum.reduceat(others, first) if len(first) else others
    return Matches(found, np.cumsum(new) - 1, found.gram[first], image[first], own, best)


def _ranked(prefix: Ints, last: Ints, words: int) -> Ints:
    """The order by (prefix, last, place); one number of all three sorts faster than they do."""
    size = len(prefix)
    key = prefix * words + last
    shift = size.bit_length()
    if size and int(key.max()).bit_length() + shift <= _BITS:
        key <<= shift
        key |= np.arange(size)
        key.sort()
        key &= (1 << shift) - 1
        return key
    return np.argsort(key, kind="stable")


def _changes(*columns: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """bool [n]: the rows that differ from the one before; the first does."""
    new = np.ones(len(columns[0]), dtype=np.bool_)
    new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return new

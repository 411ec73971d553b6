"""The official scores of image captions: BLEU 1 to 4, ROUGE-L and CIDEr, as coco-caption (pycocoevalcap) gives them.

``caption_scores(references, candidates)`` takes raw captions. ``caption_rows`` takes tokenized ones and gives the rows
of each image, from which slices, merged runs and bootstrap draws are computed without scoring again.

METEOR and SPICE are not here: they are defined by Java programs with large tables of their own.

What is defined, as officially: an empty caption scores (BLEU 0, ROUGE-L 0 unless a reference is empty too, CIDEr 0);
images may have different numbers of references; over one image CIDEr is 0, unless document frequencies are given. An
image without a reference is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.core.errors import NothingMeasured, SampleError, UsageError
from mmbench.core.metric import Floats, Ints
from mmbench.metrics.bleu import bleu, bleu_rows, correct_ngrams
from mmbench.metrics.cider import DocumentFrequencies, Frequencies, cider, similarities
from mmbench.metrics.ngrams import ORDERS, Images, encode, grams, in_turn, matches
from mmbench.metrics.rouge import rouge_l
from mmbench.text.ptb import tokenize_lines


@dataclass(frozen=True, slots=True, eq=False)
class CaptionRows:
    """Rows of n images: ``bleu`` int64 [n,10] (see ``bleu_rows``), ``rouge_l`` and ``cider`` float64 [n].

    BLEU of a selection is ``bleu`` of the sum of its rows; ROUGE-L and CIDEr are means.
    """

    bleu: Ints
    rouge_l: Floats
    cider: Floats


def caption_rows(
    references: Sequence[Sequence[str]], candidates: Sequence[str], frequencies: DocumentFrequencies | None = None
) -> CaptionRows:
    """Rows of the images whose tokenized captions and references stand at the same place.

    CIDEr's document frequencies are those of ``references``, or ``frequencies`` of a stated corpus; a bootstrap draw of
    the rows keeps them. Raises NothingMeasured when there is no image, UsageError when the two lists differ in length
    or one text stands for a list of references, SampleError when an image has no reference.
    """
    _check(references, candidates)
    images, words = Images.of(references), encode(in_turn(references, candidates))
    documents = Frequencies(len(candidates), words.vocabulary, frequencies)
    correct: list[Ints] = []
    similarity = np.zeros(len(words.lengths))
    for found in grams(words):
        match = matches(found, images)
        correct.append(correct_ngrams(match, len(candidates)))
        similarity += similarities(match, documents.weights(match), images)
    return CaptionRows(
        bleu_rows(words.lengths, images, correct),
        rouge_l(references, candidates),
        cider(similarity, words.lengths, images),
    )


def caption_scores(
    references: Sequence[Sequence[str]], candidates: Sequence[str], frequencies: DocumentFrequencies | None = None
) -> dict[str, float]:
    """Corpus scores of raw captions: bleu_1 .. bleu_4, rouge_l and cider.

    ``references`` holds the raw references of each image, ``frequencies`` those of tokenized ones. Raises what
    ``caption_rows`` raises.
    """
    _check(references, candidates)
    rows = caption_rows(_tokenized(references), tokenize_lines(candidates), frequencies)
    of_corpus = bleu(rows.bleu.sum(axis=0).astype(np.float64))
    scores = {f"bleu_{order + 1}": float(of_corpus[order]) for order in range(ORDERS)}
    return scores | {"rouge_l": float(rows.rouge_l.mean()), "cider": float(rows.cider.mean())}


def _tokenized(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """All references as the lines of one file, as officially."""
    lines = iter(tokenize_lines([text for texts in references for text in texts]))
    return [[next(lines) for _ in texts] for texts in references]


def _check(references: Sequence[Sequence[str]], candidates: Sequence[str]) -> None:
    if isinstance(candidates, str):
        raise UsageError(
            "The captions are one text, expected a list of texts; put it in one, with a list of references."
        )
    if len(references) != len(candidates):
        raise UsageError(
            f"Captions and references differ in length: {len(candidates)} and {len(references)}; give each caption the "
            "list of its references."
        )
    if not candidates:
        raise NothingMeasured("There is no caption to score; expected at least one with its references.")
    for place, texts in enumerate(references):
        if isinstance(texts, str):
            raise UsageError(
                f"The references of caption {place} are one text, expected a list of texts; put it in one."
            )
        if not texts:
            raise SampleError(f"Caption {place} has no reference, expected at least one; leave the image out.")

"""Accuracy of free-form answers against those of ten annotators, each benchmark by its own rule.

All but GQA score by the mean, over the annotators, of ``min(matches among the others / 3, 1)``. With n annotators of
whom m agree with the answer that is the fraction ``(m min(m-1, 3) + (n-m) min(m, 3)) / 3n``: of ten annotators
0, 9, 18, 27 or 30 thirtieths. The rules differ in when an answer matches:

======== ============================== ============================== =======================================
rule     the answer                     the annotators' answers        exception
======== ============================== ============================== =======================================
vqa      ``normalize_vqa_answer``       ``normalize_vqa_answer``       neither is normalised if all of the
                                                                       annotators' answers are one text
okvqa    as vqa                         as vqa; five annotators, each  as vqa
                                        counted twice by the files
textvqa  ``normalize_textvqa_answer``   ``normalize_textvqa_answer``   none
vizwiz   ``normalize_vqa_answer``       as they stand in the file      none
gqa      as it stands                   one answer, as it stands       0 or 1
======== ============================== ============================== =======================================

Annotators count by position. ``vqaEval.py`` drops all entries that equal the one left out, which is the same in its
own files (each answer has an ``answer_id``) but not where entries have no id; VizWiz and TextVQA count by position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats, Ints
from mmbench.text.vqa_normalize import normalize_textvqa_answer, normalize_vqa_answer, trim_answer

ANNOTATORS = 10
# Points of a question in a row; with ten annotators every accuracy is a whole number of thirtieths.
POINTS = 3 * ANNOTATORS


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How many annotators agree with each answer: ``matches`` of ``annotators``, both int64 [n]."""

    matches: Ints
    annotators: Ints

    def accuracy(self) -> Floats:
        """float64 [n] in 0..1, the accuracy of each question; the mean of them is the benchmark's figure."""
        accuracy: Floats = self._thirds() / (3 * self.annotators)
        return accuracy

    def rows(self) -> Ints:
        """int64 [n,2]: points of 30, and 30; the ratio of their sums is the mean accuracy, exact in any resample.

        Raises SampleError when a question has other than ten annotators: its points need not be whole.
        """
        odd = np.flatnonzero(self.annotators != ANNOTATORS)
        if odd.size:
            found = int(self.annotators[odd[0]])
            raise SampleError(
                f"Question {int(odd[0])} (from 0) has {found} annotators' answers, expected {ANNOTATORS}."
            )
        return np.stack([self._thirds(), np.full_like(self.matches, POINTS)], axis=1)

    def _thirds(self) -> Ints:
        others = self.annotators - self.matches
        thirds: Ints = self.matches * np.minimum(self.matches - 1, 3) + others * np.minimum(self.matches, 3)
        return thirds


def vqa_accuracy(answers: Sequence[str], ground_truths: Sequence[Sequence[str]]) -> Floats:
    """float64 [n]: accuracy of n answers by the official VQA rule, each against its annotators' answers.

    Raises SampleError when an answer is not a text or a question has no annotator's answer, ValueError on unequal
    lengths. Source: Agrawal et al. 2015 (arXiv:1505.00468), as computed by ``vqaEval.py`` of GT-Vision-Lab/VQA.
    """
    return vqa_agreement(answers, ground_truths).accuracy()


def okvqa_accuracy(answers: Sequence[str], ground_truths: Sequence[Sequence[str]]) -> Floats:
    """float64 [n]: ``vqa_accuracy``, which OK-VQA scores by; its files hold five annotators' answers twice each.

    So the score is 0, 0.6 (one of five agrees) or 1. The files' answers are stemmed; an answer is not stemmed here,
    as it is not in the official script. Raises as ``vqa_accuracy``. Source: Marino et al. 2019 (arXiv:1906.00067).
    """
    return vqa_accuracy(answers, ground_truths)


def textvqa_accuracy(answers: Sequence[str], ground_truths: Sequence[Sequence[str]]) -> Floats:
    """float64 [n]: accuracy by TextVQA's rule; raises as ``vqa_accuracy``.

    Source: Singh et al. 2019 (arXiv:1904.08920), as computed by ``TextVQAAccuracyEvaluator`` of MMF.
    """
    return textvqa_agreement(answers, ground_truths).accuracy()


def vizwiz_accuracy(answers: Sequence[str], ground_truths: Sequence[Sequence[str]]) -> Floats:
    """float64 [n]: accuracy by VizWiz's rule; "unanswerable" is an answer as any other; raises as ``vqa_accuracy``.

    Source: Gurari et al. 2018 (arXiv:1802.08218), as computed by the challenge's ``vqaEval.py``.
    """
    return vizwiz_agreement(answers, ground_truths).accuracy()


def gqa_accuracy(answers: Sequence[str], gold: Sequence[str]) -> Floats:
    """float64 [n], 1 where the answer is the gold answer letter by letter, else 0; ValueError on unequal lengths.

    Source: Hudson and Manning 2019 (arXiv:1902.09506), as computed by ``eval.py`` of GQA, which scores the balanced
    questions.
    """
    return gqa_rows(answers, gold)[:, 0].astype(np.float64)


def gqa_rows(answers: Sequence[str], gold: Sequence[str]) -> Ints:
    """int64 [n,2]: 1 if the answer is right else 0, and 1; ValueError on unequal lengths."""
    correct = [answer == right for answer, right in zip(answers, gold, strict=True)]
    rows = np.ones((len(correct), 2), dtype=np.int64)
    rows[:, 0] = correct
    return rows


def vqa_agreement(answers: Sequence[str], ground_truths: Sequence[Sequence[str]]) -> Agreement:
    """Matches by the official VQA rule, with its exception; raises as ``vqa_accuracy``."""
    annotators = _annotators(ground_truths)
    look_up = _Memo(normalize_vqa_answer).__getitem__
    matches = []
    for answer, given in zip(answers, ground_truths, strict=True):
        found = [*map(look_up, given)].count(look_up(answer))
        # Texts that agree as they are agree normalised, so the exception can only undo a match with everybody.
        if found == len(given) and answer != given[0] and not _matches_untouched(answer, given):
            found = 0
        matches.append(found)
    return Agreement(np.array(matches, dtype=np.int64), annotators)


def textvqa_agreement(answers: Sequence[str], ground_truths: Sequence[Sequence[str]]) -> Agreement:
    """Matches by TextVQA's rule; raises as ``vqa_accuracy``."""
    annotators = _annotators(ground_truths)
    look_up = _Memo(normalize_textvqa_answer).__getitem__
    pairs = zip(answers, ground_truths, strict=True)
    matches = [[*map(look_up, given)].count(look_up(answer)) for answer, given in pairs]
    return Agreement(np.array(matches, dtype=np.int64), annotators)


def vizwiz_agreement(answers: Sequence[str], ground_truths: Sequence[Sequence[str]]) -> Agreement:
    """Matches by VizWiz's rule, which normalises the answer only; raises as ``vqa_accuracy``."""
    annotators = _annotators(ground_truths)
    look_up = _Memo(normalize_vqa_answer).__getitem__
    matches = [given.count(look_up(answer)) for answer, given in zip(answers, ground_truths, strict=True)]
    return Agreement(np.array(matches, dtype=np.int64), annotators)


class _Memo(dict[str, str]):
    """Normalised answers by answer; each text is normalised once."""

    def __init__(self, normalize: Callable[[str], str]) -> None:
        self._normalize = normalize

    def __missing__(self, text: str) -> str:
        self[text] = normal = self._normalize(text)
        return normal


def _matches_untouched(answer: str, given: Sequence[str]) -> bool:
    """False when all of ``given`` are one text, which ``answer`` is not before any normalisation."""
    texts = {trim_answer(text) for text in given}
    return len(texts) > 1 or trim_answer(answer) in texts


def _annotators(ground_truths: Sequence[Sequence[str]]) -> Ints:
    sizes = np.array([*map(len, ground_truths)], dtype=np.int64)
    if not sizes.all():
        raise SampleError(
            f"Question {int(np.argmin(sizes))} (from 0) has no annotator's answer, expected {ANNOTATORS}."
        )
    # A text is a sequence of letters too; scored as ten answers it would give a number.
    if str in set(map(type, ground_truths)):
        text = next(given for given in ground_truths if isinstance(given, str))
        raise SampleError(f"The annotators' answers of a question are the text {text!r}, expected a list of texts.")
    return sizes

"""Metrics of captions as suites name them: the official scores over one text per image.

METEOR and SPICE are not included: both are defined by Java programs with tables of their own (paraphrases, a parser).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmbench.core.errors import SampleError
from mmbench.core.metric import Classless, Floats, TaskContext
from mmbench.core.prediction import Prediction, Text
from mmbench.core.registry import metric, statistic
from mmbench.metrics.bleu import bleu
from mmbench.metrics.captions import caption_rows
from mmbench.metrics.ratios import ratio
from mmbench.text.ptb import tokenize_many

_BLEU, _ROUGE, _CIDER, _COUNT = slice(0, 10), 10, 11, 12


@statistic("captions", version=1)
class Captions(Classless):
    """Rows float64 [n,13]: the counts of BLEU (``bleu.bleu_rows``), ROUGE-L, CIDEr, and 1.

    CIDEr's document frequencies are those of the references scored; slices and bootstrap draws keep them.
    """

    def check(self, target: Any, prediction: Prediction, context: TaskContext) -> None:  # noqa: ARG002
        """Raises SampleError unless the prediction is a text and the image has a reference."""
        if not isinstance(prediction, Text):
            raise SampleError(f"The prediction of {prediction.sample_id!r} is {prediction.kind}, expected a caption.")
        if not target:
            raise SampleError(f"The image {prediction.sample_id!r} has no reference caption.")

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Floats:  # noqa: ARG002
        """Targets are tuples of reference captions, as they stand in the files."""
        references = [tokenize_many(target) for target in targets]
        candidates = tokenize_many(p.text for p in predictions if isinstance(p, Text))
        found = caption_rows(references, candidates)
        means = [found.rouge_l, found.cider, np.ones(len(candidates))]
        return np.concatenate([found.bleu.astype(np.float64), np.stack(means, axis=1)], axis=1)


@metric("bleu1", statistic="captions", version=1, task="captioning")
def bleu1(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Corpus BLEU of words, closest reference length."""
    return bleu(sums[..., _BLEU])[..., 0]


@metric("bleu2", statistic="captions", version=1, task="captioning")
def bleu2(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Corpus BLEU of n-grams up to 2, closest reference length."""
    return bleu(sums[..., _BLEU])[..., 1]


@metric("bleu3", statistic="captions", version=1, task="captioning")
def bleu3(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Corpus BLEU of n-grams up to 3, closest reference length."""
    return bleu(sums[..., _BLEU])[..., 2]


@metric("bleu4", statistic="captions", version=1, task="captioning")
def bleu4(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Corpus BLEU of n-grams up to 4, closest reference length (Papineni et al., ACL 2002)."""
    return bleu(sums[..., _BLEU])[..., 3]


@metric("rouge_l", statistic="captions", version=1, task="captioning")
def rouge_l(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean ROUGE-L of the images, beta 1.2 (Lin 2004, as in coco-caption)."""
    return ratio(sums[..., _ROUGE], sums[..., _COUNT])


@metric(
    "cider",
    statistic="captions",
    version=1,
    task="captioning",
    high=10.0,
    estimand="expected score on test sets of this size, under the document frequencies of the references scored",
)
def cider(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean CIDEr of the images as the official scorer computes it, which is CIDEr-D (Vedantam et al., CVPR 2015)."""
    return ratio(sums[..., _CIDER], sums[..., _COUNT])

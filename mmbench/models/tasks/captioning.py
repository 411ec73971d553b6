"""Captioning: texts word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmbench.core.errors import SampleError
from mmbench.core.prediction import Prediction, Text
from mmbench.fusion.feature import Feature
from mmbench.models.beam_search import beam_search
from mmbench.models.caption_decoder import EDGE, CaptionDecoder
from mmbench.models.config import ModelConfig
from mmbench.models.tasks.task import VOID, Asked, Decide, Labels, Penalty, Task
from mmbench.models.vocabulary import split_words


class Captioning(Task):
    """Captions as list[str]; a target is int64 [R,T], each reference's words from 1 on, EDGE behind them, then VOID.

    The classes are the words of the decoder.
    """

    worded = True

    def target(self, value: Any, labels: Labels) -> Tensor:
        """Words outside the vocabulary are left out."""
        references = (value,) if isinstance(value, str) else value
        if not references:
            raise SampleError("A sample has no caption to learn from.")
        numbers = {word: place for place, word in enumerate(labels.classes, start=1)}
        rows = [[numbers[w] for w in split_words(text) if w in numbers][: labels.length] for text in references]
        longest = max(len(row) for row in rows)
        return torch.tensor([[*row, EDGE, *[VOID] * (longest - len(row))] for row in rows])

    def truth(self, target: Tensor, value: Any) -> Any:  # noqa: ARG002
        """The references."""
        return value

    def collate(self, targets: Sequence[Tensor]) -> Tensor:
        """int64 [B,R,T], VOID where an item has fewer references or words."""
        rows, columns = (max(t.shape[axis] for t in targets) for axis in (0, 1))
        together = torch.full((len(targets), rows, columns), VOID)
        for place, target in zip(together, targets, strict=True):
            place[: target.shape[0], : target.shape[1]] = target
        return together

    def counts(self, target: Tensor, classes: int) -> Tensor:
        """Words."""
        return torch.bincount(target[target > EDGE] - 1, minlength=classes)[:classes].double()

    def channels(self, config: ModelConfig) -> int:
        """The words and EDGE."""
        return 1 + len(config.classes)

    def head(self, config: ModelConfig) -> nn.Module:
        """A decoder, which is given the words so far."""
        return CaptionDecoder(config.width, len(config.classes))

    def query(self, target: Tensor) -> Tensor:
        """Teacher forcing: before word t stand the t - 1 words before it; the decoder itself puts EDGE before all."""
        return target[..., :-1].clamp(min=EDGE)

    def loss(self, logits: Feature, target: Tensor, penalty: Penalty, config: ModelConfig) -> Tensor:  # noqa: ARG002
        """-log P(w_t | w_<t), the mean over words and ends; all count alike."""
        flat = Penalty(torch.ones(logits.x.shape[-1]), penalty.focal)
        return flat.of(logits.x.float().transpose(1, 2), target.flatten(1))

    def answer(self, decide: Decide, asked: Asked) -> list[str]:
        """The captions that a beam search finds."""

        def follow(found: Tensor) -> Tensor:
            logits = decide(found).x.reshape(len(found), found.shape[1], found.shape[2] + 1, -1)
            return logits[:, :, -1].float().log_softmax(dim=-1)

        best, _ = beam_search(follow, asked.count, asked.config.beam, asked.config.length, asked.device)
        words = asked.config.classes
        return [" ".join(words[n - 1] for n in row if n != EDGE) for row in best.tolist()]

    def predictions(self, answers: list[str], ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:  # noqa: ARG002
        """The captions."""
        return [Text(i, text) for i, text in zip(ids, answers, strict=True)]

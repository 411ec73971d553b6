"""Classification of pictures, recordings or texts; question answering over a closed list of answers (ViLT)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mmbench.adapters.hub.wrapped import Wrapped, names_of, only, order_of, pictures


class ImageClassifier(Wrapped):
    """Logits [B,C] of a picture."""

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """Images -> logits in the order of the suite's classes."""
        (images,) = inputs.values()
        return _scores(self, self.encoded(images=pictures(images)))


class AudioClassifier(Wrapped):
    """Logits [B,C] of a recording."""

    def _needed(self) -> Sequence[str]:
        return [only(self.request, "audio")]

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """Recordings float32 [B,T] -> logits; the processor refuses another sampling rate than its own."""
        (values,) = inputs.values()
        rate = self.request.modalities[self.modalities[0]].rate
        return _scores(self, self.encoded(raw_speech=list(values.cpu().numpy()), sampling_rate=rate, padding=True))


class TextClassifier(Wrapped):
    """Logits [B,C] of a text."""

    def _needed(self) -> Sequence[str]:
        return [only(self.request, "text")]

    def forward(self, **inputs: Any) -> torch.Tensor:
        """Texts -> logits."""
        (texts,) = inputs.values()
        return _scores(self, self.encoded(text=list(texts), padding=True, truncation=True))


class AnswerClassifier(Wrapped):
    """Logits [B,A] over the answers that the model knows."""

    def _needed(self) -> Sequence[str]:
        return [only(self.request, "image"), only(self.request, "text")]

    @property
    def answers(self) -> tuple[str, ...]:
        """What the logits stand for."""
        return tuple(names_of(self.model.config))

    def forward(self, **inputs: Any) -> torch.Tensor:
        """Images and questions -> logits."""
        images, questions = (inputs[m] for m in self.modalities)
        found = self.encoded(images=pictures(images), text=list(questions), padding=True, truncation=True)
        logits: torch.Tensor = self.model(**found).logits
        return logits


def _scores(wrapped: Wrapped, encoded: Any) -> torch.Tensor:
    logits: torch.Tensor = wrapped.model(**encoded).logits
    order = order_of(names_of(wrapped.model.config), wrapped.request)
    return logits if order is None else logits[:, order]

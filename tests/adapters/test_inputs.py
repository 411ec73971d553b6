"""Inputs of every kind as the model's contract says, through a module of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.core.errors import LoadError
from mmbench.core.prediction import ClassScores
from mmbench.core.sample import Batch
from mmbench.core.source import Modality

MODALITIES = {
    "image": Modality("image", "image", 3),
    "text": Modality("text", "text", 1),
    "audio": Modality("audio", "audio", 1, rate=8000),
}


class Listening(torch.nn.Module):
    """Keeps what it is given; class 1 for texts of more than three letters."""

    modalities = ("text", "audio")
    accepts_missing = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, Any]] = []

    def forward(self, text: list[str] | None, audio: torch.Tensor | None) -> torch.Tensor:
        self.seen.append((text, audio))
        count = len(text) if text is not None else len(audio)  # type: ignore[arg-type]
        long = torch.tensor([text is not None and len(text[n]) > 3 for n in range(count)]).float()
        return torch.stack([0.5 * torch.ones(count), long, torch.zeros(count)], dim=1)


def opened(module: torch.nn.Module, request_for: Callable[..., Any], task: str = "classification") -> TorchModel:
    request = request_for(modalities=MODALITIES)
    request = replace(request, spec=request.spec.model_copy(update={"task": task}))
    return TorchModel(module, "M", request, Identity("0"))


def batch(texts: list[str | None], lengths: list[int | None]) -> Batch:
    waves = tuple(None if n is None else np.full(n, n / 8000, dtype=np.float32) for n in lengths)
    inputs = {"image": (None,) * len(texts), "text": tuple(texts), "audio": waves}
    present = {m: np.array([v is not None for v in values]) for m, values in inputs.items()}
    return Batch(tuple(f"s{n}" for n in range(len(texts))), inputs, present)


def test_texts_and_recordings(request_for: Callable[..., Any]) -> None:
    """Texts of any length go together as list[str]; recordings are float32 [B,T], those of one length together."""
    module = Listening()
    found = opened(module, request_for).predict(batch(["a", "long", "b"], [4, 4, 6]))
    assert [np.argmax(p.scores) for p in found if isinstance(p, ClassScores)] == [0, 1, 0]
    (first, wave), (second, other) = module.seen
    assert (first, second) == (["a", "long"], ["b"])
    assert (wave.dtype, tuple(wave.shape), tuple(other.shape)) == (torch.float32, (2, 4), (1, 6))


def test_what_is_absent_arrives_as_none(request_for: Callable[..., Any]) -> None:
    module = Listening()
    opened(module, request_for).predict(batch([None, "long"], [4, None]))
    assert [(text, None if wave is None else len(wave)) for text, wave in module.seen] == [(None, 1), (["long"], None)]


class Asking(Listening):
    answers = ("yes", "no", "maybe")


def test_answers_may_be_the_models_own(request_for: Callable[..., Any]) -> None:
    found = opened(Asking(), request_for, task="vqa").predict(batch(["a", "long"], [4, 4]))
    assert [p.text for p in found] == ["yes", "no"]  # type: ignore[union-attr]


def test_answers_must_be_texts(request_for: Callable[..., Any]) -> None:
    module = Asking()
    module.answers = "yes"  # type: ignore[assignment]
    with pytest.raises(LoadError, match="declares answers of type str; expected a list of texts"):
        opened(module, request_for, task="vqa")

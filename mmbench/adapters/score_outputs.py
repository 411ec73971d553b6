"""From logits of one vector for each item to class scores or answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mmbench.adapters.asked import Asked, broken, finite_rows
from mmbench.adapters.outputs import select_output
from mmbench.adapters.text_outputs import texts_of
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.prediction import ClassScores, Text


def class_scores(raw: Any, asked: Asked) -> list[ClassScores | SampleError]:
    """Logits [B,C] -> float32 scores; raises LoadError for another shape, a SampleError per item for NaN."""
    logits = _logits(raw, asked, asked.request.classes, "classes")
    rows = logits.float().cpu().numpy()
    return [
        ClassScores(i, row) if fine else broken(i)
        for i, row, fine in zip(asked.ids, rows, finite_rows(logits), strict=True)
    ]


def answers(raw: Any, asked: Asked) -> list[Text | SampleError]:
    """Logits [B,A] over the suite's (or the model's) answers, the highest is given; or B answers as text."""
    if isinstance(raw, list | tuple) and all(isinstance(text, str) for text in raw):
        return texts_of(raw, asked, "answers")
    if not asked.answers:
        raise asked.unfit(raw, "a list of B answers (the suite has no closed list of answers that logits could be of)")
    logits = _logits(raw, asked, asked.answers, "answers")
    best = logits.max(dim=1).indices.tolist()
    return [
        Text(i, asked.answers[n]) if fine else broken(i)
        for i, n, fine in zip(asked.ids, best, finite_rows(logits), strict=True)
    ]


def _logits(raw: Any, asked: Asked, names: Sequence[str], what: str) -> torch.Tensor:
    forms = f"logits [{len(asked.ids)},{len(names)}] (items, {what})"
    output = select_output(raw, asked.request.options.output, asked.name, forms)
    if output.ndim != 2 or len(output) != len(asked.ids) or not output.is_floating_point():
        raise asked.unfit(output, forms)
    if output.shape[1] != len(names):
        raise LoadError(
            f"{asked.name} returned scores of {output.shape[1]} {what}, but suite {asked.request.spec.name!r} has "
            f"{len(names)}; use a model that was trained for these {what}."
        )
    return output

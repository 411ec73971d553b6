"""From logits or masks of what an expression means to masks of the targets' sizes."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import interpolate

from mmbench.adapters.asked import Asked, broken, finite_rows
from mmbench.adapters.outputs import nearest, select_output
from mmbench.core.errors import SampleError
from mmbench.core.prediction import LabelMap

_FORMS = "logits [B,h,w] (above 0 is what is meant), logits [B,2,h,w] (the rest, what is meant) or masks [B,H,W]"


def masks(raw: Any, asked: Asked) -> list[LabelMap | SampleError]:
    """One mask uint8 [H,W] of 0 and 1 for each item; raises LoadError for another shape.

    Logits are resized bilinearly (half-pixel centres, float32) before they are compared with 0; boolean or integer
    masks by the nearest pixel centre. A SampleError for NaN and for integers other than 0 and 1.
    """
    output = select_output(raw, asked.request.options.output, asked.name, _FORMS)
    output = _one_map(output, asked)
    if not output.is_floating_point():
        return [_mask(output[n], i, asked.sizes[n]) for n, i in enumerate(asked.ids)]
    fine = finite_rows(output)
    return [
        LabelMap(i, _above(output[n], asked.sizes[n]).to(torch.uint8).cpu().numpy()) if fine[n] else broken(i)
        for n, i in enumerate(asked.ids)
    ]


def _one_map(output: torch.Tensor, asked: Asked) -> torch.Tensor:
    """Logits or masks [B,h,w]."""
    if output.ndim == 4 and output.shape[1] == 1:
        output = output[:, 0]
    elif output.ndim == 4 and output.shape[1] == 2 and output.is_floating_point():
        output = output[:, 1] - output[:, 0]
    if output.ndim != 3 or len(output) != len(asked.ids) or output.is_complex() or 0 in output.shape:
        raise asked.unfit(output, _FORMS)
    return output


def _above(logits: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(logits.shape) != size:
        logits = interpolate(logits[None, None].float(), size=size, mode="bilinear", align_corners=False)[0, 0]
    return logits > 0


def _mask(labels: torch.Tensor, sample_id: str, size: tuple[int, int]) -> LabelMap | SampleError:
    if labels.min() < 0 or labels.max() > 1:
        return SampleError(
            f"The mask of {sample_id!r} holds {int(labels.min())}..{int(labels.max())}, expected 0 and 1."
        )
    return LabelMap(sample_id, nearest(labels, size).to(torch.uint8).cpu().numpy())

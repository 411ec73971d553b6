"""Semantic and referring segmentation: SegFormer, UperNet, ...; Mask2Former, MaskFormer; CLIPSeg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mmbench.adapters.hub.wrapped import Wrapped, names_of, only, order_of, pictures


class Semantic(Wrapped):
    """Logits [B,C,h,w] of a head of classes by pixel."""

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """Images -> logits in the order of the suite's classes."""
        (images,) = inputs.values()
        logits = self.model(**self.encoded(images=pictures(images))).logits
        return _ordered(logits, order_of(names_of(self.model.config), self.request))


class Universal(Wrapped):
    """Scores [B,C,h,w] of a model of masks with classes.

    The class of each query times its mask, summed over the queries (Cheng et al. 2021, MaskFormer, section 3.4).
    """

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """Images -> scores in the order of the suite's classes."""
        (images,) = inputs.values()
        encoded = self.encoded(images=pictures(images))
        output = self.model(**{k: v for k, v in encoded.items() if k in ("pixel_values", "pixel_mask")})
        classes = output.class_queries_logits.softmax(dim=-1)[..., :-1]
        scores = torch.einsum("bqc,bqhw->bchw", classes, output.masks_queries_logits.sigmoid())
        return _ordered(scores, order_of(names_of(self.model.config), self.request))


class Prompted(Wrapped):
    """CLIPSeg: the names of the classes are its prompts; in referring segmentation the expression is."""

    def _needed(self) -> Sequence[str]:
        image = only(self.request, "image")
        return [image] if self.request.spec.task == "segmentation" else [image, only(self.request, "text")]

    def forward(self, **inputs: Any) -> torch.Tensor:
        """Images (and one text for each) -> logits [B,C,h,w] (or [B,h,w])."""
        images = pictures(inputs[self.modalities[0]])
        if len(self.modalities) > 1:
            return self._logits(images, list(inputs[self.modalities[1]]))
        prompts = list(self.request.classes)
        return torch.stack([self._logits([image] * len(prompts), prompts) for image in images])

    def _logits(self, images: list[Any], prompts: list[str]) -> torch.Tensor:
        found: torch.Tensor = self.model(**self.encoded(images=images, text=prompts, padding=True)).logits
        return found if found.ndim == 3 else found[None]


def _ordered(logits: torch.Tensor, order: list[int] | None) -> torch.Tensor:
    return logits if order is None else logits[:, order]

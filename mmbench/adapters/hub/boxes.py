"""Detection: the DETR family by its own classes, Grounding DINO by the suite's classes as prompts."""

from __future__ import annotations

from typing import Any

import torch

from mmbench.adapters.hub.wrapped import Wrapped, names_of, order_of, pictures, plain


class Detector(Wrapped):
    """Boxes in pixels of the suite's images, every box that the model gives, with labels of the suite."""

    def forward(self, **inputs: torch.Tensor) -> list[dict[str, torch.Tensor]]:
        """Images -> boxes x1, y1, x2, y2, scores and labels for each."""
        (images,) = inputs.values()
        output = self.model(**self.encoded(images=pictures(images)))
        sizes = [tuple(images.shape[-2:])] * len(images)
        found = self.processor.post_process_object_detection(output, threshold=0.0, target_sizes=sizes)
        order = order_of(names_of(self.model.config), self.request)
        return [_renamed(one, order) for one in found]


class Grounded(Wrapped):
    """The classes are asked for in one text, ``cat. dog.``, as the model was trained."""

    def forward(self, **inputs: torch.Tensor) -> list[dict[str, torch.Tensor]]:
        """Images -> boxes, scores and labels of the suite; a phrase that is no class is dropped."""
        (images,) = inputs.values()
        prompt = ". ".join(plain(name) for name in self.request.classes) + "."
        self.settings = {"prompt": prompt}
        encoded = self.encoded(images=pictures(images), text=[prompt] * len(images))
        output = self.model(**encoded)
        sizes = [tuple(images.shape[-2:])] * len(images)
        found = self.processor.post_process_grounded_object_detection(
            output, encoded["input_ids"], threshold=0.0, text_threshold=0.0, target_sizes=sizes
        )
        return [self._known(one) for one in found]

    def _known(self, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        places = {plain(name): place for place, name in enumerate(self.request.classes)}
        labels = [places.get(plain(text), -1) for text in found.get("text_labels", found["labels"])]
        numbers = torch.tensor(labels, dtype=torch.int64)
        kept = numbers >= 0
        return {"boxes": found["boxes"].cpu()[kept], "scores": found["scores"].cpu()[kept], "labels": numbers[kept]}


def _renamed(found: dict[str, torch.Tensor], order: list[int] | None) -> dict[str, torch.Tensor]:
    """Labels of the model as labels of the suite; a class that the suite does not have is dropped."""
    if order is None:
        return {name: found[name] for name in ("boxes", "scores", "labels")}
    places = {label: place for place, label in enumerate(order)}
    numbers = torch.tensor([places.get(int(label), -1) for label in found["labels"]], dtype=torch.int64)
    kept = numbers >= 0
    return {"boxes": found["boxes"].cpu()[kept], "scores": found["scores"].cpu()[kept], "labels": numbers[kept]}

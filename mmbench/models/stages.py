"""One stage of a training: what is learnt from which labels, from which key it is known again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmbench.core.errors import UsageError
from mmbench.core.key import digest_of
from mmbench.core.source import Modality, SignedSource
from mmbench.models.assembled import FusionModel
from mmbench.models.batches import batches
from mmbench.models.config import ModelConfig
from mmbench.models.data import Items
from mmbench.models.loop import Best, Stage
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.survey import class_weights, survey
from mmbench.models.validation import METRIC, validate

# Rises when the same recipe no longer gives the same weights: what was trained before is then not taken up again.
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Labelled:
    """Both splits with one kind of label, and the number of its values."""

    splits: Splits
    train: Items
    val: Items
    classes: int


def with_targets(splits: Splits, modalities: Mapping[str, Modality], size: tuple[int, int] | None) -> Labelled:
    """The suite's own labels."""
    train, val = (Items(source, modalities, size) for source in (splits.train, splits.val))
    return Labelled(splits, train, val, len(splits.train.classes))


def with_signatures(splits: Splits, modality: str, size: tuple[int, int] | None) -> Labelled:
    """What one modality alone shows; raises UsageError when the source does not know it."""
    train, val = splits.train, splits.val
    if not isinstance(train, SignedSource) or not isinstance(val, SignedSource):
        raise UsageError(
            f"Suite {splits.spec.name!r} knows no signatures, on which encoders could be trained; use --encoders joint."
        )
    modalities = {modality: splits.train.modalities[modality]}
    items = [
        Items(source, modalities, size, partial(source.signature, modality=modality))  # type: ignore[attr-defined]
        for source in (splits.train, splits.val)
    ]
    return Labelled(splits, items[0], items[1], train.signature_classes(modality))


def key_of(data: Labelled, config: ModelConfig, recipe: Recipe, device: torch.device, *more: Any) -> str:
    """Digest of all that the weights depend on, to the last bit; ``more`` is JSON-able."""
    numerics = [torch.__version__, device.type, torch.get_num_threads() if device.type == "cpu" else 0]
    tables = [config.model_dump(mode="json"), recipe.model_dump(mode="json")]
    return digest_of([_VERSION, data.splits.stamp(), tables, numerics, list(more)])


def stage_of(
    name: str,
    model: FusionModel,
    data: Labelled,
    recipe: Recipe,
    state: tuple[str, Path],
    frozen: tuple[nn.Module, ...] = (),
) -> Stage:
    """Puts a stage together; ``state`` is its key and the file of its unfinished training."""
    train_ids, val_ids = data.splits.train.ids, data.splits.val.ids
    device = next(model.parameters()).device
    pixels = survey(data.train, train_ids, data.classes).pixels
    return Stage(
        name=name,
        model=model,
        recipe=recipe,
        batches=partial(batches, data.train, train_ids, recipe),
        validate=partial(validate, model.logits, data.val, val_ids, data.classes, device),
        class_weights=class_weights(pixels, recipe.class_weight_power),
        device=device,
        key=state[0],
        state_file=state[1],
        frozen=frozen,
    )


def record_of(recipe: Recipe, best: Best) -> dict[str, Any]:
    """What a checkpoint says of a stage: its budget and settings, and which weights were kept."""
    return {
        **recipe.model_dump(mode="json"),
        "items_seen": recipe.steps * recipe.batch_size,
        "best_after": best.steps,
        "validation": {"metric": METRIC, "value": best.score},
    }

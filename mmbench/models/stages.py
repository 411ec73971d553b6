"""One stage of a training: what is learnt from which labels, from which key it is known again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from mmbench.models.config import ModelConfig, ReferenceTask, Stride
from mmbench.models.data import Items
from mmbench.models.loop import Best, Stage
from mmbench.models.objective import answer_of, loss_of
from mmbench.models.randomness import some_of
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits, reference_task
from mmbench.models.survey import class_weights, label_counts, labels_of
from mmbench.models.tasks.catalogue import TASKS
from mmbench.models.tasks.task import Labels, Penalty, Size
from mmbench.models.validation import Judged, item_groups, validate

# Rises when the same recipe no longer gives the same weights: what was trained before is then not taken up again.
_VERSION = 2
# Logits of a token, over all of its pixels, that a stage of an encoder computes at most.
_MOST_LOGITS = 512
# Samples that an encoder is validated on; several of them may show the same picture.
_MOST_VALIDATED = 512
# The metrics on which encoders are chosen, by the task that a signature makes.
_SIGNATURE_METRICS: Mapping[ReferenceTask, str] = {
    "segmentation": "miou",
    "look-map": "miou",
    "classification": "accuracy",
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Both splits with one kind of label, the ``task`` that it makes, and the metric by which weights are chosen.

    ``val_ids`` are the samples that it is taken over.
    """

    splits: Splits
    train: Items
    val: Items
    val_ids: Sequence[str]
    task: ReferenceTask
    metric: str

    @property
    def judged(self) -> Judged:
        """How answers are scored."""
        return Judged(self.val.task, self.val.labels.classes, self.metric)


def with_targets(splits: Splits, modalities: Mapping[str, Modality], size: Size | None) -> Labelled:
    """The suite's own labels."""
    task = reference_task(splits.spec)
    labels = labels_of(splits.train, TASKS[task], size)
    train, val = (Items(source, modalities, TASKS[task], labels, size) for source in (splits.train, splits.val))
    return Labelled(splits, train, val, splits.val.ids, task, splits.spec.primary)


def with_signatures(splits: Splits, modality: str, size: Size | None, stride: Stride) -> Labelled:
    """What one modality alone shows: a class, or a label map of pictures with features at 1/``stride``.

    Raises UsageError when the source does not know it.
    """
    train, val = splits.train, splits.val
    if not isinstance(train, SignedSource) or not isinstance(val, SignedSource):
        raise UsageError(
            f"Suite {splits.spec.name!r} knows no signatures, on which encoders could be trained; use --encoders joint."
        )
    classes = tuple(f"signature-{n}" for n in range(train.signature_classes(modality)))
    mapped = train.signature(splits.train.ids[0], modality).ndim == 2
    task = _signature_task(len(classes), stride) if mapped else "classification"
    labels = Labels(classes, size=size if mapped else None)
    modalities = {modality: splits.train.modalities[modality]}
    items = [
        Items(source, modalities, TASKS[task], labels, size, partial(source.signature, modality=modality))  # type: ignore[attr-defined]
        for source in (splits.train, splits.val)
    ]
    return Labelled(
        splits, items[0], items[1], some_of(splits.val.ids, _MOST_VALIDATED), task, _SIGNATURE_METRICS[task]
    )


def _signature_task(classes: int, stride: Stride) -> ReferenceTask:
    return "segmentation" if classes * stride**2 <= _MOST_LOGITS else "look-map"


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
    state: tuple[str, Path | None],
    frozen: tuple[nn.Module, ...] = (),
) -> Stage:
    """Puts a stage together; ``state`` is its key and the file of its unfinished training."""
    train_ids = data.splits.train.ids
    device = next(model.parameters()).device
    penalty = penalty_of(data, recipe)
    return Stage(
        name=name,
        model=model,
        recipe=recipe,
        batches=partial(batches, data.train, train_ids, recipe),
        loss=partial(loss_of, model, penalty=penalty),
        validate=partial(_validate, model, data, device),
        device=device,
        key=state[0],
        state_file=state[1],
        frozen=frozen,
    )


def penalty_of(data: Labelled, recipe: Recipe) -> Penalty:
    """How errors count in a training with this recipe."""
    counts = label_counts(data.train, data.splits.train.ids)
    return Penalty(class_weights(counts, recipe.class_weight_power), recipe.focal, recipe.task_weights)


def _validate(model: FusionModel, data: Labelled, device: torch.device) -> float:
    return validate(partial(answer_of, model), item_groups(data.val, data.val_ids), data.judged, device)


def record_of(recipe: Recipe, best: Best, metric: str) -> dict[str, Any]:
    """What a checkpoint says of a stage: its budget and settings, and which weights were kept."""
    return {
        **recipe.model_dump(mode="json"),
        "items_seen": recipe.steps * recipe.batch_size,
        "best_after": best.steps,
        "validation": {"metric": metric, "value": best.score},
    }

"""A stage whose encoders stay as they are: what they see is encoded once, not again at every step."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from mmbench.models.assembled import FusionModel
from mmbench.models.features import encode
from mmbench.models.loop import Stage
from mmbench.models.objective import answer_of
from mmbench.models.stages import Labelled
from mmbench.models.validation import validate

# Features of both splits together take at most this, in float32; the others are encoded step by step.
MOST_BYTES = 1 << 30


def on_features(stage: Stage, model: FusionModel, data: Labelled) -> Stage:
    """The stage on features that are kept in memory; itself where an encoder learns, where views are random, and
    where features are too many.

    Items, their order and what is hidden of them are the same; a feature may differ in its last bits, as it is encoded
    in another batch. Raises SampleError when a sample is broken, UsageError when items differ in size.
    """
    still = {id(module) for module in stage.frozen}
    learning = any(id(encoder) not in still for encoder in model.encoders.values())
    if learning or not model.encoders or stage.recipe.augmentation != "none":
        return stage
    train_ids = data.splits.train.ids
    if _bytes_of_one(model, data) * (len(train_ids) + len(data.val_ids)) > MOST_BYTES:
        return stage
    train = encode(model, data.train, train_ids, torch.float32)
    val = encode(model, data.val, data.val_ids, torch.float32)
    return replace(
        stage,
        batches=partial(train.batches, stage.recipe),
        validate=lambda: validate(partial(answer_of, model), val.groups(), data.judged, stage.device),
    )


def _bytes_of_one(model: FusionModel, data: Labelled) -> int:
    one = encode(model, data.train, data.splits.train.ids[:1], torch.float32)
    return sum(feature.x.nbytes for feature in one.features.values())

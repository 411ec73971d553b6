"""A stage of a training with what balances its modalities."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from mmbench.core.errors import UsageError
from mmbench.models.assembled import FusionModel
from mmbench.models.balance import Losses, OnTheFlyModulation, blend_weights
from mmbench.models.loop import Report, Stage, fit
from mmbench.models.objective import Batch, expert_loss_of, loss_of
from mmbench.models.randomness import some_of
from mmbench.models.recipe import Recipe
from mmbench.models.stages import Labelled, penalty_of
from mmbench.models.validation import item_groups

# Each head learns alone for this part of the steps, before its weight is measured on so many samples.
_TRIED, _MEASURED = 0.2, 512


def balanced(stage: Stage, model: FusionModel, data: Labelled, report: Report) -> tuple[Stage, dict[str, Any]]:
    """The stage as its recipe's ``balance`` has it, and what the checkpoint says of it.

    Raises UsageError where the method does not apply.
    """
    method = stage.recipe.balance
    if method == "none":
        return stage, {}
    if data.task != "classification" or len(model.modalities) < 2:
        raise UsageError(f"--balance {method} is for classification with a fusion; leave it out.")
    if method == "ogm-ge":
        if model.fusion.level == "inputs":
            raise UsageError("--balance ogm-ge needs an encoder of each modality; use another fusion.")
        return replace(stage, modulate=OnTheFlyModulation(model, stage.recipe.seed)), {}
    if model.fusion.level != "both":
        raise UsageError("--balance gradblend needs a head of each modality beside the fused one; use --fusion hybrid.")
    weights = blend_weights({name: _measured(stage, model, data, name, report) for name in model.fusion.heads})
    penalty = penalty_of(data, stage.recipe)
    return replace(stage, loss=partial(loss_of, model, penalty=penalty, experts=weights)), {"expert_weights": weights}


def _measured(stage: Stage, model: FusionModel, data: Labelled, name: str, report: Report) -> Losses:
    """What one head learns alone, from the weights at the start."""
    alone = deepcopy(model)
    loss = partial(expert_loss_of, alone, penalty=penalty_of(data, stage.recipe), name=name)
    before = _losses(alone, loss, data, stage.device)
    kept = {id(module): copy for module, copy in zip(model.modules(), alone.modules(), strict=True)}
    trial = replace(
        stage,
        name=f"head {name}",
        model=alone,
        recipe=_shorter(stage.recipe),
        loss=loss,
        validate=lambda: 0.0,
        state_file=None,
        frozen=tuple(kept[id(module)] for module in stage.frozen),
    )
    fit(trial, report)
    after = _losses(alone, loss, data, stage.device)
    return Losses((before[0], after[0]), (before[1], after[1]))


def _shorter(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"steps": max(1, round(_TRIED * recipe.steps)), "validations": 1})


@torch.no_grad()
def _losses(model: FusionModel, loss: Any, data: Labelled, device: torch.device) -> tuple[float, float]:
    """On some of the training samples, and of those of the validation."""
    model.eval()
    train = item_groups(data.train, some_of(data.splits.train.ids, _MEASURED))
    val = item_groups(data.val, some_of(data.val_ids, _MEASURED))
    return _mean(loss, (group[2] for group in train), device), _mean(loss, (group[2] for group in val), device)


def _mean(loss: Any, batches: Iterable[Batch], device: torch.device) -> float:
    found = [(float(loss(batch.to(device))), len(batch.target)) for batch in batches]
    return sum(value * count for value, count in found) / sum(count for _, count in found)

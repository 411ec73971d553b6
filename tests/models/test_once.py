"""Frozen encoders are asked once: the training is the one that asks them at every step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmbench.models import once
from mmbench.models.assembled import FusionModel
from mmbench.models.building import built, config_of
from mmbench.models.loop import Progress, Stage
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.stages import Labelled, stage_of, with_targets
from mmbench.models.training import train

CPU = torch.device("cpu")
RECIPE = Recipe(steps=12, batch_size=4, rate=1e-2, validations=4, modality_dropout=0.2)


def silent(_: Progress) -> None:
    """Tells nobody."""


def staged(splits: Splits, recipe: Recipe = RECIPE) -> tuple[Stage, FusionModel, Labelled]:
    """A stage with frozen encoders that have learnt nothing."""
    data = with_targets(splits, splits.train.modalities, None)
    plan = Plan("concat", recipe, recipe, Path("unused"), CPU, width=4, encoders="frozen")
    model = built(config_of(plan, data), 0, "model", CPU)
    return stage_of("cell", model, data, recipe, ("", None), tuple(model.encoders.values())), model, data


@pytest.mark.parametrize("fusion", ["concat", "late", "hybrid", "product_of_experts", "only:depth"])
def test_equals_a_training_on_inputs(
    signed: Splits, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, fusion: str
) -> None:
    """The same weights and validation score, as near as encoding in other batches comes."""
    plan = Plan(fusion, RECIPE, RECIPE, tmp_path / "my.ckpt", CPU, width=4, encoders="frozen")
    kept = train(signed, plan, silent)
    monkeypatch.setattr(once, "MOST_BYTES", 0)
    asked = train(signed, plan, silent)
    for name, value in kept.model.state_dict().items():
        torch.testing.assert_close(value, asked.model.state_dict()[name], rtol=1e-3, atol=1e-4)
    scores = [one.metadata["training"]["validation"]["value"] for one in (kept, asked)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_the_encoders_are_not_asked_again(signed: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a step nor by a validation."""
    stage, model, data = staged(signed)
    ready = once.on_features(stage, model, data)
    monkeypatch.setattr(model, "features", None)
    assert torch.isfinite(ready.loss(next(ready.batches(0))))
    assert 0 <= ready.validate() <= 1


def test_where_it_does_not_apply(signed: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that learns, random views, more features than memory is given: the stage stays as it is."""
    stage, model, data = staged(signed)
    learning = replace(stage, frozen=stage.frozen[1:])
    assert once.on_features(learning, model, data) is learning
    viewed, model, data = staged(signed, RECIPE.model_copy(update={"augmentation": "crop", "crop": (8, 8)}))
    assert once.on_features(viewed, model, data) is viewed
    stage, model, data = staged(signed)
    monkeypatch.setattr(once, "MOST_BYTES", 1000)
    assert once.on_features(stage, model, data) is stage

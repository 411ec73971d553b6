"""Features that are kept: training on them is training on their inputs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from mmbench.core.errors import UsageError
from mmbench.core.sample import Sample
from mmbench.models.assembled import FusionModel
from mmbench.models.building import built, config_of, modalities_of
from mmbench.models.encoder_stage import train_encoders
from mmbench.models.features import encode
from mmbench.models.loop import Progress, Stage, fit
from mmbench.models.objective import answer_of, loss_of
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.stages import penalty_of, with_targets
from mmbench.models.validation import validate

CPU = torch.device("cpu")
RECIPE = Recipe(steps=12, batch_size=4, rate=1e-2, validations=4, modality_dropout=0.2)


def silent(_: Progress) -> None:
    """Tells nobody."""


def plan_for(output: Path, fusion: str) -> Plan:
    return Plan(fusion, RECIPE, RECIPE, output, CPU, width=4, encoders="frozen")


def fitted(splits: Splits, plan: Plan, dtype: torch.dtype) -> FusionModel:
    """The planned model, fitted on kept features."""
    data = with_targets(splits, modalities_of(plan.fusion, splits.train, "segmentation"), None)
    config = config_of(plan, data)
    model = built(config, RECIPE.seed, "model", CPU)
    train_encoders(splits, plan, config, list(config.inputs), silent).load_into(model)
    split, val = (
        encode(model, items, ids, dtype) for items, ids in ((data.train, splits.train.ids), (data.val, data.val_ids))
    )
    fit(
        Stage(
            name=plan.fusion,
            model=model,
            recipe=RECIPE,
            batches=partial(split.batches, RECIPE),
            loss=partial(loss_of, model, penalty=penalty_of(data, RECIPE)),
            validate=lambda: validate(partial(answer_of, model), val.groups(), data.judged, CPU),
            device=CPU,
            key="",
            state_file=None,
            frozen=(model.encoders,),
        ),
        silent,
    )
    return model


def test_half_precision_is_near(signed: Splits, tmp_path: Path, cache: Path) -> None:
    """float16 halves what is kept and moves the weights by little."""
    plan = plan_for(tmp_path / "my.ckpt", "concat")
    first, second = (fitted(signed, plan, dtype).state_dict() for dtype in (torch.float32, torch.float16))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=0.05, atol=0.01)


def test_samples_of_unequal_size_cannot_be_kept(signed: Splits, tmp_path: Path) -> None:
    class Uneven(type(signed.train)):  # type: ignore[misc]
        def load(self, sample_id: str) -> Sample:
            sample = super().load(sample_id)
            if sample_id != "train/3":
                return sample
            inputs = {m: value[:8, :8] for m, value in sample.inputs.items()}
            return replace(sample, inputs=inputs, target=sample.target[:8, :8])

    plan = plan_for(tmp_path / "my.ckpt", "concat")
    data = with_targets(replace(signed, train=Uneven("train")), signed.train.modalities, None)
    model = built(config_of(plan, data), 0, "model", CPU)
    with pytest.raises(UsageError, match="differ in the size of 'rgb', so that features cannot be kept; give --size"):
        encode(model, data.train, ["train/2"] * 64 + ["train/3"] * 64, torch.float16)

"""Trains a reference model on a suite: the encoders on their signatures where there are any, then the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mmbench
from mmbench.models.assembled import CONFIG_KEY, FusionModel
from mmbench.models.balanced import balanced
from mmbench.models.building import built, config_of, modalities_of
from mmbench.models.checkpoint import Metadata, save_checkpoint, weights_digest
from mmbench.models.config import ModelConfig
from mmbench.models.encoder_stage import TrainedEncoders, train_encoders
from mmbench.models.equipping import equipped, load_backbones, pretrained_of
from mmbench.models.loop import Report, fit
from mmbench.models.once import on_features
from mmbench.models.plan import Plan
from mmbench.models.shared_encoders import round_to_half, save_sharing
from mmbench.models.splits import Splits, reference_task
from mmbench.models.stages import key_of, record_of, stage_of, with_targets


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training: the model with its best weights, what the checkpoint says of it, the weights' digest."""

    model: FusionModel
    metadata: Metadata
    digest: str


def train(splits: Splits, plan: Plan, report: Report) -> Trained:
    """Trains, and writes the checkpoint; an unfinished training of the same plan is resumed.

    Raises SampleError when a training or validation sample is broken, UsageError when the plan does not fit the suite
    or the output cannot be written, Interrupted on ctrl-C.
    """
    data = with_targets(splits, modalities_of(plan.fusion, splits.train, reference_task(splits.spec)), plan.size)
    pretrained = pretrained_of(plan)
    config = equipped(config_of(plan, data), plan, pretrained)
    model = built(config, plan.recipe.seed, "model", plan.device)
    load_backbones(model, pretrained)
    # One encoder of joined inputs has no stage of its own: no signature belongs to it.
    own = [] if plan.encoders == "joint" else [m for m in config.inputs if m in model.encoders]
    encoders = train_encoders(splits, plan, config, own, report)
    encoders.load_into(model)
    if plan.shares_encoders:
        round_to_half(model.encoders)
    digests = {name: weights_digest(own.weights) for name, own in pretrained.items()}
    key = key_of(
        data, config, plan.recipe, plan.device, plan.encoders, plan.shares_encoders, dict(encoders.records), digests
    )
    frozen = tuple(model.encoders[m] for m in own) if plan.encoders == "frozen" else ()
    stage = stage_of(plan.fusion, model, data, plan.recipe, (key, plan.state_file), frozen)
    stage, balance = balanced(on_features(stage, model, data), model, data, report)
    best = fit(stage, report)
    record = {
        "encoders": plan.encoders,
        **({"pretrained": digests} if digests else {}),
        **record_of(plan.recipe, best, data.metric),
        **balance,
    }
    metadata = metadata_of(splits, config, record, encoders)
    if plan.shares_encoders:
        save_sharing(plan.output, model, own, metadata)
    else:
        save_checkpoint(plan.output, model, metadata)
    plan.state_file.unlink(missing_ok=True)
    return Trained(model.eval(), metadata, weights_digest(model.state_dict()))


def metadata_of(splits: Splits, config: ModelConfig, record: dict[str, Any], encoders: TrainedEncoders) -> Metadata:
    """What a checkpoint says of a model and its training."""
    return {
        CONFIG_KEY: config.model_dump(mode="json"),
        "training": {
            "suite": str(splits.reference),
            **splits.record(),
            "mmbench": mmbench.__version__,
            **record,
            "encoder_stages": dict(encoders.records),
        },
    }

"""Fusions on frozen encoders: features are encoded once, then each fusion trains on them in seconds.

features = cached_features(splits, plan, report)
trained = fit_fusion(features, "gmu", recipe, report)          # the model is whole, as after ``train``
predictions = answers(trained.model, features.of(test_source))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mmbench.core.errors import UsageError
from mmbench.core.source import Source
from mmbench.fusion.base import fusion_level
from mmbench.models.assembled import FusionModel
from mmbench.models.building import built, config_of, modalities_of, with_prior
from mmbench.models.checkpoint import weights_digest
from mmbench.models.config import ONLY
from mmbench.models.data import Items
from mmbench.models.encoder_stage import TrainedEncoders, train_encoders
from mmbench.models.features import SplitFeatures, encode
from mmbench.models.loop import Report, Stage, fit
from mmbench.models.objective import answer_of, loss_of
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.serving import check_served
from mmbench.models.splits import Splits, reference_task
from mmbench.models.stages import Labelled, key_of, penalty_of, record_of, with_targets
from mmbench.models.training import Trained, metadata_of
from mmbench.models.validation import validate

# Any operator of features: it gives the model its encoders and nothing else.
_ANY = "concat"


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Both splits as the frozen encoders see them; ``whole`` is a model that holds these encoders."""

    data: Labelled
    plan: Plan
    whole: FusionModel
    encoders: TrainedEncoders
    train: SplitFeatures
    val: SplitFeatures
    dtype: torch.dtype

    def of(self, source: Source) -> SplitFeatures:
        """Those of another split of the same suite."""
        like = self.data.train
        items = Items(source, like.modalities, like.task, like.labels, like.size)
        return encode(self.whole, items, source.ids, self.dtype)


def cached_features(splits: Splits, plan: Plan, report: Report, dtype: torch.dtype = torch.float16) -> Features:
    """Trains the encoders (or takes them from the cache) and encodes the training and the validation split.

    Of the plan its fusion and the recipe of the fusion are not used. Raises as ``train`` does, and UsageError when the
    samples differ in size.
    """
    plan = replace(plan, fusion=_ANY, fusion_options={}, encoders="frozen")
    data = with_targets(splits, modalities_of(_ANY, splits.train, reference_task(splits.spec)), plan.size)
    config = config_of(plan, data)
    whole = built(config, plan.encoder.seed, "encoders", plan.device)
    encoders = train_encoders(splits, plan, config, list(config.inputs), report)
    encoders.load_into(whole)
    train, val = (
        encode(whole, items, ids, dtype) for items, ids in ((data.train, splits.train.ids), (data.val, data.val_ids))
    )
    return Features(data, plan, whole, encoders, train, val, dtype)


def fit_fusion(
    features: Features,
    fusion: str,
    recipe: Recipe,
    report: Report,
    options: Mapping[str, Any] | None = None,
    modalities: Sequence[str] | None = None,
    state_file: Path | None = None,
) -> Trained:
    """A fusion (or ``only:MODALITY``) and its heads on the features, the best weights by the validation split.

    ``modalities`` are those that it takes, all by default; ``state_file`` is where an unfinished training is kept. The
    weights are those that ``train`` finds with frozen encoders, up to the precision of the features. Raises UsageError
    when the fusion does not serve the task, or joins inputs before any encoder.
    """
    config = features.whole.config
    names = (fusion.removeprefix(ONLY),) if fusion.startswith(ONLY) else tuple(modalities or config.inputs)
    options = with_prior(fusion, options or {}, features.data)
    _check(fusion, options, features)
    update = {"inputs": {m: config.inputs[m] for m in names}, "fusion": fusion, "fusion_options": options}
    config = config.model_copy(update=update)
    model = built(config, recipe.seed, "model", features.plan.device)
    features.encoders.load_into(model)
    key = key_of(features.data, config, recipe, features.plan.device, "cached", features.encoders.digest)
    best = fit(_stage(fusion, model, features, names, recipe, (key, state_file)), report)
    if state_file is not None:
        state_file.unlink(missing_ok=True)
    record = {"encoders": "frozen", **record_of(recipe, best, features.data.metric)}
    metadata = metadata_of(features.data.splits, config, record, features.encoders)
    return Trained(model.eval(), metadata, weights_digest(model.state_dict()))


def _check(fusion: str, options: Mapping[str, Any], features: Features) -> None:
    if fusion.startswith(ONLY):
        return
    check_served(fusion, features.data.task)
    if fusion_level(fusion, options) == "inputs":
        raise UsageError(f"The fusion {fusion!r} joins inputs, so that no features can be kept for it; train it whole.")


def _stage(
    name: str,
    model: FusionModel,
    features: Features,
    names: Sequence[str],
    recipe: Recipe,
    state: tuple[str, Path | None],
) -> Stage:
    train, val = (_only(split, names) for split in (features.train, features.val))
    data, device = features.data, features.plan.device
    return Stage(
        name=name,
        model=model,
        recipe=recipe,
        batches=partial(train.batches, recipe),
        loss=partial(loss_of, model, penalty=penalty_of(data, recipe)),
        validate=lambda: validate(partial(answer_of, model), val.groups(), data.judged, device),
        device=device,
        key=state[0],
        state_file=state[1],
        frozen=(model.encoders,),
    )


def _only(split: SplitFeatures, names: Sequence[str]) -> SplitFeatures:
    return replace(
        split,
        features={m: split.features[m] for m in names},
        present={m: split.present[m] for m in names},
    )

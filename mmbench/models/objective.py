"""What a model is trained for and judged by, on a batch of inputs or of their features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmbench.fusion.feature import Feature
from mmbench.models.assembled import FusionModel
from mmbench.models.data import TensorBatch
from mmbench.models.features import FeatureBatch
from mmbench.models.tasks.task import Penalty

Batch = TensorBatch | FeatureBatch


def loss_of(model: FusionModel, batch: Batch, penalty: Penalty, experts: Mapping[str, float] | None = None) -> Tensor:
    """The task's loss of the answer, plus that of each expert on the items that it sees, plus the fusion's own term.

    ``experts`` weighs their losses, 1 where nothing is given.
    """
    decision = model.decide(features_of(model, batch), batch.present, model.kind.query(batch.target))
    loss = model.kind.loss(decision.logits, batch.target, penalty, model.config) + decision.auxiliary
    for name, expert in decision.experts.items():
        weight = 1.0 if experts is None else experts[name]
        loss = loss + weight * _expert_loss(model, batch, penalty, expert)
    return loss


def expert_loss_of(model: FusionModel, batch: Batch, penalty: Penalty, name: str) -> Tensor:
    """The loss of one expert alone."""
    decision = model.decide(features_of(model, batch), batch.present, model.kind.query(batch.target))
    return _expert_loss(model, batch, penalty, decision.experts[name])


def _expert_loss(model: FusionModel, batch: Batch, penalty: Penalty, expert: Feature) -> Tensor:
    """Over the items that it sees; 0 without any."""
    seen = ~expert.pad.all(dim=1)
    if not seen.any():
        return expert.x.new_zeros(())
    logits = Feature(expert.x[seen], expert.pad[seen], expert.grid)
    return model.kind.loss(logits, batch.target[seen], penalty, model.config)


def answer_of(model: FusionModel, batch: Batch) -> Any:
    """The task's answer, label maps at the size of the target."""
    pictures = batch.size if isinstance(batch, FeatureBatch) else model.picture_size(batch.inputs)
    return model.answer(features_of(model, batch), batch.present, model.kind.size(batch.target) or pictures)


def features_of(model: FusionModel, batch: Batch) -> Mapping[str, Feature]:
    """What the encoders see, or saw."""
    return batch.features if isinstance(batch, FeatureBatch) else model.features(batch.inputs, batch.present)

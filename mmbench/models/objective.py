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


def loss_of(model: FusionModel, batch: Batch, penalty: Penalty) -> Tensor:
    """The task's loss of the answer, plus that of each expert on the items that it sees, plus the fusion's own term."""
    decision = model.decide(_features(model, batch), batch.present, model.kind.query(batch.target))
    loss = model.kind.loss(decision.logits, batch.target, penalty, model.config) + decision.auxiliary
    for expert in decision.experts.values():
        seen = ~expert.pad.all(dim=1)
        if seen.any():
            logits = Feature(expert.x[seen], expert.pad[seen], expert.grid)
            loss = loss + model.kind.loss(logits, batch.target[seen], penalty, model.config)
    return loss


def answer_of(model: FusionModel, batch: Batch) -> Any:
    """The task's answer, label maps at the size of the target."""
    pictures = batch.size if isinstance(batch, FeatureBatch) else model.picture_size(batch.inputs)
    return model.answer(_features(model, batch), batch.present, model.kind.size(batch.target) or pictures)


def _features(model: FusionModel, batch: Batch) -> Mapping[str, Feature]:
    return batch.features if isinstance(batch, FeatureBatch) else model.features(batch.inputs, batch.present)

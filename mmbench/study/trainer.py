"""Trains a model on data of either track, and asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from mmbench.core.prediction import Prediction
from mmbench.fusion.base import Decision
from mmbench.models.assembled import FusionModel
from mmbench.models.loop import Best, Progress, Stage, fit
from mmbench.models.recipe import Recipe
from mmbench.models.tasks.task import Penalty, Size
from mmbench.models.validation import value_of

_AT_ONCE = 64


class Batch(Protocol):
    """What is trained on in one step."""

    @property
    def present(self) -> Mapping[str, Tensor]:
        """bool [B] by modality."""

    @property
    def target(self) -> Tensor:
        """As the task collates it."""


class Data(Protocol):
    """A split: ``features.Features`` of the frozen track, ``samples.Samples`` where encoders are trained."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples."""

    def batches(self, modalities: tuple[str, ...], recipe: Recipe, start: int) -> Iterator[Any]:
        """The batches of the steps from ``start`` on."""

    def in_order(self, modalities: tuple[str, ...], size: int) -> Iterator[tuple[tuple[str, ...], Any]]:
        """All samples in batches, with their ids."""

    def decide(self, model: FusionModel, batch: Any) -> Decision:
        """The model's answer."""

    def select(self, index: Sequence[int]) -> Data:
        """The samples at these places."""

    def shuffled(self, modalities: tuple[str, ...], seed: int) -> Data:
        """The control: all modalities but the first permuted within labels."""


@dataclass(frozen=True, slots=True)
class Job:
    """One training: ``model`` on ``train``, its weights chosen by ``metric`` on ``val``, whose truths are by id.

    ``key`` identifies all that the result depends on, ``state_file`` is where an unfinished training is kept, None
    where it is so short that it begins anew.
    """

    model: FusionModel
    train: Data
    val: Data
    truths: Mapping[str, Any]
    metric: str
    recipe: Recipe
    penalty: Penalty
    key: str
    state_file: Path | None
    frozen: tuple[nn.Module, ...] = ()


def trained(job: Job, report: Callable[[Progress], None]) -> Best:
    """Trains the model; its best weights are loaded. Raises Interrupted on ctrl-C."""
    model = job.model
    stage = Stage(
        name="cell",
        model=model,
        recipe=job.recipe,
        batches=partial(job.train.batches, model.modalities, job.recipe),
        loss=partial(_loss, model, job.train, job.penalty),
        validate=partial(validated, model, job.val, job.truths, job.metric),
        device=next(model.parameters()).device,
        key=job.key,
        state_file=job.state_file,
        frozen=job.frozen,
    )
    best = fit(stage, report)
    if job.state_file is not None:
        job.state_file.unlink(missing_ok=True)
    return best


@torch.no_grad()
def answers(model: FusionModel, data: Data, sizes: Mapping[str, Size | None]) -> Iterator[list[Prediction]]:
    """Predictions by batch, label maps at the size of each sample's target (``sizes``; None: those of the features)."""
    model.eval()
    device = next(model.parameters()).device
    for ids, batch in data.in_order(model.modalities, _AT_ONCE):
        logits = data.decide(model, batch.to(device)).logits
        wanted = [sizes.get(i) for i in ids]
        if len(set(wanted)) == 1:
            yield model.kind.predictions(model.kind.output(logits, wanted[0]), ids, model.classes)
        else:
            for place, (sample_id, size) in enumerate(zip(ids, wanted, strict=True)):
                one = logits._replace(x=logits.x[place : place + 1], pad=logits.pad[place : place + 1])
                yield model.kind.predictions(model.kind.output(one, size), [sample_id], model.classes)


def _loss(model: FusionModel, data: Data, penalty: Penalty, batch: Batch) -> Tensor:
    """As ``models.stages.loss_of``, from features or from inputs."""
    decision = data.decide(model, batch)
    losses = [
        model.kind.loss(logits, batch.target, penalty) for logits in (decision.logits, *decision.experts.values())
    ]
    return torch.stack(losses).sum() + decision.auxiliary


def validated(model: FusionModel, val: Data, truths: Mapping[str, Any], metric: str) -> float:
    """The metric's value on the validation split."""
    sizes = {i: _size(truth) for i, truth in truths.items()} if model.kind.on_grid else {}
    groups = (([truths[p.sample_id] for p in predictions], predictions) for predictions in answers(model, val, sizes))
    return value_of(groups, metric, model.classes)


def _size(truth: Any) -> Size:
    return int(truth.shape[-2]), int(truth.shape[-1])

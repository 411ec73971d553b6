"""Trains a model on data of either track, and asks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from mmbench.core.prediction import Prediction
from mmbench.models.assembled import FusionModel
from mmbench.models.features import FeatureBatch
from mmbench.models.loop import Best, Report, Stage, fit
from mmbench.models.objective import answer_of, loss_of
from mmbench.models.recipe import Recipe
from mmbench.models.tasks.task import Penalty, Size
from mmbench.models.validation import Group, Judged, validate


class Data(Protocol):
    """A split: ``SplitFeatures`` on the frozen track, ``samples.Samples`` where encoders are trained."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples."""

    def batches(self, recipe: Recipe, start: int) -> Iterator[Any]:
        """The batches of the steps from ``start`` on."""

    def groups(self) -> Iterable[Group]:
        """All samples in order."""


@dataclass(frozen=True, slots=True)
class Job:
    """One training: ``model`` on ``train``, its weights chosen on ``val`` as ``judged`` says.

    ``key`` identifies all that the result depends on, ``state_file`` is where an unfinished training is kept, None
    where it is so short that it begins anew.
    """

    model: FusionModel
    train: Data
    val: Data
    judged: Judged
    recipe: Recipe
    penalty: Penalty
    key: str
    state_file: Path | None
    frozen: tuple[nn.Module, ...] = ()


def trained(job: Job, report: Report) -> Best:
    """Trains the model; its best weights are loaded. Raises Interrupted on ctrl-C."""
    stage = Stage(
        name="cell",
        model=job.model,
        recipe=job.recipe,
        batches=partial(job.train.batches, job.recipe),
        loss=partial(loss_of, job.model, penalty=job.penalty),
        validate=lambda: validated(job.model, job.val, job.judged),
        device=next(job.model.parameters()).device,
        key=job.key,
        state_file=job.state_file,
        frozen=job.frozen,
    )
    best = fit(stage, report)
    if job.state_file is not None:
        job.state_file.unlink(missing_ok=True)
    return best


def validated(model: FusionModel, val: Data, judged: Judged) -> float:
    """The metric's value on the validation split."""
    return validate(partial(answer_of, model.eval()), val.groups(), judged, next(model.parameters()).device)


@torch.no_grad()
def predictions(model: FusionModel, data: Data, sizes: Mapping[str, Size]) -> Iterator[Prediction]:
    """Of all samples in order; label maps get the size that ``sizes`` names for each of the batch's samples."""
    model.eval()
    device = next(model.parameters()).device
    for ids, _, batch in data.groups():
        found = batch.to(device)
        wanted = {sizes.get(i) for i in ids}
        if len(wanted) == 1 and (size := wanted.pop()) is not None:
            features = (
                found.features if isinstance(found, FeatureBatch) else model.features(found.inputs, found.present)
            )
            answers = model.answer(features, found.present, size)
        else:
            answers = answer_of(model, found)
        yield from model.kind.predictions(answers, ids, model.classes)

"""What the trainings of a study will take, from a few steps of each; nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from statistics import median

from mmbench.models.building import built
from mmbench.models.encoder_stage import EncoderStage
from mmbench.models.loop import Progress, fit
from mmbench.models.stages import stage_of
from mmbench.study.design import Cell, Strategy
from mmbench.study.fitting import Fitter
from mmbench.study.settings import Settings
from mmbench.study.trainer import Job, trained

_STEPS = 5


def cell_seconds(fitter: Fitter, strategy: Strategy) -> float:
    """Of the training of a cell with the whole budget, without its validations; an ensemble is not trained."""
    if strategy.control == "ensemble":
        return 0.0
    material, settings = fitter.material, Settings()
    recipe = fitter.recipe(Cell(material.place.suite, material.place.track, strategy, 0), settings)
    data = material.few(recipe.batch_size, strategy.modalities)
    job = Job(
        model=built(fitter.config(strategy, settings), 0, "model", material.plan.device),
        train=data,
        val=data,
        judged=material.judged,
        recipe=recipe.model_copy(update={"steps": _STEPS, "validations": 1}),
        penalty=material.penalty(recipe),
        key="",
        state_file=None,
    )
    return recipe.steps * _step_seconds(lambda report: trained(job, report))


def encoder_seconds(stage: EncoderStage) -> float:
    """Of the training of an encoder, without its validations."""
    recipe = stage.recipe.model_copy(update={"steps": _STEPS, "validations": 1})
    model = built(stage.config, 0, "model", stage.device)
    made = replace(stage_of("encoder", model, stage.data, recipe, ("", None)), validate=lambda: 0.0)
    return stage.recipe.steps * _step_seconds(lambda report: fit(made, report))


def _step_seconds(run: Callable[[Callable[[Progress], None]], object]) -> float:
    """The middle of the steps but for the first, which warms up, and the last, which ends with a validation."""
    times: list[float] = []
    run(lambda _: times.append(time.perf_counter()))
    return median(later - earlier for earlier, later in pairwise(times[:-1]))

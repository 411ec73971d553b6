"""What the trainings of a study will take, from a few steps of each; nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from mmbench.core.errors import MmbenchError
from mmbench.models.building import built
from mmbench.models.encoder_stage import EncoderStage
from mmbench.models.loop import Progress, fit
from mmbench.models.stages import stage_of
from mmbench.study.design import Cell, Strategy
from mmbench.study.features import only
from mmbench.study.fitting import Fitter
from mmbench.study.forecast import Expected
from mmbench.study.material import Material
from mmbench.study.settings import Settings
from mmbench.study.trainer import Data, Job, trained

# The first step warms up, the third and the sixth end with a validation.
_STEPS, _VALIDATIONS = 6, 2


@dataclass(frozen=True, slots=True)
class Step:
    """Seconds of a training step, and of the validation that follows some of them."""

    step: float
    validation: float


def expected(fitter: Fitter, lines: Sequence[Strategy]) -> Expected:
    """Of trainings of these strategies, and of what they share: encoders still to be trained, features.

    A strategy that comes to nothing on so few samples has no estimate.
    """
    material = fitter.material
    sizes, batch = material.sizes(), material.plan.recipe.batch_size
    shared = sum(encoder_seconds(stage) for stage in material.stages if not stage.cached)
    features = None
    if material.place.track == "frozen":
        features = material.encode_some(0, batch)  # warms up, too
        shared += sum(sizes.values()) * _encoding_seconds(material, max(0, sizes["train"] - batch), batch)
    found = {}
    for line in lines:
        some = material.some(batch, line.modalities) if features is None else only(features, line.modalities)
        with suppress(MmbenchError):
            found[line.name] = cell_seconds(fitter, line, some)
    return Expected(found, shared)


def cell_seconds(fitter: Fitter, strategy: Strategy, some: Data) -> float:
    """Of a training with the whole budget, its validations, and the answers on the test split; found on ``some``.

    0 for an ensemble, which is not trained.
    """
    if strategy.control == "ensemble":
        return 0.0
    material, settings = fitter.material, Settings()
    recipe = fitter.recipe(Cell(material.place.suite, material.place.track, strategy, 0), settings)
    job = Job(
        model=built(fitter.config(strategy, settings), 0, "model", material.plan.device),
        train=some,
        val=some,
        judged=material.judged,
        recipe=recipe.model_copy(update={"steps": _STEPS, "validations": _VALIDATIONS}),
        penalty=material.penalty(recipe),
        key="",
        state_file=None,
    )
    found, sizes = _timed(lambda report: trained(job, report)), material.sizes()
    answered = recipe.validations * sizes["val"] + sizes["test"]
    return recipe.steps * found.step + answered * found.validation / len(some.ids)


def encoder_seconds(stage: EncoderStage) -> float:
    """Of the training of an encoder, without its validations."""
    recipe = stage.recipe.model_copy(update={"steps": _STEPS, "validations": _VALIDATIONS})
    model = built(stage.config, 0, "model", stage.device)
    made = replace(stage_of("encoder", model, stage.data, recipe, ("", None)), validate=lambda: 0.0)
    return stage.recipe.steps * _timed(lambda report: fit(made, report)).step


def _encoding_seconds(material: Material, start: int, count: int) -> float:
    """Of one sample, read and encoded for the first time."""
    begun = time.perf_counter()
    found = material.encode_some(start, count)
    return (time.perf_counter() - begun) / len(found.ids)


def _timed(run: Callable[[Callable[[Progress], None]], object]) -> Step:
    """The middle of the steps without a validation but for the first; the last validation."""
    times: list[tuple[float, bool]] = []
    run(lambda progress: times.append((time.perf_counter(), progress.score is not None)))
    took = [(later - earlier, validated) for (earlier, _), (later, validated) in pairwise(times)]
    step = median(seconds for seconds, validated in took if not validated)
    return Step(step, max(0.0, took[-1][0] - step))

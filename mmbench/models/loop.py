"""The training loop: steps, validation, the best weights, and a state on disk from which it goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmbench.core.errors import Interrupted, LoadError, UsageError
from mmbench.models.checkpoint import StateDict, packed, write_atomic
from mmbench.models.randomness import seeded
from mmbench.models.recipe import Recipe

_AUTOCAST = {"bf16": torch.bfloat16}
_MOMENTUM = 0.9
_SAVE_EVERY = 30.0  # seconds of work that kill -9 may cost


@dataclass(frozen=True, slots=True)
class Progress:
    """What is told after a step: ``score`` is the validation's, None where there was none."""

    stage: str
    step: int
    steps: int
    loss: float
    score: float | None = None


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """One training: the weights of ``model`` outside ``frozen``, on batches from a step on, scored by ``validate``.

    ``loss`` is a scalar of a batch. ``key`` identifies everything that the result depends on; ``state_file`` is where
    an unfinished training is kept, None where it is not. ``modulate`` may change the gradients of a batch and a step.
    """

    name: str
    model: nn.Module
    recipe: Recipe
    batches: Callable[[int], Iterator[Any]]
    loss: Callable[[Any], Tensor]
    validate: Callable[[], float]
    device: torch.device
    key: str
    state_file: Path | None
    frozen: tuple[nn.Module, ...] = ()
    modulate: Callable[[Any, int], None] | None = None


@dataclass(slots=True)
class Best:
    """The weights with the highest validation score so far, after so many steps."""

    score: float = -math.inf
    steps: int = 0
    weights: StateDict = field(default_factory=dict)


def fit(stage: Stage, report: Report) -> Best:
    """Trains to the end of the budget, from the state on disk if there is one of the same key; loads the best weights.

    Raises Interrupted on ctrl-C, after the state was saved. The state file is removed by the caller, once the result is
    safe.
    """
    trained = _freeze(stage)
    optimiser = _optimiser(trained, stage.recipe)
    start, best = _resumed(stage, optimiser)
    done, saved = start, time.monotonic()
    try:
        for batch in stage.batches(start):
            with seeded(stage.recipe.seed, stage.name, done):
                loss = _step(stage, optimiser, trained, batch.to(stage.device), done)
            done += 1
            score = None
            if stage.recipe.validates_after(done - 1):
                score = _candidate(stage, best, done)
            if score is not None or time.monotonic() - saved > _SAVE_EVERY:
                _save_state(stage, optimiser, done, best)
                saved = time.monotonic()
            report(Progress(stage.name, done, stage.recipe.steps, loss, score))
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"Stopped after {done} of {stage.recipe.steps} steps of {stage.name}; the same command resumes it."
        ) from error
    stage.model.load_state_dict(best.weights)
    return best


def _optimiser(trained: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(trained, lr=recipe.rate, momentum=_MOMENTUM, weight_decay=recipe.weight_decay)
    return torch.optim.AdamW(trained, lr=recipe.rate, weight_decay=recipe.weight_decay)


def _freeze(stage: Stage) -> list[nn.Parameter]:
    fixed = {id(p) for module in stage.frozen for p in module.parameters()}
    for parameter in stage.model.parameters():
        parameter.requires_grad_(id(parameter) not in fixed)
    return [parameter for parameter in stage.model.parameters() if parameter.requires_grad]


def _step(
    stage: Stage,
    optimiser: torch.optim.Optimizer,
    trained: list[nn.Parameter],
    batch: Any,
    step: int,
) -> float:
    stage.model.train()
    for module in stage.frozen:
        module.eval()
    for group in optimiser.param_groups:
        group["lr"] = stage.recipe.rate_at(step)
    with _precision(stage):
        loss = stage.loss(batch)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if stage.modulate is not None:
        stage.modulate(batch, step)
    nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    value = float(loss.detach())
    if not torch.isfinite(loss):
        raise UsageError(f"The loss became {value} at step {step + 1} of {stage.name}; lower --lr.")
    return value


def _candidate(stage: Stage, best: Best, done: int) -> float:
    stage.model.eval()
    with _precision(stage):
        score = stage.validate()
    if score > best.score:
        best.score, best.steps = score, done
        best.weights = {name: value.detach().cpu().clone() for name, value in stage.model.state_dict().items()}
    return score


def _precision(stage: Stage) -> AbstractContextManager[Any]:
    dtype = _AUTOCAST.get(stage.recipe.precision)
    return nullcontext() if dtype is None else torch.autocast(stage.device.type, dtype=dtype)


def _save_state(stage: Stage, optimiser: torch.optim.Optimizer, done: int, best: Best) -> None:
    if stage.state_file is None:
        return
    content = {
        "key": stage.key,
        "done": done,
        "weights": stage.model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "best": {"score": best.score, "steps": best.steps, "weights": best.weights},
    }
    write_atomic(stage.state_file, packed(content))


def _resumed(stage: Stage, optimiser: torch.optim.Optimizer) -> tuple[int, Best]:
    state = _read_state(stage.state_file)
    if state is None or state.get("key") != stage.key:
        return 0, Best()
    stage.model.load_state_dict(state["weights"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["done"]), Best(**state["best"])


def _read_state(path: Path | None) -> Mapping[str, Any] | None:
    if path is None or not path.exists():
        return None
    try:
        state: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise LoadError(f"The unfinished training {path} cannot be read; delete it to start anew.") from error
    return state

"""From a strategy to the configuration of its model: options by the data, hidden widths by tuning or by parameters."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch

from mmbench.core import registry
from mmbench.core.errors import UsageError
from mmbench.models.assembled import FusionModel
from mmbench.models.config import ModelConfig
from mmbench.models.serving import check_served
from mmbench.models.tasks.catalogue import TASKS
from mmbench.study.design import BASELINE, Strategy, Track
from mmbench.study.settings import Settings
from mmbench.study.sizing import TOLERANCE, Size

# The options that say how large an operator is inside, by what they are called.
_SIZES = ("hidden", "factors", "rank")
_WIDEST = 1 << 16


@dataclass(frozen=True, slots=True)
class Blueprint:
    """``whole`` is the baseline's configuration with all inputs.

    ``options`` completes an operator's options by what it must know of the labels. ``matched``: hidden widths are
    solved so that the fusion has as many parameters as the baseline's, and tuning changes none of them.
    """

    whole: ModelConfig
    options: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    track: Track
    matched: bool = False

    def config(self, strategy: Strategy, settings: Settings) -> ModelConfig:
        """The model's configuration; raises UsageError when the strategy does not serve these inputs or this task."""
        options: dict[str, Any] = dict(strategy.options)
        if strategy.control == "ensemble":
            options["weighting"] = "mean"
        operator = None
        if strategy.control != "unimodal":
            check_served(strategy.fusion, self.whole.task)
            operator = registry.fusion.get(strategy.fusion)
            options = self.options(strategy.fusion, options)
        plain = self._with(strategy, options)
        size = _size_option(operator)
        if strategy.control == "wide":
            return self._solved(strategy, plain, size, _total if self.track == "finetune" else _trained)
        if self.matched and size is not None and strategy.control == "" and strategy.fusion != BASELINE:
            return self._solved(strategy, plain, size, _fusion, exact=False)
        if settings.width != 1.0 and size is not None and not self.matched:
            start = _default(plain, size)
            return self._with(strategy, options | {size: max(1, round(start * settings.width))})
        return plain

    def size(self, strategy: Strategy, settings: Settings) -> Size:
        """How large its fusion is, and how large it would be by itself."""
        native = replace(self, matched=False).config(strategy, Settings())
        trained = self.config(strategy, settings)
        asked = self.matched and strategy.fusion != BASELINE
        return Size(_fusion(empty(trained)), _fusion(empty(native)), _fusion(empty(self.whole)) if asked else None)

    def _with(self, strategy: Strategy, options: Mapping[str, Any]) -> ModelConfig:
        inputs = {m: self.whole.inputs[m] for m in strategy.modalities}
        update = {"inputs": inputs, "fusion": strategy.fusion, "fusion_options": dict(options)}
        return self.whole.model_copy(update=update)

    def _solved(
        self, strategy: Strategy, plain: ModelConfig, size: str | None, count: Any, exact: bool = True
    ) -> ModelConfig:
        """The size at which ``count`` parameters come nearest to the baseline's; they grow with the size."""
        wanted = count(empty(self.whole))

        def at(value: int) -> ModelConfig:
            return self._with(strategy, {**plain.fusion_options, str(size): value})

        @cache
        def counted(value: int) -> int:
            return int(count(empty(at(value))))

        enough = smallest(lambda value: counted(value) >= wanted, _WIDEST)
        nearest = min((max(1, enough - 1), enough), key=lambda value: abs(counted(value) - wanted))
        if exact and abs(counted(nearest) - wanted) > TOLERANCE * wanted:
            raise UsageError(f"{strategy.name} cannot have {wanted:,} parameters; it is left out.")
        return at(nearest)


def empty(config: ModelConfig) -> FusionModel:
    """The model without memory for its weights: it is only counted."""
    with torch.device("meta"):
        return FusionModel(config)


def places_of(config: ModelConfig) -> int:
    """At how many places of a sample the fusion works: those of the grid where the task is one of maps, else 1."""
    if config.shape is None or not TASKS[config.task].on_grid:
        return 1
    return math.ceil(config.shape[0] / config.stride) * math.ceil(config.shape[1] / config.stride)


def smallest(holds: Callable[[int], bool], most: int) -> int:
    """The smallest number from 1 on for which it holds, ``most`` if there is none; it holds for all larger ones.

    Asked for numbers up to twice the answer alone, as large models take long to be counted.
    """
    high = 1
    while high < most and not holds(high):
        high = min(2 * high, most)
    low = high // 2 + 1 if high > 1 else 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def fusion_parameters(model: FusionModel) -> int:
    """Parameters of the operator alone."""
    return _fusion(model)


def _size_option(operator: Any) -> str | None:
    if operator is None:
        return None
    names = inspect.signature(operator).parameters
    return next((name for name in _SIZES if name in names), None)


def _default(config: ModelConfig, size: str) -> int:
    """The size that the operator has when nothing is said; ``hidden`` of most is 2d."""
    given = inspect.signature(registry.fusion.get(config.fusion)).parameters[size].default
    return int(given) if isinstance(given, int) else 2 * config.width


def _fusion(model: FusionModel) -> int:
    return sum(p.numel() for p in model.fusion.parameters())


def _total(model: FusionModel) -> int:
    return sum(p.numel() for p in model.parameters())


def _trained(model: FusionModel) -> int:
    return _total(model) - sum(p.numel() for p in model.encoders.parameters())

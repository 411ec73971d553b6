"""How long and how a stage is trained, as data; it is recorded in the checkpoint."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mmbench.models.augment import Augmentation

Balance = Literal["none", "ogm-ge", "gradblend"]
Optimiser = Literal["adamw", "sgd"]
Precision = Literal["fp32", "bf16"]


class Recipe(BaseModel):
    """AdamW, or SGD with momentum .9, with a warm-up and a cosine decay to 0.

    The budget is in steps, so ``steps * batch_size`` items are seen.

    ``class_weight_power``: see ``survey.class_weights``; ``focal``: see ``tasks.task.Penalty``.
    ``task_weights``: w_k of each task in a joint training, 1 where none is given.
    ``modality_dropout``: each modality of each item is hidden with this probability, at least one is kept (Neverova et
    al., ModDrop, TPAMI 2016), so that what stands in the place of an absent modality is trained too. ``crop`` is the
    size of a random view, None without augmentation. ``balance``: see ``balance``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    optimiser: Optimiser = "adamw"
    weight_decay: float = 0.01
    warmup: float = 0.05
    class_weight_power: float = 0.5
    focal: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    modality_dropout: float = 0.0
    augmentation: Augmentation = "none"
    crop: tuple[int, int] | None = None
    task_weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    validations: int = Field(default=10, ge=1)
    balance: Balance = "none"
    precision: Precision = "fp32"
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, 0 <= step < steps."""
        warm = max(1, round(self.warmup * self.steps))
        if step < warm:
            return self.rate * (step + 1) / warm
        return self.rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, self.steps - warm)))

    def validates_after(self, step: int) -> bool:
        """Whether the weights after this step are a candidate for the best: evenly spaced, and the last ones."""
        done = step + 1
        return done * self.validations // self.steps > step * self.validations // self.steps

"""Trainings that keep one modality from learning at the cost of the others: OGM-GE and Gradient Blending."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmbench.models.assembled import FusionModel
from mmbench.models.objective import Batch, features_of
from mmbench.models.randomness import generator

# The strength of the modulation; the paper tries 0.1 to 0.8.
_ALPHA = 0.3


@dataclass(frozen=True, slots=True)
class OnTheFlyModulation:
    """OGM-GE: gradients of the modality that is ahead are made smaller, and noise is put back (Peng et al., CVPR 2022).

    With s_m = sum_i softmax(logits from m alone)_{y_i} and rho_m = s_m / mean of the others' s, the gradients of what
    belongs to m alone (its encoder and its bridge) are multiplied by k_m = 1 - tanh(alpha rho_m) where rho_m > 1, else
    by 1; then each weight matrix gets Gaussian noise of its gradient's standard deviation. "m alone" hides the other
    modalities, which for a sum of unimodal logits are the paper's own scores; more than two compare with their mean.
    """

    model: FusionModel
    seed: int
    alpha: float = _ALPHA

    def __call__(self, batch: Batch, step: int) -> None:
        """Changes the gradients, after they were computed and before the optimiser's step."""
        factors = {m: coefficient(rho, self.alpha) for m, rho in discrepancies(self.scores(batch)).items()}
        draws = generator(self.seed, "ogm-ge", step)
        for m, factor in factors.items():
            for parameter in self._own(m):
                if parameter.grad is not None:
                    parameter.grad = _modulated(parameter.grad, factor, draws)

    @torch.no_grad()
    def scores(self, batch: Batch) -> dict[str, float]:
        """s_m of a batch, over the items that have m and a label."""
        training = [module for module in self.model.modules() if module.training]
        self.model.eval()  # the statistics of batch norms are not to see the batch twice
        features = features_of(self.model, batch)
        found = {}
        for m, there in batch.present.items():
            alone = {n: there if n == m else torch.zeros_like(there) for n in batch.present}
            logits = self.model.decide(features, alone).logits.x[:, 0].float()
            kept = there & (batch.target >= 0)
            right = logits.softmax(dim=-1)[kept].gather(1, batch.target[kept][:, None])
            found[m] = float(right.sum())
        for module in training:
            module.training = True
        return found

    def _own(self, modality: str) -> list[nn.Parameter]:
        parts = (part[modality] for part in (self.model.encoders, self.model.bridges) if modality in part)
        return [parameter for part in parts for parameter in part.parameters()]


def discrepancies(scores: Mapping[str, float]) -> dict[str, float]:
    """rho_m = s_m / mean_{n != m} s_n; 1 where the others have none."""
    found = {}
    for m, score in scores.items():
        others = [other for n, other in scores.items() if n != m]
        mean = sum(others) / len(others) if others else 0.0
        found[m] = score / mean if mean > 0 else 1.0
    return found


def coefficient(rho: float, alpha: float) -> float:
    """k = 1 - tanh(alpha rho) where rho > 1, else 1."""
    return 1 - math.tanh(alpha * rho) if rho > 1 else 1.0


def _modulated(gradient: Tensor, factor: float, draws: torch.Generator) -> Tensor:
    scaled = gradient * factor
    if gradient.ndim < 2:
        return scaled
    noise = torch.randn(gradient.shape, generator=draws).to(gradient)
    return scaled + scaled.std() * noise


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one head: on training and on validation data, before and after it learned for a while."""

    train: tuple[float, float]
    validation: tuple[float, float]


def blend_weights(measured: Mapping[str, Losses]) -> dict[str, float]:
    """w_k proportional to G_k / O_k^2, their mean 1.

    Wang et al., What Makes Training Multi-modal Classification Networks Hard?, CVPR 2020.

    G = L_V(0) - L_V(n) is what generalises of what was learned, O = (L_V(n) - L_T(n)) - (L_V(0) - L_T(0)) what does
    not. A head that does not generalise has weight 0; all have 1 if none does.
    """
    raw = {}
    for name, losses in measured.items():
        gain = losses.validation[0] - losses.validation[1]
        over = (losses.validation[1] - losses.train[1]) - (losses.validation[0] - losses.train[0])
        raw[name] = max(0.0, gain) / max(over**2, 1e-8)
    total = sum(raw.values())
    return {name: len(raw) * value / total for name, value in raw.items()} if total > 0 else dict.fromkeys(raw, 1.0)

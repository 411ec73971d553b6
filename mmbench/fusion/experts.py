"""Experts: of probabilities, one per modality, and of features, chosen by a gate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.errors import UsageError
from mmbench.core.registry import fusion
from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature, absent, aligned
from mmbench.fusion.tokenwise import JointLinear, Tokenwise, filled


@fusion("product_of_experts", needs="torch", level="logits", additive=True)
class ProductOfExperts(Fusion):
    """Y = sum_m log softmax(M_m / T_m) - (M - 1) log p(y): the posterior of modalities independent given the class.

    softmax(Y) is proportional to p(y)^{1-M} prod_m p(y | x_m); with the modalities P that are present M is |P|, so that
    without any the prior p(y) is left. Each temperature T_m = exp(t_m) is learned, 1 at the start. Hinton, Training
    Products of Experts by Minimizing Contrastive Divergence, Neural Computation 2002; the prior's power as in Wu and
    Goodman, NeurIPS 2018. Additive in log space. Order does not matter.

    Options: ``prior``, the share of each class in the training labels (all above 0; default: all alike).
    """

    level = "logits"
    additive = True
    needs_prior = True
    log_prior: Tensor

    def __init__(self, modalities: Sequence[str], width: int, prior: Sequence[float] | None = None) -> None:
        """Raises UsageError when the prior does not have a positive share for each class."""
        super().__init__(modalities, width)
        shares = [1.0] * width if prior is None else [float(share) for share in prior]
        if len(shares) != width or not all(0 < share < math.inf for share in shares):
            raise UsageError(f"The prior of 'product_of_experts' needs {width} numbers above 0, found {shares}.")
        self.temperature = nn.ParameterDict({m: nn.Parameter(torch.zeros(())) for m in self.modalities})
        # The prior belongs to the configuration and stands there, not among the weights.
        log_prior = torch.tensor(shares).log()
        self.register_buffer("log_prior", log_prior - log_prior.logsumexp(dim=0), persistent=False)

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """Logits; a token that no modality has is the logarithm of the prior, and padding."""
        same = aligned(features)
        lost = torch.stack([absent(same[m], present[m]) for m in self.modalities])
        votes = [
            (same[m].x.masked_fill(gone, 0) * (-self.temperature[m]).exp()).log_softmax(dim=-1).masked_fill(gone, 0)
            for m, gone in zip(self.modalities, lost, strict=True)
        ]
        surplus = (~lost).sum(dim=0) - 1
        y = torch.stack(votes).sum(dim=0) - surplus * self.log_prior.to(votes[0].dtype)
        return Feature(y, lost.all(dim=0).squeeze(-1), same[self.modalities[0]].grid)


@fusion("mixture_of_experts", needs="torch")
class MixtureOfExperts(Tokenwise):
    """y = sum_e g_e E_e([x_1; ..; x_M]), g = softmax(G [x_1; ..; x_M]): small networks, weighed token by token.

    E_e(t) = V_e s(W_e t + c_e) + b_e with s GELU, W_e in R^{h x M d}, V_e in R^{d x h}; with ``top`` only the largest
    gates count, renormalised. The loss gets balance * (E sum_e P_e^2 - 1), P_e the mean of g_e over the tokens of the
    batch that are no padding: the squared coefficient of variation of the experts' importance (Shazeer et al.,
    Outrageously Large Neural Networks, ICLR 2017). As a fusion: Han et al., FuseMoE, NeurIPS 2024. In place of an
    absent modality stands a learned null token e_m. Order does not matter.

    Options: ``experts`` E, default 4; ``hidden`` h, default d; ``top``, default all; ``balance``, default 0.01.
    """

    def __init__(
        self,
        modalities: Sequence[str],
        width: int,
        experts: int = 4,
        hidden: int | None = None,
        top: int | None = None,
        balance: float = 0.01,
    ) -> None:
        """Raises UsageError when fewer than two experts answer: there the gate would be 1 and learn nothing."""
        super().__init__(modalities, width)
        if not 2 <= (experts if top is None else top) <= experts:
            raise UsageError(f"In 'mixture_of_experts' 2 experts at least answer, not {top or experts} of {experts}.")
        hidden = hidden or width
        self.top, self.balance = top, balance
        self.gate = JointLinear(self.modalities, width, experts)
        self.expand = nn.ModuleList(JointLinear(self.modalities, width, hidden) for _ in range(experts))
        self.project = nn.ModuleList(nn.Linear(hidden, width) for _ in range(experts))

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The weighted sum over experts."""
        answers = [
            project(nn.functional.gelu(expand(parts)))
            for expand, project in zip(self.expand, self.project, strict=True)
        ]
        return (torch.stack(answers, dim=-1) * self._gates(parts)[:, :, None, :]).sum(dim=-1)

    def auxiliary(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Tensor:
        """The load-balance loss, 0 when all experts are weighed alike on average."""
        frame, parts = filled(features, present, self.null)
        kept = ~frame.pad[..., None]
        gates = self._gates(parts)
        share = (gates * kept).sum(dim=(0, 1)) / kept.sum().clamp(min=1)
        return self.balance * (len(self.project) * share.square().sum() - 1)

    def _gates(self, parts: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self.gate(parts)
        if self.top is not None:
            least = logits.topk(self.top, dim=-1).values[..., -1:]
            logits = logits.masked_fill(logits < least, -math.inf)
        return logits.softmax(dim=-1)

"""The most probable sequence, searched for with a beam."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

# From sequences int64 [B,K,t] to log-probabilities of what follows each, float [B,K,V]; number 0 ends a sequence.
Follow = Callable[[Tensor], Tensor]


def beam_search(follow: Follow, batch: int, beam: int, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The best sequence of each item int64 [B,length], 0 from its end on, and its log-probability float [B].

    Of every step the ``beam`` most probable beginnings are kept, ended ones among them; with a beam of 1 this is greedy
    search, with V^length it finds the most probable of all sequences that end or have ``length`` elements. No penalty
    on the length. Of equally probable ones the first is kept.
    """
    found = torch.zeros(batch, 1, 0, dtype=torch.int64, device=device)
    scores = torch.zeros(batch, 1, device=device)
    for step in range(length):
        ended = (found == 0).any(dim=-1) if step else torch.zeros_like(scores, dtype=torch.bool)
        if ended.all():
            break
        total = scores[..., None] + _after_end(follow(found), ended)
        flat = total.flatten(1)
        scores, chosen = torch.sort(flat, dim=1, descending=True, stable=True)
        scores, chosen = scores[:, :beam], chosen[:, :beam]
        origin, element = chosen // total.shape[-1], chosen % total.shape[-1]
        kept = found.gather(1, origin[..., None].expand(-1, -1, step))
        found = torch.cat([kept, element[..., None]], dim=-1)
    best = found[:, 0]
    return torch.nn.functional.pad(best, (0, length - best.shape[1])), scores[:, 0]


def _after_end(log_probabilities: Tensor, ended: Tensor) -> Tensor:
    """An ended sequence goes on with 0 for certain."""
    certain = torch.full_like(log_probabilities, -math.inf)
    certain[..., 0] = 0
    return torch.where(ended[..., None], certain, log_probabilities)

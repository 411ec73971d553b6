"""Fusion of inputs, before any encoder."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mmbench.core.registry import fusion
from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature, absent, aligned


@fusion("early", needs="torch", level="inputs")
class Early(Fusion):
    """E([p_1 I_1; p_1; ..; p_M I_M; p_M]): one encoder E on the inputs, stacked by channel.

    The I_m are normalised inputs on one grid (an input of one token is spread over it), C_m channels each; p_m is 1
    where modality m is present, else 0, so that E can tell what is absent from what is average. This operator only
    stacks, sum_m (C_m + 1) channels, and has no parameters; with E the model is not additive. As in the
    baseline of Hazirbas et al., FuseNet, ACCV 2016, that stacks RGB and depth. The order is that of E's input channels.
    """

    level = "inputs"

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """``features[m]`` x float [B,L,C_m] -> x float [B,L,sum_m (C_m + 1)]; a token is padding when all have it."""
        same = aligned(features)
        gone = [absent(same[m], present[m]) for m in self.modalities]
        stacked = [
            part
            for m, lost in zip(self.modalities, gone, strict=True)
            for part in (same[m].x.masked_fill(lost, 0), (~lost).to(same[m].x.dtype))
        ]
        pad = torch.stack(gone).all(dim=0).squeeze(-1)
        return Feature(torch.cat(stacked, dim=-1), pad, same[self.modalities[0]].grid)

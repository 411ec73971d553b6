"""Few learned tokens through which the modalities exchange what they know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.errors import UsageError
from mmbench.core.registry import fusion
from mmbench.fusion.attention import Attending, Attention, Block, joined, present_mean
from mmbench.fusion.feature import Feature, onto


@fusion("bottleneck", needs="torch")
class Bottleneck(Attending):
    """[x_m'; z_m] = Transformer_m([x_m; z]), z' = mean_m z_m, y = mean_m x_m': attention through bottleneck tokens z.

    One block with LayerNorm in front per modality and layer, on x_m + e_m + p (modality and place); z in R^{B x d} is
    learned. Nagrani et al., Attention Bottlenecks for Multimodal Fusion, NeurIPS 2021. Means are over what is present;
    a modality on another grid than the first enters y as the mean of its tokens. With one layer nothing is exchanged.
    Order matters only where the layouts differ.

    Options: ``tokens`` B, default 4; ``layers``, default 2; ``heads``, default up to 4.
    """

    def __init__(
        self, modalities: Sequence[str], width: int, tokens: int = 4, layers: int = 2, heads: int | None = None
    ) -> None:
        super().__init__(modalities, width)
        self.additive = layers == 1
        self.neck = nn.Parameter(torch.randn(tokens, width))
        self.blocks = nn.ModuleList(
            nn.ModuleDict({m: Block(width, heads) for m in self.modalities}) for _ in range(layers)
        )

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """In the layout of the first modality."""
        tokens, seen = self.placed(features, present)
        z = self.neck.expand(len(next(iter(tokens.values()))), -1, -1)
        open_ = torch.ones(z.shape[:2], dtype=torch.bool, device=z.device)
        for layer in self.blocks:
            necks = {}
            for m, x in tokens.items():
                both = layer[m](torch.cat([z, x], dim=1), torch.cat([open_, seen[m]], dim=1))  # type: ignore[index]
                necks[m], tokens[m] = both[:, : z.shape[1]], both[:, z.shape[1] :]
            z = present_mean(necks, present)
        anchor = self.anchor(features, present)
        terms = {m: onto(Feature(tokens[m], ~seen[m], features[m].grid), anchor).x for m in self.modalities}
        return anchor._replace(x=present_mean(terms, present))


@fusion("perceiver", needs="torch")
class Perceiver(Attending):
    """z = Block(z_0 reads [n; x_1; ..; x_M]), y = x_1 + Att(x_1, z, z): a learned array z_0 of N latents reads it all.

    Block is attention and FFN with LayerNorm in front, on x_m + e_m + p (modality and place); n is a learned token that
    is never masked; the first modality then asks z, with LayerNorm on both. Jaegle et al., Perceiver, ICML 2021, and
    Perceiver IO, ICLR 2022, for the last step; as a fusion: Liang et al., HighMMT, TMLR 2022. The first modality is
    special, the order of the others does not matter.

    Options: ``latents`` N, default 8; ``heads``, default up to 4.
    """

    anchored = True

    def __init__(self, modalities: Sequence[str], width: int, latents: int = 8, heads: int | None = None) -> None:
        """Raises UsageError with less than two latents: nothing is to be asked of one."""
        super().__init__(modalities, width)
        if latents < 2:
            raise UsageError(f"The fusion 'perceiver' needs two latents at least, not {latents}.")
        self.null = nn.Parameter(torch.randn(width))
        self.latents = nn.Parameter(torch.randn(latents, width))
        self.read = Block(width, heads, crossed=True)
        self.query, self.answer = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask = Attention(width, heads)

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """In the layout of the first modality; an absent one asks with e_1 + p."""
        tokens, seen = self.placed(features, present)
        memory, visible = joined(tokens, seen, self.null)
        z = self.read(self.latents.expand(len(memory), -1, -1), visible, memory)
        first = tokens[self.modalities[0]]
        every = torch.ones(z.shape[:2], dtype=torch.bool, device=z.device)
        y = first + self.ask(self.query(first), self.answer(z), every)
        return self.anchor(features, present)._replace(x=y)

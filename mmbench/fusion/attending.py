"""Attention between modalities, and over all of them joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from mmbench.core.registry import fusion
from mmbench.fusion.attention import Attending, Block, joined, present_mean
from mmbench.fusion.feature import Feature, onto
from mmbench.fusion.tokenwise import partners


@fusion("nl_gate", needs="torch")
class NonLocalGate(Attending):
    """y = q + softmax(q k^T / sqrt(d)) v, q = Q x_1, k = K [n; x_2; ..; x_M], v = V [n; x_2; ..; x_M]: non-local gate.

    Q, K, V in R^{d x d} without biases, x_m stands for x_m + e_m + p (modality and place), n is a learned token that is
    never masked. Wang et al., What Makes Training Multi-modal Classification Networks Hard?, CVPR 2020, appendix, after
    Wang et al., Non-local Neural Networks, CVPR 2018. A single modality reads itself. The first modality is special,
    the order of the others does not matter.
    """

    anchored = True

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.null = nn.Parameter(torch.randn(width))
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """In the layout of the first modality; an absent one asks with e_1 + p."""
        tokens, seen = self.placed(features, present)
        others = partners(self.modalities, self.modalities[0])
        memory, visible = joined({m: tokens[m] for m in others}, {m: seen[m] for m in others}, self.null)
        q = self.query(tokens[self.modalities[0]])
        read = scaled_dot_product_attention(q, self.key(memory), self.value(memory), attn_mask=visible[:, None, :])
        return self.anchor(features, present)._replace(x=q + read)


@fusion("cross_attention", needs="torch")
class CrossAttention(Attending):
    """x_m' = x_m + Att(x_m, [n; x_others]) + FFN, y = mean_m x_m': each modality reads the others, both ways.

    Blocks with LayerNorm in front, one per modality and layer, on x_m + e_m + p (modality and place); n is a learned
    token that is never masked. Tsai et al., Multimodal Transformer for Unaligned Multimodal Language Sequences, ACL
    2019; Lu et al., ViLBERT, NeurIPS 2019. The mean is over what is present; a modality on another grid than the first
    enters it as the mean of its tokens. A single modality reads itself. Order matters only where the layouts differ.

    Options: ``layers``, default 1; ``heads``, default up to 4.
    """

    def __init__(self, modalities: Sequence[str], width: int, layers: int = 1, heads: int | None = None) -> None:
        super().__init__(modalities, width)
        self.null = nn.Parameter(torch.randn(width))
        self.blocks = nn.ModuleList(
            nn.ModuleDict({m: Block(width, heads, crossed=True) for m in self.modalities}) for _ in range(layers)
        )

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """In the layout of the first modality."""
        tokens, seen = self.placed(features, present)
        for layer in self.blocks:
            tokens = {m: self._read(layer[m], m, tokens, seen) for m in self.modalities}  # type: ignore[index]
        anchor = self.anchor(features, present)
        terms = {m: onto(Feature(tokens[m], ~seen[m], features[m].grid), anchor).x for m in self.modalities}
        return anchor._replace(x=present_mean(terms, present))

    def _read(self, block: nn.Module, m: str, tokens: Mapping[str, Tensor], seen: Mapping[str, Tensor]) -> Tensor:
        others = partners(self.modalities, m)
        memory, visible = joined({o: tokens[o] for o in others}, {o: seen[o] for o in others}, self.null)
        return block(tokens[m], visible, memory)  # type: ignore[no-any-return]


@fusion("self_attention", needs="torch")
class SelfAttention(Attending):
    """y = Transformer([n; x_1 + e_1 + p; ..; x_M + e_M + p]) at the tokens of x_1: self-attention over all tokens.

    Blocks with LayerNorm in front; e_m is a learned vector of the modality, p a fixed code of the place, n a learned
    token that is never masked. Li et al., VisualBERT, 2019; Kiela et al., Supervised Multimodal Bitransformers, 2019.
    The first modality is special as y is read there, the order of the others does not matter.

    Options: ``layers``, default 1; ``heads``, default up to 4.
    """

    anchored = True

    def __init__(self, modalities: Sequence[str], width: int, layers: int = 1, heads: int | None = None) -> None:
        super().__init__(modalities, width)
        self.null = nn.Parameter(torch.randn(width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """In the layout of the first modality."""
        x, visible = joined(*self.placed(features, present), self.null)
        for block in self.blocks:
            x = block(x, visible)
        anchor = self.anchor(features, present)
        return anchor._replace(x=x[:, 1 : 1 + anchor.x.shape[1]])

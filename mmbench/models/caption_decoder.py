"""The decoder of captions: one word after the other, P(W | I) = prod_t P(w_t | w_<t, I)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from mmbench.fusion.feature import Feature
from mmbench.models.bridges import masked_mean

# The number of what stands before the first word and behind the last one; words count from 1.
EDGE = 0


class CaptionDecoder(nn.Module):
    """An LSTM whose first state and whose attention read the fused tokens, the memory.

    h_0 = tanh(W_h m), c_0 = tanh(W_c m) with m the mean of the memory; at step t the context is the mean of the memory
    and a learned null token, weighted by softmax(memory W_a h_t-1), and the logits of w_t are W_o [h_t; context_t],
    with h_t the state after [embedding of w_t-1; context_t] (Vinyals et al., Show and Tell, CVPR 2015; Xu et al., Show,
    Attend and Tell, ICML 2015).
    """

    def __init__(self, width: int, words: int) -> None:
        """``words`` is the size of the vocabulary, without EDGE."""
        super().__init__()
        self.hidden = 2 * width
        self.embed = nn.Embedding(1 + words, width)
        self.start = nn.Linear(width, 2 * self.hidden)
        self.null = nn.Parameter(torch.randn(width) * 0.02)
        self.attend = nn.Linear(self.hidden, width, bias=False)
        self.cell = nn.LSTMCell(2 * width, self.hidden)
        self.say = nn.Linear(self.hidden + width, 1 + words)

    def forward(self, feature: Feature, query: Tensor) -> Feature:
        """Memory x float [B,L,d] and words so far int64 [B,R,T], R captions an item -> logits x float [B,R T,1+V].

        Those at (r, t) are of the word that follows the first t words of caption r.
        """
        batch, captions, _ = query.shape
        memory = Feature(feature.x.repeat_interleave(captions, 0), feature.pad.repeat_interleave(captions, 0))
        said = self.embed(pad(query, (1, 0), value=EDGE).flatten(0, 1))
        state = torch.tanh(self.start(masked_mean(memory.x, memory.pad))).chunk(2, dim=-1)
        logits = []
        for word in said.unbind(dim=1):
            context = self._context(memory, state[0])
            state = self.cell(torch.cat([word, context], dim=-1), state)
            logits.append(self.say(torch.cat([state[0], context], dim=-1)))
        x = torch.stack(logits, dim=1).reshape(batch, captions * len(logits), -1)
        return Feature(x, torch.zeros_like(x[..., 0], dtype=torch.bool))

    def _context(self, memory: Feature, hidden: Tensor) -> Tensor:
        """The null token is always there, so that there is a choice even in a memory of one token."""
        null = self.null.to(memory.x.dtype).expand(len(memory.x), 1, -1)
        tokens = torch.cat([memory.x.masked_fill(memory.pad[..., None], 0), null], dim=1)
        scores = (tokens @ self.attend(hidden)[..., None]).squeeze(-1)
        weights = scores.masked_fill(pad(memory.pad, (0, 1)), -torch.inf).softmax(dim=-1)
        context: Tensor = weights[:, None] @ tokens
        return context.squeeze(1)

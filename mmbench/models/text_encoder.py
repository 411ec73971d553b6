"""A small encoder of texts, trained from scratch."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from mmbench.fusion.feature import Feature
from mmbench.models.vocabulary import PAD, SPECIAL

_KERNEL = 3
_LAYERS = 2


class TextEncoder(nn.Module):
    """Word numbers int64 [B,L] -> one token of ``width`` channels a word.

    An embedding of each word and two residual convolutions over neighbouring words (Kim, Convolutional Neural Networks
    for Sentence Classification, EMNLP 2014).
    """

    def __init__(self, words: int, width: int) -> None:
        """``words`` is the size of the vocabulary without its special entries."""
        super().__init__()
        self.embed = nn.Embedding(SPECIAL + words, width, padding_idx=PAD)
        self.convolve = nn.ModuleList(nn.Conv1d(width, width, _KERNEL, padding=_KERNEL // 2) for _ in range(_LAYERS))

    def forward(self, numbers: Tensor) -> Feature:
        """What is padding stays 0 in every layer, so that the length to which a text is padded changes nothing."""
        pad = numbers == PAD
        x = self.embed(numbers)
        for convolve in self.convolve:
            x = x + relu(convolve(x.transpose(1, 2)).transpose(1, 2)).masked_fill(pad[..., None], 0)
        return Feature(x, pad, (numbers.shape[1],))

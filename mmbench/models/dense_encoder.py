"""A small convolutional encoder for dense tasks, U-shaped, one per modality."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import interpolate

# Channels of each level, in multiples of the width; each level halves the resolution.
LEVELS = (1, 2, 4, 4)
# Pixels of a feature map that are one at the coarsest level.
COARSEST = 2 ** (len(LEVELS) - 1)
# Dilations of the blocks at the coarsest level: together they see 29 positions across.
DILATIONS = (1, 2, 4)


class DenseEncoder(nn.Module):
    """float32 [B,channels,H,W] -> features [B,width,h,w] at 1/stride of the resolution, any size, trained from scratch.

    A contracting path to 1/(8 stride), residual dilated blocks there for context (Yu and Koltun, ICLR 2016), and an
    expanding path that adds what the contracting path had at each resolution (Ronneberger et al., U-Net, MICCAI 2015).
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        """``stride`` is 1, 2, 4 or 8."""
        super().__init__()
        sizes = [width * level for level in LEVELS]
        self.stem = _stem(channels, width, stride)
        self.down = nn.ModuleList(
            nn.Sequential(_conv(fine, coarse, stride=2), _conv(coarse, coarse)) for fine, coarse in pairwise(sizes)
        )
        self.context = nn.Sequential(*(_Residual(sizes[-1], dilation) for dilation in DILATIONS))
        self.lateral = nn.ModuleList(nn.Conv2d(coarse, fine, 1, bias=False) for fine, coarse in pairwise(sizes))
        self.up = nn.ModuleList(_conv(fine, fine) for fine in sizes[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """The features; h and w are H and W divided by the stride, rounded up."""
        levels = [self.stem(x)]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = self.context(levels.pop())
        for up, lateral in zip(reversed(self.up), reversed(self.lateral), strict=True):
            skip = levels.pop()
            coarse = interpolate(lateral(y), size=skip.shape[-2:], mode="bilinear", align_corners=False)
            y = up(coarse + skip)
        return y  # type: ignore[no-any-return]  # modules are untyped callables


class _Residual(nn.Module):
    """x + conv(conv(x)), the first one dilated."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(width, width, dilation=dilation), _conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)  # type: ignore[no-any-return]


def _stem(channels: int, width: int, stride: int) -> nn.Sequential:
    first = _conv(channels, width, stride=2 if stride > 1 else 1)
    second = _conv(width, width, stride=2 if stride > 2 else 1)
    return nn.Sequential(first, second, *([_conv(width, width, stride=2)] if stride > 4 else []))


def _conv(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

"""Random views of a training item: flips, crops at a random scale, other light; or the picture moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from mmbench.core.source import Modality
from mmbench.models.data import Item, resize
from mmbench.models.photometric import recoloured
from mmbench.models.tasks.dense import resize_labels
from mmbench.models.tasks.task import VOID

Augmentation = Literal["none", "crop", "shift"]

# A crop shows the scene at 0.5 to 2 times its size (log-uniform), as usual for street scenes (DeepLab, PSPNet).
_SCALES = (0.5, 2.0)


def random_view(item: Item, modalities: Mapping[str, Modality], size: tuple[int, int], draws: torch.Generator) -> Item:
    """A crop of ``size`` (height, width), the same window and flip for all pictures and the target, a label map.

    Where the window reaches over the edge, inputs are their mean there and the target is VOID. Planes keep their values
    (they are measurements); images change in light and colour.
    """
    zoom, vertical, horizontal, side = torch.rand(4, generator=draws).tolist()
    scale = _SCALES[0] * (_SCALES[1] / _SCALES[0]) ** zoom
    window = _window(tuple(item.target.shape), size, scale, (vertical, horizontal))
    inputs: dict[str, Tensor | str | None] = {}
    for m, modality in modalities.items():
        x = item.inputs[m]
        if isinstance(x, Tensor):
            image = modality.kind == "image"
            x = resize(_cut(x, window, x.mean(dim=(1, 2))), size, antialias=image)
            x = recoloured(x, draws) if image else x
            x = x.flip(-1) if side < 0.5 else x
        inputs[m] = x
    target = resize_labels(_cut(item.target[None], window, torch.tensor([VOID]))[0], size)
    return Item(inputs, target.flip(-1) if side < 0.5 else target)


def shifted(item: Item, draws: torch.Generator) -> Item:
    """All pictures and the target, a label map, moved by the same rows and columns; what goes out comes in opposite.

    Inputs are float32 [C,H,W] of the target's size int64 [H,W], or none. No label changes, also where a flip, another
    size or another light would change it, as with textures and colours that mean something. An item without a label map
    stays as it is.
    """
    if item.target.ndim != 2:
        return item
    by = [int(torch.randint(side, (), generator=draws)) for side in item.target.shape]
    inputs = {m: x.roll(by, dims=(1, 2)) if isinstance(x, Tensor) else x for m, x in item.inputs.items()}
    return Item(inputs, item.target.roll(by, dims=(0, 1)))


Window = tuple[int, int, int, int]  # top, left, height, width; may reach over the edges


def _window(full: tuple[int, ...], size: tuple[int, int], scale: float, at: tuple[float, float]) -> Window:
    extents = [max(1, round(side / scale)) for side in size]
    starts = []
    for whole, extent, position in zip(full, extents, at, strict=True):
        low, high = sorted((0, whole - extent))
        starts.append(round(low + position * (high - low)))
    return starts[0], starts[1], extents[0], extents[1]


def _cut(x: Tensor, window: Window, fill: Tensor) -> Tensor:
    """The window of [C,H,W], with ``fill`` [C] where it reaches over the edges."""
    top, left, height, width = window
    _, rows, columns = x.shape
    inside = x[:, max(top, 0) : top + height, max(left, 0) : left + width]
    before = (max(-left, 0), max(left + width - columns, 0), max(-top, 0), max(top + height - rows, 0))
    if not any(before):
        return inside
    offset = fill[:, None, None].to(x.dtype)
    return pad(inside - offset, before) + offset

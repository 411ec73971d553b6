"""Windows, scales and mirrors against a plain implementation that goes pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from mmbench.adapters.inference import infer, windows
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.core.errors import LoadError
from mmbench.core.inference import PROTOCOLS, Inference
from mmbench.core.sample import Batch


def net(classes: int = 3) -> torch.nn.Module:
    torch.manual_seed(1)
    return torch.nn.Conv2d(4, classes, 5, padding=2, stride=2).double().eval()


def plain(module: torch.nn.Module, rgb: torch.Tensor, depth: torch.Tensor, protocol: Inference) -> torch.Tensor:
    """The definition, one picture, one window and one view at a time, in double precision."""
    height, width = rgb.shape[-2:]
    total = torch.zeros(1, 3, height, width, dtype=torch.float64)
    for scale in protocol.scales:
        size = (round(height * scale), round(width * scale))
        a = interpolate(rgb, size=size, mode="bilinear", align_corners=False) if scale != 1 else rgb
        b = interpolate(depth, size=size, mode="nearest-exact") if scale != 1 else depth
        both = torch.cat([a, b], 1)
        if protocol.combine == "exp":
            found = slid(lambda x: sum(views(module, x, protocol.flip)).exp(), both, protocol, mean=False)
        else:
            seen = [slid(lambda x: views(module, x, False)[0], x, protocol, mean=True) for x in mirrors(both, protocol)]
            seen = [x if i == 0 else x.flip(-1) for i, x in enumerate(seen)]
            seen = [x.softmax(1) for x in seen] if protocol.combine == "softmax" else seen
            found = sum(seen) / len(seen)
        total += interpolate(found, size=(height, width), mode="bilinear", align_corners=False)
    return total if protocol.combine == "exp" else total / len(protocol.scales)


def mirrors(x: torch.Tensor, protocol: Inference) -> list[torch.Tensor]:
    return [x, x.flip(-1)] if protocol.flip else [x]


def views(module: torch.nn.Module, x: torch.Tensor, flip: bool) -> list[torch.Tensor]:
    def logits(y: torch.Tensor) -> torch.Tensor:
        return interpolate(module(y), size=y.shape[-2:], mode="bilinear", align_corners=False)

    return [logits(x)] + ([logits(x.flip(-1)).flip(-1)] if flip else [])


def slid(score: Callable[[torch.Tensor], Any], x: torch.Tensor, protocol: Inference, mean: bool) -> torch.Tensor:
    if protocol.mode == "whole":
        return score(x)
    height, width = x.shape[-2:]
    crop, stride = protocol.crop, protocol.stride
    tall, wide = (max(c - n, 0) * protocol.pad for c, n in zip(crop, (height, width), strict=True))
    big = torch.zeros(1, 4, height + tall, width + wide, dtype=torch.float64)
    big[..., tall // 2 : tall // 2 + height, wide // 2 : wide // 2 + width] = x
    total, count = torch.zeros(1, 3, *big.shape[-2:], dtype=torch.float64), torch.zeros(big.shape[-2:])
    for top in starts(big.shape[-2], crop[0], stride[0]):
        for left in starts(big.shape[-1], crop[1], stride[1]):
            part = big[..., top : top + crop[0], left : left + crop[1]]
            total[..., top : top + crop[0], left : left + crop[1]] += score(part)
            count[top : top + crop[0], left : left + crop[1]] += 1
    total = total / count if mean else total
    return total[..., tall // 2 : tall // 2 + height, wide // 2 : wide // 2 + width]


def starts(size: int, crop: int, stride: int) -> list[int]:
    found, place = [], 0
    while place + crop < size:
        found.append(place)
        place += stride
    return [*found, max(size - crop, 0)]


@pytest.mark.parametrize("combine", ["logits", "softmax", "exp"])
@pytest.mark.parametrize("mode", ["whole", "slide"])
@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("size", [(37, 50), (20, 61), (12, 9)])
def test_a_protocol_equals_its_definition(combine: Any, mode: Any, pad: bool, size: tuple[int, int]) -> None:
    """Law: to 1e-6 of the largest score, for windows with scales and mirrors, also of pictures below a window."""
    slide = {"crop": (16, 24), "stride": (11, 16)} if mode == "slide" else {}
    protocol = Inference(mode=mode, scales=(0.75, 1.0, 1.3), flip=True, combine=combine, pad=pad, **slide)
    torch.manual_seed(2)
    rgb, depth = torch.rand(1, 3, *size, dtype=torch.float64), torch.rand(1, 1, *size, dtype=torch.float64)
    module = net()

    def forward(inputs: Any) -> torch.Tensor:
        return module(torch.cat([inputs["rgb"], inputs["depth"]], 1).double())

    with torch.inference_mode():
        expected = plain(module, rgb, depth, protocol)
        found = infer(forward, {"rgb": rgb.float(), "depth": depth.float()}, protocol, frozenset({"depth"}))
    assert found.shape == expected.shape
    assert (found.double() - expected).abs().max() <= 1e-6 * expected.abs().max().clamp(min=1)


@settings(max_examples=60)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    crop=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    part=st.floats(0.1, 1.0),
)
def test_windows_cover_every_pixel_and_stay_inside(size: Any, crop: Any, part: float) -> None:
    """Law: each pixel is in a window, each window has the crop's size and lies in the picture."""
    crop = tuple(min(c, s) for c, s in zip(crop, size, strict=True))
    stride = tuple(max(1, int(c * part)) for c in crop)
    seen = np.zeros(size, dtype=int)
    for rows, columns in windows(size, crop, stride):
        assert (rows.stop - rows.start, columns.stop - columns.start) == crop
        assert rows.stop <= size[0]
        assert columns.stop <= size[1]
        seen[rows, columns] += 1
    assert (seen > 0).all()


def test_the_plain_protocol_changes_nothing() -> None:
    assert PROTOCOLS["whole"].is_plain
    assert Inference().identity() == {"mode": "whole", "resize_logits": "bilinear"}


def test_planes_are_scaled_and_repeated() -> None:
    """Depth as a picture of three channels, in another unit; pictures stay as they are."""
    seen = {}

    def forward(inputs: Any) -> torch.Tensor:
        seen.update(inputs)
        return inputs["rgb"]

    protocol = Inference(plane_divisor=4.0, plane_channels=3)
    assert not protocol.is_plain
    rgb, depth = torch.rand(2, 3, 4, 5), torch.rand(2, 1, 4, 5)
    infer(forward, {"rgb": rgb, "depth": depth, "thermal": None}, protocol, frozenset({"depth", "thermal"}))
    assert torch.equal(seen["rgb"], rgb)
    assert torch.equal(seen["depth"], torch.cat([depth / 4] * 3, dim=1))
    assert seen["thermal"] is None


class Probe(torch.nn.Module):
    modalities = ("rgb", "depth")

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Conv2d(4, 3, 1)
        self.seen: list[tuple[int, ...]] = []

    def forward(self, rgb: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
        self.seen.append(tuple(rgb.shape[-2:]))
        return self.head(torch.cat([rgb, depth], 1))


def test_a_model_is_asked_as_the_suite_says(request_for: Callable[..., Any], batch_of: Callable[..., Batch]) -> None:
    """Windows of both inputs, three scales, two mirrors; labels instead of logits are refused in a sentence."""
    import dataclasses

    protocol = Inference(mode="slide", crop=(8, 8), stride=(8, 8), scales=(1.0, 2.0), flip=True)
    request = request_for()
    request = dataclasses.replace(request, spec=request.spec.model_copy(update={"inference": protocol}))
    module = Probe()
    outcomes = TorchModel(module, "probe", request, Identity("0")).predict(batch_of([(16, 8), (16, 8)]))
    assert [o.labels.shape for o in outcomes] == [(16, 8), (16, 8)]
    assert module.seen == [(8, 8)] * (2 * 2 + 2 * 8)
    module.head.forward = lambda x: x[:, 0].long()  # type: ignore[method-assign]
    with pytest.raises(LoadError, match="expects logits"):
        TorchModel(module, "probe", request, Identity("0")).predict(batch_of([(16, 8)]))

"""Well-known encoders: VGG16, and ResNet and BERT as transformers has them, with a linear map to the model's width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmbench.core.errors import LoadError
from mmbench.fusion.feature import Feature
from mmbench.models.config import Backbone
from mmbench.models.vocabulary import PAD, SPECIAL

# Channels of the convolutions between two poolings of VGG16 (Simonyan and Zisserman, Very Deep Convolutional Networks,
# ICLR 2015, table 1, column D).
STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class Vgg(nn.Module):
    """float32 [B,3,H,W] -> a map at 1/2^stages; its weights are named ``features.N.weight``, as is usual for it."""

    def __init__(self, stages: Sequence[Sequence[int]] = STAGES) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for stage in stages:
            for width in stage:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """The last map."""
        return self.features(x)  # type: ignore[no-any-return]


class PictureBackbone(nn.Module):
    """float32 [B,3,H,W] -> float [B,width,h,w]: the backbone's last map, then a linear map of each place."""

    def __init__(self, table: Backbone, width: int) -> None:
        """Raises LoadError when the settings do not make one."""
        super().__init__()
        self.backbone, channels = _picture(table)
        self.project = nn.Conv2d(channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The projected map."""
        found = self.backbone(x)
        return self.project(found if isinstance(found, Tensor) else found.last_hidden_state)  # type: ignore[no-any-return]


class TextBackbone(nn.Module):
    """Numbers int64 [B,L] -> a token of ``width`` channels each: BERT's last layer, then a linear map.

    (Devlin et al., BERT, NAACL 2019.) Number 0 is padding in its vocabulary too.
    """

    def __init__(self, table: Backbone, words: int, width: int) -> None:
        """``words`` is the size of the vocabulary; raises LoadError when the settings do not make one."""
        super().__init__()
        from transformers import BertConfig, BertModel

        try:
            config = BertConfig(**{"vocab_size": SPECIAL + words} | table.settings)
            self.backbone = BertModel(config, add_pooling_layer=False)
        except (TypeError, ValueError) as error:
            raise LoadError(f"The settings of bert do not make a model: {error}") from error
        self.project = nn.Linear(config.hidden_size, width)

    def forward(self, numbers: Tensor) -> Feature:
        """One token a word piece; an empty text is padding alone."""
        pad = numbers == PAD
        # A row without any word would attend to nothing: its first place is read, and stays padding.
        read = ~pad | (torch.arange(numbers.shape[1], device=numbers.device) == 0)
        found = self.backbone(input_ids=numbers, attention_mask=read.long()).last_hidden_state
        return Feature(self.project(found), pad, (numbers.shape[1],))


def _picture(table: Backbone) -> tuple[nn.Module, int]:
    if table.name == "vgg16":
        vgg = Vgg(table.settings.get("stages", STAGES))
        return vgg, vgg.channels
    from transformers import ResNetConfig, ResNetModel

    try:
        config = ResNetConfig(**table.settings)
        sizes = list(config.hidden_sizes or ())
        return ResNetModel(config), int(sizes[-1])
    except (TypeError, ValueError, IndexError) as error:
        raise LoadError(f"The settings of resnet do not make a model: {error}") from error


def vgg_stages(shapes: Mapping[str, tuple[int, ...]]) -> list[list[int]]:
    """The convolutions between poolings of a VGG, from the shapes of its weights by name.

    A convolution and its ReLU take two places of ``features``, a pooling one. Raises LoadError when there is none.
    """
    places = sorted(int(name.split(".")[1]) for name in shapes if _is_convolution(name, shapes))
    if not places:
        raise LoadError("The weights of vgg16 have no features.N.weight; expected the well-known layout.")
    stages: list[list[int]] = [[]]
    before = places[0] - 2
    for place in places:
        if place - before > 2:
            stages.append([])
        stages[-1].append(shapes[f"features.{place}.weight"][0])
        before = place
    return stages


def _is_convolution(name: str, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    parts: list[Any] = name.split(".")
    return parts[0] == "features" and parts[-1] == "weight" and len(parts) == 3 and len(shapes[name]) == 4

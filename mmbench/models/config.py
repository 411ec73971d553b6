"""What a reference model is built from, as data: it stands in the checkpoint beside the weights."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ONLY = "only:"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Words = tuple[Annotated[str, Field(min_length=1)], ...]
Side = Annotated[int, Field(ge=1)]
Stride = Literal[1, 2, 4, 8]
BackboneName = Literal["vgg16", "resnet", "bert"]
BridgeKind = Literal["mlp", "mean"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Backbone(_Table):
    """A well-known encoder in the place of one of ours (``models.backbones``), with its own settings."""

    name: BackboneName
    settings: dict[str, Any] = Field(default_factory=dict)


class PictureConfig(_Table):
    """An image or a plane and how it is normalised inside the model: (x - mean) / std per channel.

    ``mean`` and ``std`` are in the range of the contract: 0..1 for images, the suite's unit for planes.
    """

    kind: Literal["image", "plane"]
    channels: int = Field(ge=1)
    mean: tuple[Finite, ...]
    std: tuple[Positive, ...]
    backbone: Backbone | None = None

    @model_validator(mode="after")
    def _one_per_channel(self) -> PictureConfig:
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"expected {self.channels} means and stds, found {len(self.mean)} and {len(self.std)}")
        return self


class TextConfig(_Table):
    """A text: its vocabulary, and the ``length`` in words to which it is padded or cut.

    With ``pieces`` the vocabulary is that of a pretrained encoder, word pieces with their marks.
    """

    kind: Literal["text"] = "text"
    words: Words
    length: int = Field(ge=1, le=512)
    pieces: bool = False
    backbone: Backbone | None = None

    @property
    def channels(self) -> int:
        """1, as of a suite's text."""
        return 1


class AudioConfig(_Table):
    """A recording at ``rate`` samples per second; its log-spectrogram is normalised inside: (x - mean) / std."""

    kind: Literal["audio"] = "audio"
    rate: int = Field(ge=1)
    mean: Finite
    std: Positive

    @property
    def channels(self) -> int:
        """1, as of a suite's audio."""
        return 1


InputConfig = Annotated[PictureConfig | TextConfig | AudioConfig, Field(discriminator="kind")]
ReferenceTask = Literal[
    "segmentation", "referring-segmentation", "classification", "vqa", "captioning", "detection", "joint", "look-map"
]


class ModelConfig(_Table):
    """A FusionModel. ``inputs`` are in the order in which the fusion takes them.

    ``classes`` are the suite's, the closed list of answers in question answering, the decoder's vocabulary in
    captioning. ``width`` d is the number of channels of a feature, ``stride`` the resolution of pictures' features
    relative to the input, ``size`` (height, width) what pictures are resized to, None to take them as they are,
    ``shape`` the size of the pictures that it was trained on (for a batch without any). ``subpixel`` says whether a
    token predicts each of its stride x stride pixels. A caption has at most ``length`` words, found with a ``beam`` of
    that width. Between encoders and fusion lies a ``bridge``: a small network, or the mean alone. ``fusion`` is the
    name of an operator with its ``fusion_options``, or ``only:MODALITY`` for a model without fusion.
    """

    task: ReferenceTask
    classes: tuple[str, ...] = Field(min_length=2)
    inputs: dict[str, InputConfig] = Field(min_length=1)
    width: int = Field(default=16, ge=1, le=512)
    stride: Stride = 1
    size: tuple[Side, Side] | None = None
    shape: tuple[Side, Side] | None = None
    subpixel: bool = False
    length: int = Field(default=1, ge=1, le=512)
    beam: int = Field(default=1, ge=1, le=64)
    bridge: BridgeKind = "mlp"
    fusion: str
    fusion_options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _unimodal_has_its_input(self) -> ModelConfig:
        if self.fusion.startswith(ONLY) and list(self.inputs) != [self.fusion.removeprefix(ONLY)]:
            raise ValueError(f"{self.fusion} needs exactly that one input, found {', '.join(self.inputs)}")
        return self

    @property
    def unimodal(self) -> bool:
        """Whether there is no fusion operator."""
        return self.fusion.startswith(ONLY)

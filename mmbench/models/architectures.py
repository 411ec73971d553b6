"""Reference architectures by name: which encoders, which fusion, how they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mmbench.core.errors import UnknownName, UsageError
from mmbench.models.config import BackboneName, BridgeKind, ReferenceTask, Stride
from mmbench.models.recipe import Optimiser


@dataclass(frozen=True, slots=True)
class Architecture:
    """``backbones`` by kind of input, what is not there has an encoder of ours; ``fusion`` unless another is chosen.

    The weights come from a local folder (``pretrained``) or are trained from scratch, with the settings of VGG16, of
    BERT base and of ResNet-50. ``width`` and ``stride`` None: those of the task.
    """

    task: ReferenceTask
    fusion: str
    width: int | None
    backbones: Mapping[str, BackboneName] = field(default_factory=dict)
    stride: Stride | None = None
    bridge: BridgeKind = "mlp"
    optimiser: Optimiser = "adamw"
    rate: float = 3e-4


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        # y = sum_m a_m W_m x_m of VGG16 and BERT, trained by stochastic gradient descent.
        "vgg16_bert_linear": Architecture(
            "classification",
            "feat_linear",
            512,
            {"image": "vgg16", "text": "bert"},
            bridge="mean",
            optimiser="sgd",
            rate=1e-2,
        ),
        # z = W_I h_I(x) + W_T h_T(t), 2048 and 768 to 1024; p = softmax(W z + b).
        "resnet_bert_vqa": Architecture("vqa", "sum", 1024, {"image": "resnet", "text": "bert"}, bridge="mean"),
        # VGG16 and an embedding of words, joined at each place.
        "two_stream_vgg_text": Architecture("referring-segmentation", "product", 128, {"image": "vgg16"}),
        # A CNN, and an LSTM that attends to what it sees.
        "cnn_lstm_caption": Architecture("captioning", "concat", 256, {"image": "resnet"}),
        "self_attention_seg": Architecture("segmentation", "self_attention", 32, stride=4, rate=1e-3),
    }
)


def architecture_named(name: str, task: str) -> Architecture:
    """Raises UnknownName, and UsageError when it is for another task."""
    found = ARCHITECTURES.get(name)
    if found is None:
        raise UnknownName("architecture", name, tuple(ARCHITECTURES))
    if found.task != task:
        raise UsageError(f"--arch {name} is for {found.task}, and the suite is {task}; choose another of the two.")
    return found

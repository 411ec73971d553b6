"""What the training samples look like: for normalisation, vocabularies and class weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from mmbench.core.errors import LoadError, SampleError, UsageError
from mmbench.core.source import Modality, Source, TargetedSource
from mmbench.models.audio_encoder import Spectrogram
from mmbench.models.config import AudioConfig, InputConfig, PictureConfig, TextConfig
from mmbench.models.data import Items
from mmbench.models.randomness import some_of
from mmbench.models.tasks.task import Labels, Size, Task
from mmbench.models.vocabulary import vocabulary_of

# A sample of the training samples is enough: its error is far below what the weights depend on. Of texts there must be
# more, since a word that was never seen has no number.
_LOOKED_AT, _READ = 256, 4096
_SMALLEST_STD = 1e-3
_LONGEST_TEXT = 64


def labels_of(source: Source, task: Task, size: Size | None) -> Labels:
    """The names of the targets of a training split: its classes, or the words of up to 4,096 of its captions.

    Raises UsageError where answers have no closed list.
    """
    if not task.worded:
        if not source.classes:
            raise UsageError("The suite has no closed list of answers, from which a model could choose.")
        return Labels(tuple(source.classes), source.ignore, size)
    ids = some_of(source.ids, _READ)
    bare = source.without_inputs if isinstance(source, TargetedSource) else source.load
    targets = (bare(sample_id).target for sample_id in ids)
    words, longest = vocabulary_of(text for target in targets for text in _texts(target))
    return Labels(words, length=min(longest, _LONGEST_TEXT))


def _texts(target: Any) -> Iterable[str]:
    return (target,) if isinstance(target, str) else target


def label_counts(items: Items, ids: Sequence[str]) -> Tensor:
    """float64 [C]: how often some samples hold each class, up to 256 label maps or boxes, 4,096 of all else.

    Raises SampleError, and LoadError when none has a label.
    """
    counts = torch.zeros(len(items.labels.classes), dtype=torch.float64)
    for sample_id in some_of(ids, _LOOKED_AT if items.task.on_grid else _READ):
        counts += items.task.counts(items.load(sample_id).target, len(counts))
    if not counts.any():
        raise LoadError("The training split has no labelled pixel or sample; check the suite's split and its labels.")
    return counts


def inputs_of(items: Items, ids: Sequence[str]) -> dict[str, InputConfig]:
    """How each modality is read: looks at up to 256 samples, at up to 4,096 where there is text.

    Raises SampleError.
    """
    return {m: _input(items, ids, modality) for m, modality in items.modalities.items()}


def _input(items: Items, ids: Sequence[str], modality: Modality) -> InputConfig:
    if modality.kind == "text":
        texts = (items.load(i).inputs[modality.name] for i in some_of(ids, _READ))
        words, longest = vocabulary_of(text for text in texts if isinstance(text, str))
        return TextConfig(words=words, length=max(1, min(longest, _LONGEST_TEXT)))
    looked_at = some_of(ids, _LOOKED_AT)
    found = (items.load(i).inputs[modality.name] for i in looked_at)
    values = (value for value in found if isinstance(value, Tensor))
    if modality.kind == "audio":
        spectrogram = Spectrogram(modality.rate)
        mean, std = _mean_and_std((spectrogram(wave[None]).flatten()[None] for wave in values), 1, _SMALLEST_STD)
        return AudioConfig(rate=modality.rate, mean=mean[0], std=std[0])
    if modality.kind == "features":
        raise SampleError(f"The models of mmbench take no features, as {modality.name!r} is; use --arch.")
    least = _SMALLEST_STD * modality.scale
    mean, std = _mean_and_std((x.flatten(1) for x in values), modality.channels, least)
    return PictureConfig(kind=modality.kind, channels=modality.channels, mean=mean, std=std)


def class_weights(counts: Tensor, power: float) -> Tensor:
    """float32 [C]: (share of the class) ** -power, scaled so that the mean over labels is 1.

    A class that was not seen counts as the rarest that was.

    power 0 weighs every label alike, 1 every class alike; between them the trade between frequent and rare classes.
    """
    share = counts / counts.sum()
    weights = torch.where(share > 0, share, share[share > 0].min()) ** -power
    return (weights / (weights * share).sum()).float()


def _mean_and_std(values: Iterable[Tensor], channels: int, least: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of values float [C,n] by channel; 0 and ``least`` without any."""
    moments = torch.zeros(3, channels, dtype=torch.float64)
    for value in values:
        flat = value.double()
        moments += torch.stack([torch.full_like(flat[:, 0], flat.shape[1]), flat.sum(1), (flat**2).sum(1)])
    count, total, squares = moments
    mean = total / count.clamp(min=1)
    variance = (squares / count.clamp(min=1) - mean**2).clamp(min=0)
    return tuple(mean.tolist()), tuple(max(math.sqrt(v), least) for v in variance.tolist())

"""What all cells of a suite on one track share: the splits, the encoders, their features, the truths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import nn

from mmbench.core.errors import UsageError
from mmbench.core.key import digest_of
from mmbench.core.prediction import Prediction
from mmbench.core.source import SignedSource, Source
from mmbench.models.assembled import FusionModel
from mmbench.models.building import built, config_of, with_prior
from mmbench.models.checkpoint import weights_digest
from mmbench.models.config import ModelConfig
from mmbench.models.data import Items
from mmbench.models.encoder_stage import EncoderStage, TrainedEncoders, all_trained
from mmbench.models.features import SplitFeatures, encode
from mmbench.models.loop import Report
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.stages import Labelled, with_signatures, with_targets
from mmbench.models.subset import Subset
from mmbench.models.survey import class_weights, label_counts
from mmbench.models.tasks.task import Penalty, Size
from mmbench.models.validation import Judged
from mmbench.study.bench import Place
from mmbench.study.design import BASELINE, WHOLE, Design, Track
from mmbench.study.features import only, select, shuffled
from mmbench.study.measuring import TestSplit
from mmbench.study.samples import Samples
from mmbench.study.trainer import Data, predictions

# Tasks whose outputs are class scores that a mean makes sense of, and those whose samples have one class each.
_AVERAGED = ("classification", "vqa", "segmentation", "referring-segmentation")
_ONE_CLASS = ("classification", "vqa")
_SPLITS = ("train", "val", "test")


class Material:
    """``plan`` is as of ``mmbench train``; its fusion, seed and output do not matter."""

    def __init__(self, test: TestSplit, splits: Splits, plan: Plan, track: Track, report: Report) -> None:
        self.test, self.report = test, report
        # Encoders are the same for all cells of a study, whatever their seed.
        encoder = plan.encoder.model_copy(update={"seed": 0})
        self.plan = replace(plan, fusion=BASELINE, fusion_options={}, encoder=encoder)
        self._splits, self._track = splits, track
        self._kept: dict[tuple[str, tuple[str, ...]], Items] = {}
        self._encoded: dict[str, SplitFeatures] = {}
        self._signed = isinstance(splits.train, SignedSource)

    def check(self, design: Design) -> None:
        """Raises UsageError when labels are to be counted that the frozen encoders have seen."""
        if not self._signed and self._track == "frozen" and min(design.shares) < WHOLE:
            raise UsageError(
                f"The encoders of suite {self._splits.spec.name!r} are trained on the task's own labels, so that the "
                "frozen track cannot tell how many a strategy needs; use --track finetune, or leave --labels out."
            )

    @property
    def place(self) -> Place:
        """Samples with one class each can be shuffled; label maps too, where features are places of their grid."""
        task = self._splits.spec.task
        labelled = task in _ONE_CLASS or (task == "segmentation" and self._track == "frozen")
        modalities = tuple(self._splits.train.modalities)
        return Place(self.test.reference, self._track, modalities, labelled, task in _AVERAGED)

    @cached_property
    def stamp(self) -> str:
        """Digest of the samples of all three splits."""
        return digest_of([self.split_stamp, self.test.stamps])

    @cached_property
    def split_stamp(self) -> str:
        """Digest of which samples are trained and validated on."""
        return self._splits.stamp()

    @cached_property
    def judged(self) -> Judged:
        """How answers on the validation split are scored, by which weights are chosen."""
        return self._labelled.judged

    @cached_property
    def whole(self) -> ModelConfig:
        """The baseline's configuration with all inputs."""
        return config_of(self.plan, self._labelled)

    def options(self, fusion: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """An operator's options, with what it must know of the labels."""
        return with_prior(fusion, options, self._labelled)

    def penalty(self, recipe: Recipe) -> Penalty:
        """How errors count in training."""
        return Penalty(class_weights(self._counts, recipe.class_weight_power), recipe.focal)

    @property
    def encoder_recipe(self) -> dict[str, Any]:
        """What the encoders' weights depend on beside the data and the configuration."""
        return self.plan.encoder.model_dump(mode="json")

    @cached_property
    def encoder_digests(self) -> dict[str, str]:
        """Of the encoders' weights, by modality; empty where every training starts them anew."""
        return {m: weights_digest(state) for m, state in self._encoders.weights.items()}

    @cached_property
    def stages(self) -> tuple[EncoderStage, ...]:
        """On what a modality alone shows; where the source does not know that, on the task's labels (frozen track)."""
        if not self._signed and self._track == "finetune":
            return ()
        return tuple(EncoderStage.of(m, self._alone(m), self.plan, self.whole) for m in self.whole.inputs)

    def equip(self, model: FusionModel, seed: int) -> tuple[nn.Module, ...]:
        """Gives a model its encoders, the same for every strategy; returns those that stay as they are."""
        if self.stages:
            self._encoders.load_into(model)
        else:
            fresh = built(self.whole, seed, "model", self.plan.device)
            TrainedEncoders({m: e.state_dict() for m, e in fresh.encoders.items()}, {}).load_into(model)
        return (model.encoders,) if self._track == "frozen" else ()

    def train(self, share: int, seed: int, modalities: tuple[str, ...], alone: bool) -> Data:
        """The training split or a share of it; not ``alone``: with the pairing of the modalities taken away."""
        ids = Subset(share, seed=seed).of(self._splits.train).ids
        return self._data("train", tuple(ids), modalities, None if alone else seed)

    def val(self, modalities: tuple[str, ...], seed: int, alone: bool) -> Data:
        """The validation split, shuffled as the training split is."""
        return self._data("val", tuple(self._splits.val.ids), modalities, None if alone else seed)

    def prepare(self) -> None:
        """What all cells share: encoders, features on the frozen track, truths; else the first cell would do it."""
        _ = self.encoder_digests, self.test.targets
        for split in _SPLITS if self._track == "frozen" else ():
            self._features(split)

    def sizes(self) -> dict[str, int]:
        """Samples of the splits train, val, test."""
        return {split: len(self._ids(split)) for split in _SPLITS}

    def encode_some(self, start: int, count: int) -> SplitFeatures:
        """Features of some training samples, by encoders as they start: to see what encoding and training take."""
        model = built(self.whole, 0, "model", self.plan.device).eval()
        ids = tuple(self._ids("train")[start : start + count])
        return encode(model, self.items("train", self.place.modalities), ids, self._dtype)

    def some(self, count: int, modalities: tuple[str, ...]) -> Data:
        """Some training samples as they are."""
        return Samples(tuple(self._ids("train")[:count]), self.items("train", modalities))

    def test_predictions(self, model: FusionModel) -> Iterator[Prediction]:
        """On all test samples; raises UsageError where label maps of unequal size were resized to one."""
        sizes: dict[str, Size] = {}
        if self.test.suite.spec.spatial:
            sizes = {i: (int(t.shape[0]), int(t.shape[1])) for i, t in self.test.targets.items()}
        if self.plan.size is not None and len(set(sizes.values())) > 1:
            raise UsageError("A study with --size needs test pictures of one size; leave --size out.")
        yield from predictions(model, self._data("test", self.test.ids, model.modalities, None), sizes)

    def items(self, split: str, modalities: tuple[str, ...]) -> Items:
        """The raw samples of a split, with some of the inputs; kept for the next one who asks."""
        if (split, modalities) not in self._kept:
            like = self._labelled.train
            wanted = {m: self._splits.train.modalities[m] for m in modalities}
            self._kept[split, modalities] = Items(self._source(split), wanted, like.task, like.labels, like.size)
        return self._kept[split, modalities]

    def _data(self, split: str, ids: tuple[str, ...], modalities: tuple[str, ...], shuffle: int | None) -> Data:
        if self._track == "finetune":
            samples = Samples(ids, self.items(split, modalities))
            return samples if shuffle is None else samples.shuffled(shuffle)
        features = only(self._features(split), modalities)
        features = features if features.ids == ids else select(features, ids)
        return features if shuffle is None else shuffled(features, shuffle)

    def _features(self, split: str) -> SplitFeatures:
        if split not in self._encoded:
            items = self.items(split, self.place.modalities)
            self._encoded[split] = encode(self._encoding, items, self._ids(split), self._dtype)
        return self._encoded[split]

    def _ids(self, split: str) -> Sequence[str]:
        return self.test.ids if split == "test" else self._source(split).ids

    def _source(self, split: str) -> Source:
        if split == "test":
            return self.test.suite.source
        return self._splits.train if split == "train" else self._splits.val

    @property
    def _dtype(self) -> torch.dtype:
        """Maps of features are large; half the bits are enough for them."""
        return torch.float16 if self._labelled.train.task.on_grid else torch.float32

    @cached_property
    def _labelled(self) -> Labelled:
        return with_targets(self._splits, self._splits.train.modalities, self.plan.size)

    @cached_property
    def _counts(self) -> torch.Tensor:
        return label_counts(self._labelled.train, self._splits.train.ids)

    def _alone(self, modality: str) -> Labelled:
        if self._signed:
            return with_signatures(self._splits, modality, self.plan.size, self.plan.stride)
        return with_targets(self._splits, {modality: self._splits.train.modalities[modality]}, self.plan.size)

    @cached_property
    def _encoders(self) -> TrainedEncoders:
        return all_trained(self.stages, self.report)

    @cached_property
    def _encoding(self) -> FusionModel:
        model = built(self.whole, 0, "model", self.plan.device)
        self.equip(model, 0)
        return model.eval()

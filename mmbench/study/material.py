"""What all cells of a suite on one track share: the splits, the encoders, their features, the truths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import nn

from mmbench.core.errors import UsageError
from mmbench.core.key import digest_of
from mmbench.core.prediction import Prediction
from mmbench.core.source import SignedSource
from mmbench.models.assembled import FusionModel, built
from mmbench.models.checkpoint import StateDict, weights_digest
from mmbench.models.config import ModelConfig
from mmbench.models.data import Items
from mmbench.models.encoder_stage import EncoderStage
from mmbench.models.loop import Progress
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.stages import Labelled, with_signatures, with_targets
from mmbench.models.survey import class_weights, inputs_of, label_counts
from mmbench.models.tasks.task import Penalty, Size
from mmbench.models.training import Plan
from mmbench.study.bench import Place
from mmbench.study.design import BASELINE, WHOLE, Design, Track
from mmbench.study.features import encode
from mmbench.study.measuring import TestSplit
from mmbench.study.samples import Samples
from mmbench.study.subsets import part
from mmbench.study.trainer import Data, answers

Report = Callable[[Progress], None]

# Tasks whose outputs are class scores that a mean makes sense of, and those whose samples have one class each.
_AVERAGED = ("classification", "vqa", "segmentation", "referring-segmentation")
_ONE_CLASS = ("classification", "vqa")
# Encoders are the same for all cells of a study, whatever their seed.
_ENCODER_SEED = 0


class Material:
    """``plan`` is as of ``mmbench train``; its fusion, seed and output do not matter."""

    def __init__(self, test: TestSplit, splits: Splits, plan: Plan, track: Track, report: Report) -> None:
        self.test, self.plan, self.report = test, plan, report
        self._splits, self._track = splits, track
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

    @property
    def metric(self) -> str:
        """What weights are chosen by."""
        return self._labelled.metric

    @cached_property
    def whole(self) -> ModelConfig:
        """The baseline's configuration with all inputs."""
        plan = self.plan
        return ModelConfig(
            task=self._labelled.task,
            classes=self._labelled.train.labels.classes,
            inputs=inputs_of(self._labelled.train, self._splits.train.ids),
            width=plan.width,
            stride=plan.stride,
            size=plan.size,
            shape=plan.shape,
            subpixel=plan.subpixel,
            fusion=BASELINE,
        )

    @cached_property
    def prior(self) -> tuple[float, ...]:
        """The share of each class in the training labels; a class that was not seen counts as seen once."""
        counts = self._counts.clamp(min=1)
        return tuple((counts / counts.sum()).tolist())

    def penalty(self, recipe: Recipe) -> Penalty:
        """How errors count in training."""
        return Penalty(class_weights(self._counts, recipe.class_weight_power), recipe.focal)

    @cached_property
    def encoder_keys(self) -> dict[str, str]:
        """Of the encoders that are trained beforehand, by modality: what their weights depend on."""
        return {m: stage.key for m, stage in self._stages.items()}

    @cached_property
    def encoder_digests(self) -> dict[str, str]:
        """Of the encoders' weights, by modality; empty where every training starts them anew."""
        return {m: weights_digest(state) for m, state in self._encoders.items()}

    @property
    def untrained_encoders(self) -> list[EncoderStage]:
        """The stages that are still to be done."""
        return [stage for stage in self._stages.values() if not stage.cached]

    def equip(self, model: FusionModel, seed: int) -> tuple[nn.Module, ...]:
        """Gives a model its encoders, the same for every strategy; returns those that stay as they are."""
        ready = self._encoders or self._fresh(seed)
        own = [m for m in ready if m in model.encoders]
        for m in own:
            model.encoders[m].load_state_dict(ready[m])
        return tuple(model.encoders[m] for m in own) if self._track == "frozen" else ()

    def train(self, share: int, seed: int, modalities: tuple[str, ...], shuffled: bool) -> Data:
        """The training split, a share of it, or with modalities shuffled within labels."""
        chosen: Data = self._train if self._track == "frozen" else self._samples("train")
        if share < WHOLE:
            source = self._splits.train
            chosen = chosen.select(part([source.stratum(i) for i in chosen.ids], share, seed))
        return chosen.shuffled(modalities, seed) if shuffled else chosen

    def val(self, modalities: tuple[str, ...], seed: int, shuffled: bool) -> Data:
        """The validation split, shuffled as the training split is."""
        chosen: Data = self._val if self._track == "frozen" else self._samples("val")
        return chosen.shuffled(modalities, seed) if shuffled else chosen

    def few(self, count: int) -> tuple[Data, dict[str, Any]]:
        """Some training samples and their truths, with encoders as they start: to see what a step takes."""
        ids = tuple(self._splits.train.ids[:count])
        truths = {i: self._labelled.train.load(i).truth for i in ids}
        if self._track == "finetune":
            return self._samples("train").select(range(len(ids))), truths
        model = built(self.whole, _ENCODER_SEED, self.plan.device)
        return encode(model, self._labelled.train, ids, self.plan.device), truths

    @cached_property
    def validation_truths(self) -> Mapping[str, Any]:
        """What the metric reads, by sample."""
        items = self._labelled.val
        return {i: items.load(i).truth for i in self._splits.val.ids}

    def test_predictions(self, model: FusionModel) -> Iterator[Prediction]:
        """On all test samples."""
        data: Data = self._tested if self._track == "frozen" else self._samples("test")
        sizes: dict[str, Size | None] = {}
        if model.kind.on_grid:
            sizes = {i: (int(t.shape[0]), int(t.shape[1])) for i, t in self.test.targets.items()}
        for found in answers(model, data, sizes):
            yield from found

    def items(self, split: str, modalities: tuple[str, ...]) -> Items:
        """The raw samples of a split, with some of the inputs."""
        source = {"train": self._splits.train, "val": self._splits.val, "test": self.test.suite.source}[split]
        like = self._labelled.train
        wanted = {m: self._splits.train.modalities[m] for m in modalities}
        return Items(source, wanted, like.task, like.labels, like.size)

    @cached_property
    def _labelled(self) -> Labelled:
        return with_targets(self._splits, self._splits.train.modalities, self.plan.size)

    @cached_property
    def _counts(self) -> torch.Tensor:
        return label_counts(self._labelled.train, self._splits.train.ids)

    @cached_property
    def _stages(self) -> dict[str, EncoderStage]:
        """On what a modality alone shows; where the source does not know that, on the task's labels (frozen track)."""
        if not self._signed and self._track == "finetune":
            return {}
        recipe = self.plan.encoder.model_copy(update={"seed": _ENCODER_SEED})
        return {m: EncoderStage.of(m, self._alone(m), self.whole, recipe, self.plan.device) for m in self.whole.inputs}

    def _alone(self, modality: str) -> Labelled:
        if self._signed:
            return with_signatures(self._splits, modality, self.plan.size, self.plan.stride)
        return with_targets(self._splits, {modality: self._splits.train.modalities[modality]}, self.plan.size)

    @cached_property
    def _encoders(self) -> dict[str, StateDict]:
        return {m: stage.trained(self.report)[0] for m, stage in self._stages.items()}

    def _fresh(self, seed: int) -> dict[str, StateDict]:
        model = built(self.whole, seed, self.plan.device)
        return {m: encoder.state_dict() for m, encoder in model.encoders.items()}

    @cached_property
    def _encoding(self) -> FusionModel:
        model = built(self.whole, _ENCODER_SEED, self.plan.device)
        self.equip(model, _ENCODER_SEED)
        return model.eval()

    @cached_property
    def _train(self) -> Data:
        return encode(self._encoding, self._labelled.train, self._splits.train.ids, self.plan.device)

    @cached_property
    def _val(self) -> Data:
        return encode(self._encoding, self._labelled.val, self._splits.val.ids, self.plan.device)

    @cached_property
    def _tested(self) -> Data:
        return encode(self._encoding, self.items("test", self.place.modalities), self.test.ids, self.plan.device)

    def _samples(self, split: str) -> Samples:
        if split not in self._raw:
            kept: dict[tuple[str, ...], Items] = {}

            def items_of(modalities: tuple[str, ...]) -> Items:
                return kept.setdefault(modalities, self.items(split, modalities))

            ids = {"train": self._splits.train.ids, "val": self._splits.val.ids, "test": self.test.ids}[split]
            self._raw[split] = Samples(tuple(ids), items_of)
        return self._raw[split]

    @cached_property
    def _raw(self) -> dict[str, Samples]:
        return {}

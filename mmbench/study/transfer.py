"""Another suite on what was trained before: encoders, bridges and fusion stay, a light head learns from few labels."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from mmbench.core.errors import UsageError
from mmbench.models.building import config_of
from mmbench.models.config import ModelConfig
from mmbench.models.encoder_stage import EncoderStage, TrainedEncoders
from mmbench.models.plan import Plan
from mmbench.models.splits import Splits
from mmbench.runner.plan import choose
from mmbench.study.bench import Place
from mmbench.study.design import BASELINE, Design
from mmbench.study.material import Material
from mmbench.study.measuring import TestSplit
from mmbench.study.trainer import Data

# Labels of the new task: a head is learnt from as few.
FEW = (16, 64, 256)


class Borrowed(Material):
    """The material of a suite as the encoders of another one see it."""

    def __init__(self, origin: Material, test: TestSplit, splits: Splits, plan: Plan) -> None:
        """Raises UsageError when the suites have other inputs."""
        super().__init__(test, splits, plan, "frozen", origin.report)
        self._origin = origin
        mine = {m: modality.kind for m, modality in splits.train.modalities.items()}
        theirs = {m: table.kind for m, table in origin.whole.inputs.items()}
        if mine != theirs:
            raise UsageError(
                f"What was trained on {origin.place.suite} takes {', '.join(theirs)}, and {test.reference} has "
                f"{', '.join(mine)}; choose suites with the same inputs."
            )
        like = origin.plan
        self.plan = replace(self.plan, width=like.width, stride=like.stride, size=like.size, shape=like.shape)

    @property
    def place(self) -> Place:
        """Without the controls that would need trainings of their own."""
        modalities = tuple(self._splits.train.modalities)
        origin = self._origin.place.suite
        return Place(self.test.reference, "frozen", modalities, labelled=False, averaged=False, origin=origin)

    def check(self, design: Design) -> None:
        """Raises UsageError when there are fewer training samples than labels asked for."""
        if design.whole > len(self._splits.train.ids):
            raise UsageError(
                f"{self.test.reference} has {len(self._splits.train.ids)} training samples, and {design.whole} are "
                "wanted; choose a larger tier."
            )

    @cached_property
    def whole(self) -> ModelConfig:
        """With the inputs as the origin reads them: its vocabulary, its normalisation."""
        plain = config_of(replace(self.plan, fusion=BASELINE), self._labelled)
        return plain.model_copy(update={"inputs": self._origin.whole.inputs})

    @property
    def stages(self) -> tuple[EncoderStage, ...]:
        """Those of the origin."""
        return self._origin.stages

    def train(self, share: int, seed: int, modalities: tuple[str, ...], alone: bool) -> Data:
        """``share`` labelled samples; another seed draws others, and fewer are among more."""
        del alone  # there is no shuffled control here
        source = self._splits.train
        at = choose([source.stratum(i) for i in source.ids], share, seed)
        return self._data("train", tuple(source.ids[n] for n in at), modalities, None)

    @property
    def _encoders(self) -> TrainedEncoders:
        return self._origin._encoders  # the same class

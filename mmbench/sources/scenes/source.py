"""The source ``scenes``: generated items, nothing on disk, any item in constant time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from mmbench.core.bounds import Bounds
from mmbench.core.errors import SampleError, UsageError
from mmbench.core.prediction import Prediction
from mmbench.core.registry import source
from mmbench.core.sample import Array, Sample
from mmbench.core.source import Modality, SourceRequest
from mmbench.sources.scenes import SPEC_VERSION
from mmbench.sources.scenes.generality import BOUNDED, HELD_OUT, NOTHING
from mmbench.sources.scenes.predictions import prediction_of
from mmbench.sources.scenes.tasks.catalogue import POLICY_METRICS, TASKS
from mmbench.sources.scenes.tasks.task import Item, Task

TEST = "test"
SPLITS = ("train", "val", TEST)
# Scenes of each split. Latents of a smaller tier are the first of a larger one; with the same canvas so are the bytes.
TIERS = MappingProxyType(
    {
        "smoke": (256, 256, 256),
        "ci": (2_048, 512, 1_024),
        "std": (10_240, 1_024, 4_096),
        "full": (51_200, 5_120, 10_240),
    }
)
CANVAS = MappingProxyType({"smoke": 64, "ci": 64, "std": 96, "full": 96})

_PARAMETERS = ("task", "regime", "tier", "hold_out")
_DEFAULT_TASK, _DEFAULT_TIER, _MIXED = "seg", "ci", "X"


@source("scenes")
@dataclass(frozen=True)
class SceneSource:
    """Generated scenes in pictures, depth, text and sound, where fusion is necessary and the ceiling is known.

    What a sample holds depends on the task (``scenes.tasks``): ``rgb`` or ``image`` uint8 [H, W, 3], ``depth`` float32
    [H, W] in metres, ``text`` str, ``audio`` float32 [32000] at 16 kHz; nothing is ignored. H = W = 64 at the tiers
    smoke and ci, 96 at std and full. A scene that gives several samples (questions, expressions) is their group.
    """

    task: str
    regime: str
    tier: str
    split: str
    hold_out: str = NOTHING

    @classmethod
    def open(cls, request: SourceRequest) -> SceneSource:
        """Opens a split; its parameters may stand in the source's params or be suite parameters.

        Raises UsageError on any other parameter, value or split.
        """
        chosen = {"task": _DEFAULT_TASK, "tier": _DEFAULT_TIER, **request.spec.source.params, **request.parameters}
        for name in chosen:
            if name not in _PARAMETERS:
                raise UsageError(f"The source scenes has no parameter {name!r}; it has: {', '.join(_PARAMETERS)}.")
        _expect("task", chosen["task"], tuple(TASKS))
        _expect("tier", chosen["tier"], tuple(TIERS))
        regimes = TASKS[chosen["task"]].regimes
        chosen.setdefault("regime", _MIXED if _MIXED in regimes else regimes[0])
        _expect("regime", chosen["regime"], regimes)
        _expect("split", request.split, SPLITS)
        found = cls(split=request.split, **chosen)
        kinds = found._task.traits(Item(found.regime, found.split, 0, 0, CANVAS[found.tier]))
        _expect("hold_out", found.hold_out, (NOTHING, *kinds))
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, or the answers of a closed set; the index is the label. Empty for free text."""
        return self._task.classes(self.regime)

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """All are always present."""
        return {modality.name: modality for modality in self._task.modalities}

    @property
    def ignore(self) -> None:
        """Every pixel is scored."""
        return

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """``test/000000`` and so on; ``test/000000-0`` where a scene gives several samples.

        With ``hold_out`` (a kind of ``traits``) the test split has those samples alone that hold a combination of
        ``HELD_OUT``, the others those that hold none.
        """
        parts = [f"-{part}" for part in range(self._task.parts)] if self._task.parts > 1 else [""]
        found = (f"{self.split}/{index:06d}{part}" for index in range(self._scenes) for part in parts)
        if self.hold_out == NOTHING:
            return tuple(found)
        held, tested = HELD_OUT[self.hold_out], self.split == TEST
        return tuple(i for i in found if bool(self.traits(i)[self.hold_out] & held) == tested)

    def load(self, sample_id: str) -> Sample:
        """Renders one item; in regime X its tag ``regime`` names the law that it follows."""
        return self._sample(sample_id, self._task.inputs(self._item(sample_id)))

    def without_inputs(self, sample_id: str) -> Sample:
        """As ``load`` without rendering: target, group and tags."""
        return self._sample(sample_id, {})

    def stamp(self, sample_id: str) -> str:
        """The generator's version and parameters, which with the id fix the bytes."""
        parameters = f"task={self.task},regime={self.regime},canvas={CANVAS[self.tier]}"
        return f"scenes@{SPEC_VERSION}[{parameters}]/{sample_id}"

    def stratum(self, sample_id: str) -> str:
        """The law that the item follows, or the type of its question."""
        return self._task.stratum(self._item(sample_id))

    def signature(self, sample_id: str, modality: str) -> Array:
        """What the modality alone shows: uint8 [H, W], or int64 [] where it has no place."""
        _expect("modality", modality, tuple(self.modalities))
        return self._task.signature(self._item(sample_id), modality)

    def signature_classes(self, modality: str) -> int:
        """Number of labels that ``signature`` may hold."""
        _expect("modality", modality, tuple(self.modalities))
        return self._task.signature_classes(self.regime, modality)

    def bounds(self, sample_ids: Sequence[str]) -> tuple[Bounds, ...]:
        """Bounds on these samples: over all, then of each slice; none where what is held out tells the answer."""
        if not self._bounded:
            return ()
        return self._task.bounds(self.regime, [self._item(sample_id) for sample_id in sample_ids])

    @property
    def spec_version(self) -> int:
        """The generator's version."""
        return SPEC_VERSION

    @property
    def policy_metrics(self) -> tuple[str, ...]:
        """The metrics whose bounds are the best scores of ``policies``."""
        return POLICY_METRICS.get(self.task, ()) if self._bounded else ()

    def policies(self, sample_ids: Sequence[str], observed: Sequence[str]) -> dict[str, list[Prediction]]:
        """Predictions on these samples from the modalities ``observed`` alone, by policy (``tasks.task``)."""
        for modality in observed:
            _expect("modality", modality, tuple(self.modalities))
        policies = self._task.policies([self._item(sample_id) for sample_id in sample_ids], observed)
        return {
            name: [prediction_of(i, one, self.classes) for i, one in zip(sample_ids, found, strict=True)]
            for name, found in policies.items()
        }

    def traits(self, sample_id: str) -> Mapping[str, frozenset[str]]:
        """What a generality split may hold out: by kind, the combinations that the sample holds."""
        return self._task.traits(self._item(sample_id))

    def _sample(self, sample_id: str, inputs: Mapping[str, Any]) -> Sample:
        item, task = self._item(sample_id), self._task
        group = sample_id.rpartition("-")[0] if task.parts > 1 else None
        return Sample(sample_id, inputs, task.target(item), group, task.tags(item))

    @property
    def _bounded(self) -> bool:
        return self.hold_out == NOTHING or self.task in BOUNDED

    @property
    def _task(self) -> Task:
        return TASKS[self.task]

    @property
    def _scenes(self) -> int:
        return TIERS[self.tier][SPLITS.index(self.split)]

    def _item(self, sample_id: str) -> Item:
        match = re.fullmatch(rf"{self.split}/([0-9]{{6}})(?:-([0-9]))?", sample_id)
        several = self._task.parts > 1
        if match is None or (match[2] is not None) != several or int(match[1]) >= self._scenes:
            raise self._unknown(sample_id)
        if several and int(match[2]) >= self._task.parts:
            raise self._unknown(sample_id)
        return Item(self.regime, self.split, int(match[1]), int(match[2] or 0), CANVAS[self.tier])

    def _unknown(self, sample_id: str) -> SampleError:
        return SampleError(f"There is no item {sample_id!r}; tier {self.tier} has {self.ids[0]} to {self.ids[-1]}.")


def _expect(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UsageError(f"The source scenes has no {name} {value!r}; expected one of: {', '.join(choices)}.")

"""The decoder of a task that reads some of its modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mmbench.core.errors import UsageError
from mmbench.sources.scenes.oracles.ask import AskOracle, SoundOracle
from mmbench.sources.scenes.oracles.classify import ClassOracle
from mmbench.sources.scenes.oracles.dense import DetectOracle, SegmentOracle
from mmbench.sources.scenes.oracles.describe import CaptionOracle
from mmbench.sources.scenes.oracles.joint import JointOracle
from mmbench.sources.scenes.oracles.refer import ReferOracle
from mmbench.sources.scenes.source import CANVAS, SceneSource

_FITTED = 256  # training samples that a policy of segmentation is fitted to


class Oracle(Protocol):
    """A decoder."""

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> Any:
        """The prediction from what the modalities render: a label, a label map or mask, detections, a text.

        The id only seeds guesses.
        """


def oracle_for(source: SceneSource, observed: Sequence[str], additive: bool = False) -> Oracle:
    """The decoder for a source's task that reads the modalities ``observed``, one at least.

    With ``additive`` (classification, all modalities) a sum of per-modality logits. Raises UsageError on an unknown
    modality or where there is no such decoder.
    """
    modalities = tuple(source.modalities)
    chosen = tuple(name for name in modalities if name in observed)
    if not chosen or set(observed) - set(modalities):
        raise UsageError(f"An oracle reads some of: {', '.join(modalities)}; got: {', '.join(observed) or 'none'}.")
    if additive and (not source.task.startswith("cls-") or source.task == "cls-vqa" or chosen != modalities):
        raise UsageError("An additive oracle is for classification and reads all modalities; leave the rest out.")
    return _made(source, chosen, additive)


def _made(source: SceneSource, chosen: tuple[str, ...], additive: bool) -> Oracle:
    if source.task == "seg":
        train = SceneSource(source.task, source.regime, source.tier, "train")
        samples = [train.load(sample_id) for sample_id in train.ids[:_FITTED]]
        return SegmentOracle.fit([(sample.inputs, sample.target) for sample in samples], source.regime, chosen)
    if source.task == "refseg":
        return ReferOracle(chosen, CANVAS[source.tier], union=True)
    named: dict[str, Oracle] = {
        "det": DetectOracle(source.regime, chosen),
        "vqa": AskOracle(chosen),
        "vqa-av": SoundOracle(chosen),
        "caption": CaptionOracle.best(chosen),
        "cls-vqa": JointOracle(chosen),
    }
    return named.get(source.task) or ClassOracle(source.regime, tuple(source.modalities), chosen, additive)

"""What a task is to the source ``scenes``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from mmbench.core.bounds import Bounds
from mmbench.core.sample import Array
from mmbench.core.source import Modality
from mmbench.sources.scenes.audio import RATE

TAG = "regime"
IMAGE = Modality("image", "image", 3)
DEPTH = Modality("depth", "plane", 1, unit="m", scale=1.5)
TEXT = Modality("text", "text", 1)
AUDIO = Modality("audio", "audio", 1, rate=RATE)


class Item(NamedTuple):
    """Which sample is meant: number ``scene`` of a split, and ``part`` 0.. where a scene gives several samples."""

    regime: str
    split: str
    scene: int
    part: int
    canvas: int


class Task(Protocol):
    """Samples, signatures and bounds of one task; a value without state."""

    @property
    def name(self) -> str:
        """As in the suite's params."""

    @property
    def regimes(self) -> tuple[str, ...]:
        """The regimes that apply; X is the default, the first where it does not apply."""

    @property
    def parts(self) -> int:
        """Samples of one scene."""

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The inputs, all always present."""

    def classes(self, regime: str) -> tuple[str, ...]:
        """Class names or, for answers of a closed set, these; empty for free text."""

    def inputs(self, item: Item) -> dict[str, Any]:
        """What each modality renders."""

    def target(self, item: Item) -> Any:
        """The truth (``core.targets``)."""

    def tags(self, item: Item) -> dict[str, str]:
        """The slices the sample belongs to."""

    def stratum(self, item: Item) -> str:
        """What a limited run stratifies by."""

    def signature(self, item: Item, modality: str) -> Array:
        """What this modality alone shows: a label map uint8 [H, W], or an index int64 []."""

    def signature_classes(self, regime: str, modality: str) -> int:
        """Number of labels ``signature`` may hold."""

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:
        """Bounds on exactly these items: over all, then of each slice."""

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:
        """Predictions on the items from the modalities ``observed`` alone, by policy; empty where bounds are complete.

        The best score of any of them is the bound of a metric that is no mean over samples (AP, CIDEr).
        """

    def traits(self, item: Item) -> Mapping[str, frozenset[str]]:
        """What ``scenes.generality`` may hold out: by kind, the combinations that the sample holds."""

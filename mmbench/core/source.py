"""What a source of samples is, and what it is opened with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from mmbench.core.bounds import Bounds
from mmbench.core.suite import SuiteSpec

if TYPE_CHECKING:  # numpy takes 0.1 s to import, and `mmbench show suites` needs none of it
    from mmbench.core.prediction import Prediction
    from mmbench.core.sample import Array, Sample

Kind = Literal["image", "plane", "text", "audio", "features"]


@dataclass(frozen=True, slots=True)
class Modality:
    """One input: ``image`` is uint8 [H,W,channels], ``plane`` float32 [H,W] (depth, thermal, near infrared).

    ``text`` is str, ``audio`` float32 [T] in -1..1, both of one channel. ``features`` are arrays of
    any shape that take the place of an input. ``scale`` divides a plane before a model of
    ours sees it (its typical largest value, in the suite's unit). ``rate`` is that of audio, in samples per second.
    """

    name: str
    kind: Kind
    channels: int
    unit: str = ""
    scale: float = 1.0
    rate: int = 0


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What a source is opened with; ``parameters`` are resolved, ``root`` is None for generated data."""

    spec: SuiteSpec
    parameters: Mapping[str, str]
    root: Path | None
    split: str


class Source(Protocol):
    """Samples of one split, in a fixed order, by id. Picklable, so that worker processes can load from it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; the index is the label."""

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """The inputs a sample may have."""

    @property
    def ignore(self) -> int | None:
        """The label that is not scored."""

    @property
    def ids(self) -> Sequence[str]:
        """All sample ids of the split, unique, in the order of the source."""

    def load(self, sample_id: str) -> Sample:
        """The sample; raises SampleError with the file's name when it is missing, unreadable or malformed."""

    def stamp(self, sample_id: str) -> str:
        """Cheap identity of a sample (size and mtime of its files, or the generator's version), for the resume key."""

    def stratum(self, sample_id: str) -> str:
        """What ``--limit`` stratifies by, without loading the sample; "" when nothing is known."""


@runtime_checkable
class BoundedSource(Protocol):
    """A generated source that knows what scores are attainable."""

    def bounds(self, sample_ids: Sequence[str]) -> Sequence[Bounds]:
        """The bounds of exactly these samples: over all of them, then of each slice."""


@runtime_checkable
class PolicySource(Source, Protocol):
    """A generated source some of whose bounds are the best scores of policies, each scored as a model would be."""

    @property
    def spec_version(self) -> int:
        """As in ``Bounds``."""

    @property
    def policy_metrics(self) -> tuple[str, ...]:
        """The metrics that the policies are made for; empty where ``bounds`` says all."""

    def policies(self, sample_ids: Sequence[str], observed: Sequence[str]) -> Mapping[str, Sequence[Prediction]]:
        """By policy, predictions on these samples from the modalities ``observed`` alone."""

    def without_inputs(self, sample_id: str) -> Sample:
        """As in ``TargetedSource``."""


@runtime_checkable
class TargetedSource(Protocol):
    """A source that gives a sample without reading its inputs: for result files, and where all targets are needed."""

    def without_inputs(self, sample_id: str) -> Sample:
        """As ``load`` with no inputs: target, group and tags; raises SampleError as it does."""


@runtime_checkable
class NotedSource(Protocol):
    """A source that has something to say of its data, which belongs into the record (samples that were left out)."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences; empty when there is nothing to say."""


@runtime_checkable
class SignedSource(Protocol):
    """A generated source that knows each modality's signature, on which encoders are trained first."""

    def signature(self, sample_id: str, modality: str) -> Array:
        """What this modality alone shows: uint8 label map [H,W] (0 is background), or one label, int64 []."""

    def signature_classes(self, modality: str) -> int:
        """Number of labels ``signature`` may hold, the background of a map included."""


class SourceFactory(Protocol):
    """What is registered: a class with ``open``."""

    def open(self, request: SourceRequest) -> Source:
        """Opens the split; raises LoadError when the root or a list is missing, UsageError on wrong parameters."""


Params = Mapping[str, Any]

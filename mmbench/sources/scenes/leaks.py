"""Checks that no modality tells what the law says it does not know: of pixels, samples and words, not of latents.

Each is a pure function of what a suite gives. ``secrets_of`` states what each modality must not tell; ``findings``
compares that with simple measures of the rendering (brightness, edges, compressed size, loudness, length) and with the
order of the samples; ``repeated`` looks for samples that occur twice; ``excess`` judges a probe that was trained.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp

from mmbench.core.sample import Array, Sample
from mmbench.core.targets import Boxes, JointTarget
from mmbench.sources.scenes import words
from mmbench.sources.scenes.geometry import GRID
from mmbench.sources.scenes.label_chances import law_accuracy
from mmbench.sources.scenes.label_laws import laws_named
from mmbench.sources.scenes.oracles.describe import slots_of
from mmbench.sources.scenes.oracles.pixels import Window, cells_of
from mmbench.sources.scenes.regimes import Law, laws_of
from mmbench.sources.scenes.source import SceneSource
from mmbench.sources.scenes.tasks.caption import HEARD, SLOTS
from mmbench.sources.scenes.tasks.catalogue import TASKS
from mmbench.sources.scenes.tasks.classify import Classification
from mmbench.sources.scenes.tasks.cls_vqa import CLASSIFICATION, VQA
from mmbench.sources.scenes.tasks.dense import Segmentation
from mmbench.sources.scenes.tasks.question import TYPE
from mmbench.sources.scenes.tasks.task import TAG

# Below this a finding is no accident: one in a thousand for a whole suite, shared by its tests (Bonferroni).
ACCIDENT = 1e-3
_FEWEST = 12  # samples of a class; with fewer a test has no power


class Secret(NamedTuple):
    """What a modality must not tell: ``label`` of each sample that ``about`` speaks of."""

    modality: str
    about: str
    label: Mapping[str, str]


class Finding(NamedTuple):
    """One test: what was measured, of which secret, and how likely so strong a dependence is by accident."""

    secret: str
    measure: str
    chance: float


def findings(source: SceneSource) -> list[Finding]:
    """All tests on a split, the least likely first; of segmentation and detection the units are objects."""
    samples: dict[str, Sample] = {}
    measured: dict[str, dict[str, Measures]] = {}
    for sample_id in source.ids:
        for unit in units(source.load(sample_id)):
            samples[unit.id] = replace(unit, inputs={})  # what is measured takes the place of the pixels
            measured[unit.id] = {m.name: measures(m.kind, unit.inputs[m.name]) for m in source.modalities.values()}
    found = []
    for secret in secrets_of(source, samples):
        name = f"{secret.modality} tells {secret.about}"
        columns = _columns([measured[unit][secret.modality] for unit in secret.label])
        found += [Finding(name, measure, test(list(secret.label.values()))) for measure, test in columns]
    return sorted(found, key=lambda finding: finding.chance)


def units(sample: Sample) -> Iterator[Sample]:
    """The sample, or each object of a label map with classes or of ``Boxes``, cut out of the inputs by its box."""
    if sample.group is not None or not isinstance(sample.target, np.ndarray | Boxes):
        yield sample
        return
    for number, (window, label) in enumerate(_objects(sample.target)):
        inputs = {name: value[window] for name, value in sample.inputs.items()}
        yield replace(sample, id=f"{sample.id} object {number}", inputs=inputs, target=label)


def _objects(target: Array | Boxes) -> Iterator[tuple[Window, int]]:
    if isinstance(target, Boxes):
        for (x1, y1, x2, y2), label in zip(target.boxes.astype(int).tolist(), target.labels.tolist(), strict=True):
            yield (slice(y1, y2), slice(x1, x2)), label
    else:
        yield from ((window, int(target[window].max())) for _, window in cells_of(target > 0))


def leaks(found: Sequence[Finding]) -> list[Finding]:
    """The findings that are no accident."""
    return [finding for finding in found if finding.chance * len(found) < ACCIDENT]


def secrets_of(source: SceneSource, samples: Mapping[str, Sample]) -> list[Secret]:
    """What each modality must not tell, from the targets and tags of the samples."""
    task = TASKS[source.task]
    if isinstance(task, Classification):
        return _secrets_of_classes(source, samples, laws_named(source.regime))
    if isinstance(task, Segmentation):
        return _secrets_of_classes(source, samples, laws_of(source.regime))
    if source.task == "caption":
        return _secrets_of_captions(samples)
    if source.task == "refseg":
        return [Secret("text", "the place", {name: _cell(sample.target) for name, sample in samples.items()})]
    return [*_secrets_of_joint_classes(samples), *_secrets_of_answers(source, samples)]


def _secrets_of_answers(source: SceneSource, samples: Mapping[str, Sample]) -> list[Secret]:
    blind = [name for name in source.modalities if name in ("text", "audio")]
    kinds = sorted({sample.tags[TYPE] for sample in samples.values() if TYPE in sample.tags})
    return [
        Secret(
            modality,
            f"the answer ({kind})",
            {name: _answer(sample.target) for name, sample in samples.items() if sample.tags[TYPE] == kind},
        )
        for modality in blind
        for kind in kinds
    ]


def _secrets_of_joint_classes(samples: Mapping[str, Sample]) -> list[Secret]:
    """The question says nothing of the picture's class."""
    joint = {name: s.target.parts for name, s in samples.items() if isinstance(s.target, JointTarget)}
    label = {name: str(parts[CLASSIFICATION]) for name, parts in joint.items()}
    return [Secret("text", "the class", label)] if label else []


def _secrets_of_classes(source: SceneSource, samples: Mapping[str, Sample], laws: Sequence[Law]) -> list[Secret]:
    found = []
    for law in laws:
        own = {name: s for name, s in samples.items() if s.tags.get(TAG, source.regime) == law.name}
        label = {name: str(sample.target) for name, sample in own.items()}
        even = [1] * law.classes
        for place, modality in enumerate(source.modalities):
            if law_accuracy(law, (place,), even) == 1 / law.classes:
                found.append(Secret(modality, f"the class ({law.name})", label))
    return found


def _secrets_of_captions(samples: Mapping[str, Sample]) -> list[Secret]:
    named = {name: slots_of(sample.target[0]) for name, sample in samples.items()}
    return [
        Secret("image" if slot in HEARD else "audio", slot, {name: str(slots[slot]) for name, slots in named.items()})
        for slot in SLOTS
    ]


def _cell(mask: Array) -> str:
    side = len(mask) // GRID
    rows, columns = np.nonzero(mask)
    return f"{rows[0] // side} {columns[0] // side}"


def _answer(target: Any) -> str:
    return str(target if isinstance(target, str) else target.parts[VQA])


Test = Callable[[Sequence[str]], float]
Measures = Mapping[str, float]


def _columns(measured: Sequence[Measures]) -> Iterator[tuple[str, Test]]:
    """Each measure of the units, and their order, with its test against labels."""
    for name in measured[0]:
        values = [row[name] for row in measured]
        yield name, lambda labels, values=values: difference(labels, values)  # type: ignore[misc]
    place = range(len(measured))
    for name, marks in (("parity", [n % 4 for n in place]), ("quarter", [4 * n // len(measured) for n in place])):
        yield name, lambda labels, marks=marks: association(labels, marks)  # type: ignore[misc]


def measures(kind: str, value: Any) -> dict[str, float]:
    """What is simple to see of a modality: brightness, deviation, edges, compressed size, loudness, onset, length."""
    if kind == "text":
        split = str(value).split()
        rank = float(words.vocabulary().index(split[0]))
        return {"words": float(len(split)), "letters": float(len(value)), "first word": rank}
    if kind == "audio":
        loud = np.abs(value) > 0.1
        return {
            "loudness": float(np.sqrt(np.mean(value.astype(np.float64) ** 2))),
            "onset": float(loud.argmax()),
            "duration": float(loud.mean()),
        }
    pixels = value.astype(np.float64)
    return {
        "mean": float(pixels.mean()),
        "median": float(np.median(pixels)),
        "deviation": float(pixels.std()),
        "edges": float(np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean()),
        "bytes": float(len(zlib.compress(np.ascontiguousarray(value).tobytes(), 1))),
    }


def difference(labels: Sequence[str], values: Sequence[float]) -> float:
    """Kolmogorov-Smirnov of each class against all others: the least p-value times the number of classes, at most 1."""
    names, numbers = np.asarray(labels), np.asarray(values)
    known = [name for name, count in Counter(labels).items() if _FEWEST <= count < len(labels)]
    chances = [float(ks_2samp(numbers[names == name], numbers[names != name]).pvalue) for name in known]
    return min(1.0, min(chances) * len(known)) if known else 1.0


def association(labels: Sequence[str], values: Sequence[Any]) -> float:
    """The p-value of the chi-square test of independence; 1 where either is constant."""
    rows, columns = (np.unique(np.asarray(column), return_inverse=True)[1] for column in (labels, values))
    table = np.zeros((rows.max(initial=0) + 1, columns.max(initial=0) + 1))
    np.add.at(table, (rows, columns), 1)
    return float(chi2_contingency(table).pvalue) if min(table.shape) > 1 else 1.0


def repeated(digests: Mapping[str, Sequence[str]]) -> list[str]:
    """Digests that occur twice within or across the splits."""
    counts = Counter(digest for found in digests.values() for digest in found)
    return sorted(digest for digest, count in counts.items() if count > 1)


def excess(right: Sequence[bool], bound: float) -> float:
    """By how many standard errors a probe that is ``right`` so often lies above its bound; above 3 it is a leak."""
    return float((np.mean(right) - bound) / np.sqrt(bound * (1 - bound) / len(right)))

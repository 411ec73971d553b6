"""Samples of a suite to look at, generated or real."""

from __future__ import annotations

from PIL import Image

from mmbench.core.errors import NothingMeasured, SampleError
from mmbench.core.sample import Sample
from mmbench.core.source import SignedSource, Source, TargetedSource
from mmbench.reports.sheet import contact_sheet
from mmbench.runner.plan import choose
from mmbench.runner.suites import OpenedSuite

_CELL = (256, 192)


def suite_sheet(suite: OpenedSuite, count: int) -> Image.Image:
    """``count`` samples of the suite's split (all, if there are fewer), of every stratum in proportion.

    Raises SampleError for one whose target cannot be read, NothingMeasured for an empty split.
    """
    source = suite.source
    ids = list(source.ids)
    if not ids:
        raise NothingMeasured(f"Suite {suite.spec.name!r} has no sample in this split; check its lists and patterns.")
    chosen = choose([source.stratum(sample_id) for sample_id in ids], min(count, len(ids)), suite.reference.seed)
    found = [_sample(source, ids[place]) for place in chosen]
    modalities = {name: m for name, m in source.modalities.items() if name in suite.spec.modalities}
    captions = {sample.id: caption for sample, caption in found}
    samples = [sample for sample, _ in found]
    heading = f"{suite.reference}: {suite.spec.title}"
    return contact_sheet(
        samples, modalities, source.classes, source.ignore, captions=captions, cell=_CELL, heading=heading
    )


def _sample(source: Source, sample_id: str) -> tuple[Sample, str]:
    """The sample, and what is said of it; without its inputs and with the reason where only these cannot be read."""
    try:
        sample = source.load(sample_id)
    except SampleError as error:
        if not isinstance(source, TargetedSource):
            raise
        return source.without_inputs(sample_id), str(error)
    tags = [f"{name} {value}" for name, value in sorted(sample.tags.items())]
    return sample, "; ".join(filter(None, (", ".join(tags), _signatures(source, sample))))


def _signatures(source: Source, sample: Sample) -> str:
    """What each modality alone shows, as numbers, where these decide the class of a generated sample."""
    if not isinstance(source, SignedSource) or not isinstance(sample.target, int):
        return ""
    return "shown: " + ", ".join(f"{name} {int(source.signature(sample.id, name))}" for name in source.modalities)

"""What ``mmbench run --dry-run`` says."""

from __future__ import annotations

from collections.abc import Iterator

from mmbench.reports.printable import named, printable
from mmbench.runner.preview import Preview


def lines(found: Preview) -> Iterator[str]:
    """A heading, then a line each for the size, the time and the unfinished run."""
    yield printable(
        f"{named(found.suite, found.condition)}  {found.model}: {found.samples} samples in {found.batches} batches"
    )
    if found.sample_bytes is None or found.journal_bytes is None or found.load_seconds is None:
        yield "  size and time are unknown: none of the samples that were tried could be loaded"
    else:
        yield (
            f"  {mebibytes(found.samples * found.sample_bytes)} of samples to load, a journal of at most "
            f"{mebibytes(found.journal_bytes)} (estimated from {found.probes} samples)"
        )
        yield f"  loading takes about {found.load_seconds:.1f} s in one process; {_model_time(found)}"
    if found.journal is not None:
        yield printable(f"  resumes {found.journal.parent} at {found.done} of {found.samples} samples")
    else:
        yield "  starts anew: there is no unfinished run to resume"


def mebibytes(size: int) -> str:
    """``12.3 MiB``."""
    return f"{size / 2**20:.1f} MiB"


def _model_time(found: Preview) -> str:
    if found.predict_seconds is None:
        return "the model's time is known once it has run"
    return f"the model needs about {found.predict_seconds:.1f} s more"

"""What ``mmbench study --dry-run`` says."""

from __future__ import annotations

from collections.abc import Iterator

from mmbench.reports.printable import printable
from mmbench.study.preview import Preview


def lines(found: Preview) -> Iterator[str]:
    """A heading with the cells, the time, and which strategies do not serve the suite."""
    more = f" and {found.trials} trials of tuning" if found.trials else ""
    yield printable(f"{found.place.suite}, {found.place.track} encoders: {found.cells} cells{more}, {found.done} done")
    first = f", {found.encoders} of them encoders that are trained once" if found.encoders else ""
    left = found.cells - found.done + found.trials + found.encoders
    yield f"  {left} trainings are left{first}: about {found.seconds / 60:.1f} minutes"
    for name, reason in found.refused.items():
        yield printable(f"  {name} is left out: {reason}")

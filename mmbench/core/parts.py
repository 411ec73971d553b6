"""Several tasks on one sample: the parts of a joint suite, and how their metrics and classes are named.

A part is named by its task; what belongs to it is ``PART/NAME``: the metric ``vqa/answer_accuracy``, the class
``classification/class-1``. A name without a slash belongs to a suite of one task.
"""

from __future__ import annotations

from collections.abc import Iterable

SEPARATOR = "/"


def part_of(name: str) -> str:
    """The part that a metric, a statistic or a class belongs to; "" for a suite of one task."""
    return name.rpartition(SEPARATOR)[0]


def own_name(name: str) -> str:
    """The name within its part."""
    return name.rpartition(SEPARATOR)[2]


def joined(part: str, name: str) -> str:
    """The name as a joint suite has it; the name itself for the part ""."""
    return f"{part}{SEPARATOR}{name}" if part else name


def of_part(names: Iterable[str], part: str) -> tuple[str, ...]:
    """Those of ``names`` that belong to ``part``, as the part knows them, in their order; all of them for ""."""
    start = joined(part, "")
    return tuple(name.removeprefix(start) for name in names if name.startswith(start))

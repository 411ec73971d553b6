"""Nested parts of a training split: what is in a smaller share is in every larger one."""

from __future__ import annotations

from collections.abc import Sequence

from mmbench.core.errors import UsageError
from mmbench.runner.plan import choose


def part(strata: Sequence[str], share: int, seed: int) -> list[int]:
    """Ascending indices of ``share`` per cent (rounded) of the samples, every stratum in proportion.

    Another seed draws another part; with the same seed a smaller share is a subset of a larger one. Raises UsageError
    when nothing is left.
    """
    count = round(share * len(strata) / 100)
    if count == 0:
        raise UsageError(f"{share} % of {len(strata)} training samples is none; leave --labels {share} out.")
    return choose(strata, count, seed)

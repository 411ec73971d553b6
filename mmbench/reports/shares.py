"""A score against its bounds: the shares of the attainable gain and the regret, each with the score's interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mmbench.core.bounds import Bounds
from mmbench.core.record import Estimate
from mmbench.reports.board import Span


@dataclass(frozen=True, slots=True)
class Shares:
    """phi, psi and regret as in ``core.bounds.Bounds``; None where they are not defined."""

    phi: Span | None = None
    psi: Span | None = None
    regret: Span | None = None


def shares(estimate: Estimate, bounds: Bounds | None) -> Shares:
    """The bounds are constants, so an interval of the score maps end by end (regret F* - s turns it around)."""
    if bounds is None:
        return Shares()
    regret = _mapped(estimate, bounds.regret)
    if regret is not None:
        regret = Span(regret.value, low=regret.high, high=regret.low)
    return Shares(_mapped(estimate, bounds.phi), _mapped(estimate, bounds.psi), regret)


def _mapped(estimate: Estimate, share: Callable[[float], float | None]) -> Span | None:
    value = None if estimate.value is None else share(estimate.value)
    if value is None:
        return None
    low, high = (None if end is None else share(end) for end in (estimate.low, estimate.high))
    return Span(value, low, high)

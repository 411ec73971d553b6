"""Measures how much processes differ on this machine: the same arithmetic in fresh interpreters."""

from __future__ import annotations

from collections.abc import Callable
from statistics import stdev

from mmbench.perf import calibration, processes
from mmbench.perf.estimating import REQUEST, values
from mmbench.perf.preflight import hard_facts
from mmbench.perf.protocol import BlockRule, WarmUpRule
from mmbench.perf.request import Replicate, Request, Rules, Subject

PROCESSES = 12
# About a millisecond of work.
_PRODUCTS = 150
_RULES = Rules(
    first_warm_up=WarmUpRule(least_s=0.3, window_s=0.1, window_calls=10, cap_s=1.0, tolerance=0.02),
    blocks=BlockRule(most_s=1.0),
    offline_s=0.1,
)


def calibrate(tell: Callable[[int], None], count: int = PROCESSES, rules: Rules = _RULES, device: str = "cpu") -> float:
    """The standard deviation of log times between ``count`` processes, which is kept for resident runs."""
    subject = Subject(burn=_PRODUCTS, options={"device": device})
    request = Request(subject=subject, kind="replicate", rules=rules)
    found = []
    for number in range(count):
        tell(number)
        found.append(Replicate.model_validate(processes.ask(request, 1)))
    effect = stdev(values(found, 1, REQUEST))
    calibration.keep(hard_facts(device, "fp32", 1), effect, count)
    return effect

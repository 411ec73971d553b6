"""Prints docs/scenes.md: bounds of every generated suite and regime, and what the oracles score in real runs.

python tests/runner/scenes_table.py [SUITE ...]     only the rows of these suites
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from mmbench.core.bounds import Bounds
from mmbench.core.record import RunRecord
from mmbench.reports.numbers import decimal
from mmbench.runner.measure import RunOptions, measure, now, prepare
from mmbench.runner.suites import OpenedSuite, SuiteChoice, open_suite

SUITES = ("seg", "det", "refseg", "vqa", "vqa-av", "caption", "cls-it", "cls-av", "cls-iat", "cls-vqa")
TIER = "ci"
TIMED = 256  # items that are rendered to count items per second
TEXT = f"""# Generated suites: what is attainable, and what the oracles score

Printed by `python tests/runner/scenes_table.py`: every suite in every regime at tier {TIER}, its primary metric over
all samples, of `cls-vqa` one for each task. Chance, U* (the best without some modality), A* (no sum of per-modality
logits does better; "-" where that is not certified) and F* (the best with all) come from the items that were drawn;
those of `ap_100` and `cider` are the best scores of the source's policies under the shipped scorer. The oracles are
decoders by rule that read the rendered inputs alone, run as any model is:
`mmbench run --suite det --tier {TIER} --model oracle:joint --model oracle:rgb`.
Brackets are 95 % intervals, a bootstrap over pictures. The oracle of segmentation is fitted to 256 training items, and
its bound is the best in hindsight, so that it may lie .003 to .01 below. Items per second: rendering in one process,
processor time. AP of a detector that knows nothing of the class rises a little in every bootstrap draw, because a
repeated image brings its equal scores twice: such intervals lie just above their value.

Where F* - U* is below .05 (R, U1, U2, H) there is no phi. An oracle that misses its bound by more than three
standard errors would show a fault of a renderer, a bound or a scorer; `tests/runner/test_oracle_runs.py` checks it.

Samples to look at: `mmbench show suite det --samples 8 -o sheet.png`. That no modality tells what it must not:
`mmbench check suite det --leakage`.
"""
HEADS = ("suite", "regime", "metric", "chance", "U*", "A*", "F*", "oracle:joint", "oracles of some modalities")
LAST = ("oracle:additive", "items/s")


def opened() -> Iterator[OpenedSuite]:
    """Every suite in every regime."""
    wanted = sys.argv[1:] or SUITES
    for name in wanted:
        first = open_suite(name, SuiteChoice({"tier": TIER}))
        regime = first.spec.parameters.get("regime")
        for value in regime.choices if regime else ("",):
            yield open_suite(name, SuiteChoice({"tier": TIER} | ({"regime": value} if value else {})))


def rows(suite: OpenedSuite, folder: Path) -> Iterator[str]:
    """Lines of the table: one, or one for each task of a joint suite."""
    names = suite.spec.modalities
    subsets = ["+".join(chosen) for size in range(1, len(names)) for chosen in combinations(names, size)]
    records = {name: measured(suite, f"oracle:{name}", folder) for name in ("joint", *subsets)}
    speed = f"{items_per_second(suite):,.0f}"
    for bounds in bounds_of(suite):
        certified = suite.spec.task == "classification" and bounds.additive is not None
        additive = scored(measured(suite, "oracle:additive", folder), bounds.metric) if certified else "-"
        joint, *partial = (scored(record, bounds.metric) for record in records.values())
        alone = ", ".join(f"{name} {score}" for name, score in zip(subsets, partial, strict=True))
        yield f"| {' | '.join((*bound_cells(suite, bounds), joint, alone, additive, speed))} |"


def bounds_of(suite: OpenedSuite) -> list[Bounds]:
    """Over all samples: of the primary metric; in a joint suite of each metric that has bounds, a task each."""
    found = [b for b in suite.bounds(tuple(suite.source.ids)) if not b.tag]
    return [b for b in found if b.metric == suite.spec.primary or suite.spec.task == "joint"]


def bound_cells(suite: OpenedSuite, bounds: Bounds) -> tuple[str, ...]:
    """The first seven cells of a line."""
    regime = dict(suite.reference.parameters).get("regime", "-")
    best = f"{decimal(bounds.best_unimodal)} ({', '.join(best_of(bounds))})"
    values = (decimal(bounds.chance), best, "-" if bounds.additive is None else decimal(bounds.additive))
    return (suite.spec.name, regime, bounds.metric, *values, decimal(bounds.fused))


def best_of(bounds: Bounds) -> list[str]:
    """The smallest subsets of modalities whose bound is U*."""
    reached = [name for name, value in bounds.unimodal.items() if decimal(value) == decimal(bounds.best_unimodal)]
    fewest = min(name.count("+") for name in reached)
    return [name for name in reached if name.count("+") == fewest]


def measured(suite: OpenedSuite, locator: str, folder: Path) -> RunRecord:
    """A run."""
    options = RunOptions(results=folder, batch_size=64, fresh=True)
    return measure(prepare(suite, locator, options), options, lambda _: None, now).record


def scored(record: RunRecord, metric: str) -> str:
    """A metric of a run with its interval."""
    estimate = record.estimate(metric)
    if record.status != "ok" or estimate is None or estimate.value is None:
        raise SystemExit(f"{record.model.name} failed on {record.suite}: {record.failures[:1]}")
    return f"{decimal(estimate.value)} [{decimal(estimate.low)}, {decimal(estimate.high)}]"


def items_per_second(suite: OpenedSuite) -> float:
    """Rendered items per second of processor time."""
    source = replace(suite.source, split="val")  # not rendered before: nothing of it is cached
    ids = source.ids[:TIMED]
    start = time.process_time()
    for sample_id in ids:
        source.load(sample_id)
    return len(ids) / (time.process_time() - start)


def main() -> None:
    print(TEXT)
    heads = (*HEADS, *LAST)
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    with tempfile.TemporaryDirectory() as folder:
        for suite in opened():
            for line in rows(suite, Path(folder)):
                print(line, flush=True)


if __name__ == "__main__":
    main()

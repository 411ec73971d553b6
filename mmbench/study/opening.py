"""From the names of suites to benches that are ready to be worked on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.models.loop import Report
from mmbench.models.planning import Choices, plan
from mmbench.models.splits import open_splits
from mmbench.runner.suites import SuiteChoice, open_suite
from mmbench.study.design import Design
from mmbench.study.fitting import Fitter
from mmbench.study.material import Material
from mmbench.study.measuring import TestSplit
from mmbench.study.torch_bench import TorchBench


@dataclass(frozen=True, slots=True)
class Opening:
    """What the flags say: parameters and data roots of the suites, how models are trained, draws of the intervals."""

    choices: Choices
    parameters: Mapping[str, str] = field(default_factory=dict)
    roots: Mapping[str, Path] = field(default_factory=dict)
    draws: int = 1000
    argv: Sequence[str] = ()


def benches(design: Design, opening: Opening, report: Report) -> Iterator[TorchBench]:
    """One for each suite on each track; ``report`` is told of the steps of every training.

    Raises UsageError when a suite cannot be studied so, LoadError when its data cannot be opened.
    """
    for text in design.suites:
        suite = open_suite(text, SuiteChoice(opening.parameters, roots=opening.roots))
        splits = open_splits(text, opening.parameters, opening.roots)
        made = plan(splits, opening.choices)
        test = TestSplit(suite)
        for track in design.tracks:
            material = Material(test, splits, made, track, report)
            material.check(design)
            yield TorchBench(Fitter(material, design.matched, opening.draws), tuple(opening.argv))

"""From the names of suites to benches that are ready to be worked on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from mmbench.models.config import Stride
from mmbench.models.loop import Report
from mmbench.models.planning import Choices, plan
from mmbench.models.splits import Splits, open_splits
from mmbench.runner.suites import OpenedSuite, SuiteChoice, open_suite
from mmbench.study.design import WHOLE, Design, Track
from mmbench.study.execute import Done
from mmbench.study.fitting import Fitter
from mmbench.study.material import Material
from mmbench.study.measuring import TestSplit
from mmbench.study.torch_bench import TorchBench
from mmbench.study.transfer import Borrowed


@dataclass(frozen=True, slots=True)
class Budget:
    """What the trainings of a study take by default, where ``mmbench train`` would take longer."""

    stride: Stride
    steps: int


# The parameter of a suite that leaves combinations out of its training, by the name that it has in suite files.
_HOLD_OUT = "hold_out"
# Fusions learn on ready features in fewer steps than models do from scratch, and a class needs no fine grid. So
# measured: docs/study.md.
_FROZEN: Mapping[str, Budget] = MappingProxyType(
    {"classification": Budget(stride=8, steps=600), "segmentation": Budget(stride=4, steps=600)}
)


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
        suite, splits = _opened(text, opening)
        test = TestSplit(suite)
        for track in design.tracks:
            made = plan(splits, _budgeted(opening.choices, suite.spec.task, track))
            material = Material(test, splits, made, track, report)
            material.check(design)
            yield TorchBench(Fitter(material, design.matched, opening.draws), tuple(opening.argv))


def transfer(bench: TorchBench, done: Done, text: str, opening: Opening) -> TorchBench:
    """The suite ``text`` after what was trained on the bench: encoders and fusions stay, heads learn from few labels.

    Raises UsageError when the suites have other inputs.
    """
    suite, splits = _opened(text, opening)
    made = plan(splits, _budgeted(opening.choices, suite.spec.task, "frozen"))
    material = Borrowed(bench.fitter.material, TestSplit(suite), splits, made)
    whole = [one for one in done.finished if one.facts.share == WHOLE]
    pretrained = {(one.facts.strategy, one.facts.seed): one for one in whole}
    return TorchBench(Fitter(material, bench.fitter.matched, opening.draws, pretrained), tuple(opening.argv))


def held_out(text: str, opening: Opening) -> list[str]:
    """References of the suite with each of its generality splits; none where it has no such splits."""
    suite, _ = _opened(text, opening)
    if _HOLD_OUT not in suite.spec.parameters:
        return []
    splits, found = suite.spec.parameters[_HOLD_OUT], []
    for value in splits.choices:
        if value != splits.default:
            parameters = {**dict(suite.reference.parameters), _HOLD_OUT: value}
            reference = suite.reference.model_copy(update={"parameters": tuple(sorted(parameters.items()))})
            found.append(str(reference))
    return found


def _opened(text: str, opening: Opening) -> tuple[OpenedSuite, Splits]:
    suite = open_suite(text, SuiteChoice(opening.parameters, roots=opening.roots))
    return suite, open_splits(text, opening.parameters, opening.roots)


def _budgeted(choices: Choices, task: str, track: Track) -> Choices:
    """The user's choices, completed on the frozen track."""
    budget = _FROZEN.get(task) if track == "frozen" else None
    if budget is None:
        return choices
    return replace(choices, stride=choices.stride or budget.stride, steps=choices.steps or budget.steps)

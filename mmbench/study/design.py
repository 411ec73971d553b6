"""The design of a study, as data: strategies x seeds x suite references x tracks x label shares, and the controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mmbench.conditions.subsets import PERCENTS
from mmbench.core import registry
from mmbench.core.errors import UsageError

Track = Literal["frozen", "finetune"]
Control = Literal["", "unimodal", "ensemble", "shuffled", "wide"]

BASELINE = "concat"
ALL = "all"
ONLY = "only:"
WIDE = "wide:"
ENSEMBLE = "ensemble"
SHUFFLED = "concat_shuffled"
WHOLE = 100  # per cent of the training split
# From so many seeds on an interval speaks of new trainings, too; fewer than FULL_CLAIM are flagged.
FEWEST_SEEDS = 3
FULL_CLAIM = 5


@dataclass(frozen=True, slots=True)
class Strategy:
    """One line of the table: an operator with its options, or a control.

    ``fusion`` is the operator that is trained, or ``only:MODALITY``; ``modalities`` are the inputs, in order.
    """

    name: str
    fusion: str
    modalities: tuple[str, ...]
    control: Control = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """One training and its test: the unit that is stored, and that a killed study does not repeat.

    With an ``origin``, the suite that all but the head was trained on, ``share`` is a number of labels.
    """

    suite: str
    track: Track
    strategy: Strategy
    seed: int
    share: int = WHOLE
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Design:
    """What is asked for. ``suites`` are references; ``shares`` ascending per cents of the training split, 100 last.

    ``every``: the fusions are all that there are, and those that do not serve a suite are left out there.
    ``against`` names the strategy that all are compared with; ``trials`` is the number of random trials of tuning that
    every strategy gets, 0 for none; ``matched`` says whether hidden widths are solved for the parameters of ``concat``.
    """

    suites: tuple[str, ...]
    fusions: tuple[str, ...]
    seeds: int
    tracks: tuple[Track, ...] = ("frozen",)
    shares: tuple[int, ...] = (WHOLE,)
    against: str = BASELINE
    trials: int = 0
    matched: bool = False
    every: bool = False

    @property
    def whole(self) -> int:
        """The largest share: controls are trained on nothing less, and the table is of it."""
        return max(self.shares)

    def cells(self, suite: str, track: Track, strategies: Sequence[Strategy], origin: str = "") -> Iterator[Cell]:
        """The cells of one suite on one track: the whole training split first; controls are trained on nothing less."""
        for share in sorted(self.shares, reverse=True):
            for strategy in strategies:
                if share == self.whole or not strategy.control:
                    yield from (Cell(suite, track, strategy, seed, share, origin) for seed in range(self.seeds))


def design(
    suites: Sequence[str],
    fusions: Sequence[str],
    seeds: int,
    *,
    tracks: Sequence[Track] = ("frozen",),
    shares: Sequence[int] = (WHOLE,),
    against: str = BASELINE,
    trials: int = 0,
    matched: bool = False,
) -> Design:
    """Checks and completes what the user asked for: ``concat`` takes part in every study.

    ``fusions`` may be ``all`` alone. Raises UnknownName for a fusion that is not registered, UsageError for anything
    that makes no sense.
    """
    every = tuple(fusions) == (ALL,)
    chosen = tuple(_distinct()) if every else tuple(dict.fromkeys(fusions))
    for name in chosen:
        if name.startswith((ONLY, WIDE)) or name in (ENSEMBLE, SHUFFLED):
            raise UsageError(f"--fusion {name} is a control, and every study has it; name fusions alone.")
        registry.fusion.entry(name)
    if not chosen:
        raise UsageError("--fusion names no strategy; give one or more, as in --fusion feat_linear,gmu.")
    if BASELINE not in chosen:
        chosen = (BASELINE, *chosen)
    if against not in chosen:
        raise UsageError(f"--against {against} takes no part in the study; expected one of: {', '.join(chosen)}.")
    if not set(shares) <= set(PERCENTS):
        known = ", ".join(map(str, PERCENTS))
        raise UsageError(f"--labels {','.join(map(str, shares))}: expected per cents among {known}.")
    ordered = tuple(sorted({*shares, WHOLE}))
    return Design(tuple(dict.fromkeys(suites)), chosen, seeds, tuple(tracks), ordered, against, trials, matched, every)


def _distinct() -> Iterator[str]:
    """Every registered fusion once: aliases stand on the same class; the longest name says most."""
    names: dict[tuple[str, str], str] = {}
    for name, entry in registry.fusion.entries().items():
        what = (entry.module, entry.summary)
        if not entry.missing:
            names[what] = max(names.get(what, ""), name, key=len)
    return iter(sorted(names.values()))


def strategies(
    found: Design, modalities: Sequence[str], *, labelled: bool, averaged: bool, transferred: bool = False
) -> tuple[Strategy, ...]:
    """The strategies of a design on a suite with these inputs, then its controls.

    ``labelled``: a sample (or each place of it) has one class, so that the second modality can be shuffled within it.
    ``averaged``: outputs are class scores, of which an ensemble can take the mean. ``transferred``: all but heads was
    trained before, so that there is nothing to be widened.
    """
    inputs = tuple(modalities)
    lines = [Strategy(name, name, inputs) for name in found.fusions]
    lines += [Strategy(ONLY + m, ONLY + m, (m,), "unimodal") for m in inputs]
    if averaged:
        lines.append(Strategy(ENSEMBLE, "model_linear", inputs, "ensemble"))
    if labelled:
        lines.append(Strategy(SHUFFLED, BASELINE, inputs, "shuffled"))
    if not transferred:
        lines += [Strategy(WIDE + m, BASELINE, (m,), "wide") for m in inputs]
    return tuple(lines)

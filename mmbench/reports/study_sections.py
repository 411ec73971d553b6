"""The table of a study as grids of text, and the sentences that a reader must not miss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import isinf

from mmbench.reports import numbers
from mmbench.reports.board import Span, bound_kinds
from mmbench.reports.comparison import change_text, p_text
from mmbench.reports.fields import bound_name
from mmbench.reports.grid import Grid, Head, Part
from mmbench.reports.grid import Line as GridLine
from mmbench.study.contrasts import LEVEL, Contrast, Ranged
from mmbench.study.design import FEWEST_SEEDS, FULL_CLAIM
from mmbench.study.sizing import TOLERANCE
from mmbench.study.table import ALPHA, NEARLY, Line, StudyTable

Column = tuple[Head, Callable[[Line], str]]
_INTERVAL = f" [{LEVEL:.0%}]"
_CONTROLS = {
    "unimodal": "only:M is one modality alone",
    "ensemble": "ensemble the mean of their class scores",
    "shuffled": "concat_shuffled was trained with its other modalities permuted within each class, so that what only "
    "their pairing tells is gone",
    "wide": "wide:M is one modality with as many parameters as concat",
}


def part(table: StudyTable) -> Part:
    """The strategies by score, the controls, the bounds, and what may be said of them."""
    columns = list(_columns(table))
    heads = tuple(head for head, _ in columns)
    lines = [GridLine(tuple(text(line) for _, text in columns)) for line in table.lines if not line.control]
    lines += [GridLine(tuple(text(line) for _, text in columns), True) for line in table.lines if line.control]
    lines += list(_bounds(table, len(columns)))
    heading = f"{table.suite}, {table.track} encoders: strategies against {table.against}"
    return Part(heading, (Grid("", heads, tuple(lines), repeat=(0, 1)),), tuple(remarks(table)))


def _columns(table: StudyTable) -> Iterator[Column]:
    yield Head("rank"), lambda line: numbers.rank_range(line.rank)
    yield Head("strategy", right=False), lambda line: line.name
    yield Head(table.metric + _INTERVAL), lambda line: _spanned(line.score)
    yield Head(f"- {table.against}{_INTERVAL}"), lambda line: _change(line.difference)
    yield Head("p Holm"), lambda line: numbers.NONE if line.adjusted is None else p_text(line.adjusted)
    yield Head("params"), _parameters
    if _resized(table):
        yield (
            Head("native"),
            lambda line: numbers.NONE if (size := line.cost.size) is None else numbers.count(size.native),
        )
        yield Head("size", right=False), _sizing
    yield Head("ms/item"), lambda line: numbers.milliseconds_of(line.cost.ms_per_item)
    yield Head("P(A>B)"), lambda line: _share(line.superiority)
    if table.best_unimodal is not None:
        yield Head("gain" + _INTERVAL), lambda line: _change(line.gain)
    if any(line.phi for line in table.lines):
        yield Head("phi" + _INTERVAL), lambda line: _spanned(line.phi, 2)
    if any(line.psi for line in table.lines):
        yield Head("psi" + _INTERVAL), lambda line: _spanned(line.psi, 2)
    if any(line.nearly is not None for line in table.lines):
        yield Head(f"labels to {NEARLY:.0%}"), lambda line: _labels(line.nearly)
    if 1 < table.seeds < FULL_CLAIM:
        yield Head("seeds"), lambda line: " to ".join(numbers.end(end) for end in line.seed_range)


def _bounds(table: StudyTable, columns: int) -> Iterator[GridLine]:
    if table.bounds is None:
        return
    for kind, modality, value in bound_kinds(table.bounds):
        padding = ("",) * (columns - 3)
        yield GridLine(("", bound_name(kind, modality), numbers.decimal(value), *padding), True)


def remarks(table: StudyTable) -> Iterator[str]:
    """The sentences below the table."""
    yield from _reach(table)
    yield from _apart(table)
    yield from _shares(table)
    yield from _sizes(table)
    controls = dict.fromkeys(line.control for line in table.lines if line.control)
    if controls:
        told = "; ".join(_CONTROLS[control] for control in controls if control)
        yield f"Controls stand below the strategies, without a rank: {told}."
    yield from table.missing


def _reach(table: StudyTable) -> Iterator[str]:
    units = f"{table.samples} samples" + (f" in {table.groups} groups" if table.groups != table.samples else "")
    if not table.claims_seeds:
        yield (
            f"{table.seeds} seed{'s' * (table.seeds > 1)}, {units}: intervals speak of these trained models on new "
            f"samples, not of new trainings; that takes {FEWEST_SEEDS} seeds, better {FULL_CLAIM}."
        )
    else:
        few = "" if table.seeds >= FULL_CLAIM else f" Few seeds: {FULL_CLAIM} or more make the intervals reliable."
        yield f"{table.seeds} seeds x {units}: intervals speak of new trainings and new samples (two-way-t).{few}"
    if table.detectable:  # 0 where no difference varied, of which nothing follows
        yield (
            f"A true difference to {table.against} of {numbers.decimal(table.detectable)} is found in four of five "
            f"such studies (MDE, after Holm); a smaller one may well be missed."
        )
    yield "p Holm is over the strategies of this table; P(A>B) counts pairs of trainings and decides nothing."


def _apart(table: StudyTable) -> Iterator[str]:
    """Strategies that stay undecided, those together that it takes the same for."""
    same, seeds, more = [], [], []
    for line in table.lines:
        if line.needed is None:
            continue
        if line.difference is not None and line.difference.ranged.value == 0:
            same.append(line.name)
        elif isinf(line.needed):
            seeds.append(line.name)
        else:
            more.append((line.name, _count(line.needed)))
    if len(more) > 1:
        counts = _listed([f"{count} for {name}" for name, count in more])
        yield (
            f"Each of these and {table.against} cannot be told apart at this n; if the true difference is the one "
            f"seen, you would need n = {counts}."
        )
    for name, count in more if len(more) == 1 else ():
        yield f"{_undecided([name], table)} you would need n = {count} if the true difference is the one seen."
    if seeds:
        yield f"{_undecided(seeds, table)} more samples alone would not do, it takes more seeds."
    if same:
        yield f"{_undecided(same, table)} no difference was seen."


def _undecided(names: list[str], table: StudyTable) -> str:
    return f"{_listed(names)} and {table.against} cannot be told apart at this n;"


def _listed(texts: list[str]) -> str:
    return ", ".join(texts)


def _shares(table: StudyTable) -> Iterator[str]:
    if table.best_unimodal is not None:
        proved = _names(line for line in table.lines if _proved(line.gain, line.gain_adjusted))
        yield (
            f"gain is over {table.best_unimodal}, the model of one modality that validated best; it is above 0 (after "
            f"Holm) for {proved}."
        )
    if table.bounds is not None:
        bound = numbers.decimal(table.bounds.best_unimodal)
        proved = _names(line for line in table.lines if _proved(line.excess, line.excess_adjusted))
        yield (
            f"U* = {bound} is the best score with one modality; with a gain over a trained model one may be below it. "
            f"Above it (after Holm): {proved}."
        )
    if any(line.psi for line in table.lines):
        certified = _names(line for line in table.lines if not line.control and line.psi and (line.psi.low or 0) > 0)
        yield f"psi = (score - A*)/(F* - A*): a lower end above 0 certifies fusion that is not additive: {certified}."
    if table.goal is not None and any(line.nearly is not None for line in table.lines):
        best = "the best strategy here" if table.bounds is None else "F*"
        yield f"labels to {NEARLY:.0%}: training labels at which the score reaches {NEARLY:.0%} of {best}."


def _sizes(table: StudyTable) -> Iterator[str]:
    sizes = [line.cost.size for line in table.lines if line.cost.size is not None]
    wanted = {size.wanted for size in sizes if size.wanted is not None}
    if not _resized(table):
        yield (
            "Parameters (of the fusion/of all) are native, each operator's own; --match-params solves widths for those "
            "of concat."
        )
    elif wanted:
        yield (
            f"matched: within {TOLERANCE:.0%} of the {_count(max(wanted))} parameters of concat's fusion; nearest: no "
            "whole width comes so near; native (unmatched): cannot be matched, as the operator has no width to solve "
            "for."
        )
    if any(size.sizing == "tuned" for size in sizes):
        yield "tuned: the width validated best, so that parameters differ from the native ones."


def _resized(table: StudyTable) -> bool:
    return any(size.sizing != "native" for line in table.lines if (size := line.cost.size) is not None)


def _sizing(line: Line) -> str:
    size = line.cost.size
    if size is None:
        return numbers.NONE
    off = f", {size.off:+.0%}"
    return {"nearest": "nearest" + off, "unmatched": "native (unmatched)" + off}.get(size.sizing, size.sizing)


def _proved(found: Contrast | None, adjusted: float | None) -> bool:
    return found is not None and (adjusted or 0) <= ALPHA and found.ranged.value > 0


def _names(lines: Iterable[Line]) -> str:
    return ", ".join(line.name for line in lines) or "no strategy"


def _spanned(found: Ranged | None, digits: int = 3) -> str:
    return numbers.spanned(None if found is None else Span(found.value, found.low, found.high), digits)


def _change(found: Contrast | None) -> str:
    return numbers.NONE if found is None else change_text(found.ranged.value, found.ranged.low, found.ranged.high)


def _share(value: float | None) -> str:
    return numbers.NONE if value is None else numbers.decimal(value, 2)


def _labels(count: float | None) -> str:
    if count is None:
        return numbers.NONE
    return "not reached" if isinf(count) else _count(count)


def _count(value: float) -> str:
    return f"{round(value):,}"


def _parameters(line: Line) -> str:
    return f"{numbers.count(line.cost.fusion_parameters)}/{numbers.count(line.cost.parameters)}"

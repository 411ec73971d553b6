"""How numbers are written for people: scores to three decimals, shares to two, intervals in brackets."""

from __future__ import annotations

import re

from mmbench.core.record import RunRecord
from mmbench.reports.board import Cell, Span

NONE = "-"


def decimal(value: float, digits: int = 3) -> str:
    """``0.874``; never ``-0.000``."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def end(value: float, digits: int = 3) -> str:
    """An end of an interval, without the leading zero: ``.874``, ``-.012``, ``1.000``."""
    return re.sub(r"^(-?)0\.", r"\1.", decimal(value, digits))


def spanned(span: Span | None, digits: int = 3) -> str:
    """``0.874 [.861, .887]``, ``0.874`` without an interval, ``-`` without a value."""
    if span is None:
        return NONE
    ends = None if span.low is None or span.high is None else (end(span.low, digits), end(span.high, digits))
    return decimal(span.value, digits) + (f" [{ends[0]}, {ends[1]}]" if ends else "")


def score(cell: Cell | None) -> str:
    """The estimate with its interval; ``undefined`` where the metric is, ``-`` where it was not measured."""
    if cell is None:
        return NONE
    e = cell.estimate
    return "undefined" if e.value is None else spanned(Span(e.value, e.low, e.high))


def phi(cell: Cell | None) -> str:
    """The share of the fusion gain; where there is no gain to share, ``-`` and the regret."""
    if cell is None or cell.regret is None:
        return NONE
    return spanned(cell.phi, 2) if cell.phi else f"{NONE} (regret {decimal(cell.regret.value)})"


def psi(cell: Cell | None) -> str:
    """The certificate of interaction, ``-`` where A* is not certified."""
    return spanned(cell.psi if cell else None, 2)


def rank(cell: Cell | None) -> str:
    """``1``, ``1-3``, ``-`` where it was not computed."""
    return rank_range(None if cell is None else cell.rank)


def rank_range(found: tuple[int, int] | None) -> str:
    """``1``, ``1-3``, ``-`` where there is none."""
    if found is None:
        return NONE
    first, last = found
    return str(first) if first == last else f"{first}-{last}"


def parameters(record: RunRecord) -> str:
    """The model's number of parameters, ``-`` where it is not known."""
    return NONE if record.model.parameters is None else count(record.model.parameters)


def count(number: int) -> str:
    """``512``, ``123k``, ``4.2M``, ``1.3G``."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{unit}" if number < 10 * size else f"{number / size:.0f}{unit}"
    return str(number)


def milliseconds(record: RunRecord) -> str:
    """Milliseconds per item in the model."""
    return milliseconds_of(record.cost.ms_per_item)


def milliseconds_of(cost: float | None) -> str:
    """Three significant digits; ``-`` where it was not measured."""
    return NONE if cost is None else f"{cost:#.3g}".rstrip(".")


def samples(record: RunRecord) -> str:
    """The samples scored, of those planned where some are missing: ``1024``, ``1021/1024``."""
    counts = record.counts
    return f"{counts.scored}" if counts.scored == counts.planned else f"{counts.scored}/{counts.planned}"


def execution(record: RunRecord) -> str:
    """Device, precision, batch size and threads: ``cpu fp32 b16 t2``; ``b16/4`` where memory held 4 at once."""
    run = record.execution
    batch = f"b{run.batch_size}" + (f"/{run.sub_batch}" if run.sub_batch else "")
    return " ".join([run.device, run.precision, batch, f"t{run.threads}", *switches(record)])


def switches(record: RunRecord) -> list[str]:
    """What was switched on: compiled, channels-last."""
    run = record.execution
    return [name for name, on in (("compiled", run.compiled), ("channels-last", run.channels_last)) if on]


def status(record: RunRecord) -> str:
    """``ok``; else the status and the number of failed samples."""
    failed = f", {record.counts.failed} failed" if record.counts.failed else ""
    return record.status + failed

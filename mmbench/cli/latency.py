"""``mmbench run --suite latency``: times models, one after the other and each in processes of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mmbench.cli import screen
from mmbench.core.errors import ExitCode, MmbenchError, UsageError, worst

if TYPE_CHECKING:
    from mmbench.perf.plan import LatencyOptions
    from mmbench.runner.measure import RunOptions
    from mmbench.runner.suites import SuiteChoice
    from mmbench.store import StoredRun

_SUITE = "latency"


@dataclass(frozen=True, slots=True)
class LatencyFlags:
    """The flags of ``mmbench run`` that concern the latency suite alone; ``budget`` in minutes, ``slo`` in ms.

    ``batch`` None: the usual sweep, which may end early.
    """

    batch: str | None
    compile: bool
    inputs_from: str | None
    slo: float | None
    budget: float
    resident: bool
    lock_clocks: int | None
    figure: Path | None


def is_latency(suites: Sequence[str]) -> bool:
    """Whether the latency suite is asked for; raises UsageError when another one is, too."""
    asked = [text for text in suites if text.partition("@")[0] == _SUITE]
    if asked and len(suites) > 1:
        raise UsageError("--suite latency is measured alone, as other work disturbs it; run the other suites apart.")
    return bool(asked)


def latency(
    models: Sequence[str],
    options: RunOptions,
    flags: LatencyFlags,
    choice: SuiteChoice,
    dry_run: bool,
    as_json: bool,
) -> ExitCode:
    """Every model in every precision; what fails does not stop the rest."""
    from mmbench.adapters.opening import expand_locators
    from mmbench.perf.locking import locked_clocks
    from mmbench.perf.plan import estimate

    todo = [(locator, asked) for locator in expand_locators(models) for asked in _each(options, flags, choice)]
    least, most = (len(todo) * seconds / 60 for seconds in estimate(todo[0][1]))
    slow = "" if flags.batch is None else " (more where calls take seconds, as --batch is measured in full)"
    typer.echo(f"{len(todo)} latency runs: about {least:.1f} minutes, at most {most:.1f}{slow}.", err=True)
    if dry_run:
        return ExitCode.OK
    runs, codes = [], []
    with locked_clocks(todo[0][1].model.device, flags.lock_clocks):
        for locator, asked in todo:
            run, code = _measured(locator, asked, alone=len(todo) == 1)
            runs += [run] if run is not None else []
            codes.append(code)
    _conclude(runs, flags, as_json)
    return worst(codes)


def _measured(locator: str, options: LatencyOptions, alone: bool) -> tuple[StoredRun | None, ExitCode]:
    from mmbench.perf.measuring import measure_latency

    def tell(what: str, share: float) -> None:
        typer.echo(f"latency {locator} {options.model.precision}: {share:4.0%}  {what}", err=True)

    try:
        run = measure_latency(locator, options, tell)
    except MmbenchError as error:
        if alone:
            raise
        typer.echo(f"mmbench: {locator} {options.model.precision}: {error}", err=True)
        return None, error.exit_code
    performance = run.record.performance
    unfit = performance is not None and performance.machine.verdict == "unfit"
    return run, ExitCode.UNFIT if unfit else ExitCode.OK


def _each(options: RunOptions, flags: LatencyFlags, choice: SuiteChoice) -> list[LatencyOptions]:
    """The options of each precision."""
    from mmbench.perf.plan import BATCHES, LatencyOptions

    root = choice.roots.get(flags.inputs_from or "", choice.roots.get(""))
    device = "cpu" if options.model.device == "auto" and not _has_cuda() else options.model.device
    device = "cuda" if device == "auto" else device
    return [
        LatencyOptions(
            results=options.results,
            model=replace(options.model, precision=precision.strip(), device=device, compile=False),  # timed apart
            batches=BATCHES if flags.batch is None else _batches(flags.batch),
            full_sweep=flags.batch is not None,
            inputs_from=flags.inputs_from,
            root=None if root is None else str(root),
            compile=flags.compile,
            slo_ms=flags.slo,
            budget_s=60 * flags.budget,
            resident=flags.resident,
            argv=options.argv,
        )
        for precision in options.model.precision.split(",")
    ]


def _batches(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--batch {text!r} is no list of batch sizes; write it like 1,2,4,8.")
    return tuple(sorted({int(part) for part in parts}))


def _has_cuda() -> bool:
    """Whether torch can use a GPU; without a driver this is known without the seconds that importing torch takes."""
    from mmbench.perf.nvml import library

    if library() is None:
        return False
    import torch

    return torch.cuda.is_available()


def _conclude(runs: Sequence[StoredRun], flags: LatencyFlags, as_json: bool) -> None:
    from mmbench.reports.latency import blocks
    from mmbench.reports.latency_figure import save_figure
    from mmbench.reports.terminal import drawn

    records = [run.record for run in runs]
    if as_json:
        content = [{"folder": str(run.folder), "record": run.record.model_dump(mode="json")} for run in runs]
        typer.echo(json.dumps({"runs": content}, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        told = [block for record in records for block in blocks(record)]
        screen.write(drawn(told, screen.width(), screen.colour()))
        for run in runs:
            screen.write(f"  {run.folder}\n")
    if flags.figure is not None and records:
        save_figure(records, flags.figure)
        typer.echo(f"Wrote {flags.figure}.", err=True)
    sys.stdout.flush()

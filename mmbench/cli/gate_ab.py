"""``mmbench gate ab``: two revisions, models or precisions measured in turns."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.cli import screen
from mmbench.core.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from mmbench.gate.ci import Case
    from mmbench.gate.spec import AbSpec, GateSpec
    from mmbench.gate.times import TimeReport
    from mmbench.perf.interleaved import Contestant, Session
    from mmbench.perf.processes import Side

_CONFIG = Path("mmbench.toml")


def ab(
    model: Annotated[list[str], typer.Option(help="The model; two of them: the first is the base.")],
    base: Annotated[str | None, typer.Option(help="Git revision of the base.", show_default=False)] = None,
    head: Annotated[str | None, typer.Option(help="Git revision of the head.", show_default=False)] = None,
    suite: Annotated[str, typer.Option(help="latency.")] = "latency",
    margin: Annotated[float, typer.Option(min=0, help="Percent that the head may be slower.")] = 5.0,
    batch: Annotated[int, typer.Option(min=1, help="Batch size.")] = 1,
    precision: Annotated[str, typer.Option(help="fp32, bf16, fp16; two of them: fp32,bf16.")] = "fp32",
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    inputs_from: Annotated[str | None, typer.Option(metavar="SUITE", help="Time on samples of this suite.")] = None,
    budget: Annotated[float, typer.Option(min=0, help="Minutes; no session is started after.")] = 15.0,
    seed: Annotated[int, typer.Option(min=0, help="Draws which side begins.")] = 0,
    config: Annotated[Path | None, typer.Option(help="The gate's file; else mmbench.toml, if it is there.")] = None,
    context: Annotated[str, typer.Option(help="Chooses on_inconclusive: pr, release or your own.")] = "pr",
    guard_tail: Annotated[
        bool, typer.Option("--guard-tail", help="Stop when the median is known; the 90th percentile may not regress.")
    ] = False,
    md: Annotated[Path | None, typer.Option(help="Append Markdown to this file (a step summary).")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    annotations: Annotated[str | None, typer.Option(help="github: print workflow commands.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Measure two revisions in turns, in fresh processes of both, until it is known which is slower.

    mmbench gate ab --base origin/main --head HEAD --suite latency --model my.ckpt

    Exit codes: 0 pass; 1 regression; 3 inconclusive where the policy says fail; 2, 7 as everywhere.
    """
    from mmbench.gate.ab import LATENCY, TAIL, AbRules, compare, report
    from mmbench.perf.interleaved import run_session
    from mmbench.perf.plan import cpu_rules, gpu_rules

    check_annotations(annotations)
    if suite != "latency":
        raise UsageError(f"mmbench gate ab measures times, and --suite {suite!r} has none; use --suite latency.")
    if (base is None) != (head is None):
        raise UsageError("Two revisions are two sides; give both --base and --head, or neither.")
    gate, setup = _tables(config)
    policy = gate.policy(context)
    protocol = gpu_rules() if device.startswith("cuda") else cpu_rules()
    rules = AbRules(
        margin / 100,
        alpha_fail=gate.alpha_fail,
        alpha_pass=gate.alpha_pass,
        budget_s=60 * budget,
        gated=(LATENCY,) if guard_tail else (LATENCY, TAIL),
    )
    with ExitStack() as stack:
        places = _places(stack, base, head, setup)
        sides = _sides(model, precision, device, threads, inputs_from, places)

        def measure(number: int) -> Session:
            return run_session(sides, protocol, batch=batch, threads=threads, seed=seed, session=number)

        compared = compare(measure, rules, time.monotonic, lambda text: typer.echo(text, err=True))
    told = report(compared, " against ".join(_names(model, precision, base, head)), policy)
    tell_times(told, Told(md, junit, annotations, as_json))
    return told.code


def _sides(
    models: list[str],
    precision: str,
    device: str,
    threads: int,
    inputs_from: str | None,
    places: tuple[Side, Side],
) -> tuple[Contestant, Contestant]:
    from mmbench.core.model import ModelOptions
    from mmbench.perf.interleaved import Contestant
    from mmbench.perf.plan import inputs_of
    from mmbench.perf.request import Subject

    def side(index: int) -> Contestant:
        locator = _one_of(models, index, "--model")
        options = ModelOptions(
            device=device, threads=threads, precision=_one_of(precision.split(","), index, "--precision")
        )
        subject = Subject(locator=locator, suite=inputs_of(locator, inputs_from), options=dataclasses.asdict(options))
        return Contestant(subject, places[index])

    return side(0), side(1)


def _one_of(values: list[str], index: int, flag: str) -> str:
    if len(values) > 2:
        raise UsageError(f"{flag} names {len(values)} sides; a comparison has two.")
    return values[min(index, len(values) - 1)]


def _places(stack: ExitStack, base: str | None, head: str | None, setup: AbSpec) -> tuple[Side, Side]:
    from mmbench.gate.revisions import checkout
    from mmbench.perf.processes import Side

    if base is None or head is None:
        return Side(), Side()
    return stack.enter_context(checkout(base, setup)), stack.enter_context(checkout(head, setup))


def _names(models: list[str], precision: str, base: str | None, head: str | None) -> list[str]:
    """What differs between the sides, the head first."""
    kinds = precision.split(",")
    sides = []
    for index, reference in ((1, head), (0, base)):
        parts = (models[min(index, len(models) - 1)], kinds[min(index, len(kinds) - 1)], reference)
        sides.append(" ".join(part for part in parts if part))
    return sides


def _tables(config: Path | None) -> tuple[GateSpec, AbSpec]:
    from mmbench.gate.spec import AbSpec, GateSpec, read_ab

    file = config or _CONFIG
    if config is None and not file.exists():
        return GateSpec(), AbSpec()
    return read_ab(file)


@dataclass(frozen=True, slots=True)
class Told:
    """Where a report goes: files of Markdown and JUnit, annotations, JSON on the screen."""

    md: Path | None = None
    junit: Path | None = None
    annotations: str | None = None
    as_json: bool = False


def check_annotations(form: str | None) -> None:
    """Raises UnknownName for another form than ``github``."""
    if form not in (None, "github"):
        raise UnknownName("form of annotations", str(form), ("github",))


def tell_times(report: TimeReport, told: Told) -> None:
    """On the screen and into the files."""
    from mmbench.gate import times
    from mmbench.gate.ci import github
    from mmbench.reports.terminal import drawn

    write_files(told, times.markdown(report), times.cases(report))
    if told.as_json:
        typer.echo(json.dumps(times.as_json(report), indent=1, allow_nan=False))
        return
    screen.write(drawn(times.blocks(report), screen.width(), screen.colour()))
    if told.annotations:
        screen.write(github(times.cases(report)))


def write_files(told: Told, markdown: str, cases: Sequence[Case]) -> None:
    """Appends to the one, as a step summary wants it; writes the other anew."""
    from mmbench.gate.ci import junit

    if told.md is not None:
        before = told.md.read_text(encoding="utf-8") if told.md.is_file() else ""
        screen.save(told.md, before + markdown)
    if told.junit is not None:
        screen.save(told.junit, junit(cases))

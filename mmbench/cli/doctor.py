"""``mmbench doctor``: is this machine fit to be timed, and what would make it fitter?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.cli import screen
from mmbench.core.errors import ExitCode

if TYPE_CHECKING:
    from mmbench.core.performance import Machine


def doctor(
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads that a run would use.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.01, help="How long the others are watched.")] = 2.0,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure how much processes differ here, for --resident runs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say what disturbs timing on this machine and what to do about it; nothing is changed.

    Exit codes: 0 fit (dedicated or shared); 5 unfit.
    """
    from mmbench.perf.preflight import fingerprint, machine

    if device.startswith("cuda"):
        import torch  # noqa: F401  its version is a hard fact, and it finds the GPU
    found = machine(device, "fp32", threads, seconds)
    effect = _calibrated(device) if calibrate else None
    if as_json:
        content = found.model_dump(mode="json") | {"fingerprint": fingerprint(found.hard), "process_effect": effect}
        typer.echo(json.dumps(content, indent=1, allow_nan=False))
    else:
        _show(found, fingerprint(found.hard), effect)
    return ExitCode.UNFIT if found.verdict == "unfit" else ExitCode.OK


def _calibrated(device: str) -> float:
    from mmbench.perf.calibrating import PROCESSES, calibrate

    def tell(number: int) -> None:
        typer.echo(f"calibrating: process {number + 1} of {PROCESSES}", err=True)

    return calibrate(tell, device=device)


def _show(machine: Machine, fingerprint: str, effect: float | None) -> None:
    from mmbench.reports.terminal import Facts, Heading, Paragraph, drawn

    told = [Heading(f"This machine is {machine.verdict} (fingerprint {fingerprint})")]
    remarks = [Paragraph(f"{r.severity}: {r.found}; {r.advice}.") for r in machine.remarks]
    facts = Facts(tuple((name, str(value)) for name, value in (machine.hard | machine.soft).items()))
    again = " The machine was unfit: this is too wide, calibrate again when it is fit." * (machine.verdict == "unfit")
    extra = (
        [] if effect is None else [Paragraph(f"Processes differ by {effect:.2%} (standard deviation); kept.{again}")]
    )
    screen.write(drawn([*told, *remarks, *extra, facts], screen.width(), screen.colour()))

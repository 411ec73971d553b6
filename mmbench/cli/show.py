"""``mmbench show WHAT``: what there is to use, one suite, or one finished run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.cli import screen
from mmbench.core.errors import ExitCode, UnknownName, UsageError

if TYPE_CHECKING:
    from mmbench.reports.terminal import Block

_LISTS = ("suites", "models", "fusions", "metrics", "sources", "adapters", "reports", "conditions")
_SAMPLES = 8
_ONE = {"suite": "mmbench show suite seg", "run": "mmbench show run RUN"}


def show(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help=f"{', '.join(_LISTS)}; or suite NAME, run RUN.", show_default=False)
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The suite (or its file) or the run.", show_default=False)
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="The folder in which RUN is looked for.")] = Path(
        "results"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    samples: Annotated[
        int | None, typer.Option("--samples", min=1, help="Draw so many samples of the suite into -o; 8 by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The picture of samples: a PNG or JPEG.", show_default=False)
    ] = None,
    data_root: Annotated[
        list[str] | None,
        typer.Option("--data-root", metavar="[SUITE=]PATH", help="Folder of the data; else under MMBENCH_DATA."),
    ] = None,
) -> int:
    """List suites, models, fusions, metrics, sources, adapters, reports, conditions; describe one suite or run.

    mmbench show suite vqa --samples 8 -o sheet.png
    """
    if samples is not None or output is not None:
        return _sheet(what, name, samples, output, data_root or [])
    facts, blocks = _found(what, name, results)
    if as_json:
        typer.echo(json.dumps(facts, indent=1, allow_nan=False))
    else:
        from mmbench.reports.terminal import drawn

        screen.write(drawn(blocks, screen.width(), screen.colour()))
    return ExitCode.OK


def _found(what: str, name: str | None, results: Path) -> tuple[Any, Iterable[Block]]:
    """The facts as JSON-able data, and the blocks that show them."""
    if what not in (*_LISTS, *_ONE):
        raise UnknownName("list to show", what, (*_LISTS, *_ONE))
    if what in _LISTS and name is not None:
        raise UsageError(f"mmbench show {what} lists all of them and takes no name; found {name!r}, leave it out.")
    if what in _ONE and name is None:
        raise UsageError(f"mmbench show {what} expects a name, as in: {_ONE[what]}.")
    if what == "suite":
        return _suite(str(name))
    return _run(str(name), results) if what == "run" else _list(what)


def _list(what: str) -> tuple[Any, Iterable[Block]]:
    from mmbench.reports import catalogue

    if what == "suites":
        found = catalogue.suites()
        return found, catalogue.suite_blocks(found)
    if what == "models":
        found = catalogue.models()
        return found, catalogue.model_blocks(found)
    if what == "conditions":
        found = catalogue.conditions()
        return found, catalogue.condition_blocks(found)
    found = catalogue.plugins(what)
    return found, catalogue.plugin_blocks(found)


def _suite(name: str) -> tuple[Any, Iterable[Block]]:
    from mmbench.reports.suite_card import card, suite_facts

    facts = suite_facts(name)
    return facts, card(facts)


def _sheet(what: str, name: str | None, samples: int | None, output: Path | None, roots: list[str]) -> int:
    """Writes samples of a suite as a picture."""
    if what != "suite" or name is None:
        raise UsageError("--samples and -o draw a suite, as in: mmbench show suite vqa --samples 8 -o sheet.png.")
    if output is None or output.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        found = "there is none" if output is None else f"found {output.name!r}"
        raise UsageError(f"The picture of samples needs -o with a name that ends in .png or .jpg; {found}.")
    from mmbench.reports.suite_sheet import suite_sheet
    from mmbench.runner.suites import SuiteChoice, open_suite, parse_roots

    picture = suite_sheet(open_suite(name, SuiteChoice(roots=parse_roots(roots))), samples or _SAMPLES)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        picture.save(output)
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror or error}); choose another -o.") from error
    screen.write(f"Samples of {name}: {output}\n")
    return ExitCode.OK


def _run(name: str, results: Path) -> tuple[Any, Iterable[Block]]:
    from mmbench.reports.run_card import card
    from mmbench.store import resolve_run

    record = resolve_run(name, results).record
    return record.model_dump(mode="json"), card(record)

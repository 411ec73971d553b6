"""``mmbench check model LOCATOR --suite S``: eight samples before a long run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from mmbench.cli import screen
from mmbench.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mmbench.core.model import ModelOptions


def check_model(locator: str, suite: str | None, settings: list[str], options: ModelOptions, as_json: bool) -> ExitCode:
    """Opens the model for the suite, tries it, prints what was found."""
    if suite is None:
        raise UsageError("A model is checked on a suite; add it, as in: mmbench check model my.ckpt --suite seg.")
    from mmbench.reports.model_check import card, facts
    from mmbench.runner.measure import RunOptions, prepare
    from mmbench.runner.model_check import SAMPLES, check_model, exit_code
    from mmbench.runner.suites import SuiteChoice, open_suite, parse_settings

    opened = open_suite(suite, SuiteChoice(parse_settings(settings)))
    prepared = prepare(opened, locator, RunOptions(model=options, batch_size=SAMPLES))
    findings = check_model(prepared)
    if as_json:
        typer.echo(json.dumps({"model": locator, "findings": facts(findings)}, indent=1, allow_nan=False))
    else:
        from mmbench.reports.terminal import drawn

        blocks = card(prepared.model.info.name, str(prepared.plan.reference), findings, prepared.model.info.consents)
        screen.write(drawn(blocks, screen.width(), screen.colour()))
    return exit_code(findings)

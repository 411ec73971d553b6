"""``mmbench check suite NAME --leakage``: does a generated suite tell what it must not?"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.cli import screen
from mmbench.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mmbench.sources.scenes.source import SceneSource


class What(StrEnum):
    """What is checked."""

    SUITE = "suite"


def check(
    what: Annotated[What, typer.Argument(help="suite: the samples of a suite.")],  # noqa: ARG001  one so far
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name, reference like seg@1\\[regime=S4], or TOML file.")],
    leakage: Annotated[bool, typer.Option("--leakage", help="No modality alone tells what fusion is for.")] = False,
    probes: Annotated[
        bool, typer.Option("--probes", help="Also train probes of each modality alone (needs mmbench\\[probes]).")
    ] = False,
    tier: Annotated[str | None, typer.Option(help="The suite's size: short for --set tier=TIER.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the suite; repeat.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Check a generated suite; exit code 1 when something was found.

    mmbench check suite cls-it --leakage --probes --tier smoke
    """
    if not leakage:
        raise UsageError("There is nothing to check; add --leakage, as in: mmbench check suite cls-it --leakage.")
    from mmbench.reports.leakage import card, facts_of

    reference, splits = _splits(name, [*(settings or ()), *([f"tier={tier}"] if tier else ())])
    facts = {**facts_of(reference, splits), **(_probed(splits) if probes else {})}
    if as_json:
        typer.echo(json.dumps(facts, indent=1, allow_nan=False))
    else:
        from mmbench.reports.terminal import drawn

        screen.write(drawn(card(facts), screen.width(), screen.colour()))
    leaking = any(one["leaks"] for one in facts.get("probes", ()))
    return ExitCode.REGRESSION if leaking or facts["leaks"] or facts["repeated"] else ExitCode.OK


def _probed(splits: list[SceneSource]) -> dict[str, Any]:
    """What the probes found that were fitted to the training split."""
    from mmbench.diagnostics.probes import probed

    (train,) = (source for source in splits if source.split == "train")
    return {"probes": [{**one._asdict(), "leaks": one.leaks} for one in probed(train, splits[0])]}


def _splits(name: str, settings: list[str]) -> tuple[str, list[SceneSource]]:
    """The reference of the suite and its splits, the one that is measured first."""
    from mmbench.content import load_suite
    from mmbench.core.source import SourceRequest
    from mmbench.core.suite import SuiteReference
    from mmbench.runner.suites import parse_settings
    from mmbench.sources.scenes.source import SPLITS, SceneSource

    spec, written = load_suite(name)
    if spec.source.kind != "scenes":
        raise UsageError(f"--leakage knows generated suites, and {spec.name!r} is not one; choose another suite.")
    parameters = spec.resolve({**dict(written.parameters), **parse_settings(settings)})
    reference = SuiteReference(name=spec.name, version=spec.version, parameters=tuple(sorted(parameters.items())))
    splits = [spec.split, *(split for split in SPLITS if split != spec.split)]
    return str(reference), [SceneSource.open(SourceRequest(spec, parameters, None, split)) for split in splits]

"""``mmbench check suite NAME --leakage`` and ``mmbench check model LOCATOR --suite S``."""

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
    MODEL = "model"


def check(
    what: Annotated[What, typer.Argument(help="suite: the samples of a suite; model: eight samples of a model.")],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Suite: name, reference like seg@1\\[regime=S4], file; or a model.")
    ],
    leakage: Annotated[bool, typer.Option("--leakage", help="No modality alone tells what fusion is for.")] = False,
    probes: Annotated[
        bool, typer.Option("--probes", help="Also train probes of each modality alone (needs mmbench\\[probes]).")
    ] = False,
    tier: Annotated[str | None, typer.Option(help="The suite's size: short for --set tier=TIER.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the suite; repeat.")
    ] = None,
    suite: Annotated[str | None, typer.Option(help="The suite that a model is checked on.")] = None,
    arch: Annotated[str | None, typer.Option(metavar="FILE.py:CLASS", help="Code of the model; it is run.")] = None,
    arch_kwargs: Annotated[str | None, typer.Option(metavar="NAME=VALUE,...", help="Arguments of CLASS.")] = None,
    key: Annotated[str | None, typer.Option(help="Where in the checkpoint the weights are.")] = None,
    map_: Annotated[str | None, typer.Option("--map", metavar="MODALITY=ARGUMENT,...", help="Or: positional.")] = None,
    output: Annotated[str | None, typer.Option(help="The part of the output that is scored.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Allow weights that do not all fit.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Run the program that a model file holds.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Check a generated suite (exit code 1 when something was found), or a model on eight samples.

    mmbench check suite cls-it --leakage --probes --tier smoke

    mmbench check model my.ckpt --arch my_model.py:MyFusion --suite seg
    """
    chosen = [*(settings or ()), *([f"tier={tier}"] if tier else ())]
    if what is What.MODEL:
        from mmbench.adapters.user_code import parse_arch_kwargs
        from mmbench.cli.check_model import check_model
        from mmbench.core.model import ModelOptions

        kwargs = parse_arch_kwargs(arch_kwargs) if arch_kwargs else {}
        options = ModelOptions(arch, kwargs, key, map_, output, device, partial=partial, allow_code=allow_code)
        return check_model(name, suite, chosen, options, as_json)
    if not leakage:
        raise UsageError("There is nothing to check; add --leakage, as in: mmbench check suite cls-it --leakage.")
    from mmbench.reports.leakage import card, facts_of

    reference, splits = _splits(name, chosen)
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

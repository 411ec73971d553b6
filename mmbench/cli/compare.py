"""``mmbench compare RUN_A RUN_B ...``: runs against the first one, on the same samples.

The CSV has one line per metric, class and slice; its columns are the fields of ``mmbench.reports.comparison.Change``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.cli import screen
from mmbench.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mmbench.store import StoredRun


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN_A RUN_B [RUN]...", help="Run folders, or ends of their names; training seeds: A0,A1,A2."
        ),
    ],
    results: Annotated[Path, typer.Option("--results", help="The folder in which a RUN is looked for.")] = Path(
        "results"
    ),
    per_class: Annotated[bool, typer.Option("--per-class", help="Show each class.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the CSV to this file as well.")] = None,
    fusion: Annotated[bool, typer.Option("--fusion", hidden=True)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Compare runs with the first one, paired by sample: change, interval, p, slices, samples that changed most.

    Runs that were not measured in the same way are refused (exit code 4). Several training seeds of one model, joined
    by commas or in one folder, are one side: the change is then over new seeds, too.
    """
    if fusion:
        raise UsageError("mmbench compare takes finished runs; to compare fusions by training them: mmbench study.")
    if len(runs) < 2:
        raise UsageError(f"mmbench compare expects two runs or more, found {len(runs)}; add RUN_B.")
    from mmbench.reports import comparison
    from mmbench.reports.paired_runs import pair_seeds
    from mmbench.reports.terminal import drawn

    base, *heads = (_side(text, results) for text in runs)
    found = [comparison.compare(pair_seeds(base, head)) for head in heads]
    if csv is not None:
        screen.save(csv, comparison.render_csv(found))
    if as_json:
        content = {"comparisons": [comparison.as_json(one) for one in found]}
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        blocks = [block for one in found for block in comparison.blocks(one, per_class=per_class)]
        screen.write(drawn(blocks, screen.width(), screen.colour()))
    return ExitCode.OK


def _side(text: str, results: Path) -> list[StoredRun]:
    """One run, or the runs of several training seeds: joined by commas, or a folder of them."""
    from mmbench.reports.training_seeds import training_seed
    from mmbench.store import find_runs, resolve_run

    if "," in text and not Path(text).exists():
        return [resolve_run(part, results) for part in text.split(",")]
    found = find_runs([Path(text)]) if Path(text).is_dir() else []
    if len(found) > 1 and all(training_seed(run.record) is not None for run in found):
        return found
    return [resolve_run(text, results)]

"""What there is to use: suites, baselines and plug-ins, as JSON-able facts and as blocks for a terminal.

Reads TOML files and lists plug-ins without importing them: neither numpy nor torch is needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmbench import content
from mmbench.core import registry
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.suite import SuiteSpec
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.terminal import Block, Heading, Paragraph
from mmbench.sources.opening import find_root

Entry = dict[str, Any]

# What ``mmbench show`` lists of plug-ins, and the kind that each word means.
PLUGINS = {f"{kind}s": kind for kind in ("fusion", "metric", "source", "adapter", "report")}
# What a fusion is where its decorator does not say otherwise; its class says the same.
_FUSION = {"level": "features", "additive": False}


def suites() -> list[Entry]:
    """The suites that ship; raises UsageError when one of their files is broken."""
    return [_suite(content.read_suite(file)) for file in content.suite_files().values()]


def suite_blocks(entries: Sequence[Entry]) -> Iterator[Block]:
    """What can be measured at once first; two lines per suite, then how a missing set is given."""
    for entry in sorted(entries, key=lambda entry: (not entry["data_found"], entry["tags"] != ["embedded"])):
        yield Heading(f"{entry['name']}@{entry['version']}  {entry['title']}")
        more = f" and {len(entry['metrics']) - 1} more" if len(entry["metrics"]) > 1 else ""
        scored = f"{'+'.join(entry['modalities'])}, scored by {entry['primary']}{more}"
        data = "data found" if entry["data_found"] else "data not found"
        data = "generated" if "embedded" in entry["tags"] else data
        yield Paragraph("; ".join(part for part in (scored, data, entry["licence"]) if part), indent=2)
    if not all(entry["data_found"] for entry in entries):
        yield Paragraph("Data of your own copy: --data-root SUITE=PATH, or one folder per set under MMBENCH_DATA.")
    yield Paragraph("One of them in full: mmbench show suite NAME", quiet=True)


def conditions() -> list[Entry]:
    """What ``--condition`` can do to inputs; ``levels`` are those of the severities 1 to 5."""
    from mmbench.conditions.catalogue import CONDITIONS  # numpy, which no other list needs

    return [
        {"name": one.name, "kinds": list(one.kinds), "levels": list(one.levels), "unit": one.unit}
        for one in CONDITIONS.values()
    ]


def condition_blocks(entries: Sequence[Entry]) -> Iterator[Block]:
    """A line per condition, then how one is asked for."""
    heads = (Head("condition", right=False), Head("inputs", right=False), *(Head(str(n)) for n in range(1, 6)))
    lines = [Line((e["name"], ", ".join(e["kinds"]), *map(str, e["levels"]), e["unit"])) for e in entries]
    yield Grid("Levels by severity", (*heads, Head("unit", right=False)), tuple(lines), repeat=(0,))
    yield Paragraph("Severity 0 changes nothing. In a run: mmbench run --condition noise:rgb=3", quiet=True)


def data_state(spec: SuiteSpec) -> tuple[bool, str]:
    """Whether the suite's data is there, and a sentence that says where or what was looked for."""
    try:
        root = find_root(spec)
    except LoadError as error:
        return False, str(error)
    return True, "generated, nothing to download" if root is None else f"found in {root}"


def models() -> list[Entry]:
    """The baselines that ship, with their cards; raises UsageError when a card is broken."""
    return [_baseline(suite, name) for suite in content.suite_files() for name in content.baseline_names(suite)]


def model_blocks(entries: Sequence[Entry]) -> Iterator[Block]:
    """The locator of each baseline, then what its card says."""
    if not entries:
        yield Paragraph("No baselines are installed.")
    for entry in entries:
        yield Heading(f"{entry['locator']}  (suite {entry['suite']})")
        for name, value in entry["card"].items():
            if not isinstance(value, Mapping):
                yield Paragraph(f"{name}: {_shown(value)}", indent=2)


def plugins(what: str) -> list[Entry]:
    """The plug-ins of one kind (a key of ``PLUGINS``); ``missing`` names the extra that is not installed."""
    entries = registry.REGISTRIES[PLUGINS[what]].entries().values()
    return [
        {
            "name": entry.name,
            "summary": entry.summary,
            "module": entry.module,
            "needs": entry.needs,
            "missing": entry.missing,
            "options": (_FUSION if what == "fusions" else {}) | entry.options,
        }
        for entry in entries
    ]


def plugin_blocks(entries: Sequence[Entry]) -> Iterator[Block]:
    """The name and what it is of each plug-in; of a fusion also what it joins, and whether it is additive."""
    for entry in entries:
        missing = f"  (needs mmbench[{entry['missing']}])" if entry["missing"] else ""
        yield Paragraph(f"{entry['name']}{_kind(entry['options'])}{missing}")
        if entry["summary"]:
            yield Paragraph(entry["summary"], indent=4, quiet=True)
        if "example" in entry["options"]:
            yield Paragraph(f"--model {entry['options']['example']}", indent=4, quiet=True)


def _kind(options: Mapping[str, Any]) -> str:
    if "level" in options:
        joins = "features and logits" if options["level"] == "both" else options["level"]
        return f"  (joins {joins}{', additive' if options['additive'] else ''})"
    return f"@{options['version']}" if "version" in options else ""


def _suite(spec: SuiteSpec) -> Entry:
    present, data = data_state(spec)
    return {
        "name": spec.name,
        "version": spec.version,
        "title": spec.title,
        "task": spec.task,
        "modalities": list(spec.modalities),
        "metrics": list(spec.metrics),
        "primary": spec.primary,
        "tags": list(spec.tags),
        "licence": spec.licence,
        "data_found": present,
        "data": data,
    }


def _baseline(suite: str, name: str) -> Entry:
    file = content.folder("baselines") / suite / name / "model.toml"
    try:
        card = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The card {file} cannot be read ({error}); install mmbench again.") from error
    return {"locator": f"baseline:{name}", "suite": suite, "card": card}


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""One suite in full."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from mmbench import content
from mmbench.core.suite import SuiteReference, SuiteSpec
from mmbench.reports.catalogue import data_state
from mmbench.reports.terminal import Block, Facts, Heading, Paragraph
from mmbench.sources.opening import open_source


def suite_facts(text: str) -> dict[str, Any]:
    """The suite of a reference or a TOML file, JSON-able: its file's content and what this machine adds to it."""
    spec, reference = content.load_suite(text)
    found, data = data_state(spec)
    facts: dict[str, Any] = spec.model_dump(mode="json")
    return facts | {
        "reference": str(reference),
        "parameters_chosen": spec.resolve(dict(reference.parameters)),
        "classes": _classes(spec, reference),
        "baselines": list(content.baseline_names(spec.name)),
        "data_found": found,
        "data": data,
        "next": _next_command(text, spec, found),
    }


def card(facts: dict[str, Any]) -> Iterator[Block]:
    """The suite as blocks for a terminal."""
    yield Heading(f"{facts['reference']}  {facts['title']}")
    yield Facts(tuple((name, text) for name, text in _pairs(facts) if text))
    if facts["parameters"]:
        yield Heading("Parameters")
        yield from _parameters(facts)
    yield Heading("Next")
    yield Paragraph(facts["next"])


def _pairs(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "task", facts["task"]
    yield "modalities", ", ".join(facts["modalities"])
    yield "metrics", ", ".join(facts["metrics"])
    yield "primary", facts["primary"]
    yield "classes", f"{len(facts['classes'])}: {', '.join(facts['classes'])}" if facts["classes"] else ""
    yield "splits", f"{facts['split']} is measured; {facts['train_split']} and {facts['val_split']} are for training"
    yield "source", facts["source"]["kind"]
    yield "data root", ", ".join(facts["source"]["root"])
    yield "data", facts["data"]
    yield "inference", ", ".join(f"{name} {value}" for name, value in facts["inference"].items())
    yield "tags", ", ".join(facts["tags"])
    yield "baselines", ", ".join(f"baseline:{name}" for name in facts["baselines"])
    yield "licence", facts["licence"]
    yield "citation", facts["citation"]
    yield "notes", facts["notes"]


def _parameters(facts: dict[str, Any]) -> Iterator[Block]:
    for name, parameter in facts["parameters"].items():
        chosen = facts["parameters_chosen"].get(name, parameter["default"])
        yield Paragraph(f"--set {name}={chosen}   (of {', '.join(parameter['choices'])})")
        if parameter["help"]:
            yield Paragraph(parameter["help"], indent=4, quiet=True)


def _classes(spec: SuiteSpec, reference: SuiteReference) -> list[str]:
    """Class names where they cost nothing: written in the file, or known to the generator."""
    listed = spec.source.params.get("classes")
    if isinstance(listed, list):
        return [str(name) for name in listed]
    if spec.source.root:
        return []
    parameters = spec.resolve(dict(reference.parameters))
    return list(open_source(spec, parameters, spec.split).classes)


def _next_command(text: str, spec: SuiteSpec, found: bool) -> str:
    root = "" if found else f" --data-root {spec.name}=PATH"
    baselines = content.baseline_names(spec.name)
    own = "oracle:joint" if spec.source.kind == "scenes" else "my.ckpt --arch my_model.py:MyModel"
    model = f"baseline:{baselines[0]}" if baselines else own
    return f"mmbench run --suite {shlex.quote(text)} --model {model}{root}"

"""What the leakage checks of a generated suite found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.numbers import decimal
from mmbench.reports.terminal import Block, Heading, Paragraph
from mmbench.sources.scenes.leaks import ACCIDENT, Finding, findings, leaks, repeated
from mmbench.sources.scenes.source import SceneSource

_NAMED = 10  # repeated samples that are written out


def facts_of(reference: str, splits: Sequence[SceneSource]) -> dict[str, Any]:
    """All tests on the first split, and the samples that occur twice in any of them; JSON-able."""
    found = findings(splits[0])
    digests = {source.split: {i: source.load(i).digest() for i in source.ids} for source in splits}
    twice = set(repeated({split: list(own.values()) for split, own in digests.items()}))
    return {
        "suite": reference,
        "samples": {split: len(own) for split, own in digests.items()},
        "tests": [finding._asdict() for finding in found],
        "leaks": [finding._asdict() for finding in leaks(found)],
        "repeated": [sample_id for own in digests.values() for sample_id, digest in own.items() if digest in twice],
    }


def card(facts: Mapping[str, Any]) -> Iterator[Block]:
    """A line for each thing that a modality must not tell, with its least likely test."""
    yield Heading(f"Leakage of {facts['suite']}")
    found = [Finding(**finding) for finding in facts["tests"]]
    if found:
        yield _grid(found, {(leak["secret"], leak["measure"]) for leak in facts["leaks"]})
        limit = ACCIDENT / len(found)
        yield Paragraph(f"p: chance that a measure differs so much between the answers; a leak is below {limit:.1e}.")
    else:
        yield Paragraph("In this regime each modality alone may tell the answer: there is nothing to leak.")
    if facts.get("probes"):
        yield _probes(facts["probes"])
        yield Paragraph("A probe is fitted to the training split; above bound + 3 standard errors (SE) it is a leak.")
    samples = ", ".join(f"{split} {count}" for split, count in facts["samples"].items())
    yield Paragraph(f"Samples that occur twice ({samples}): {len(facts['repeated'])}")
    yield from (Paragraph(sample_id, indent=2) for sample_id in facts["repeated"][:_NAMED])


def _probes(found: Sequence[Mapping[str, Any]]) -> Grid:
    lines = [
        Line(
            (
                f"{one['modality']}: {one['about']}",
                one["probe"],
                decimal(one["right"]),
                decimal(one["bound"]),
                f"{one['errors']:+.1f}",
                str(one["units"]),
                "LEAK" if one["leaks"] else "ok",
            )
        )
        for one in found
    ]
    heads = (Head("from alone", right=False), Head("probe", right=False), *map(Head, ("right", "bound", "SE", "n")))
    return Grid("Probes", (*heads, Head("", right=False)), tuple(lines), repeat=(0,))


def _grid(found: Sequence[Finding], leaked: set[tuple[str, str]]) -> Grid:
    lines = []
    ordered = sorted(found, key=lambda finding: (finding.secret, finding.chance))
    for secret, group in groupby(ordered, key=lambda finding: finding.secret):
        tests = list(group)
        measures = [test.measure for test in tests if (secret, test.measure) in leaked]
        verdict = f"LEAK: {', '.join(measures)}" if measures else "ok"
        lines.append(Line((secret, str(len(tests)), tests[0].measure, f"{tests[0].chance:.2g}", verdict)))
    heads = (Head("what must not be", right=False), Head("tests"), Head("least likely", right=False), Head("p"))
    return Grid("", (*heads, Head("", right=False)), tuple(lines), repeat=(0,))

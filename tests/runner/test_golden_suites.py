"""A change of a suite's code, or of its metrics', that alters a number without a new version of the suite fails here.

``golden_suites.json`` holds, by ``suite@version``, the digest of the data (pixels and targets) of 64 samples of every
generated suite at tier smoke, and what a decoder that lacks a modality scores on them. A new suite or version adds its
entry (the failure prints it); the old one is then removed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mmbench.runner.measure import RunOptions, measure, prepare
from mmbench.runner.suites import SuiteChoice, open_suite

GOLDEN: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "golden_suites.json").read_text())
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUITES = ("seg", "det", "refseg", "vqa", "vqa-av", "caption", "cls-it", "cls-av", "cls-iat", "cls-vqa")


def scored(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The entry of a suite: scores of metric@version over all samples, by class where they are per class."""
    suite = open_suite(name, SuiteChoice({"tier": "smoke"}, limit=64))
    options = RunOptions(results=folder, draws=100, batch_size=64)
    # Not the joint oracle, which scores 1, where an error could hide.
    record = measure(
        prepare(suite, f"oracle:{suite.spec.modalities[0]}", options), options, lambda _: None, lambda: NOON
    ).record
    scores = {f"{e.metric}@{e.version} {e.label}".strip(): e.value for e in record.estimates if not e.tag}
    return {f"{record.key.suite}@{record.key.version}": {"data": record.key.data, "scores": scores}}


@pytest.mark.parametrize("name", SUITES)
def test_a_number_changes_only_with_the_version_of_its_suite(name: str, tmp_path: Path) -> None:
    """The same data, metrics and scores as when this version was made."""
    ((key, found),) = scored(name, tmp_path).items()
    advice = f"{key} needs a new version, or its entry: {json.dumps({key: found})}"
    expected = GOLDEN.get(key, {"data": "", "scores": {}})
    assert found["data"] == expected["data"], advice
    assert found["scores"].keys() == expected["scores"].keys(), advice
    for metric, value in found["scores"].items():
        assert value == pytest.approx(expected["scores"][metric], rel=1e-9, abs=1e-12), f"{metric}: {advice}"


def test_no_golden_score_is_the_best_or_the_worst() -> None:
    """Where an error could hide; only some of a suite's metrics may be at an end."""
    for key, entry in GOLDEN.items():
        inside = [value for value in entry["scores"].values() if value not in (None, 0.0, 1.0)]
        assert inside, key
    assert {key.split("@")[0] for key in GOLDEN} == set(SUITES)

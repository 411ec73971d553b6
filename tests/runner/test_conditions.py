"""Runs under a condition: told apart from clean ones, without bounds, the same however samples are loaded."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mmbench.core.errors import UsageError
from mmbench.runner.measure import RunOptions, measure, prepare
from mmbench.runner.suites import SuiteChoice, open_suite
from mmbench.store import StoredRun

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(tmp_path, *conditions: str, locator: str = "oracle:text", workers: int = 0) -> StoredRun:
    suite = open_suite("cls-it", SuiteChoice({"tier": "smoke"}, conditions=conditions))
    options = RunOptions(results=tmp_path, draws=100, workers=workers, fresh=True)
    return measure(prepare(suite, locator, options), options, lambda _: None, lambda: NOON)


def test_severity_0_is_the_clean_run(tmp_path) -> None:
    """The key, the bytes of the rows, bounds and phi."""
    clean, zero = run(tmp_path).record, run(tmp_path, "word-drop:text=0", "noise:image=0").record
    assert (zero.key, zero.condition, zero.rows.sha256) == (clean.key, "clean", clean.rows.sha256)
    assert zero.bounds == clean.bounds != ()


def test_a_condition_is_all_that_differs_in_the_key(tmp_path) -> None:
    """The digest of the data is that of the clean samples; no bounds hold, so that there is no phi."""
    clean, noisy = run(tmp_path).record, run(tmp_path, "noise:image=3").record
    assert noisy.key.differences(clean.key, "accuracy") == ["condition: noise:image=3 against clean"]
    assert (noisy.condition, noisy.bounds) == ("noise:image=3", ())
    # The oracle of the text does not see the picture.
    assert noisy.rows.sha256 == clean.rows.sha256


def test_conditions_have_resume_keys_of_their_own(tmp_path) -> None:
    keys = set()
    for conditions in ((), ("absent:text=1",), ("absent:text=2",), ("absent:image=1",)):
        suite = open_suite("cls-it", SuiteChoice({"tier": "smoke"}, conditions=conditions))
        keys.add(prepare(suite, "oracle:text", RunOptions(results=tmp_path)).key)
    assert len(keys) == 4


def test_an_absent_modality_fails_the_samples_that_lack_it(tmp_path) -> None:
    """Level 2 is a quarter of the samples; a model that does not read it fails none."""
    needy, other = (run(tmp_path, "absent:text=2", locator=f"oracle:{m}").record for m in ("text", "image"))
    assert needy.status == "partial"
    assert 0.15 < needy.counts.failed / needy.counts.planned < 0.35
    assert "has no text, which oracle:text reads" in needy.failures[0].reason
    assert other.counts.failed == 0


def test_the_number_of_workers_does_not_matter(tmp_path) -> None:
    """The same samples fail, for the same reasons, and the same rows are left."""
    one, two = (run(tmp_path, "absent:text=2", "word-drop:text=1", workers=n).record for n in (0, 2))
    assert one.failures == two.failures
    assert {"has no text" in failure.reason for failure in one.failures} == {True, False}
    assert (one.key, one.rows.sha256) == (two.key, two.rows.sha256)


def test_a_suite_under_a_condition_has_no_bounds() -> None:
    ids = ("test/000000", "test/000001")
    clean, foggy = (
        open_suite("cls-it", SuiteChoice({"tier": "smoke"}, conditions=given)) for given in ((), ("fog:image=1",))
    )
    assert clean.bounds(ids)
    assert foggy.bounds(ids) == ()


def test_the_condition_names_an_input_of_the_suite() -> None:
    with pytest.raises(UsageError, match="has no 'depth'; it has: image, text"):
        open_suite("cls-it", SuiteChoice(conditions=("holes:depth=1",)))

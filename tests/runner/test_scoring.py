"""From the journal to rows, key and cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmbench.core.record import Failure
from mmbench.core.suite import SuiteReference
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import needed_statistics
from mmbench.runner.execute import Job, execute
from mmbench.runner.journal import BatchResult, Entry, Journal
from mmbench.runner.scoring import comparability_key, cost, journalled_rows, model_record, peak_rss_mib, score


def _entry(sample_id, values, group="g", tags=None):
    from mmbench.core.prediction import LabelMap

    labels = LabelMap(sample_id, np.zeros((1, 1), np.uint8))
    return Entry(sample_id, f"digest of {sample_id}", group, tags or {}, labels, np.array(values, dtype=np.int64))


@pytest.fixture
def journal(tmp_path):
    with Journal.create(tmp_path / "j.sqlite", {}) as journal:
        yield journal


def test_statistics_are_taken_apart_again(journal):
    """Several statistics share one vector in the journal."""
    journal.write(BatchResult(0, (_entry("a", [1, 2, 3], tags={"t": "x"}), _entry("b", [4, 5, 6])), (), 0, 0))
    rows, digests = journalled_rows(journal, [("first", 1), ("second", 2)])
    assert rows.ids == ("a", "b")
    assert rows.groups == ("g", "g")
    assert rows.tags == ({"t": "x"}, {})
    assert rows.values["first"].tolist() == [[1], [4]]
    assert rows.values["second"].tolist() == [[2, 3], [5, 6]]
    assert digests == ("digest of a", "digest of b")


def test_empty_journal_has_empty_rows(journal):
    rows, digests = journalled_rows(journal, [("first", 1), ("second", 2)])
    assert (len(rows), digests) == (0, ())
    assert rows.values["second"].shape == (0, 2)


def test_bounds_are_of_the_scored_samples(opened, pixel_model, journal, toysource):
    """A sample that failed counts neither for the score nor for its ceiling."""
    from mmbench.core.bounds import Bounds
    from mmbench.metrics.scoring import statistic_widths
    from mmbench.runner.plan import make_plan

    asked = []

    class Bounded(toysource):
        def bounds(self, sample_ids):
            asked.append(tuple(sample_ids))
            return [Bounds(metric="miou", chance=0.1, unimodal={"rgb": 0.5}, fused=1.0, spec_version=1)]

    suite = replace(opened(), source=Bounded(5, broken=frozenset({"s002"})))
    plan = make_plan(suite.source, suite.reference, 2)
    statistics = needed_statistics(suite.spec.metrics)
    job = Job(plan, suite.source, pixel_model(), suite.spec.modalities, statistics, suite.context)
    execute(job, journal, lambda _: None)
    widths = tuple(statistic_widths(statistics, suite.context).items())
    for _ in range(2):
        assert score(journal, suite, widths, 100).bounds[0].fused == 1.0
    assert asked == [("s000", "s001", "s003", "s004")]


def plain_rows(*ids):
    return Rows(ids, ids, ({},) * len(ids), {})


def test_key_does_not_depend_on_the_order(opened):
    spec, reference = opened().spec, SuiteReference(name="toy", version=1)
    first, second = plain_rows("b", "a"), plain_rows("a", "b")
    assert comparability_key(spec, reference, first, ["2", "1"]) == comparability_key(
        spec, reference, second, ["1", "2"]
    )


def test_key_sees_which_content_belongs_to_which_id(opened):
    spec, reference = opened().spec, SuiteReference(name="toy", version=1)
    first = comparability_key(spec, reference, plain_rows("a", "b"), ["1", "2"])
    second = comparability_key(spec, reference, plain_rows("a", "b"), ["2", "1"])
    assert first.ids == second.ids
    assert first.data != second.data


@pytest.mark.parametrize("change", [{"groups": ("g", "b")}, {"tags": ({"light": "night"}, {})}])
def test_key_sees_groups_and_tags(opened, change):
    """They are the units of the intervals and what the slices hold: other ones make another number."""
    spec, reference = opened().spec, SuiteReference(name="toy", version=1)
    plain = plain_rows("a", "b")
    keys = [comparability_key(spec, reference, rows, ["1", "2"]) for rows in (plain, replace(plain, **change))]
    assert keys[0].ids == keys[1].ids
    assert keys[0].data != keys[1].data


def test_cost_is_the_median_batch_per_item(journal):
    """Batches that scored nothing are not timed; a resumed run counts the seconds of all its sessions."""
    for index, (items, seconds) in enumerate([(2, 0.2), (2, 2.0), (1, 0.3), (0, 9.0)]):
        entries = tuple(_entry(f"{index}-{i}", [1]) for i in range(items))
        failures = () if items else (Failure(id="x", reason="r"),)
        journal.write(BatchResult(index, entries, failures, seconds, seconds + 1))
    found = cost(journal)
    assert found.ms_per_item == pytest.approx(300)
    assert found.seconds == pytest.approx(15.5)


def test_cost_of_nothing(journal):
    assert cost(journal).ms_per_item is None


def test_peak_memory_is_in_mebibytes():
    """At least what this process has allocated here, and less than a machine."""
    block = np.ones(32 << 20, dtype=np.uint8)
    assert block.nbytes / 2**20 < peak_rss_mib() < 2**20


def test_model_record_is_complete(pixel_model):
    info = pixel_model().info
    assert all(getattr(model_record(info), name) == getattr(info, name) for name in info.__slots__)

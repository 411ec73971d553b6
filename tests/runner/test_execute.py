"""The loop: predictions are matched by id, a broken sample is never scored, done batches are not done again."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.errors import LoadError, SampleError
from mmbench.core.metric import TaskContext
from mmbench.core.prediction import LabelMap
from mmbench.metrics.scoring import needed_statistics
from mmbench.runner.execute import Job, execute
from mmbench.runner.journal import Journal
from mmbench.runner.plan import make_plan


@pytest.fixture
def run(opened, tmp_path):
    """Runs the loop and returns the journal."""

    def start(model, batch_size=4, journal=None, progress=lambda _: None, workers=0, **fields):
        suite = opened(**fields)
        plan = make_plan(suite.source, suite.reference, batch_size)
        context = TaskContext(suite.source.classes, suite.source.ignore)
        statistics = needed_statistics(suite.spec.metrics)
        journal = journal or Journal.create(tmp_path / "j.sqlite", {})
        execute(Job(plan, suite.source, model, suite.spec.modalities, statistics, context, workers), journal, progress)
        return journal

    return start


def test_every_sample_is_scored_once(run, pixel_model):
    model = pixel_model()
    with run(model, count=10) as journal:
        assert [e.id for e in journal.entries()] == [f"s{i:03d}" for i in range(10)]
        assert all(e.group == e.id and e.tags == {"light": f"light-{int(e.id[1:]) % 3}"} for e in journal.entries())
        assert journal.failures() == []
    assert [len(ids) for ids in model.batches] == [4, 4, 2]


def test_predictions_are_matched_by_id(run, pixel_model, tmp_path):
    """A model that answers in another order gets the same rows."""
    with run(pixel_model(), count=8) as journal:
        expected = [e.statistics.tolist() for e in journal.entries()]
        (tmp_path / "j.sqlite").rename(tmp_path / "first.sqlite")
    with run(pixel_model(answer=lambda _, maps: maps[::-1]), count=8) as journal:
        assert [e.statistics.tolist() for e in journal.entries()] == expected


def test_done_batches_are_not_done_again(run, pixel_model):
    """A resumed run asks the model only for what is not journalled, and counts it as done from the start."""
    model, reached = pixel_model(), []
    with run(pixel_model(), count=12) as journal:
        journal._connection.execute("DELETE FROM batches WHERE batch = 1")
        journal._connection.execute("DELETE FROM samples WHERE batch = 1")
        run(model, count=12, journal=journal, progress=reached.append)
        assert [e.id for e in journal.entries()] == [f"s{i:03d}" for i in range(12)]
    assert model.batches == [("s004", "s005", "s006", "s007")]
    assert reached == [8, 12]


def test_broken_samples_are_recorded_and_not_scored(run, pixel_model):
    with run(pixel_model(), count=9, broken=frozenset({"s001", "s008"})) as journal:
        assert [f.id for f in journal.failures()] == ["s001", "s008"]
        assert len(list(journal.entries())) == 7
        assert journal.done() == {0, 1, 2}


def test_batch_of_broken_samples_is_not_shown_to_the_model(run, pixel_model):
    model = pixel_model()
    with run(model, count=5, broken=frozenset({"s004"})) as journal:
        assert [f.reason for f in journal.failures()] == ["s004.png cannot be read."]
    assert len(model.batches) == 1


def test_error_in_place_of_a_prediction_fails_that_sample(run, pixel_model):
    def answer(batch, maps):
        return [SampleError("too dark") if m.sample_id == "s002" else m for m in maps]

    with run(pixel_model(answer=answer), count=8) as journal:
        assert [(f.id, f.reason) for f in journal.failures()] == [("s002", "too dark")]
        assert len(list(journal.entries())) == 7


def test_raised_sample_error_fails_the_batch(run, pixel_model):
    def answer(batch, maps):
        if "s005" in batch.ids:
            raise SampleError("too large")
        return maps

    with run(pixel_model(answer=answer), count=12) as journal:
        assert [f.id for f in journal.failures()] == ["s004", "s005", "s006", "s007"]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.zeros((5, 8), np.uint8), "size (5, 8), expected (6, 8)"),
        (np.full((6, 8), 3, np.uint8), "expected 0..2"),
    ],
)
def test_prediction_that_cannot_be_scored_is_a_failure(run, pixel_model, labels, reason):
    """Never a score of 0."""

    def answer(batch, maps):
        return [LabelMap(m.sample_id, labels) if m.sample_id == "s001" else m for m in maps]

    with run(pixel_model(answer=answer), count=4) as journal:
        (failure,) = journal.failures()
        assert failure.id == "s001"
        assert reason in failure.reason


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda _, maps: maps[:-1], "returned 3 predictions for a batch of 4"),
        (lambda _, maps: [maps[0], *maps[:-1]], "answered the sample 's000' twice"),
        (lambda _, maps: [LabelMap("x", maps[0].labels), *maps[1:]], "'x', which is not in the batch"),
        (lambda _, maps: [maps[1], SampleError("r"), *maps[2:]], "answered the sample 's001' twice"),
    ],
)
def test_model_that_does_not_answer_by_id_is_refused(run, pixel_model, answer, sentence):
    with pytest.raises(LoadError, match=sentence):
        run(pixel_model(answer=answer), count=4)

"""One run: its record says everything, it resumes to the same bytes, and its resume key sees every change."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from mmbench.core.errors import Interrupted, LoadError, SampleError, UsageError
from mmbench.core.model import ModelOptions
from mmbench.core.prediction import LabelMap
from mmbench.runner import folders
from mmbench.runner.measure import RunOptions, check_measured, measure, prepare
from mmbench.store import JOURNAL, load_record, load_rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "0123456789abcdef" * 2

FACTORY = """
class Zeros:
    def predict(self, batch):
        return {i: t[..., 0] * 0 for i, t in zip(batch.ids, batch.inputs["rgb"])}

def make(width=1):
    return Zeros()
"""


def silent(done):
    pass


@pytest.fixture
def options(tmp_path):
    return RunOptions(results=tmp_path / "results", draws=100, argv=("mmbench", "run"))


def run(prepared, options, progress=silent):
    return measure(prepared, options, progress, lambda: NOON)


def test_record_says_what_was_measured(prepared, options):
    stored = run(prepared(count=10, broken=frozenset({"s003"}), limit=9, seed=2), options)
    record = load_record(stored.folder)
    assert record == stored.record
    assert stored.folder.name == record.id == "20260301T120000Z-toy-pixels-012345"
    assert {f.name for f in stored.folder.iterdir()} == {"record.json", "rows.npz", "journal.sqlite"}
    assert (record.suite, record.status) == ("toy@1#n=9,seed=2", "partial")
    assert (record.counts.planned, record.counts.scored, record.counts.failed) == (9, 8, 1)
    assert [f.id for f in record.failures] == ["s003"]
    assert record.model.digest == "d0"
    assert record.cost.ms_per_item > 0
    assert record.cost.peak_rss_mib > 1
    assert record.key.subset == "n=9,seed=2"
    assert record.key.metrics == {"miou": 1, "iou": 1, "pixel_accuracy": 1}
    assert record.provenance["argv"] == ["mmbench", "run"]
    assert record.provenance["time"] == "2026-03-01T12:00:00Z"


def test_value_is_that_of_a_plain_loop(prepared, options):
    """Pixel accuracy of the record against one computed from the pixels, without mmbench's metrics."""
    ready = prepared(count=10)
    record = run(ready, options).record
    right = total = 0
    for sample_id in ready.suite.source.ids:
        sample = ready.suite.source.load(sample_id)
        guess = sample.inputs["rgb"][..., 0] // 80 * (sample.inputs["depth"].astype(int) % 2 == 0)
        right, total = right + int((guess == sample.target).sum()), total + sample.target.size
    estimate = record.estimate("pixel_accuracy")
    assert estimate.value == pytest.approx(right / total, abs=1e-12)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.n == estimate.groups == 10


def test_slices_and_classes_are_estimated(prepared, options):
    record = run(prepared(count=12), options).record
    assert record.estimate("miou", tag="light", value="light-1").n == 4
    assert record.estimate("iou", label="cup").value is not None


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [1, 5, 9])
def test_stopped_run_resumes_to_the_same_bytes(prepared, options, stop, workers):
    """Ctrl-C after any batch, then the same run again: rows.npz equals that of a run that was left alone."""
    whole = run(prepared(count=20, batch_size=2), replace(options, results=options.results / "whole"))

    def interrupt(done):
        if done >= 2 * stop:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=rf"after {2 * stop} of 20 samples; the same command resumes"):
        run(prepared(count=20, batch_size=2), options, interrupt)
    assert not list(options.results.glob("*/record.json"))
    reached = []
    resumed = run(prepared(count=20, batch_size=2), replace(options, workers=workers), reached.append)
    assert reached[0] == 2 * stop
    assert (resumed.folder / "rows.npz").read_bytes() == (whole.folder / "rows.npz").read_bytes()
    assert resumed.record.estimates == whole.record.estimates
    assert resumed.record.key == whole.record.key
    assert len(list(options.results.glob("2026*"))) == 1


def test_run_that_died_before_its_record_is_scored_again(prepared, options, pixel_model):
    """Every batch is journalled, the record is missing: nothing is predicted again."""
    first = run(prepared(count=8), options)
    rows = (first.folder / "rows.npz").read_bytes()
    (first.folder / "record.json").unlink()
    (first.folder / "rows.npz").write_bytes(b"half of")
    model = pixel_model()
    second = run(prepared(model, count=8), options)
    assert second.folder == first.folder
    assert model.batches == []
    assert (second.folder / "rows.npz").read_bytes() == rows


def test_finished_run_is_measured_anew(prepared, options):
    first, second = run(prepared(count=4), options), run(prepared(count=4), options)
    assert first.folder != second.folder
    assert (first.folder / "rows.npz").read_bytes() == (second.folder / "rows.npz").read_bytes()


def test_fresh_leaves_the_unfinished_run_alone(prepared, options):
    first = run(prepared(count=4), options)
    (first.folder / "record.json").unlink()
    second = run(prepared(count=4), replace(options, fresh=True))
    assert second.folder != first.folder
    assert not (first.folder / "record.json").exists()


def test_rows_file_is_the_one_the_record_speaks_of(prepared, options):
    stored = run(prepared(count=4), options)
    assert stored.record.rows.sha256 == hashlib.sha256((stored.folder / "rows.npz").read_bytes()).hexdigest()
    rows = load_rows(stored.folder, stored.record)
    assert rows.ids == ("s000", "s001", "s002", "s003")
    assert rows.tags[1] == {"light": "light-1"}


def test_broken_sample_changes_the_key_and_never_the_score(prepared, options):
    """A run over fewer samples has its own column, whose score is that of the samples that are left."""
    broken = run(prepared(count=9, broken=frozenset({"s008"})), options).record
    without = run(prepared(count=8), options).record
    whole = run(prepared(count=9), options).record
    assert broken.key.column("miou") != whole.key.column("miou")
    assert broken.key.ids == without.key.ids
    assert broken.estimate("miou").value == without.estimate("miou").value


def test_key_sees_one_pixel(prepared, options, toysource):
    """The same ids with one other pixel: another column."""

    class OnePixel(toysource):
        def load(self, sample_id):
            sample = super().load(sample_id)
            if sample_id == "s002":
                sample.inputs["rgb"][0, 0, 0] ^= 1
            return sample

    ready = prepared(count=4)
    changed = replace(ready, suite=replace(ready.suite, source=OnePixel(4)))
    keys = [run(p, options).record.key for p in (ready, ready, changed)]
    assert keys[0] == keys[1]
    assert keys[0].differences(keys[2], "miou") == [f"data: {keys[0].data} against {keys[2].data}"]


def test_key_does_not_depend_on_batches_or_order(prepared, options):
    keys = [run(prepared(count=7, batch_size=size), options).record.key for size in (1, 3, 7)]
    assert keys[0] == keys[1] == keys[2]


def test_any_batch_size_gives_the_same_rows_with_an_integer_model(prepared, options):
    rows = [run(prepared(count=7, batch_size=s), options).folder / "rows.npz" for s in (1, 3, 7)]
    assert rows[0].read_bytes() == rows[1].read_bytes() == rows[2].read_bytes()


def test_nothing_scored_is_recorded_as_failed(prepared, options):
    """Never exit code 0, and the next run starts anew: the cause may be gone."""
    stored = run(prepared(count=3, broken=frozenset({"s000", "s001", "s002"})), options)
    assert load_record(stored.folder).status == "failed"
    assert stored.record.estimates == ()
    assert len(load_rows(stored.folder, stored.record)) == 0
    with pytest.raises(SampleError, match=r"None of the 3 samples .* s000\.png cannot be read"):
        check_measured(stored)
    assert folders.open_unfinished(options.results, KEY) is None


def test_model_that_breaks_leaves_the_journal(prepared, options, pixel_model):
    def answer(batch, maps):
        if "s008" in batch.ids:
            raise LoadError("the model is broken")
        return maps

    with pytest.raises(LoadError, match="the model is broken"):
        run(prepared(pixel_model(answer=answer), count=12), options)
    with folders.open_unfinished(options.results, KEY) as journal:
        assert journal.done() == {0, 1}


def test_second_process_on_the_same_run_is_refused(prepared, options):
    with (
        folders.create(options.results, KEY, ("toy", "pixels"), NOON, {}),
        pytest.raises(UsageError, match="Another process is doing this run"),
    ):
        run(prepared(count=4), options)


def test_journal_keeps_the_predictions(prepared, options):
    stored = run(prepared(count=4), options)
    with folders.Journal(stored.folder / JOURNAL) as journal:
        maps = list(journal.predictions())
    assert [m.sample_id for m in maps] == ["s000", "s001", "s002", "s003"]
    assert all(isinstance(m, LabelMap) and m.labels.dtype == np.uint8 for m in maps)


@pytest.fixture
def locator(tmp_path):
    (tmp_path / "zeros.py").write_text(FACTORY)
    return f"python:{tmp_path / 'zeros.py'}:make"


def test_prepare_gives_the_same_key_for_the_same_command(opened, options, locator):
    first, second = (prepare(opened(count=9), locator, options) for _ in range(2))
    assert first.key == second.key
    assert first.execution.model_dump() == {"batch_size": 32, "device": "cpu", "precision": "fp32", "threads": 1}


def test_run_does_not_change_its_key(opened, options, locator):
    """Running twice is the same run."""
    ready = prepare(opened(count=9), locator, options)
    run(ready, options)
    assert prepare(opened(count=9), locator, options).key == ready.key


def test_prepare_sees_every_change(opened, options, locator, tmp_path):
    """Code, arguments, threads, batch size, a touched sample, another subset, another suite file: other keys."""
    keys = [prepare(opened(count=9), locator, options).key]
    other = ModelOptions(arch_kwargs={"width": 2})
    keys.append(prepare(opened(count=9), locator, replace(options, model=other)).key)
    keys.append(prepare(opened(count=9), locator, replace(options, model=ModelOptions(threads=2))).key)
    keys.append(prepare(opened(count=9), locator, replace(options, batch_size=8)).key)
    keys.append(prepare(opened(count=9, stamps={"s004": "touched"}), locator, options).key)
    keys.append(prepare(opened(count=9, limit=4), locator, options).key)
    suite = opened(count=9)
    keys.append(prepare(replace(suite, spec=suite.spec.model_copy(update={"notes": "x"})), locator, options).key)
    (tmp_path / "zeros.py").write_text(FACTORY + "\n")
    keys.append(prepare(opened(count=9), locator, options).key)
    assert len(set(keys)) == len(keys)
    for harmless in (replace(options, workers=3), replace(options, draws=500), replace(options, fresh=True)):
        assert prepare(opened(count=9), locator, harmless).key == keys[-1]

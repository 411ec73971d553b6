"""A dry run: sizes from a few samples, what is left of an unfinished run, and nothing is run or written."""

from __future__ import annotations

import pytest

from mmbench.core.errors import Interrupted
from mmbench.runner.measure import RunOptions, measure
from mmbench.runner.preview import preview


@pytest.fixture
def options(tmp_path):
    return RunOptions(results=tmp_path / "results", draws=100)


def test_sizes_come_from_samples(prepared, options, pixel_model):
    model = pixel_model()
    found = preview(prepared(model, count=10), options)
    assert (found.suite, found.model, found.samples, found.batches, found.probes) == ("toy@1", "pixels", 10, 3, 4)
    assert found.sample_bytes == 48 * (3 + 4 + 1)
    assert found.journal_bytes == 480
    assert found.load_seconds > 0
    assert (found.journal, found.done, found.predict_seconds) == (None, 0, None)
    assert model.batches == []
    assert not options.results.exists()


def test_split_smaller_than_the_probes(prepared, options):
    assert preview(prepared(count=1), options).probes == 1


def test_broken_samples_have_no_size(prepared, options):
    found = preview(prepared(count=2, broken=frozenset({"s000", "s001"})), options)
    assert (found.probes, found.sample_bytes, found.journal_bytes, found.load_seconds) == (0, None, None, None)


def test_unfinished_run_is_told(prepared, options):
    def stop(done):
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        measure(prepared(count=20), options, stop)
    found = preview(prepared(count=20), options)
    assert found.done == 8
    assert found.journal.name == "journal.sqlite"
    assert found.predict_seconds > 0
    assert found.as_dict()["journal"] == str(found.journal)

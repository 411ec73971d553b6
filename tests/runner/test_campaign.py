"""Several runs: one that fails is told, the others go on, and the worst code wins."""

from __future__ import annotations

import pytest

from mmbench.core.errors import ExitCode, Interrupted, LoadError
from mmbench.runner import campaign
from mmbench.runner.campaign import Task, run_all, tasks
from mmbench.runner.measure import RunOptions
from mmbench.runner.suites import SuiteChoice, open_suite

FACTORIES = """
from mmbench.core.errors import SampleError

class Model:
    def __init__(self, answer):
        self.predict = lambda batch: {i: answer(i, rgb) for i, rgb in zip(batch.ids, batch.inputs["rgb"])}

def good():
    return Model(lambda i, rgb: rgb[..., 0] * 0)

def partial():
    return Model(lambda i, rgb: SampleError("no") if i.endswith("7") else rgb[..., 0] * 0)

def hopeless():
    return Model(lambda i, rgb: SampleError("never"))

def stopped():
    def stop(i, rgb):
        raise KeyboardInterrupt
    return Model(stop)
"""


class Watcher:
    def __init__(self):
        self.events = []

    def started(self, prepared):
        self.events.append(("started", prepared.model.info.name))
        return lambda _: None

    def finished(self, prepared, run):
        self.events.append(("finished", run.record.model.name, run.record.status))

    def failed(self, task, error):
        self.events.append(("failed", task.locator.rpartition(":")[2], type(error).__name__))


@pytest.fixture
def suite():
    return open_suite("seg[regime=R,tier=smoke]#n=40", SuiteChoice())


@pytest.fixture
def run(tmp_path, suite):
    (tmp_path / "models.py").write_text(FACTORIES)

    def start(*names):
        watcher = Watcher()
        todo = [Task(suite, f"python:{tmp_path / 'models.py'}:{name}") for name in names]
        return run_all(todo, RunOptions(results=tmp_path / "results", draws=100), watcher), watcher.events

    return start


def test_failed_run_does_not_stop_the_others(run):
    code, events = run("good", "missing", "partial")
    assert code == ExitCode.LOAD_FAILED
    assert events == [
        ("started", "good"),
        ("finished", "good", "ok"),
        ("failed", "missing", "LoadError"),
        ("started", "partial"),
        ("finished", "partial", "partial"),
    ]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["good"], ExitCode.OK),
        (["good", "partial"], ExitCode.SAMPLES_FAILED),
        (["hopeless"], ExitCode.SAMPLES_FAILED),
        (["partial", "hopeless"], ExitCode.SAMPLES_FAILED),
    ],
)
def test_worst_code_wins(run, names, code):
    assert run(*names)[0] == code


def test_run_that_scored_nothing_is_told_as_failed(run):
    assert run("hopeless")[1] == [("started", "hopeless"), ("failed", "hopeless", "SampleError")]


def test_ctrl_c_ends_everything(run):
    with pytest.raises(Interrupted, match="after 0 of 40 samples"):
        run("stopped", "good")


def test_tasks_are_every_suite_with_every_model(suite, tmp_path, monkeypatch):
    """A glob means what it matches for each suite; what matches nothing is an error before anything runs."""
    (tmp_path / "a.ckpt").touch()
    (tmp_path / "b.ckpt").touch()
    monkeypatch.chdir(tmp_path)
    found = tasks([suite, suite], ["*.ckpt", "python:m:f"])
    assert [task.locator for task in found] == ["a.ckpt", "b.ckpt", "python:m:f"] * 2
    with pytest.raises(LoadError, match="matches nothing"):
        tasks([suite], ["*.safetensors"])


def test_campaign_prepares_a_run_only_when_its_turn_comes(run, monkeypatch):
    """The models of one command are not in memory all at once."""
    order = []
    prepare, measure = campaign.prepare, campaign.measure
    monkeypatch.setattr(campaign, "prepare", lambda *a: order.append("prepare") or prepare(*a))
    monkeypatch.setattr(campaign, "measure", lambda *a: order.append("measure") or measure(*a))
    run("good", "good")
    assert order == ["prepare", "measure"] * 2

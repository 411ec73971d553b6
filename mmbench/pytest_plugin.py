"""mmbench in pytest: a fixture that measures a model on a suite, a marker that gates what was measured.

    def test_my_model(mmbench_run):
        run = mmbench_run("seg[tier=smoke]", "my.ckpt", limit=64)
        assert run.record.estimate("miou").low > 0.5

    @pytest.mark.mmbench_gate(reference="references")
    def test_nothing_got_worse(mmbench_run):
        mmbench_run("seg[tier=smoke]", MyFusion(), name="mine")

pytest imports this module at its start: what measures and decides is imported when a test asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.core.errors import ExitCode, MmbenchError, NothingMeasured, UsageError

if TYPE_CHECKING:
    from mmbench.gate.decide import GateReport
    from mmbench.gate.session import Session
    from mmbench.gate.spec import GateSpec
    from mmbench.runner.measure import Prepared, RunOptions
    from mmbench.runner.suites import OpenedSuite
    from mmbench.store import StoredRun

MARKER = "mmbench_gate"
_TOLD = "mmbench_gate"
_CONFIG = "mmbench.toml"
# The commit of the head, for a gate with a ledger.
_CHANGE = ("GITHUB_SHA", "CI_COMMIT_SHA")


@dataclass(frozen=True, slots=True)
class GateRequest:
    """The marker's arguments, resolved: folders of runs, what is asked for, and what chooses on_inconclusive."""

    reference: Path
    anchor: Path | None
    spec: GateSpec
    context: str


@dataclass(frozen=True, slots=True)
class Runner:
    """What ``mmbench_run`` is. ``runs`` are those of the test so far."""

    results: Path
    runs: list[StoredRun] = field(default_factory=list)

    def __call__(
        self,
        suite: str,
        model: Any,
        *,
        name: str = "",
        limit: int | None = None,
        data_root: str | Path | None = None,
        batch_size: int = 32,
        draws: int = 1000,
        device: str = "auto",
        **model_options: Any,
    ) -> StoredRun:
        """Measures ``model`` on ``suite`` (a name, a reference, a TOML file) and returns the stored run.

        ``model`` is a locator as after ``mmbench run --model``, a torch module, an object with predict(batch), or a
        function that is one; ``name`` then names its row. ``limit``: a random subset of so many samples.
        ``model_options`` are fields of ``core.model.ModelOptions`` (``arch``, ``map``, ...). The estimates stand in
        ``run.record``. Raises SampleError when a sample failed, else what ``mmbench run`` ends with.
        """
        from mmbench.core.model import ModelOptions
        from mmbench.runner.measure import RunOptions, measure
        from mmbench.runner.suites import SuiteChoice, open_suite

        roots = {} if data_root is None else {"": Path(data_root)}
        opened = open_suite(suite, SuiteChoice(limit=limit, roots=roots))
        chosen = ModelOptions(device=device, **model_options)
        options = RunOptions(self.results, chosen, batch_size=batch_size, draws=draws, fresh=True, argv=("pytest",))
        run = measure(_prepared(opened, model, name, options), options, lambda _: None)
        _check_whole(run)
        self.runs.append(run)
        return run


_RUNNER = pytest.StashKey[Runner]()
_REQUEST = pytest.StashKey[GateRequest]()


@pytest.fixture
def mmbench_run(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    """Measures a model on a suite: ``mmbench_run(suite, model, limit=...)`` gives the stored run."""
    runner: Runner = request.node.stash.setdefault(_RUNNER, Runner(tmp_path / "mmbench"))
    return runner


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(reference, config={_CONFIG!r}, context='pr'): gate what mmbench_run measured in the test against "
        "an accepted reference; paths are relative to the root of the project.",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Resolves the marker, so that a missing reference or a wrong file is an error before anything is measured."""
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return
    try:
        item.stash[_REQUEST] = _resolved(item.config.rootpath, marker.args, marker.kwargs)
    except MmbenchError as error:
        pytest.fail(f"mmbench gate: {error}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Gates the test's runs once its body has passed."""
    result = yield
    if _REQUEST in item.stash:
        _gate(item, item.stash[_REQUEST])
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The gates' verdicts, also of those that passed; they stand in the JUnit file as properties."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    told = [
        (report.nodeid, text)
        for report in reports
        if getattr(report, "when", "") == "call"
        for key, text in report.user_properties
        if key == _TOLD
    ]
    if told:
        terminalreporter.section("mmbench gate")
    for node, text in told:
        terminalreporter.write_line(f"{node}: {text}")


def _prepared(suite: OpenedSuite, model: Any, name: str, options: RunOptions) -> Prepared:
    from mmbench.runner.measure import prepare, prepare_model

    if not isinstance(model, str | Path):
        from mmbench.adapters.in_memory import wrap_model

        return prepare_model(suite, wrap_model(model, suite.spec, suite.source, options.model, name), options)
    if name:
        raise UsageError(f"name={name!r} is for a model in memory; a locator ({model}) names its row itself.")
    from mmbench.adapters.opening import expand_locators

    found = expand_locators([str(model)], suite.spec.name)
    if len(found) != 1:
        raise UsageError(f"{model!r} means {len(found)} models; measure each with a call of its own.")
    return prepare(suite, found[0], options)


def _check_whole(run: StoredRun) -> None:
    from mmbench.core.errors import SampleError

    counts = run.record.counts
    if counts.failed:
        raise SampleError(
            f"{counts.failed} of {counts.planned} samples of {run.record.id} failed; the first reason: "
            f"{run.record.failures[0].reason}"
        )


def _resolved(root: Path, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> GateRequest:
    from mmbench.gate.spec import GateSpec, read_spec
    from mmbench.store import find_runs

    unknown = sorted(kwargs.keys() - {"reference", "config", "context"})
    if args or unknown or "reference" not in kwargs:
        raise UsageError(
            f"The marker {MARKER} expects reference=FOLDER and allows config= and context=, found "
            f"{', '.join([*map(repr, args), *kwargs]) or 'nothing'}."
        )
    reference, config = root / kwargs["reference"], kwargs.get("config")
    optional = config is None and not (root / _CONFIG).exists()
    spec = GateSpec() if optional else read_spec(root / (config or _CONFIG))
    context = kwargs.get("context", "pr")
    spec.policy(context)
    anchor = root / spec.anchor.ref if spec.anchor is not None else None
    find_runs([folder for folder in (reference, anchor) if folder is not None])  # raises NothingMeasured
    return GateRequest(reference, anchor, spec, context)


def _gate(item: pytest.Item, request: GateRequest) -> None:
    """Fails the test unless the gate's exit code is 0; what could not be gated at all is never a pass."""
    from mmbench.gate import outputs

    runner = item.stash.get(_RUNNER, None)
    try:
        session = _session(request, runner.runs if runner else [])
        report = session.report(request.context, datetime.now(UTC).date())
        session.remember(report)
    except MmbenchError as error:
        pytest.fail(f"mmbench gate: {error}", pytrace=False)
    _tell(item, report)
    if report.code is not ExitCode.OK:
        told = "\n".join([f"mmbench gate: {outputs.headline(report)}", *outputs.sentences(report)])
        pytest.fail(told, pytrace=False)


def _tell(item: pytest.Item, report: GateReport) -> None:
    from mmbench.gate import outputs
    from mmbench.reports.printable import printable

    item.user_properties.append((_TOLD, printable(outputs.headline(report))))


def _session(request: GateRequest, heads: list[StoredRun]) -> Session:
    from mmbench.gate.session import session_of
    from mmbench.gate.sides import concerning
    from mmbench.store import find_runs

    if not heads:
        raise NothingMeasured("The test measured nothing; call mmbench_run in it, or take the marker away.")
    bases = concerning(find_runs([request.reference]), heads)
    if not bases:
        missing = ", ".join(f"{run.record.model.name} on {run.record.suite}" for run in heads)
        raise NothingMeasured(
            f"{request.reference} holds no run of {missing}; keep one: mmbench gate accept RUN -o {request.reference}."
        )
    change = next((os.environ[name] for name in _CHANGE if os.environ.get(name)), "")
    anchors = concerning(find_runs([request.anchor]), heads) if request.anchor is not None else []
    return session_of(bases, heads, anchors, request.spec, change)

"""The order of the work, what is not done twice, what a failure costs, tuning."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from mmbench.core.errors import Interrupted, MmbenchError, NothingMeasured, UsageError
from mmbench.reports.study_csv import cells_csv, timings_csv, tuning_csv
from mmbench.study.bench import Place, Plan
from mmbench.study.cells import Finished
from mmbench.study.design import Cell, design
from mmbench.study.execute import Work, run
from mmbench.study.preview import preview
from mmbench.study.settings import Settings
from mmbench.study.summary import table_of


class Told:
    """A watcher that keeps what it was told."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.failures: list[str] = []
        self.trials: list[float] = []
        self.seconds: list[float] = []
        self.left: list[float | None] = []

    def planned(self, place: Place, plan: Plan) -> None:
        self.plans.append(plan)

    def expected(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def validated(self, cell: Cell, trial: int, score: float, left: float | None) -> None:
        self.trials.append(score)
        self.left.append(left)

    def finished(self, cell: Cell, found: Finished, left: float | None) -> None:
        self.left.append(left)

    def failed(self, cell: Cell, error: MmbenchError, trial: int | None = None) -> None:
        self.failures.append(str(error))


PLAN = design(["toy"], ["concat", "feat_linear", "gmu"], 3)
CELLS = 3 * (3 + 6)  # seeds x (strategies + two alone, ensemble, shuffled, two over-wide)


def test_a_stopped_study_goes_on_and_ends_in_the_same_bytes(made: SimpleNamespace, tmp_path: Path) -> None:
    """What was finished is not trained again; both CSV files are those of a study that was left alone."""
    whole = run(Work(made.FakeBench(), PLAN, tmp_path / "whole"), Told())
    bench, told = made.FakeBench(stop_at=5), Told()
    with pytest.raises(Interrupted, match="goes on from the finished cells"):
        run(Work(bench, PLAN, tmp_path / "stopped"), told)
    again = run(Work(bench, PLAN, tmp_path / "stopped"), told)
    assert [(plan.cells, plan.done) for plan in told.plans] == [(CELLS, 0), (CELLS, 5)]
    assert len(bench.trained) == CELLS == len(set(map(str, bench.trained)))
    assert cells_csv([again]) == cells_csv([whole])
    assert timings_csv([again]) == timings_csv([whole])
    assert table_of(again, PLAN) == table_of(whole, PLAN)


def test_what_is_finished_before_a_kill_is_whole(made: SimpleNamespace, tmp_path: Path) -> None:
    """A folder without a record is an unfinished cell: it is taken up, and no second one is made."""
    run(Work(made.FakeBench(), PLAN, tmp_path), Told())
    folders = sorted(tmp_path.iterdir())
    (folders[0] / "record.json").unlink()
    bench = made.FakeBench()
    run(Work(bench, PLAN, tmp_path), Told())
    assert len(bench.trained) == 1
    assert sorted(tmp_path.iterdir()) == folders


def test_a_failing_strategy_is_left_out_with_the_reason(made: SimpleNamespace, tmp_path: Path) -> None:
    told = Told()
    done = run(Work(made.FakeBench(broken=("gmu",)), PLAN, tmp_path), told)
    found = table_of(done, PLAN)
    assert "gmu" not in {line.name for line in found.lines}
    assert "gmu is left out: The loss became nan; lower --lr." in found.missing
    assert len(told.failures) == 3


def test_without_the_strategy_compared_with_there_is_no_table(made: SimpleNamespace, tmp_path: Path) -> None:
    done = run(Work(made.FakeBench(broken=("concat",)), PLAN, tmp_path), Told())
    with pytest.raises(NothingMeasured, match="concat, which all strategies are compared with, has no score: The loss"):
        table_of(done, PLAN)


def test_a_strategy_that_does_not_serve_is_refused_before_anything_is_trained(
    made: SimpleNamespace, tmp_path: Path
) -> None:
    bench = made.FakeBench(refused=("gmu",))
    with pytest.raises(UsageError, match="gmu does not serve toys"):
        run(Work(bench, PLAN, tmp_path), Told())
    assert not bench.trained


def test_a_control_that_does_not_serve_is_left_out(made: SimpleNamespace, tmp_path: Path) -> None:
    found = table_of(run(Work(made.FakeBench(refused=("only:text",)), PLAN, tmp_path), Told()), PLAN)
    assert "only:text" not in {line.name for line in found.lines}
    assert any(reason.startswith("only:text is left out") for reason in found.missing)
    assert "ensemble is left out: there is no only:text." in found.missing


def test_of_all_fusions_those_that_do_not_serve_are_left_out(made: SimpleNamespace, tmp_path: Path) -> None:
    every = design(["toy"], ["all"], 1)
    done = run(Work(made.FakeBench(refused=("gmu", "early")), every, tmp_path), Told())
    names = {line.name for line in table_of(done, every).lines if not line.control}
    assert {"concat", "model_linear", "feat_linear"} <= names
    assert not {"gmu", "early", "late", "sum"} & names


def test_every_strategy_gets_the_same_trials(made: SimpleNamespace, tmp_path: Path) -> None:
    """The best validated one is used for all seeds; trials are not done twice; the test split is not touched."""
    tuned = design(["toy"], ["concat", "gmu"], 2, trials=4)
    bench, told = made.FakeBench(), Told()
    done = run(Work(bench, tuned, tmp_path), told)
    scores = {name: one.scores for name, one in done.tuned.items() if one.scores}
    assert set(scores) == {"concat", "gmu", "only:image", "only:text", "concat_shuffled", "wide:image", "wide:text"}
    assert len(set(scores.values())) == 1
    chosen = done.tuned["gmu"].settings
    assert chosen.rate == pytest.approx(max(scores["gmu"]) - 0.5)
    text = tuning_csv([done]).splitlines()
    assert len(text) == 1 + 4 * len(scores)
    assert float(text[1].split(",")[-1]) == pytest.approx(sum(scores["concat"]) / 4)
    run(Work(bench, tuned, tmp_path), told)
    assert len(told.trials) == 4 * len(scores)


def test_a_trial_that_fails_costs_no_study(made: SimpleNamespace, tmp_path: Path) -> None:
    """A random rate may be too high for one strategy: it is told, has no score, and the other trials count."""
    tuned = design(["toy"], ["concat", "gmu"], 1, trials=3)
    told = Told()
    done = run(Work(made.FakeBench(divergent=("gmu",)), tuned, tmp_path), told)
    assert told.failures == ["The loss became nan; lower --lr."] * 2
    assert done.tuned["gmu"].scores == (0.5, None, None)
    assert done.tuned["gmu"].settings == Settings()
    assert not done.failed
    lines = [line.split(",") for line in tuning_csv([done]).splitlines() if ",gmu," in line]
    assert [line[4:] for line in lines] == [["0.5", ""], ["", ""], ["", ""]]
    assert all(float(line.split(",")[-1]) > 0 for line in tuning_csv([done]).splitlines() if ",concat," in line)


def test_the_time_left_counts_what_is_shared_once(made: SimpleNamespace, tmp_path: Path) -> None:
    """Told before anything is done: 2 s for each training and trial that is left, 60 s for what they share."""
    bench, told = made.FakeBench(), Told()
    run(Work(bench, PLAN, tmp_path / "a"), told)
    run(Work(bench, design(["toy"], ["concat"], 1, trials=2), tmp_path / "b"), told)
    alone, tuned = told.plans
    assert (alone.cells, alone.done, alone.trials) == (CELLS, 0, 0)
    assert (tuned.cells, tuned.trials) == (7, 2 * 6)
    assert told.seconds == [60.0 + 2.0 * CELLS, 60.0 + 2.0 * (7 + 12)]
    assert bench.prepared == 2
    assert told.left[CELLS - 1] == told.left[-1] == 0.0


def test_a_finished_study_prepares_nothing(made: SimpleNamespace, tmp_path: Path) -> None:
    run(Work(made.FakeBench(), PLAN, tmp_path), Told())
    bench, told = made.FakeBench(), Told()
    run(Work(bench, PLAN, tmp_path), told)
    assert not told.seconds
    assert (bench.prepared, told.plans) == (0, [Plan(CELLS, CELLS, 0)])


def test_smaller_shares_give_curves_and_labels(made: SimpleNamespace, tmp_path: Path) -> None:
    """Strategies on every share, controls on the whole split alone."""
    shares = design(["toy"], ["concat", "gmu"], 3, shares=[10, 25])
    done = run(Work(made.FakeBench(), shares, tmp_path), Told())
    found = {line.name: line for line in table_of(done, shares).lines}
    assert [labels for labels, _ in found["gmu"].by_labels] == [100, 250, 1000]
    assert [labels for labels, _ in found["only:text"].by_labels] == [1000]
    assert found["concat"].nearly is not None
    assert 250 < found["concat"].nearly < 1000


def test_a_preview_counts_what_is_left(made: SimpleNamespace, tmp_path: Path) -> None:
    bench = made.FakeBench()
    run(Work(bench, design(["toy"], ["concat"], 3), tmp_path), Told())
    found = preview(Work(bench, PLAN, tmp_path))
    assert (found.cells, found.done, found.trials, found.encoders) == (CELLS, CELLS - 6, 0, 1)
    assert found.seconds == pytest.approx(6 * 2.0 + 60.0)

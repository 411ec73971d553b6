"""Two sides joined by sample id: the jackknife is literal leaving out, kinds are found, a harm is turned."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.errors import NotComparable
from mmbench.core.metric import Metric, TaskContext, metric_named
from mmbench.core.table import Ragged
from mmbench.metrics.contributions import contributions
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.pairing import paired_scores
from mmbench.metrics.rows import Rows
from mmbench.metrics.weighing import BLOCKS, GroupedTable, left_out_values, values_of
from mmbench.stats.decisions import BinaryHarm, SignFlipHarm, StudentHarm
from mmbench.stats.methods import Method
from mmbench.stats.proportions import mcnemar_p, tango_interval

CONTEXT = TaskContext(("a", "b", "c"), None)
N = 40


def label_side(seed: int, wrong: float, groups: int = N) -> Rows:
    """Rows of class labels, each sample right with chance 1 - ``wrong``."""
    random = np.random.default_rng(seed)
    truth = np.arange(N) % 3
    predicted = np.where(random.random(N) < wrong, (truth + 1) % 3, truth)
    rows = np.zeros((N, 9), np.int64)
    each = np.arange(N)
    rows[each, 3 + predicted] = rows[each, 6 + truth] = 1
    rows[each, truth] = predicted == truth
    ids = tuple(f"s{i:02d}" for i in range(N))
    names = tuple(f"g{i % groups:02d}" for i in range(N))
    return Rows(ids, names, tuple({"part": "even" if i % 2 else "odd"} for i in range(N)), {"class_labels": rows})


def pair(groups: int = N, wrong: tuple[float, float] = (0.2, 0.4)) -> PairedRows:
    return PairedRows.of(label_side(1, wrong[0], groups), label_side(2, wrong[1], groups), ["class_labels"])


def score(metric: str, paired: PairedRows):
    (found,) = paired_scores(paired, [metric_named(metric)], CONTEXT)
    return found


def test_the_jackknife_is_the_metric_without_each_group():
    """For a metric of sums, against the rows with the group's samples taken out."""
    paired = pair(groups=10)
    found = score("f1_macro", paired)
    codes = paired.base.group_codes()
    for side, jackknife in ((paired.base, found.base), (paired.head, found.head)):
        table = side.values["class_labels"]
        alone = [metric_named("f1_macro").value(table[codes != g].sum(axis=0), CONTEXT) for g in range(10)]
        np.testing.assert_allclose(jackknife.left_out, alone, rtol=1e-12)
    assert (found.kind, found.method, found.groups, found.samples) == ("sums", Method.JACKKNIFE_T, 10, N)


def test_a_weighted_metric_is_left_out_in_blocks_that_are_the_same_for_both_sides():
    """With no more groups than blocks each group is left out once; the same metric as sums gives the same values."""
    weighted = Metric("w", 1, "class_labels", "t", lambda t, w, _: (w @ t)[:, :3].sum(1) / w.sum(1), kind="weighted")
    table = GroupedTable.of(label_side(1, 0.3).values["class_labels"], np.arange(N) % BLOCKS)
    found = left_out_values({"class_labels": table}, [weighted, metric_named("accuracy")], CONTEXT)
    np.testing.assert_allclose(np.sort(found["w"]), np.sort(found["accuracy"]), rtol=1e-12)
    again = left_out_values({"class_labels": table}, [weighted], CONTEXT)
    np.testing.assert_array_equal(found["w"], again["w"])


def test_accuracy_is_a_proportion_with_the_counts_of_the_discordant_samples():
    paired = pair()
    found = score("accuracy", paired)
    hits = [side.values["class_labels"][:, :3].sum(axis=1) for side in (paired.base, paired.head)]
    lost, won = int((hits[0] > hits[1]).sum()), int((hits[1] > hits[0]).sum())
    assert (found.kind, found.right) == ("proportion", (lost, won))
    assert lost > won > 0
    assert found.change.value == pytest.approx((won - lost) / N)
    assert found.p == mcnemar_p(lost, won)
    assert found.interval(0.95) == tango_interval(won, lost, N, 0.95)
    assert found.harm() == BinaryHarm(lost, won, N)


@pytest.mark.parametrize(("metric", "groups", "harm"), [("f1_macro", N, StudentHarm), ("accuracy", 20, SignFlipHarm)])
def test_other_metrics_have_their_own_tests(metric, groups, harm):
    found = score(metric, pair(groups))
    assert isinstance(found.harm(), harm)
    assert found.harm().value == pytest.approx(-found.change.value)


def test_a_balanced_accuracy_is_no_mean_of_its_samples_though_each_scores_0_or_1():
    assert score("balanced_accuracy", pair()).kind == "sums"


def test_swapping_the_sides_turns_everything_round():
    first, second = label_side(1, 0.2), label_side(2, 0.4)
    for metric in ("accuracy", "f1_macro"):
        one = score(metric, PairedRows.of(first, second, ["class_labels"]))
        other = score(metric, PairedRows.of(second, first, ["class_labels"]))
        assert one.change.value == -other.change.value != 0
        assert one.p == other.p
        assert one.harm().value == -other.harm().value


def test_lower_is_better_turns_the_harm():
    """A rise of an error is a harm."""
    error = Metric("wrong", 1, "pairs", "t", lambda s, _: s[..., 0] / s[..., 1], direction="lower")
    sides = [Rows(("a", "b"), ("a", "b"), ({}, {}), {"pairs": np.array([[0, 1], [k, 1]])}) for k in (0, 1)]
    (found,) = paired_scores(PairedRows.of(*sides, ["pairs"]), [error], CONTEXT)
    assert found.harm() == BinaryHarm(losses=1, gains=0, pairs=2)


def test_the_order_of_the_samples_does_not_matter():
    first, second = label_side(1, 0.2), label_side(2, 0.4)
    shuffled = second.select(np.random.default_rng(3).permutation(N))
    one, other = (score("f1_macro", PairedRows.of(first, side, ["class_labels"])) for side in (second, shuffled))
    np.testing.assert_array_equal(one.change.left_out, other.change.left_out)


def test_contributions_are_the_metric_with_one_sample_exchanged():
    paired = pair()
    metric = metric_named("f1_macro")
    found = contributions(paired, metric, CONTEXT)
    base, head = paired.base.values["class_labels"], paired.head.values["class_labels"]
    mixed = base.copy()
    mixed[7] = head[7]
    expected = metric.value(mixed.sum(axis=0), CONTEXT) - metric.value(base.sum(axis=0), CONTEXT)
    assert found[7] == pytest.approx(expected, abs=1e-12)
    assert (found[~paired.changed("class_labels")] == 0).all()


def test_changed_counts_samples_with_other_rows():
    paired = pair()
    rows = [side.values["class_labels"] for side in (paired.base, paired.head)]
    assert score("f1_macro", paired).changed == sum((a != b).any() for a, b in zip(*rows, strict=True)) > 0
    assert score("f1_macro", PairedRows.of(paired.base, paired.base, ["class_labels"])).changed == 0


def test_ragged_rows_change_in_number_or_in_value():
    def side(values, starts):
        table = Ragged(np.array(values, float)[:, None], np.array(starts))
        return Rows(("a", "b", "c", "d"), ("a", "b", "c", "d"), ({},) * 4, {"r": table})

    base = side([1, 2, np.nan, 4], [0, 1, 2, 3, 4])
    head = side([1, 2.5, np.nan, 4, 4], [0, 1, 2, 3, 5])
    assert PairedRows.of(base, head, ["r"]).changed("r").tolist() == [False, True, False, True]


def test_a_slice_is_measured_on_its_own_samples():
    paired = pair()
    parts = {value: part for _, value, part in paired.slices()}
    odd = np.arange(N) % 2 == 0
    hits = paired.head.values["class_labels"][odd, :3].sum()
    (found,) = paired_scores(parts["odd"], [metric_named("accuracy")], CONTEXT)
    assert found.head.value == hits / odd.sum()
    assert found.samples == odd.sum()


def test_per_class_metrics_give_one_score_a_class():
    found = paired_scores(pair(), [metric_named("class_f1")], CONTEXT)
    assert [score.label for score in found] == list(CONTEXT.classes)
    table = {"class_labels": GroupedTable.of(pair().base.values["class_labels"], np.arange(N))}
    whole = values_of(table, [metric_named("class_f1")], CONTEXT)["class_f1"][0]
    assert [score.base.value for score in found] == whole.tolist()


def test_one_group_proves_nothing():
    found = score("f1_macro", pair(groups=1))
    assert (found.method, found.interval(0.95).bounds, found.p) == (Method.NONE, None, 1.0)
    assert np.isinf(found.harm().upper(0.05))


def test_sides_of_different_samples_are_refused():
    first = label_side(1, 0.2)
    with pytest.raises(NotComparable, match="'s39' is not in all of them"):
        PairedRows.of(first, first.select(range(N - 1)), ["class_labels"])
    with pytest.raises(NotComparable, match="no rows of the statistic 'confusion'"):
        PairedRows.of(first, first, ["confusion"])


def made_pair(random: np.random.Generator, n: int, groups: int, drop: float) -> PairedRows:
    """Two sides that are right with equal chances (the head less often by ``drop``), samples of a group alike."""
    truth = np.arange(n) % 3
    codes = np.arange(n) % groups
    ease = np.clip(random.normal(0.7, 0.15, groups), 0.2, 0.95)[codes]
    sides = []
    for chance in (ease, ease - drop):
        predicted = np.where(random.random(n) < chance, truth, (truth + 1) % 3)
        rows = np.zeros((n, 9), np.int64)
        each = np.arange(n)
        rows[each, 3 + predicted] = rows[each, 6 + truth] = 1
        rows[each, truth] = predicted == truth
        ids = tuple(map(str, range(n)))
        sides.append(Rows(ids, tuple(f"g{code}" for code in codes), ({},) * n, {"class_labels": rows}))
    return PairedRows.of(*sides, ["class_labels"])


@pytest.mark.parametrize(
    ("metric", "groups"), [("accuracy", 150), ("accuracy", 25), ("f1_macro", 150), ("f1_macro", 30)]
)
def test_false_alarms_and_false_passes_are_rare(metric: str, groups: int) -> None:
    """Without a change a regression is proven in at most 5 % of 400 pairs, at a drop of the margin a pass (+ 3 SE)."""
    random = np.random.default_rng(groups)
    limit = 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5
    alarms = sum(score(metric, made_pair(random, 150, groups, 0.0)).harm().p_over(0.0) <= 0.05 for _ in range(400))
    passes = sum(score(metric, made_pair(random, 150, groups, 0.1)).harm().p_under(0.1) <= 0.05 for _ in range(400))
    assert alarms <= limit
    assert passes <= limit
    assert alarms + passes > 0

"""Estimates: values, intervals, flags, slices, and the laws of rows (merge, slice, weight, order)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.core.errors import NothingMeasured, SampleError, UnknownName
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import ClassScores, LabelMap
from mmbench.core.record import Estimate
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import estimates, needed_statistics, row_of, statistic_widths, tables_of
from mmbench.stats.intervals import Interval
from mmbench.stats.proportions import clopper_pearson_interval, wilson_interval
from mmbench.stats.resampling import draw_weights

CONTEXT = TaskContext(("background", "road", "car"), 255)
ALL = (
    "miou",
    "miou_nobg",
    "iou",
    "pixel_accuracy",
    "mean_accuracy",
    "fw_iou",
    "macro_f1",
    "macro_precision",
    "macro_recall",
)


def rows_of(table: np.ndarray, groups: Sequence[str] | None = None, tags: Sequence[Mapping[str, str]] = ()) -> Rows:
    """Rows of made areas [n,9], each sample its own group unless given."""
    ids = tuple(f"img{i:04}" for i in range(len(table)))
    return Rows(ids, tuple(groups or ids), tuple(tags or ({} for _ in ids)), {"confusion": table})


def areas(n: int, seed: int = 0, classes: int = 3, rate: float = 0.7) -> np.ndarray:
    """int64 [n,3C]: consistent areas, images of unequal difficulty, classes that not every image holds."""
    random = np.random.default_rng(seed)
    truth = random.integers(1, 400, (n, classes)) * (random.random((n, classes)) < [1.0, 0.8, 0.5][:classes])
    hits = random.binomial(truth, np.clip(random.normal(rate, 0.15, (n, 1)), 0, 1))
    wrong = (truth - hits).sum(axis=1)
    shares = random.dirichlet(np.ones(classes), n)
    extra = np.stack([random.multinomial(w, p) for w, p in zip(wrong, shares, strict=True)])
    return np.concatenate([hits, hits + extra, truth], axis=1).astype(np.int64)


def only(found: Sequence[Estimate], metric: str = "miou", label: str = "", slice_: str = "") -> Estimate:
    (estimate,) = [e for e in found if (e.metric, e.label, e.slice) == (metric, label, slice_)]
    return estimate


@st.composite
def small_rows(draw: st.DrawFn) -> Rows:
    n = draw(st.integers(2, 12))
    table = areas(n, draw(st.integers(0, 10_000)))
    groups = draw(st.lists(st.sampled_from(["v1", "v2", "v3", "v4"]), min_size=n, max_size=n))
    tags = [{"light": light} for light in draw(st.lists(st.sampled_from(["day", "night"]), min_size=n, max_size=n))]
    return rows_of(table, groups, tags)


def test_row_of_and_widths() -> None:
    """Metrics name the statistic they share; a row is int64 of its width, as the loop stores it."""
    assert needed_statistics(ALL) == ("confusion",)
    assert statistic_widths(("confusion",), CONTEXT) == {"confusion": 9}
    target = np.array([[0, 1], [255, 2]], np.uint8)
    row = row_of(target, LabelMap("a", np.array([[0, 1], [1, 1]], np.uint8)), ("confusion",), CONTEXT)
    assert row["confusion"].tolist() == [1, 1, 0, 1, 2, 0, 1, 1, 1]
    with pytest.raises(SampleError):
        row_of(target, LabelMap("a", np.zeros((3, 3), np.uint8)), ("confusion",), CONTEXT)


def test_unknown_names() -> None:
    """A metric that is not registered is named, with the nearest that is."""
    with pytest.raises(UnknownName, match="'miou'"):
        needed_statistics(["mioou"])


def test_what_an_estimate_says() -> None:
    """Every metric once over all samples, the per-class one once a class, with everything a reader must know."""
    table = areas(60)
    found = estimates(rows_of(table), ALL, CONTEXT)
    assert [(e.metric, e.label) for e in found] == [
        pair for name in ALL for pair in ([(name, c) for c in CONTEXT.classes] if name == "iou" else [(name, "")])
    ]
    for e in found:
        assert e.value is not None
        assert e.low is not None
        assert e.high is not None
        assert e.low < e.value < e.high
        assert (e.version, e.direction, e.n, e.groups, e.level) == (1, "higher", 60, 60, 0.95)
        assert e.method == "jackknife-t(60 groups)"
        assert (e.flags, e.reason, e.classes_absent) == ((), "", 0)
        assert e.estimand
    total = table.sum(axis=0)
    iou = total[:3] / (total[3:6] + total[6:] - total[:3])
    assert only(found).value == pytest.approx(iou.mean(), abs=1e-12)
    assert [only(found, "iou", c).value for c in CONTEXT.classes] == pytest.approx(iou.tolist(), abs=1e-12)


def test_the_interval_is_a_loop_over_groups() -> None:
    """The bounds are Student's, with the standard error from the metric without each group in turn."""
    table = areas(60)
    groups = [f"video{i % 5}" for i in range(60)]
    found = only(estimates(rows_of(table, groups), ["miou"], CONTEXT, level=0.9))
    kept = [table[[i for i in range(60) if i % 5 != g]].sum(axis=0).astype(np.float64) for g in range(5)]
    values = np.array([float(metric_named("miou").value(sums, CONTEXT)) for sums in kept])
    error = math.sqrt(4 / 5 * ((values - values.mean()) ** 2).sum())
    reach = 2.13184678 * error  # Student's 95 % quantile with 4 degrees of freedom
    assert found.method == "jackknife-t(5 groups)"
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach), abs=1e-9)
    assert (found.n, found.groups, found.level) == (60, 5, 0.9)


def test_with_few_instances_the_interval_is_a_loop_over_draws() -> None:
    """The bounds are the percentiles of the metric of groups that are repeated as often as each draw says."""
    table = areas(12)
    groups = [f"video{i % 5}" for i in range(12)]
    found = only(estimates(rows_of(table, groups), ["miou"], CONTEXT, draws=200, seed=4, level=0.9))
    values = []
    for counts in np.concatenate(list(draw_weights(5, 200, 4))).astype(int):
        drawn = [table[i] for g in range(5) for _ in range(counts[g]) for i in range(12) if groups[i] == f"video{g}"]
        values.append(float(metric_named("miou").value(np.sum(drawn, axis=0).astype(np.float64), CONTEXT)))
    assert (found.low, found.high) == pytest.approx(np.quantile(values, [0.05, 0.95]).tolist(), abs=1e-12)
    assert found.method == "bootstrap-percentile(200, groups)"
    assert "few-instances" in found.flags
    assert (found.n, found.groups, found.level) == (12, 5, 0.9)


@given(small_rows(), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_of_samples_changes_nothing(rows: Rows, random: object) -> None:
    """Value and interval are the same bits for any order of the samples: sums are exact, groups go by name."""
    order = list(range(len(rows)))
    random.shuffle(order)
    assert estimates(rows.select(order), ALL, CONTEXT, draws=50) == estimates(rows, ALL, CONTEXT, draws=50)


@given(small_rows(), st.integers(1, 11))
@settings(max_examples=30)
def test_merging_parts_changes_nothing(rows: Rows, cut: int) -> None:
    """Estimates of concatenated parts are those of the run that was never split."""
    parts = [rows.select(range(min(cut, len(rows)))), rows.select(range(min(cut, len(rows)), len(rows)))]
    assert estimates(Rows.concatenate(parts), ALL, CONTEXT, draws=50) == estimates(rows, ALL, CONTEXT, draws=50)


@given(small_rows())
@settings(max_examples=30)
def test_a_slice_is_its_samples_alone(rows: Rows) -> None:
    """A slice's estimates are those of a run on its samples, and its value that of 0/1 weights on all rows."""
    found = estimates(rows, ("miou", "pixel_accuracy", "iou"), CONTEXT, draws=50)
    lights = {tags["light"] for tags in rows.tags}
    assert {e.slice for e in found} - {""} == (lights if len(lights) > 1 else set())
    for e in (e for e in found if e.slice):
        assert (e.tag, e.label) == ("light", "")
        chosen = np.array([tags["light"] == e.slice for tags in rows.tags])
        alone = only(estimates(rows.select(np.flatnonzero(chosen)), [e.metric], CONTEXT, draws=50), e.metric)
        assert alone.model_copy(update={"tag": "light", "slice": e.slice}) == e
        weighted = metric_named(e.metric).value((chosen @ rows.values["confusion"]).astype(np.float64), CONTEXT)
        assert (math.nan if e.value is None else e.value) == pytest.approx(float(weighted), abs=1e-12, nan_ok=True)


@given(st.lists(st.integers(0, 4), min_size=4, max_size=4).filter(any))
def test_integer_weights_are_repetitions(weights: list[int]) -> None:
    """The value of weighted rows is the value of the samples repeated that often."""
    table = areas(4)
    repeated = np.repeat(table, weights, axis=0)
    for name in ALL:
        metric = metric_named(name)
        weighted = metric.value((np.array(weights) @ table).astype(np.float64), CONTEXT)
        found = [e.value for e in estimates(rows_of(repeated), [name], CONTEXT, draws=2)]
        np.testing.assert_array_equal(np.array(found, dtype=np.float64), np.atleast_1d(weighted))


def test_seeds_and_draws() -> None:
    """Of a bootstrap the same seed gives the same bits, another seed another interval of the same value."""
    rows = rows_of(areas(12))
    first, again, other = (only(estimates(rows, ["miou"], CONTEXT, seed=s)) for s in (0, 0, 1))
    assert first == again
    assert first.value == other.value
    assert (first.low, first.high) != (other.low, other.high)


def test_one_group_has_a_value_and_no_interval() -> None:
    """One video: nothing to resample, said so."""
    e = only(estimates(rows_of(areas(40), ["video"] * 40), ["miou"], CONTEXT))
    assert e.value is not None
    assert (e.low, e.high, e.groups, e.method) == (None, None, 1, "none")
    assert e.reason == "no interval: all samples are of one group"
    assert "few-groups" in e.flags


def test_groups_widen_the_interval() -> None:
    """Twenty copies of each of 60 images are 60 units, not 1,200: the interval is that of the 60."""
    table = areas(60)
    copies = np.tile(table, (20, 1))
    single = only(estimates(rows_of(table), ["miou"], CONTEXT))
    grouped = only(estimates(rows_of(copies, [f"img{i % 60:04}" for i in range(1200)]), ["miou"], CONTEXT))
    ungrouped = only(estimates(rows_of(copies), ["miou"], CONTEXT))
    assert (grouped.low, grouped.high) == pytest.approx((single.low, single.high))
    assert ungrouped.high - ungrouped.low < 0.4 * (grouped.high - grouped.low)


@pytest.mark.parametrize(
    ("n", "right", "method", "expected"),
    [
        (40, 40, "clopper-pearson", clopper_pearson_interval),
        (199, 150, "clopper-pearson", clopper_pearson_interval),
        (200, 150, "wilson", wilson_interval),
        (400, 400, "wilson", wilson_interval),
    ],
)
def test_a_share_has_the_interval_of_a_share(
    n: int, right: int, method: str, expected: Callable[..., Interval]
) -> None:
    """Samples that are right or wrong: exact for few of them, never of no width; in groups they are a mean."""
    table = np.stack([np.arange(n) < right, np.ones(n)], axis=1).astype(np.int64)
    ids = tuple(f"q{i:04}" for i in range(n))
    tags = tuple({} for _ in ids)
    (alone,) = estimates(Rows(ids, ids, tags, {"exact_answers": table}), ["answer_accuracy"], CONTEXT)
    assert (alone.method, (alone.low, alone.high)) == (method, expected(right, n, 0.95).bounds)
    pairs = tuple(f"image{i // 2}" for i in range(n))
    (grouped,) = estimates(Rows(ids, pairs, tags, {"exact_answers": table}), ["answer_accuracy"], CONTEXT)
    assert grouped.method.startswith("jackknife-t")


def test_a_metric_of_weights_leaves_out_blocks() -> None:
    """AUROC of 250 samples: a hundred blocks, and no draws."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, 250)
    scores = np.clip(0.5 + 0.2 * (2 * truth - 1) + random.normal(0, 0.3, 250), 0.01, 0.99)
    predictions = [ClassScores(str(i), np.array([1 - s, s], np.float32)) for i, s in enumerate(scores)]
    context = TaskContext(("no", "yes"), None)
    ids = tuple(f"s{i:03}" for i in range(250))
    tables = tables_of(truth.tolist(), predictions, ["class_ranking"], context)
    (found,) = estimates(Rows(ids, ids, tuple({} for _ in ids), tables), ["auroc"], context)
    assert found.method == "jackknife-t(20 blocks)"
    # Hanley and McNeil 1982: the standard error of an area of this size from 125 positives and negatives each.
    assert (found.high - found.low) / (2 * 1.98) == pytest.approx(0.0245, rel=0.3)


def test_bounds_stay_inside_the_range_of_the_metric() -> None:
    """Student's interval of a high score on few groups is cut at the metric's bound."""
    table = np.tile(np.array([[99, 99, 99, 100, 100, 100, 100, 100, 100]]), (40, 1))
    table[0, :3] = 50
    groups = [f"v{i % 2}" for i in range(40)]
    (found,) = estimates(rows_of(table, groups), ["pixel_accuracy"], CONTEXT)
    assert 0 < found.low < found.value < 0.98
    assert found.high == 1.0


@pytest.mark.parametrize(("groups", "flagged"), [(29, True), (30, False)])
def test_few_groups(groups: int, flagged: bool) -> None:
    """Under 30 units of resampling the estimate is flagged."""
    table = np.tile(np.array([[9, 9, 9, 10, 10, 10, 10, 10, 10]]), (groups, 1))
    assert ("few-groups" in only(estimates(rows_of(table), ["miou"], CONTEXT)).flags) == flagged


@pytest.mark.parametrize(("holding", "flagged"), [(1, True), (19, True), (20, False)])
def test_few_instances(holding: int, flagged: bool) -> None:
    """A class in the targets of 1 to 19 samples flags its own IoU and every mean over classes, no other class."""
    table = np.tile(np.array([[9, 9, 0, 10, 10, 0, 10, 10, 0]]), (40, 1))
    table[:holding] = [9, 9, 9, 10, 10, 10, 10, 10, 10]
    found = estimates(rows_of(table), ["miou", "iou"], CONTEXT)
    assert ("few-instances" in only(found).flags) == flagged
    assert ("few-instances" in only(found, "iou", "car").flags) == flagged
    assert only(found, "iou", "road").flags == ()


def test_a_class_that_occurs_nowhere() -> None:
    """It is counted as absent, is in no mean, and its own IoU is undefined with the reason: never 0, no flag."""
    table = areas(40)
    table[:, [2, 5, 8]] = 0
    found = estimates(rows_of(table), ["miou", "iou"], CONTEXT)
    assert only(found).classes_absent == 1
    assert only(found).value == pytest.approx(np.mean([only(found, "iou", c).value for c in ("background", "road")]))
    car = only(found, "iou", "car")
    assert (car.value, car.low, car.high, car.flags) == (None, None, None, ())
    assert car.reason == "class 'car' occurs in no target and no prediction"


def test_nothing_to_score_has_a_reason() -> None:
    """All pixels ignored: undefined with its reason, not 0 and not an error."""
    e = only(estimates(rows_of(np.zeros((40, 9), np.int64)), ["miou"], CONTEXT))
    assert (e.value, e.low, e.high, e.classes_absent) == (None, None, None, 3)
    assert e.reason


def test_a_class_of_one_image_has_no_interval() -> None:
    """Undefined in 37 % of the draws: what the interval would leave out is unknown, so there is none."""
    table = areas(40)
    table[1:, [2, 5, 8]] = 0
    table[0, [2, 5, 8]] = [5, 10, 10]
    found = estimates(rows_of(table), ["miou", "iou"], CONTEXT)
    car = only(found, "iou", "car")
    assert car.value == pytest.approx(1 / 3)
    assert (car.low, car.high) == (None, None)
    undefined = re.fullmatch(r"no interval: undefined in (\d+) of 1000 draws", car.reason)
    assert undefined
    assert 300 < int(undefined[1]) < 430
    assert only(found).low is not None


def test_no_samples() -> None:
    """Nothing scored is an error, never an empty success."""
    with pytest.raises(NothingMeasured):
        estimates(rows_of(np.zeros((0, 9), np.int64)), ["miou"], CONTEXT)


def test_coverage_of_the_interval() -> None:
    """Over 300 samplings of 200 images the 95 % interval of mIoU covers the population's value in 92 to 98 %."""
    population = areas(20_000, seed=11)
    truth = float(metric_named("miou").value(population.sum(axis=0).astype(np.float64), CONTEXT))
    random = np.random.default_rng(5)
    covered = 0
    for seed in range(300):
        drawn = population[random.integers(0, len(population), 200)]
        e = only(estimates(rows_of(drawn), ["miou"], CONTEXT, draws=500, seed=seed))
        covered += e.low <= truth <= e.high
    assert 0.92 * 300 <= covered <= 0.98 * 300

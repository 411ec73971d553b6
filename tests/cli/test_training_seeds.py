"""Training seeds as a side of compare and gate: crossed with the samples; their records make them seeds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mmbench.cli.main import main
from mmbench.core.metric import TaskContext, metric_named
from mmbench.metrics.rows import Rows
from mmbench.reports.paired_runs import pair_seeds
from mmbench.stats.decisions import StudentHarm
from mmbench.stats.intervals import student_interval
from mmbench.stats.jackknife import Jackknife
from mmbench.stats.seeds import two_way
from mmbench.store import find_runs

K = 3
RECIPE = {"steps": 100, "architecture": "aa", "encoders": {"rgb": {"steps": 5}}}


def trained(folder: str, seed: int | None, name: str = "make", **recipe: object) -> None:
    """Writes into the one record under ``folder`` how its model was trained."""
    (file,) = Path(folder).rglob("record.json")
    record = json.loads(file.read_text())
    record["model"]["name"] = name
    outcome = {"best_after": 10 * (seed or 0), "validation": {"value": 0.5}}
    record["model"]["training"] = {} if seed is None else RECIPE | recipe | {"seed": seed} | outcome
    file.write_text(json.dumps(record))


def measure(desk, side: str, shades: list[float], seeds: int = K, spread: float = 0.4, **recipe: object) -> None:
    """A run for each seed under the folder ``side``, whose night shades vary with the seed."""
    for seed in range(seeds):
        noise = np.random.default_rng([seed, len(side)]).normal(0, spread, 3)
        desk.weigh(night=[shade + float(step) for shade, step in zip(shades, noise, strict=True)])
        assert desk.run(f"{side}/{seed}") == 0
        trained(f"{side}/{seed}", seed, f"{side}-{seed}", **recipe)


@pytest.fixture
def sides(desk):
    """``good`` and ``like``: three seeds each of the good weights; ``worse``: of damaged ones."""
    measure(desk, "good", [10.0, 30.0, 50.0])
    measure(desk, "like", [10.0, 30.0, 50.0])
    measure(desk, "worse", [10.0, 20.0, 50.0])
    return desk


def gate(*more: str, base: str = "good", head: str = "worse") -> int:
    return main(["gate", "--base", base, "--head", head, *more])


def literal(side: str) -> list[Jackknife]:
    """mIoU of each seed and without each sample, from the rows as they lie there."""
    metric, context = metric_named("miou"), TaskContext(("a", "b", "c"), None)
    found = []
    for seed in range(K):
        (file,) = Path(side, str(seed)).rglob("rows.npz")
        rows = Rows.load(file)
        table = rows.values["confusion"][np.argsort(rows.ids)].astype(float)
        left_out = [float(metric.value(np.delete(table, i, axis=0).sum(axis=0), context)) for i in range(len(table))]
        found.append(Jackknife(float(metric.value(table.sum(axis=0), context)), np.array(left_out)))
    return found


def test_the_change_is_crossed_over_seeds_and_samples(sides, capsys):
    """Value, interval and method are those of the two-way analysis of the rows themselves, named with the estimand."""
    capsys.readouterr()
    assert main(["compare", "good", "worse", "--json"]) == 0
    (comparison,) = json.loads(capsys.readouterr().out)["comparisons"]
    whole = next(c for c in comparison["changes"] if (c["metric"], c["slice"]) == ("miou", ""))
    expected = two_way([literal("worse"), literal("good")], [1.0, -1.0])
    assert whole["change"] == pytest.approx(expected.value, abs=1e-12)
    low, high = student_interval(expected.value, expected.error, expected.degrees, 0.95).bounds
    assert (whole["low"], whole["high"]) == (pytest.approx(low), pytest.approx(high))
    assert (whole["method"], whole["base_seeds"], whole["head_seeds"]) == ("two-way-t", K, K)
    assert "new training seeds" in whole["estimand"]
    assert len(whole["base_run"].split()) == K
    night = next(c for c in comparison["changes"] if (c["metric"], c["slice"]) == ("miou", "night"))
    assert (night["method"], night["n"]) == ("two-way-t", 40)
    assert comparison["moved"][0]["id"].startswith("night_")


def test_seeds_joined_by_commas_are_the_same_side(sides, capsys):
    capsys.readouterr()
    outs = []
    for base, head in (("good", "worse"), ("good/2,good/0,good/1", "worse/0,worse/1,worse/2")):
        assert main(["compare", base, head]) == 0
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1]
    assert "training seeds 0, 1, 2" in outs[0]


def test_the_gate_finds_what_is_larger_than_the_spread_over_seeds(sides, capsys):
    assert gate("--json") == 1
    finding = next(f for f in json.loads(capsys.readouterr().out)["findings"] if f["metric"] == "miou")
    assert (finding["status"], finding["seeds"], finding["method"]) == ("regress", [K, K], "two-way-t")
    assert gate(head="like") == 0
    assert main(["gate", "explain", "miou", "--base", "good", "--head", "worse"]) == 0
    assert "3 training seeds against 3" in capsys.readouterr().out


def test_a_drop_within_the_spread_over_seeds_is_no_regression_though_one_pair_shows_one(desk, capsys):
    """What a single pair of seeds proves about two checkpoints says little about two trainings."""
    measure(desk, "good", [10.0, 30.0, 50.0], spread=5.0)
    measure(desk, "worse", [10.0, 29.0, 50.0], spread=5.0)
    pairs = [gate(base=f"good/{i}", head=f"worse/{j}") for i in range(K) for j in range(K)]
    assert 1 in pairs
    assert gate() == 0


def test_the_gates_harm_is_the_two_way_one(sides):
    runs = pair_seeds(find_runs([Path("good")]), find_runs([Path("worse")]))
    from mmbench.metrics.pairing import paired_scores

    (score,) = paired_scores(runs.rows, [metric_named("miou")], runs.context)
    expected = two_way([literal("worse"), literal("good")], [1.0, -1.0])
    assert score.harm() == StudentHarm(
        -expected.value, pytest.approx(expected.error), pytest.approx(expected.degrees), 80
    )
    assert score.error == pytest.approx(expected.error)


def test_an_unchanged_side_passes_at_once(sides, capsys):
    assert gate(head="good") == 0
    assert "0/80" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 1}, "trained with the same seed"),
        ({"seed": None}, "names no training seed"),
        ({"seed": 2, "steps": 200}, "no training seeds of one model"),
        ({"seed": 2, "architecture": "bb"}, "no training seeds of one model"),
    ],
)
def test_other_runs_are_no_seeds_of_a_side(sides, capsys, change, says):
    trained("worse/2", change.pop("seed"), "worse-2", **change)
    assert main(["compare", "good", "worse/0,worse/1,worse/2"]) == 4
    assert says in capsys.readouterr().err


def test_one_seed_against_several_is_refused(sides, capsys):
    """By both commands; a spread over seeds that one side lacks is never left out in silence."""
    assert main(["compare", "good", "worse/0"]) == 4
    assert gate(head="worse/0") == 4
    assert "3 training seed(s) on the base, 1 on the head" in " ".join(capsys.readouterr().err.split())


def test_names_do_not_make_seeds_and_do_not_unmake_them(desk, capsys):
    """Without a recorded seed the newest run of a name counts; unequal recipes are models of their own."""
    measure(desk, "good", [10.0, 30.0, 50.0])
    for seed in range(K):
        trained(f"good/{seed}", None, "concat")
    capsys.readouterr()
    assert gate("--json", head="good") == 0
    assert all(f["seeds"] == [1, 1] for f in json.loads(capsys.readouterr().out)["findings"])
    for seed in range(K):
        trained(f"good/{seed}", seed, f"concat-s{seed}", architecture=f"{seed}")
    assert gate("--json", head="good") == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {f["model"] for f in findings} == {"concat-s0", "concat-s1", "concat-s2"}
    assert all(f["seeds"] == [1, 1] for f in findings)


def test_seeds_are_accepted_as_one_reference_and_replaced_as_one(sides):
    """Of one name: a folder a seed; a single new run takes the place of them all."""
    for seed in range(K):
        trained(f"good/{seed}", seed)
        trained(f"worse/{seed}", seed)
    assert main(["gate", "accept", "good", "-o", "refs"]) == 0
    assert sorted(place.name for place in Path("refs").iterdir()) == [f"tiny_1-make-seed{seed}" for seed in range(K)]
    assert gate(base="refs") == 1
    assert main(["gate", "accept", "good/0", "-o", "refs"]) == 0
    assert [place.name for place in Path("refs").iterdir()] == ["tiny_1-make"]
    assert gate(base="refs", head="good/0") == 0

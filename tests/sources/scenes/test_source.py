"""The source: ids, samples, pins, determinism across processes, messages."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.content import load_suite
from mmbench.core.errors import SampleError, UsageError
from mmbench.core.sample import Sample
from mmbench.core.source import BoundedSource, SignedSource, SourceRequest
from mmbench.sources.opening import open_source
from mmbench.sources.scenes import SPEC_VERSION, words
from mmbench.sources.scenes.generality import BOUNDED, HELD_OUT
from mmbench.sources.scenes.regimes import REGIMES
from mmbench.sources.scenes.source import SPLITS, TIERS, SceneSource
from mmbench.sources.scenes.tasks.catalogue import TASKS
from mmbench.sources.scenes.tasks.task import Item

PINS = json.loads(Path(__file__).with_name("pins.json").read_text())
ADVICE = (
    "the generator gives other bytes than those pinned: undo that, or raise SPEC_VERSION and the version of "
    "suites/seg.toml and write the pins anew with tests/sources/scenes/pin.py"
)


def digest(source: SceneSource, count: int = 64) -> str:
    """One digest over those of the first items."""
    return hashlib.blake2b(
        "".join(source.load(i).digest() for i in source.ids[:count]).encode(), digest_size=8
    ).hexdigest()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("regime", REGIMES)
def test_the_first_64_items_of_each_split_are_pinned(open_seg, regime: str, split: str) -> None:
    assert PINS["spec_version"] == SPEC_VERSION, ADVICE
    assert digest(open_seg(regime, "smoke", split)) == PINS["digests"][f"{regime}/{split}/64"], ADVICE


def test_the_larger_canvas_is_pinned(open_seg) -> None:
    assert digest(open_seg("X", "std")) == PINS["digests"]["X/test/96"], ADVICE


@pytest.mark.parametrize("regime", REGIMES)
def test_bounds_of_the_smoke_tier_are_pinned(open_seg, regime: str) -> None:
    source = open_seg(regime)
    found = [
        {"value": b.value, "chance": b.chance, **b.unimodal, "fused": b.fused, "additive": b.additive}
        for b in source.bounds(source.ids)
    ]
    for bounds, pinned in zip(found, PINS["bounds"][regime], strict=True):
        assert bounds == pytest.approx(pinned, abs=2e-6), ADVICE


def test_the_suite_states_the_version_that_is_pinned() -> None:
    spec, _ = load_suite("seg")
    assert (spec.version, SPEC_VERSION) == (PINS["suite_version"], PINS["spec_version"]), ADVICE


def test_another_process_makes_the_same_bytes(open_seg) -> None:
    """Under another hash seed, reading the items backwards."""
    script = (
        "from mmbench.content import load_suite; from mmbench.sources.opening import open_source\n"
        "spec, _ = load_suite('seg')\n"
        "s = open_source(spec, spec.resolve({'tier': 'smoke'}), 'val')\n"
        "print(*[s.load(i).digest() for i in reversed(s.ids[:20])])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    source = open_seg("X", "smoke", "val")
    assert done.stdout.split()[::-1] == [source.load(i).digest() for i in source.ids[:20]]


@settings(max_examples=30, deadline=None)
@given(indices=st.lists(st.integers(0, 255), min_size=2, max_size=6))
def test_items_do_not_depend_on_the_order_of_access(open_seg, indices: list[int]) -> None:
    source = open_seg("X")
    forward = {i: source.load(source.ids[i]).digest() for i in indices}
    assert {i: source.load(source.ids[i]).digest() for i in reversed(indices)} == forward


@pytest.mark.parametrize("regime", ["X", "E"])
@pytest.mark.parametrize(("smaller", "larger"), [("smoke", "ci"), ("std", "full")])
def test_a_smaller_tier_is_a_prefix_of_the_larger(open_seg, regime: str, smaller: str, larger: str) -> None:
    """Same canvas, same ids, same bytes."""
    for split in SPLITS:
        small, large = open_seg(regime, smaller, split), open_seg(regime, larger, split)
        assert large.ids[: len(small.ids)] == small.ids
        for sample_id in (*small.ids[:3], *small.ids[-3:]):
            assert small.load(sample_id).digest() == large.load(sample_id).digest()


@pytest.mark.parametrize(("tier", "sizes"), TIERS.items())
def test_tiers_have_their_sizes(open_seg, tier: str, sizes: tuple[int, int, int]) -> None:
    for split, size in zip(SPLITS, sizes, strict=True):
        source = open_seg("S4", tier, split)
        assert len(source.ids) == len(set(source.ids)) == size
        assert size % 256 == 0
        assert source.load(source.ids[-1]).target.any()


@pytest.mark.parametrize(("tier", "side"), [("smoke", 64), ("std", 96)])
@pytest.mark.parametrize("regime", REGIMES)
def test_samples_are_as_declared(open_seg, regime: str, tier: str, side: int) -> None:
    source = open_seg(regime, tier)
    assert source.classes[0] == "background"
    assert len(source.classes) == (17 if regime == "M16" else 5)
    for sample_id in source.ids[:20]:
        sample = source.load(sample_id)
        assert (sample.inputs["rgb"].dtype, sample.inputs["rgb"].shape) == (np.uint8, (side, side, 3))
        assert (sample.inputs["depth"].dtype, sample.inputs["depth"].shape) == (np.float32, (side, side))
        assert (sample.target.dtype, sample.target.shape) == (np.uint8, (side, side))
        assert sample.target.max() < len(source.classes)
        assert sample.tags == ({"regime": source.stratum(sample_id)} if regime == "X" else {})
        for modality in source.modalities:
            signature = source.signature(sample_id, modality)
            assert signature.shape == sample.target.shape
            assert signature.max() < source.signature_classes(modality)


def test_the_target_needs_no_rendering(open_seg) -> None:
    source = open_seg()
    assert np.array_equal(source.without_inputs("test/000003").target, source.load("test/000003").target)


def test_depth_stays_below_its_scale(open_seg) -> None:
    for regime in REGIMES:
        source = open_seg(regime)
        largest = max(float(source.load(i).inputs["depth"].max()) for i in source.ids[:20])
        assert 0.75 < largest / source.modalities["depth"].scale <= 1


def test_x_holds_its_laws_in_equal_parts(open_seg) -> None:
    source = open_seg("X", "ci")
    laws = [source.stratum(i) for i in source.ids]
    assert {name: laws.count(name) for name in set(laws)} == dict.fromkeys(("R", "U1", "U2", "S4"), 256)


def test_the_source_fulfils_its_protocols_and_is_picklable(open_seg) -> None:
    source = open_seg()
    assert isinstance(source, BoundedSource)
    assert isinstance(source, SignedSource)
    assert source.ignore is None
    copy = pickle.loads(pickle.dumps(source))  # noqa: S301
    assert copy.load("test/000003").digest() == source.load("test/000003").digest()


def test_stamps_name_version_and_parameters(open_seg) -> None:
    """They differ with whatever changes the bytes, and only with that."""
    stamp = open_seg("X", "smoke").stamp("test/000003")
    assert stamp == f"scenes@{SPEC_VERSION}[task=seg,regime=X,canvas=64]/test/000003"
    assert open_seg("X", "ci").stamp("test/000003") == stamp
    assert open_seg("X", "std").stamp("test/000003") != stamp
    assert open_seg("R", "smoke").stamp("test/000003") != stamp


@pytest.mark.parametrize("sample_id", ["test/000256", "test/256", "val/000001", "test/00000a", "", "test/000001\n"])
def test_an_unknown_item_is_named(open_seg, sample_id: str) -> None:
    with pytest.raises(SampleError, match=r"There is no item .* tier smoke has test/000000 to test/000255\."):
        open_seg().load(sample_id)


@pytest.mark.parametrize(
    ("params", "parameters", "split", "message"),
    [
        ({"task": "seg", "occluded": True}, {}, "test", "no parameter 'occluded'; it has: task, regime, tier"),
        ({"task": "dets"}, {}, "test", "no task 'dets'; expected one of: seg, cls-it"),
        ({"task": "cls-it"}, {"regime": "C"}, "test", "no regime 'C'; expected one of: R, U1, U2, S2, S3"),
        ({"task": "vqa"}, {"regime": "X"}, "test", "no regime 'X'; expected one of: S"),
        ({}, {"regime": "S5"}, "test", "no regime 'S5'; expected one of: R, U1"),
        ({}, {"tier": "huge"}, "test", "no tier 'huge'; expected one of: smoke, ci, std, full"),
        ({}, {"width": "3"}, "test", "no parameter 'width'"),
        ({"regime": ["X"]}, {}, "test", "no regime"),
        ({}, {}, "testing", "no split 'testing'; expected one of: train, val, test"),
    ],
)
def test_wrong_parameters_are_named(params: dict, parameters: dict, split: str, message: str) -> None:
    spec, _ = load_suite("seg")
    changed = spec.model_copy(update={"source": spec.source.model_copy(update={"params": params})})
    with pytest.raises(UsageError, match=message):
        SceneSource.open(SourceRequest(changed, parameters, None, split))


def test_an_unknown_modality_is_named(open_seg) -> None:
    with pytest.raises(UsageError, match="no modality 'thermal'; expected one of: rgb, depth"):
        open_seg().signature("test/000000", "thermal")


def test_the_suite_opens_through_the_registry() -> None:
    """Defaults: regime X at tier ci; no data root is needed."""
    spec, reference = load_suite("seg")
    assert str(reference) == "seg@1"
    source = open_source(spec, spec.resolve({}), spec.split)
    assert isinstance(source, SceneSource)
    assert (source.regime, source.tier, len(source.ids)) == ("X", "ci", 1024)
    assert tuple(source.modalities) == spec.modalities
    assert spec.parameters["regime"].choices == ("R", "U1", "U2", "S4", "M16", "E", "C", "H", "X")
    assert set(spec.parameters["regime"].choices) == set(REGIMES)
    assert spec.parameters["tier"].choices == tuple(TIERS)


TASK_PINS = json.loads(Path(__file__).with_name("pins_tasks.json").read_text())


@pytest.mark.parametrize("run", TASK_PINS)
def test_the_first_64_samples_of_every_task_are_pinned(open_task, run: str) -> None:
    task, regime, split, tier = run.split("/")
    assert digest(open_task(task, regime, tier, split)) == TASK_PINS[run], ADVICE


def test_every_task_and_regime_is_pinned() -> None:
    tasks = {name: task.regimes for name, task in TASKS.items() if name != "seg"}
    runs = {f"{name}/{r}/{s}/smoke" for name, regimes in tasks.items() for r in regimes for s in SPLITS}
    assert set(TASK_PINS) == runs | {f"{name}/{regimes[-1]}/test/std" for name, regimes in tasks.items()}


@pytest.mark.parametrize("task", [name for name in TASKS if name != "seg"])
def test_every_task_opens_samples_and_is_picklable(open_task, task: str) -> None:
    """Unique ids, groups of the samples of one scene, targets without rendering, the same from a copy."""
    source = pickle.loads(pickle.dumps(open_task(task, tier="std")))  # noqa: S301
    assert len(set(source.ids)) == len(source.ids) == 4096 * TASKS[task].parts
    last = source.load(source.ids[-1])
    assert last.digest() == open_task(task, tier="std").load(source.ids[-1]).digest()
    assert last.digest() == Sample("", last.inputs, source.without_inputs(source.ids[-1]).target).digest()
    assert (last.group is None) == (TASKS[task].parts == 1)
    assert isinstance(source, BoundedSource)
    assert isinstance(source, SignedSource)


HELD = [(task, kind) for task in TASKS for kind in TASKS[task].traits(Item(TASKS[task].regimes[0], "test", 0, 0, 64))]


@pytest.mark.parametrize(("task", "kind"), HELD)
def test_what_is_held_out_is_tested_and_nowhere_else(task: str, kind: str) -> None:
    """Every test sample holds a combination that no training or validation sample holds; together all are there."""
    whole, parts = ([SceneSource(task, TASKS[task].regimes[-1], "smoke", s, h) for s in SPLITS] for h in ("none", kind))
    for one, part in zip(whole, parts, strict=True):
        holding = {i for i in one.ids if one.traits(i)[kind] & HELD_OUT[kind]}
        assert set(part.ids) == (holding if part.split == "test" else set(one.ids) - holding)
        assert part.load(part.ids[0]).digest() == one.load(part.ids[0]).digest()
        assert list(part.ids) == sorted(part.ids)


@pytest.mark.parametrize("task", ["refseg", "seg", "vqa", "cls-vqa", "vqa-av", "caption"])
def test_each_colour_and_shape_stays_in_training(task: str) -> None:
    """As in CLEVR-CoGenT: what is new in the test is the combination, not its parts."""
    source = SceneSource(task, TASKS[task].regimes[-1], "smoke", "train", "pairs")
    left = {pair for sample_id in source.ids for pair in source.traits(sample_id)["pairs"]}
    assert {pair.split()[0] for pair in left} == {str(shape) for shape in range(6)}
    assert {pair.split()[1] for pair in left} == {str(colour) for colour in range(8)}


def test_a_question_does_not_name_what_is_held_out() -> None:
    """Else a model would learn that such a thing is never there."""
    source = SceneSource("vqa", "S", "smoke", "train", "pairs")
    held = [(words.COLOURS[int(c)], words.SHAPES[int(s)]) for s, c in map(str.split, HELD_OUT["pairs"])]
    texts = [source.load(sample_id).inputs["text"] for sample_id in source.ids[:400]]
    assert not [text for text in texts for colour, shape in held if f"{colour} {shape}" in text]


@pytest.mark.parametrize("task", TASKS)
def test_bounds_hold_where_held_out_combinations_say_nothing_of_the_class(task: str) -> None:
    """Of questions, expressions and captions they are what is asked for: no bounds then."""
    kind = "objects" if task.startswith("cls-") else "pairs"
    source = SceneSource(task, TASKS[task].regimes[0], "smoke", "test", kind)
    bounded = task in BOUNDED
    assert bool(source.bounds(source.ids) or source.policy_metrics) == bounded


def test_a_kind_that_a_task_has_not_is_named() -> None:
    spec, _ = load_suite("seg")
    with pytest.raises(UsageError, match="has no hold_out 'templates'; expected one of: none, pairs"):
        SceneSource.open(SourceRequest(spec, {"hold_out": "templates"}, None, "test"))

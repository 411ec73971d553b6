"""Questions: answers of a picture all differ, twins are asked the same and answer otherwise, types are balanced."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from mmbench.core.parts import of_part, own_name
from mmbench.core.targets import JointTarget
from mmbench.sources.scenes.tasks.vqa import ANSWERS, CHOICES, KINDS, SENSES

SPLITS = ("train", "test")


@pytest.fixture(scope="module", params=["vqa", "cls-vqa"])
def source(open_task, request):
    return open_task(request.param)


def answer(target) -> str:
    return target if isinstance(target, str) else target.parts["vqa"]


def test_samples_are_as_declared(source) -> None:
    assert len(source.ids) == 6 * 256
    for sample_id in source.ids[:60]:
        sample = source.load(sample_id)
        assert sample.group == sample_id[:-2]
        assert sample.tags == {"type": source.stratum(sample_id)}
        assert answer(sample.target) in (of_part(source.classes, "vqa") or source.classes)
        assert source.signature(sample_id, "image").shape == (64, 64)
        assert source.signature(sample_id, "text") < source.signature_classes("text") == SENSES
    pixels = [source.load(sample_id).inputs["image"] for sample_id in source.ids[6:12]]
    assert all(np.array_equal(pixels[0], other) for other in pixels[1:])


def test_the_answers_of_a_picture_all_differ(source) -> None:
    answers = [answer(source.without_inputs(sample_id).target) for sample_id in source.ids]
    for start in range(0, len(answers), len(KINDS)):
        assert len(set(answers[start : start + len(KINDS)])) == len(KINDS)
        assert sorted(answers[start : start + 2]) == ["no", "yes"]


def test_twins_are_asked_the_same_and_answer_otherwise(source) -> None:
    """So a question alone says nothing of its answer beyond the type."""
    for first in range(0, 120, 2):
        for part in range(len(KINDS)):
            one, two = (source.load(f"test/{first + side:06d}-{part}") for side in (0, 1))
            assert one.inputs["text"] == two.inputs["text"]
            assert answer(one.target) != answer(two.target)


def test_the_answers_of_a_type_are_even(source) -> None:
    """256 pictures: each answer of a type as often as any other, but for a difference of two."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample_id in source.ids:
        counts[source.stratum(sample_id)][answer(source.without_inputs(sample_id).target)] += 1
    assert {kind: len(found) for kind, found in counts.items()} == dict(CHOICES)
    assert sum(CHOICES.values()) == len(ANSWERS)
    for found in counts.values():
        assert max(found.values()) - min(found.values()) <= 2


def test_what_is_asked_for_in_vain_is_nearly_there(source) -> None:
    """The two yes-or-no questions of a picture share a colour or a shape."""
    for scene in range(60):
        words = [set(source.load(f"test/{scene:06d}-{part}").inputs["text"].split()) for part in (0, 1)]
        common = {"is", "there", "a"}
        assert len((words[0] & words[1]) - common) == 1


def test_bounds_are_those_of_the_design(source) -> None:
    """A question alone: the mean of .5, .5, .125, .167, .25, .2; a picture alone: one in six."""
    *_, bounds = source.bounds(source.ids)
    expected = (0.5 + 0.5 + 1 / 8 + 1 / 6 + 1 / 4 + 1 / 5) / 6
    assert bounds.unimodal == {"image": pytest.approx(1 / 6, abs=1e-6), "text": pytest.approx(expected, abs=1e-6)}
    assert own_name(bounds.metric) == "answer_accuracy"
    assert (bounds.fused, bounds.chance) == (1.0, pytest.approx(1 / 6, abs=1e-6))
    assert source.bounds([]) == ()


def test_bounds_follow_the_types_asked(source) -> None:
    colours = [sample_id for sample_id in source.ids if source.stratum(sample_id) == "colour"]
    assert source.bounds(colours)[-1].unimodal["text"] == 0.125


def test_the_joint_task_has_two_targets(open_task) -> None:
    source = open_task("cls-vqa")
    targets = [source.without_inputs(sample_id).target for sample_id in source.ids]
    assert all(isinstance(target, JointTarget) for target in targets)
    assert Counter(target.parts["classification"] for target in targets) == dict.fromkeys(range(4), 6 * 64)
    assert of_part(source.classes, "classification") == ("rows", "columns", "diagonals", "checks")
    assert of_part(source.classes, "vqa") == ANSWERS
    assert [bounds.metric for bounds in source.bounds(source.ids)] == ["classification/accuracy", "vqa/answer_accuracy"]


def test_the_class_is_independent_of_the_answers(open_task) -> None:
    """Each class with each answer to the pattern question: 64 pictures over four answers, 5 to 30 each."""
    source = open_task("cls-vqa")
    targets = [
        source.without_inputs(sample_id).target for sample_id in source.ids if source.stratum(sample_id) == "pattern"
    ]
    table = Counter((target.parts["classification"], target.parts["vqa"]) for target in targets)
    assert len(table) == 16
    assert all(5 <= count <= 30 for count in table.values())

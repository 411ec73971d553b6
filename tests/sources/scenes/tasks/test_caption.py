"""Captions: five references of different templates, slots that are even and independent, policies."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from mmbench.sources.scenes.oracles.describe import slot_accuracy, slots_of
from mmbench.sources.scenes.tasks.caption import SLOTS, TEMPLATES


@pytest.fixture(scope="module")
def source(open_task):
    return open_task("caption")


def test_references_are_five_and_say_the_same(source) -> None:
    for sample_id in source.ids[:60]:
        references = source.without_inputs(sample_id).target
        assert len(set(references)) == 5
        slots = [slots_of(reference) for reference in references]
        assert all(found == slots[0] for found in slots)
        assert None not in slots[0].values()


def test_slots_are_even_and_independent(source) -> None:
    """256 scenes: each word of a slot equally often (but for one), each pair of slots near its expected count."""
    found = [slots_of(source.without_inputs(sample_id).target[0]) for sample_id in source.ids]
    for name, choices in SLOTS.items():
        counts = Counter(slots[name] for slots in found)
        assert len(counts) == len(choices)
        assert max(counts.values()) - min(counts.values()) <= 1
    for one, two in combinations(SLOTS, 2):
        table = Counter((slots[one], slots[two]) for slots in found)
        expected = 256 / len(SLOTS[one]) / len(SLOTS[two])
        chi = sum(
            (table[a, b] - expected) ** 2 / expected for a in range(len(SLOTS[one])) for b in range(len(SLOTS[two]))
        )
        degrees = (len(SLOTS[one]) - 1) * (len(SLOTS[two]) - 1)
        assert chi < degrees + 4 * (2 * degrees) ** 0.5


def test_every_template_is_used(source) -> None:
    openings = Counter(number for sample_id in source.ids for number in source.traits(sample_id)["templates"])
    assert len(openings) == len(TEMPLATES) == 8
    assert all(0.5 < count / 256 < 0.75 for count in openings.values())


def test_bounds_of_slots(source) -> None:
    """A picture tells three of five slots, the others are guessed of four words each."""
    (bounds,) = source.bounds(source.ids)
    assert bounds.unimodal == {"image": 0.7, "audio": pytest.approx((1 / 8 + 1 / 6 + 1 / 4 + 2) / 5, abs=1e-6)}
    assert bounds.fused == 1
    assert source.bounds([]) == ()


@pytest.mark.parametrize(("observed", "count"), [(("image",), 12), (("audio",), 10), (("image", "audio"), 14), ((), 8)])
def test_policies_say_only_what_is_observed(source, observed: tuple[str, ...], count: int) -> None:
    """Eight templates, and the part alone that is known; slots that are not known are the same in all captions."""
    policies = source.policies(source.ids[:60], observed)
    assert len(policies) == count
    for name, captions in policies.items():
        found = [slots_of(caption.text) for caption in captions]
        for slot in SLOTS:
            known = ("audio" if slot in ("pitch", "times") else "image") in observed
            values = {slots[slot] for slots in found}
            assert len(values) > 1 if known and "alone" not in name else len(values - {None}) <= len(SLOTS[slot])
            if not known:
                assert values <= {0, None}


def test_the_best_policy_reaches_the_bound_of_slots(source) -> None:
    (bounds,) = source.bounds(source.ids)
    truths = [source.without_inputs(sample_id).target[0] for sample_id in source.ids]
    for observed, bound in ((("image",), bounds.unimodal["image"]), (("image", "audio"), 1.0)):
        scores = []
        for captions in source.policies(source.ids, observed).values():
            right = [slot_accuracy(caption.text, truth) for caption, truth in zip(captions, truths, strict=True)]
            scores.append(sum(right) / len(right))
        assert max(scores) == pytest.approx(bound, abs=0.01)

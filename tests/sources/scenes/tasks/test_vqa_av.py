"""Questions about the sounding thing: objects that differ, even answers, bounds of all subsets."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from mmbench.sources.scenes.oracles import see
from mmbench.sources.scenes.tasks.vqa_av import CHOICES


@pytest.fixture(scope="module")
def source(open_task):
    return open_task("vqa-av")


def test_samples_are_as_declared(source) -> None:
    assert len(source.ids) == 3 * 256
    for sample_id in source.ids[:12]:
        sample = source.load(sample_id)
        assert (sample.inputs["audio"].dtype, sample.inputs["audio"].shape) == (np.float32, (32_000,))
        assert sample.target in source.classes
        assert sample.group == sample_id[:-2]
        assert source.signature(sample_id, "audio") < source.signature_classes("audio") == 4
        assert source.signature(sample_id, "text") < source.signature_classes("text") == 3


def test_the_four_objects_differ_in_everything(source) -> None:
    for sample_id in source.ids[:90:3]:
        objects = see.look(source.load(sample_id).inputs["image"]).objects
        assert len(objects) == 4
        for name in ("texture", "colour", "shape", "cell"):
            assert len({getattr(one, name) for one in objects}) == 4


def test_the_answers_of_a_type_are_even(source) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample_id in source.ids:
        counts[source.stratum(sample_id)][source.without_inputs(sample_id).target] += 1
    assert {kind: len(found) for kind, found in counts.items()} == dict(CHOICES)
    for found in counts.values():
        assert max(found.values()) - min(found.values()) <= 1


def test_all_three_modalities_are_needed(source) -> None:
    """Bounds of every proper subset: 1/4 without the sound, 1/3 without the question, 1/12 without both."""
    (bounds,) = source.bounds(source.ids)
    text = (1 / 16 + 1 / 8 + 1 / 6) / 3
    expected = {
        "image": 1 / 12,
        "audio": 1 / 18,
        "text": text,
        "image+audio": 1 / 3,
        "image+text": 1 / 4,
        "audio+text": text,
    }
    assert bounds.unimodal == pytest.approx(expected, abs=1e-6)
    assert (bounds.fused, round(bounds.best_unimodal, 6)) == (1.0, 0.333333)
    assert source.bounds([]) == ()

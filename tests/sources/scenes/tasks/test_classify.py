"""Classification: samples as declared, signatures, the templates and tones of one class as those of another."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mmbench.sources.scenes import signs
from mmbench.sources.scenes.label_laws import PAIR_LAWS
from mmbench.sources.scenes.oracles import see

RUNS = [(task, regime) for task in ("cls-it", "cls-av") for regime in (*PAIR_LAWS, "X")] + [("cls-iat", "T3")]
MODALITIES = {"cls-it": {"image", "text"}, "cls-av": {"image", "audio"}, "cls-iat": {"image", "audio", "text"}}


@pytest.mark.parametrize(("task", "regime"), RUNS)
def test_samples_are_as_declared(open_task, task: str, regime: str) -> None:
    source = open_task(task, regime)
    for sample_id in source.ids[:40]:
        sample = source.load(sample_id)
        assert set(sample.inputs) == set(source.modalities) == MODALITIES[task]
        assert isinstance(sample.target, int)
        assert 0 <= sample.target < len(source.classes)
        assert (sample.inputs["image"].dtype, sample.inputs["image"].shape) == (np.uint8, (64, 64, 3))
        assert sample.tags == ({"regime": source.stratum(sample_id)} if regime == "X" else {})
        assert sample.group is None
        for modality in source.modalities:
            label = source.signature(sample_id, modality)
            assert (label.shape, label.dtype) == ((), np.int64)
            assert 0 <= label < source.signature_classes(modality)


@pytest.mark.parametrize(("task", "regime"), RUNS)
def test_all_signatures_occur(open_task, task: str, regime: str) -> None:
    source = open_task(task, regime, "ci", "train")
    ids = source.ids[:1024]
    for modality in source.modalities:
        seen = {int(source.signature(sample_id, modality)) for sample_id in ids}
        possible = set(range(source.signature_classes(modality)))
        assert seen == possible


def test_the_signature_in_x_holds_the_law(open_task) -> None:
    source = open_task("cls-it", "X")
    for sample_id in source.ids[:60]:
        law = ("R", "U1", "U2", "S4").index(source.stratum(sample_id))
        assert int(source.signature(sample_id, "image")) // 4 == law


def test_the_larger_canvas_has_the_same_labels(open_task) -> None:
    small, large = open_task("cls-it", "S4", "smoke"), open_task("cls-it", "S4", "std")
    for sample_id in small.ids[:20]:
        first, second = small.load(sample_id), large.load(sample_id)
        assert (first.target, first.inputs["text"]) == (second.target, second.inputs["text"])
        assert second.inputs["image"].shape == (96, 96, 3)


def test_templates_hold_equally_many_words(open_task) -> None:
    assert {len(template.split()) for template in signs.TEMPLATES} == {9}
    source = open_task("cls-it", "E")
    assert {len(source.load(sample_id).inputs["text"].split()) for sample_id in source.ids} == {9}


def test_nuisances_of_a_text_do_not_follow_its_code(open_task) -> None:
    """S4, 1,024 items: each template with each class, between 20 and 70 times (mean 43)."""
    source = open_task("cls-it", "S4", "ci")
    firsts = Counter((source.load(i).inputs["text"].split()[0], source.load(i).target) for i in source.ids)
    in_all = [n for (word, _), n in firsts.items() if word == "in"]
    assert len(in_all) == 4
    assert all(20 < n < 70 for n in in_all)


def test_the_number_of_objects_varies(open_task) -> None:
    source = open_task("cls-it", "S4")
    counts = Counter(len(see.look(source.load(i).inputs["image"]).objects) for i in source.ids[:100])
    assert set(counts) == {3, 4, 5, 6}
    for sample_id in source.ids[:20]:
        objects = see.look(source.load(sample_id).inputs["image"]).objects
        assert source.traits(sample_id) == {"objects": frozenset([str(len(objects))])}

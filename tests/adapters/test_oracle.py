"""``oracle:...``: what it reads, and what it is not for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmbench.adapters.opening import open_model
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import ModelOptions
from mmbench.core.prediction import ClassScores, Detections, LabelMap, Text
from mmbench.core.sample import Batch
from mmbench.runner.suites import SuiteChoice, open_suite


def opened(locator: str, name: str, **parameters: str):
    suite = open_suite(name, SuiteChoice({"tier": "smoke", **parameters}))
    return open_model(locator, suite.spec, suite.source, ModelOptions()), suite.source


def batch(source, count: int = 3) -> Batch:
    return Batch.of([source.load(i) for i in source.ids[:count]], source.modalities, spatial=False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("seg", LabelMap),
        ("refseg", LabelMap),
        ("det", Detections),
        ("vqa", Text),
        ("caption", Text),
        ("cls-av", ClassScores),
    ],
)
def test_each_task_has_its_kind_of_prediction(name: str, kind: type) -> None:
    model, source = opened("oracle:joint", name)
    found = model.predict(batch(source))
    assert [type(one) for one in found] == [kind] * 3
    assert [one.sample_id for one in found] == list(source.ids[:3])


def test_detections_are_corner_and_size() -> None:
    model, source = opened("oracle:joint", "det", regime="R")
    truth = source.without_inputs(source.ids[0]).target
    (found,) = model.predict(batch(source, 1))
    order = np.lexsort(found.boxes.T), np.lexsort(np.c_[truth.boxes[:, :2], truth.boxes[:, 2:] - truth.boxes[:, :2]].T)
    assert np.array_equal(found.boxes[order[0], :2], truth.boxes[order[1], :2])
    assert np.array_equal(found.boxes[order[0], 2:], (truth.boxes[:, 2:] - truth.boxes[:, :2])[order[1]])
    assert np.array_equal(found.areas, found.boxes[:, 2] * found.boxes[:, 3])


def test_modalities_stand_in_the_order_of_the_suite() -> None:
    model, _ = opened("oracle:text+image", "vqa-av")
    assert model.info.modalities == ("image", "text")
    assert (model.info.name, model.info.parameters) == ("oracle:text+image", 0)


def test_the_digest_tells_apart_what_is_decoded() -> None:
    digests = {
        opened(locator, "cls-it", regime=regime)[0].info.digest
        for locator in ("oracle:joint", "oracle:text")
        for regime in ("S4", "X")
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    "locator", ["oracle:sound", "oracle:", "oracle:image+image", "oracle:additive", "oracle:image+sound"]
)
def test_what_a_suite_has_not_is_named_with_what_it_has(locator: str) -> None:
    with pytest.raises(
        LoadError, match=r"Suite 'vqa' has no oracle:.*; it has: oracle:joint, oracle:image, oracle:text\."
    ):
        opened("predictions:.", "vqa")


def test_a_suite_of_real_data_has_no_oracle(toy_spec, toy_source) -> None:
    with pytest.raises(LoadError, match="oracle:joint decodes generated scenes, but suite 'toy' is not generated"):
        open_model("oracle:joint", toy_spec, toy_source, ModelOptions())


def test_what_cannot_be_read_fails_for_itself() -> None:
    """A missing input and a picture of noise are errors of their samples; the third is answered."""
    model, source = opened("oracle:joint", "cls-it")
    good = batch(source)
    noise = np.random.Philox(key=1).random_raw(64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
    images = (None, noise, good.inputs["image"][2])
    found = model.predict(Batch(good.ids, {**good.inputs, "image": images}, good.present))
    assert [type(one) for one in found] == [SampleError, SampleError, ClassScores]
    assert "has no image, which oracle:joint reads" in str(found[0])
    assert f"oracle:joint cannot read {good.ids[1]!r}" in str(found[1])


def test_adapters_of_label_maps_say_so_on_other_suites(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoadError, match="gives label maps, but suite 'vqa' is vqa"):
        opened("predictions:.", "vqa")

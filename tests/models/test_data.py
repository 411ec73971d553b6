"""From samples to tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from mmbench.core.sample import Sample
from mmbench.models.data import Items, collate
from mmbench.models.splits import Splits
from mmbench.models.tasks.dense import Segmentation, resize_labels
from mmbench.models.tasks.task import VOID


def test_values_are_in_the_ranges_of_the_contract(splits: Splits, items_of: Callable[..., Items]) -> None:
    """Images 0..1, planes in the suite's unit, ignored pixels VOID; twice the same, from memory too."""
    source = splits.train
    sample = source.load("train/1")
    items = items_of(source)
    for item in (items.load("train/1"), items.load("train/1")):
        rgb, depth = item.inputs["rgb"], item.inputs["depth"]
        assert rgb is not None
        assert depth is not None
        np.testing.assert_array_equal((rgb * 255).round().numpy(), sample.inputs["rgb"].transpose(2, 0, 1))
        np.testing.assert_array_equal(depth[0].numpy(), sample.inputs["depth"])
        expected = sample.target.astype(np.int64)
        expected[0, 0] = VOID
        np.testing.assert_array_equal(item.target.numpy(), expected)


def test_resized_together(splits: Splits, items_of: Callable[..., Items]) -> None:
    """Inputs and target get the size asked for; a constant stays constant and labels stay labels."""
    item = items_of(splits.train, size=(8, 12)).load("train/0")
    assert {tuple(x.shape[1:]) for x in item.inputs.values() if x is not None} == {(8, 12)}
    assert tuple(item.target.shape) == (8, 12)
    assert set(item.target.unique().tolist()) <= {VOID, 0, 1, 2}


def test_labels_are_resized_to_the_nearest_pixel() -> None:
    labels = torch.tensor([[0, 1], [2, VOID]])
    assert resize_labels(labels, (4, 4)).tolist() == [
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [2, 2, VOID, VOID],
        [2, 2, VOID, VOID],
    ]


def test_an_absent_input_is_marked(splits: Splits, items_of: Callable[..., Items]) -> None:
    """It becomes zeros with ``present`` False; another item of the batch keeps its own."""

    class Lacking(type(splits.train)):  # type: ignore[misc]
        def load(self, sample_id: str) -> Sample:
            sample = super().load(sample_id)
            lacks = sample_id == "train/0"
            return replace(sample, inputs={m: v for m, v in sample.inputs.items() if not (lacks and m == "depth")})

    source = Lacking("train")
    items = items_of(source)
    batch = collate([items.load("train/0"), items.load("train/1")], source.modalities, Segmentation())
    assert batch.present["depth"].tolist() == [False, True]
    assert batch.present["rgb"].tolist() == [True, True]
    assert not batch.inputs["depth"][0].any()
    assert tuple(batch.inputs["depth"].shape) == (2, 1, 16, 16)

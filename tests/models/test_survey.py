"""What is known of the training samples before training."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.source import Modality
from mmbench.models.data import Items
from mmbench.models.splits import Splits
from mmbench.models.survey import class_weights, survey


def test_equals_a_computation_over_all_pixels(splits: Splits) -> None:
    """Mean and std per channel in the ranges of the contract; pixels per class without the ignored ones."""
    source = splits.train
    samples = [source.load(i) for i in source.ids]
    found = survey(Items(source, source.modalities), source.ids, 3)
    for name, unit in (("rgb", 255.0), ("depth", 1.0)):
        values = np.stack([s.inputs[name].reshape(256, -1) for s in samples]).astype(np.float64) / unit
        np.testing.assert_allclose(found.inputs[name].mean, values.mean(axis=(0, 1)), rtol=1e-6)
        np.testing.assert_allclose(found.inputs[name].std, values.std(axis=(0, 1)), rtol=1e-6)
    labels = np.stack([s.target for s in samples])
    assert found.pixels.tolist() == np.bincount(labels[labels != 255], minlength=3).tolist()
    assert found.size == (16, 16)


def test_a_constant_plane_can_still_be_normalised(splits: Splits) -> None:
    """Its std is a thousandth of the modality's scale, not 0; a modality that no sample has keeps mean 0."""
    modalities = {"depth": Modality("depth", "plane", 1, "m", 4.0), "sonar": Modality("sonar", "plane", 1, "m", 2.0)}
    source = replace(splits.train, count=1)  # type: ignore[type-var]
    items = Items(source, modalities)
    inputs = survey(items, source.ids, 3).inputs
    assert inputs["sonar"].mean == (0.0,)
    assert inputs["sonar"].std == (0.002,)


def test_a_split_without_labels_is_refused(splits: Splits) -> None:
    items = Items(splits.train, splits.train.modalities, label=lambda _: np.full((16, 16), -100))
    with pytest.raises(LoadError, match="has no labelled pixel"):
        survey(items, splits.train.ids, 3)


def test_class_weights() -> None:
    """power 0: all 1; power 1: every class has the same share of the loss; a class never seen has weight 0."""
    pixels = torch.tensor([80.0, 20.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(class_weights(pixels, 0), torch.tensor([1.0, 1.0, 0.0]))
    torch.testing.assert_close(class_weights(pixels, 1) * pixels.float(), torch.tensor([50.0, 50.0, 0.0]))
    half = class_weights(pixels, 0.5)
    torch.testing.assert_close(half[1] / half[0], torch.tensor(2.0))
    torch.testing.assert_close((half * pixels.float()).sum(), pixels.sum().float())


@pytest.mark.parametrize("kind", ["text", "audio"])
def test_an_input_without_an_encoder_is_named(kind):
    """Before any sample is loaded: ``load`` is not there."""
    items = SimpleNamespace(modalities={"speech": Modality("speech", kind, 1)})
    with pytest.raises(UsageError, match=f"no encoder for {kind}, which 'speech' is"):
        survey(items, ["a"], 2)

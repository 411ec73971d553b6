"""From numpy inputs to tensors, as the model's contract says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mmbench.adapters.preprocess import Preprocess
from mmbench.adapters.tensors import equal_groups, to_tensor
from mmbench.core.sample import Batch
from mmbench.core.source import Modality

CPU = torch.device("cpu")
RGB, DEPTH = Modality("rgb", "image", 3), Modality("depth", "plane", 1)
PLAIN = {"rgb": Preprocess(), "depth": Preprocess()}


def test_images_become_channels_first_in_0_to_1(batch_of: Callable[..., Batch]) -> None:
    values = batch_of([(4, 5), (4, 5)]).inputs["rgb"]
    tensor = to_tensor(values, RGB, Preprocess(), CPU)
    assert tensor is not None
    assert (tensor.dtype, tuple(tensor.shape), tensor.is_contiguous()) == (torch.float32, (2, 3, 4, 5), True)
    expected = np.stack(values).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    assert np.array_equal(tensor.numpy(), expected)


def test_planes_keep_their_unit(batch_of: Callable[..., Batch]) -> None:
    values = batch_of([(4, 5), (4, 5)]).inputs["depth"]
    tensor = to_tensor(values, DEPTH, Preprocess(), CPU)
    assert tensor is not None
    assert np.array_equal(tensor.numpy(), np.stack(values)[:, None])
    tensor += 1
    assert values[0].max() <= 10, "the sample's own array is not touched"


def test_unequal_sizes_share_a_tensor_only_after_a_declared_resize(batch_of: Callable[..., Batch]) -> None:
    values = batch_of([(4, 5), (6, 5), (6, 5), (4, 5)]).inputs["rgb"]
    table = Preprocess(size=(3, 3))
    tensor = to_tensor(values, RGB, table, CPU)
    assert tensor is not None
    for i, value in enumerate(values):
        alone = to_tensor([value], RGB, table, CPU)
        assert alone is not None
        assert torch.equal(tensor[i], alone[0])


def test_groups_keep_sizes_and_absence_apart(batch_of: Callable[..., Batch]) -> None:
    batch = batch_of([(4, 5), (6, 5), (4, 5), (6, 5)])
    depth = (None, *batch.inputs["depth"][1:])
    absent = Batch(batch.ids, {**batch.inputs, "depth": depth}, batch.present, batch.sizes)
    assert list(equal_groups(batch, PLAIN)) == [[0, 2], [1, 3]]
    assert list(equal_groups(absent, PLAIN)) == [[0], [1, 3], [2]]
    assert list(equal_groups(absent, {"rgb": Preprocess(size=(3, 3))})) == [[0, 1, 2, 3]]


def test_an_absent_modality_is_none_not_zeros(batch_of: Callable[..., Batch]) -> None:
    batch = batch_of([(4, 5)], absent=("depth",))
    assert to_tensor(batch.inputs["depth"], DEPTH, Preprocess(), CPU) is None

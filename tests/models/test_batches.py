"""The batches of a stage depend on the seed and the step alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mmbench.models.batches import batch_of, batches
from mmbench.models.data import Items, TensorBatch
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits

RECIPE = Recipe(steps=6, batch_size=8, rate=1, modality_dropout=0.4, augmentation="crop", crop=(8, 8))


def same(a: TensorBatch, b: TensorBatch) -> bool:
    inputs = all(torch.equal(a.inputs[m], b.inputs[m]) for m in a.inputs)
    return (
        inputs and all(torch.equal(a.present[m], b.present[m]) for m in a.present) and torch.equal(a.target, b.target)
    )


@pytest.mark.parametrize("start", [0, 1, 5])
@pytest.mark.parametrize("augmentation", ["none", "crop", "shift"])
def test_started_anywhere_they_go_on_the_same(
    splits: Splits, augmentation: str, start: int, items_of: Callable[..., Items]
) -> None:
    """The batches from a step on are those that a training from the beginning sees; each step's differ."""
    items, recipe = items_of(splits.train), RECIPE.model_copy(update={"augmentation": augmentation})
    whole = list(batches(items, splits.train.ids, recipe, 0))
    rest = list(batches(items_of(splits.train), splits.train.ids, recipe, start))
    assert len(whole) == 6
    assert len(rest) == 6 - start
    assert all(same(a, b) for a, b in zip(whole[start:], rest, strict=True))
    assert not same(whole[0], whole[1])


def test_a_shift_is_of_what_the_others_see(splits: Splits, items_of: Callable[..., Items]) -> None:
    """The same items in the same order, each moved."""
    items = items_of(splits.train)
    still, moved = (
        batch_of(items, splits.train.ids, RECIPE.model_copy(update={"augmentation": kind}), 0)
        for kind in ("none", "shift")
    )
    assert not torch.equal(still.target, moved.target)
    assert torch.equal(still.target.flatten(1).sort().values, moved.target.flatten(1).sort().values)


def test_another_seed_another_stream(splits: Splits, items_of: Callable[..., Items]) -> None:
    items = items_of(splits.train)
    other = RECIPE.model_copy(update={"seed": 1})
    assert not same(batch_of(items, splits.train.ids, RECIPE, 0), batch_of(items, splits.train.ids, other, 0))


def test_dropout_hides_modalities_and_keeps_one(splits: Splits, items_of: Callable[..., Items]) -> None:
    """Each modality is hidden about as often as asked, and no item loses all."""
    items = items_of(splits.train)
    many = RECIPE.model_copy(update={"batch_size": 500, "augmentation": "none"})
    present = torch.stack(list(batch_of(items, splits.train.ids, many, 0).present.values()))
    assert present.any(dim=0).all()
    hidden = 0.4 - 0.4**2 / 2  # hidden, unless both would be and this one is kept
    assert torch.allclose((~present).float().mean(dim=1), torch.tensor(hidden), atol=0.07)


def test_one_modality_is_never_hidden(splits: Splits, items_of: Callable[..., Items]) -> None:
    one = {"rgb": splits.train.modalities["rgb"]}
    assert batch_of(items_of(splits.train, one), splits.train.ids, RECIPE, 0).present["rgb"].all()

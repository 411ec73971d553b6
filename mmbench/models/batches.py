"""The batches of a stage: which items, which view of each, which modalities hidden, all by seed and step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from mmbench.models.augment import random_view, shifted
from mmbench.models.data import Item, Items, TensorBatch, collate
from mmbench.models.randomness import batch_at, generator
from mmbench.models.recipe import Recipe


def batches(items: Items, ids: Sequence[str], recipe: Recipe, start: int) -> Iterator[TensorBatch]:
    """The batches of the steps from ``start`` on; a thread prepares the next one while the model works."""
    with ThreadPoolExecutor(1, thread_name_prefix="mmbench-batch") as pool:
        following = pool.submit(batch_of, items, ids, recipe, start)
        for step in range(start, recipe.steps):
            batch = following.result()
            if step + 1 < recipe.steps:
                following = pool.submit(batch_of, items, ids, recipe, step + 1)
            yield batch


def batch_of(items: Items, ids: Sequence[str], recipe: Recipe, step: int) -> TensorBatch:
    """The batch of one step; raises SampleError when a sample is broken."""
    chosen = [items.load(ids[n]) for n in batch_at(step, recipe.batch_size, len(ids), recipe.seed)]
    return batch_from(chosen, items, recipe, step)


def batch_from(chosen: list[Item], items: Items, recipe: Recipe, step: int) -> TensorBatch:
    """The batch of one step from its samples: the view of each, and what is hidden."""
    batch = collate(_viewed(chosen, items, recipe, step), items.modalities, items.task)
    draws = generator(recipe.seed, "dropout", step)
    return batch._replace(present=without_some(batch.present, recipe.modality_dropout, draws))


def _viewed(chosen: list[Item], items: Items, recipe: Recipe, step: int) -> list[Item]:
    draws = generator(recipe.seed, "augment", step)
    if recipe.augmentation == "shift":
        return [shifted(item, draws) for item in chosen]
    if recipe.augmentation == "crop" and recipe.crop is not None:
        return [random_view(item, items.modalities, recipe.crop, draws) for item in chosen]
    return chosen


def without_some(present: Mapping[str, Tensor], probability: float, draws: torch.Generator) -> dict[str, Tensor]:
    """Hides modalities of items, ``present[m]`` bool [B]; the one with the largest draw stays, so that one is kept."""
    names = list(present)
    if probability == 0 or len(names) == 1:
        return dict(present)
    draw = torch.rand(len(names), len(present[names[0]]), generator=draws)
    kept = (draw >= probability) | (draw == draw.max(dim=0).values)
    left = {m: present[m] & kept[index] for index, m in enumerate(names)}
    nothing = ~torch.stack(list(left.values())).any(dim=0)
    return {m: torch.where(nothing, present[m], p) for m, p in left.items()}

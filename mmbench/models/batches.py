"""The batches of a stage: which items, which view of each, which modalities hidden, all by seed and step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from mmbench.models.augment import random_view
from mmbench.models.data import Items, TensorBatch, collate
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
    draws = generator(recipe.seed, "augment", step)
    if recipe.crop is not None and recipe.augmentation != "none":
        chosen = [random_view(item, items.modalities, recipe.crop, draws) for item in chosen]
    batch = collate(chosen, items.modalities, items.task)
    return _with_dropout(batch, recipe.modality_dropout, generator(recipe.seed, "dropout", step))


def _with_dropout(batch: TensorBatch, probability: float, draws: torch.Generator) -> TensorBatch:
    """Hides modalities of items; the one with the largest draw stays, so at least one is kept."""
    names = list(batch.present)
    if probability == 0 or len(names) == 1:
        return batch
    draw = torch.rand(len(names), len(batch.present[names[0]]), generator=draws)
    kept = (draw >= probability) | (draw == draw.max(dim=0).values)
    present = {m: batch.present[m] & kept[index] for index, m in enumerate(names)}
    nothing = ~torch.stack(list(present.values())).any(dim=0)
    return batch._replace(present={m: torch.where(nothing, batch.present[m], p) for m, p in present.items()})

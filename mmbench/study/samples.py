"""The raw samples of a split as training data: for the track that trains the encoders on, and for fusions of inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from mmbench.core.errors import UsageError
from mmbench.fusion.base import Decision
from mmbench.models.assembled import FusionModel
from mmbench.models.augment import random_view
from mmbench.models.batches import hidden
from mmbench.models.data import Item, Items, TensorBatch, collate
from mmbench.models.randomness import batch_at, generator
from mmbench.models.recipe import Recipe
from mmbench.study.shuffling import shuffled_within

ItemsOf = Callable[[tuple[str, ...]], Items]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples by id. ``items_of`` gives them with some of the modalities; ``sources[m]`` names, for a place, the sample
    that its modality m is taken from (none for a split as it is).
    """

    ids: tuple[str, ...]
    items_of: ItemsOf
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, modalities: tuple[str, ...], recipe: Recipe, start: int) -> Iterator[TensorBatch]:
        """As ``features.Features.batches``, with random views where the recipe asks for them."""
        items = self.items_of(modalities)
        for step in range(start, recipe.steps):
            chosen = [self._item(items, n) for n in batch_at(step, recipe.batch_size, len(self), recipe.seed)]
            draws = generator(recipe.seed, "augment", step)
            if recipe.crop is not None and recipe.augmentation != "none":
                chosen = [random_view(item, items.modalities, recipe.crop, draws) for item in chosen]
            batch = collate(chosen, items.modalities, items.task)
            draws = generator(recipe.seed, "dropout", step)
            yield batch._replace(present=hidden(batch.present, recipe.modality_dropout, draws))

    def in_order(self, modalities: tuple[str, ...], size: int) -> Iterator[tuple[tuple[str, ...], TensorBatch]]:
        """All samples, in batches of at most ``size``; samples of unequal shape one by one."""
        items = self.items_of(modalities)
        for start in range(0, len(self), size):
            places = range(start, min(start + size, len(self)))
            group = [self._item(items, n) for n in places]
            parts = [group] if len({_shape(item) for item in group}) == 1 else [[item] for item in group]
            done = start
            for part in parts:
                yield self.ids[done : done + len(part)], collate(part, items.modalities, items.task)
                done += len(part)

    def decide(self, model: FusionModel, batch: TensorBatch) -> Decision:
        """Through the encoders."""
        return model.decide(model.features(batch.inputs, batch.present), batch.present)

    def select(self, index: Sequence[int]) -> Samples:
        """The samples at these places, as a split."""
        sources = {m: tuple(names[i] for i in index) for m, names in self.sources.items()}
        return replace(self, ids=tuple(self.ids[i] for i in index), sources=sources)

    def shuffled(self, modalities: tuple[str, ...], seed: int) -> Samples:
        """All modalities but the first permuted within each label; raises UsageError where a sample has several."""
        items = self.items_of(modalities)
        targets = [items.load(i).target for i in self.ids]
        if targets[0].ndim:
            raise UsageError("inputs cannot be shuffled within a label, as a sample has several; use --track frozen.")
        labels = torch.stack(targets).numpy()
        sources = {
            m: tuple(self.ids[n] for n in shuffled_within(labels, f"study shuffle {seed} {m}")) for m in modalities[1:]
        }
        return replace(self, sources=sources)

    def _item(self, items: Items, place: int) -> Item:
        item = items.load(self.ids[place])
        if not self.sources:
            return item
        inputs = {
            m: items.load(self.sources[m][place]).inputs[m] if m in self.sources else x for m, x in item.inputs.items()
        }
        return item._replace(inputs=inputs)


def _shape(item: Item) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(x.shape) for x in item.inputs.values() if isinstance(x, torch.Tensor))

"""The raw samples of a split as training data, for the track that trains the encoders on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch

from mmbench.core.errors import UsageError
from mmbench.models.batches import batch_from
from mmbench.models.data import Item, Items, TensorBatch, collate
from mmbench.models.randomness import batch_at
from mmbench.models.recipe import Recipe
from mmbench.models.validation import Group, item_groups
from mmbench.study.shuffling import shuffled_within


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples by id; ``sources[m]`` names, for each of them, the sample that its modality m is taken from."""

    ids: tuple[str, ...]
    items: Items
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def batches(self, recipe: Recipe, start: int) -> Iterator[TensorBatch]:
        """Those of the steps from ``start`` on: order, random views and hidden modalities by seed and step."""
        for step in range(start, recipe.steps):
            chosen = [self._item(self.ids[n]) for n in batch_at(step, recipe.batch_size, len(self.ids), recipe.seed)]
            yield batch_from(chosen, self.items, recipe, step)

    def groups(self) -> Iterator[Group]:
        """All samples in order, those of one shape together; of a shuffled split sample by sample."""
        if not self.sources:
            yield from item_groups(self.items, self.ids)
        for sample_id in self.ids if self.sources else ():
            item = self._item(sample_id)
            yield [sample_id], [item.truth], collate([item], self.items.modalities, self.items.task)

    def shuffled(self, seed: int) -> Samples:
        """All modalities but the first permuted within each label; raises UsageError where a sample has several."""
        targets = [self.items.load(i).target for i in self.ids]
        if targets[0].ndim:
            raise UsageError("inputs cannot be shuffled within a label, as a sample has several; use --track frozen.")
        labels = torch.stack(targets).numpy()
        sources = {}
        for m in list(self.items.modalities)[1:]:
            at = shuffled_within(labels, f"study shuffle {seed} {m}")
            sources[m] = {i: self.ids[n] for i, n in zip(self.ids, at, strict=True)}
        return replace(self, sources=sources)

    def _item(self, sample_id: str) -> Item:
        item = self.items.load(sample_id)
        if not self.sources:
            return item
        inputs = {
            m: self.items.load(self.sources[m][sample_id]).inputs[m] if m in self.sources else x
            for m, x in item.inputs.items()
        }
        return item._replace(inputs=inputs)

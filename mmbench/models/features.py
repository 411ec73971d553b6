"""The features of a split, encoded once: what a fusion is trained on while the encoders stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmbench.core.errors import UsageError
from mmbench.fusion.feature import Feature
from mmbench.models.assembled import FusionModel
from mmbench.models.batches import without_some
from mmbench.models.data import Items, collate
from mmbench.models.randomness import batch_at, generator
from mmbench.models.recipe import Recipe
from mmbench.models.tasks.task import Size, Task

_ENCODED_AT_ONCE = 64


class FeatureBatch(NamedTuple):
    """``features[m]`` of B items, ``present[m]`` bool [B], ``target`` as the task collates it, ``size`` of pictures."""

    features: dict[str, Feature]
    present: dict[str, Tensor]
    target: Tensor
    size: Size | None

    def to(self, device: torch.device) -> FeatureBatch:
        """The batch on a device, in float32."""
        features = {
            m: Feature(f.x.to(device, torch.float32), f.pad.to(device), f.grid) for m, f in self.features.items()
        }
        present = {m: x.to(device) for m, x in self.present.items()}
        return FeatureBatch(features, present, self.target.to(device), self.size)


@dataclass(frozen=True, slots=True, eq=False)
class SplitFeatures:
    """N items of one split: ``features[m]`` x float [N,L,d], ``present[m]`` bool [N], ``targets``, ``truths`` by item.

    ``size`` (height, width) is that of their pictures, None without any.
    """

    ids: tuple[str, ...]
    features: Mapping[str, Feature]
    present: Mapping[str, Tensor]
    targets: tuple[Tensor, ...]
    truths: tuple[Any, ...]
    task: Task
    size: Size | None

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, places: Sequence[int]) -> FeatureBatch:
        """The items at these places."""
        index = torch.tensor(places)
        features = {m: Feature(f.x[index], f.pad[index], f.grid) for m, f in self.features.items()}
        present = {m: p[index] for m, p in self.present.items()}
        return FeatureBatch(features, present, self.task.collate([self.targets[n] for n in places]), self.size)

    def batches(self, recipe: Recipe, start: int) -> Iterator[FeatureBatch]:
        """Those of the steps from ``start`` on: the same items with the same modalities hidden as without a cache."""
        for step in range(start, recipe.steps):
            batch = self.batch(batch_at(step, recipe.batch_size, len(self), recipe.seed))
            draws = generator(recipe.seed, "dropout", step)
            yield batch._replace(present=without_some(batch.present, recipe.modality_dropout, draws))

    def groups(self, at_once: int = 32) -> Iterator[tuple[list[str], list[Any], FeatureBatch]]:
        """All items in order: ids, truths and batch of each group."""
        for begin in range(0, len(self), at_once):
            places = range(begin, min(begin + at_once, len(self)))
            yield [self.ids[n] for n in places], [self.truths[n] for n in places], self.batch(places)


@torch.no_grad()
def encode(model: FusionModel, items: Items, ids: Sequence[str], dtype: torch.dtype) -> SplitFeatures:
    """What the encoders of ``model`` see of these items, kept in ``dtype`` on the CPU.

    Raises SampleError when a sample is broken, UsageError when items differ in size.
    """
    model.eval()
    device = next(model.parameters()).device
    parts: list[dict[str, Feature]] = []
    present: list[dict[str, Tensor]] = []
    targets, truths, sizes = [], [], set()
    for begin in range(0, len(ids), _ENCODED_AT_ONCE):
        group = [items.load(sample_id) for sample_id in ids[begin : begin + _ENCODED_AT_ONCE]]
        batch = collate(group, items.modalities, items.task).to(device)
        found = model.features(batch.inputs, batch.present)
        parts.append({m: Feature(f.x.to("cpu", dtype), f.pad.cpu(), f.grid) for m, f in found.items()})
        present.append({m: p.cpu() for m, p in batch.present.items()})
        sizes.add(model.picture_size(batch.inputs))
        targets += [item.target for item in group]
        truths += [item.truth for item in group]
    together = {m: _together([part[m] for part in parts], m) for m in parts[0]}
    there = {m: torch.cat([p[m] for p in present]) for m in present[0]}
    return SplitFeatures(tuple(ids), together, there, tuple(targets), tuple(truths), items.task, sizes.pop())


def _together(parts: Sequence[Feature], modality: str) -> Feature:
    layouts = {(part.x.shape[1], part.grid) for part in parts}
    if len(layouts) > 1:
        raise UsageError(
            f"The samples differ in the size of {modality!r}, so that features cannot be kept; give --size."
        )
    return Feature(torch.cat([p.x for p in parts]), torch.cat([p.pad for p in parts]), parts[0].grid)

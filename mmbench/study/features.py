"""Features of a split, encoded once: a frozen track trains fusions on them in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from mmbench.core.errors import UsageError
from mmbench.fusion.base import Decision
from mmbench.fusion.feature import Feature
from mmbench.models.assembled import FusionModel
from mmbench.models.batches import hidden
from mmbench.models.data import Items, collate
from mmbench.models.randomness import batch_at, generator
from mmbench.models.recipe import Recipe
from mmbench.study.shuffling import shuffled_within

_ENCODED_AT_ONCE = 32


class FeatureBatch(NamedTuple):
    """``features[m]`` x float32 [B,L,d], ``present[m]`` bool [B], ``target`` as the task collates it."""

    features: dict[str, Feature]
    present: dict[str, Tensor]
    target: Tensor

    def to(self, device: torch.device) -> FeatureBatch:
        """The batch on a device."""
        features = {m: Feature(f.x.to(device), f.pad.to(device), f.grid) for m, f in self.features.items()}
        return FeatureBatch(features, {m: p.to(device) for m, p in self.present.items()}, self.target.to(device))


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One split of n samples: ``features[m]`` x [n,L,d] (fp16 on a grid of places, else fp32), ``present[m]`` bool [n].

    ``targets`` [n, ...] as the task makes them.
    """

    ids: tuple[str, ...]
    features: Mapping[str, Feature]
    present: Mapping[str, Tensor]
    targets: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, modalities: tuple[str, ...], recipe: Recipe, start: int) -> Iterator[FeatureBatch]:
        """The batches of the steps from ``start`` on: order and hidden modalities by seed and step alone."""
        for step in range(start, recipe.steps):
            batch = self._at(batch_at(step, recipe.batch_size, len(self), recipe.seed), modalities)
            draws = generator(recipe.seed, "dropout", step)
            yield batch._replace(present=hidden(batch.present, recipe.modality_dropout, draws))

    def in_order(self, modalities: tuple[str, ...], size: int) -> Iterator[tuple[tuple[str, ...], FeatureBatch]]:
        """All samples, in batches of at most ``size``, with their ids."""
        for start in range(0, len(self), size):
            end = min(start + size, len(self))
            yield self.ids[start:end], self._at(range(start, end), modalities)

    def decide(self, model: FusionModel, batch: FeatureBatch) -> Decision:
        """From the features on."""
        return model.decide(batch.features, batch.present)

    def _at(self, index: Sequence[int], modalities: tuple[str, ...]) -> FeatureBatch:
        at = torch.as_tensor(index, dtype=torch.int64)
        features = {
            m: Feature(self.features[m].x[at].float(), self.features[m].pad[at], self.features[m].grid)
            for m in modalities
        }
        return FeatureBatch(features, {m: self.present[m][at] for m in modalities}, self.targets[at])

    def select(self, index: Sequence[int]) -> Features:
        """The samples at these places, as a split."""
        at = torch.as_tensor(index, dtype=torch.int64)
        return Features(
            tuple(self.ids[i] for i in index),
            {m: Feature(f.x[at], f.pad[at], f.grid) for m, f in self.features.items()},
            {m: p[at] for m, p in self.present.items()},
            self.targets[at],
        )

    def shuffled(self, modalities: tuple[str, ...], seed: int) -> Features:
        """All modalities but the first permuted within each label, by sample or, where targets are maps, by place."""
        first, *others = modalities
        made = {first: self.features[first]}
        present = dict(self.present)
        for m in others:
            name = f"study shuffle {seed} {m}"
            made[m], present[m] = _permuted(self.features[m], self.present[m], self.targets, name)
        return replace(self, features=made, present=present)


def encode(model: FusionModel, items: Items, ids: Sequence[str], device: torch.device) -> Features:
    """What the model's encoders make of a split; raises UsageError when samples have features of unequal layout."""
    model.eval()
    parts: dict[str, list[Feature]] = {m: [] for m in model.modalities}
    present: dict[str, list[Tensor]] = {m: [] for m in model.modalities}
    targets: list[Tensor] = []
    half = model.kind.on_grid
    with torch.no_grad():
        for start in range(0, len(ids), _ENCODED_AT_ONCE):
            group = [items.load(i) for i in ids[start : start + _ENCODED_AT_ONCE]]
            batch = collate(group, items.modalities, items.task).to(device)
            for m, feature in model.features(batch.inputs, batch.present).items():
                x = feature.x.cpu()
                parts[m].append(Feature(x.half() if half else x, feature.pad.cpu(), feature.grid))
                present[m].append(batch.present[m].cpu())
            targets += [item.target for item in group]
    return Features(
        tuple(ids),
        {m: _joined(m, features) for m, features in parts.items()},
        {m: torch.cat(flags) for m, flags in present.items()},
        items.task.collate(targets),
    )


def _joined(modality: str, features: Sequence[Feature]) -> Feature:
    layouts = {(feature.x.shape[1:], feature.grid) for feature in features}
    if len(layouts) > 1:
        raise UsageError(
            f"The frozen track needs samples of one size, and those of {modality!r} differ; set --size HEIGHTxWIDTH, "
            "or use --track finetune."
        )
    return Feature(torch.cat([f.x for f in features]), torch.cat([f.pad for f in features]), features[0].grid)


def _permuted(feature: Feature, present: Tensor, targets: Tensor, name: str) -> tuple[Feature, Tensor]:
    """By sample where each has one label; else each place of a sample takes that of another with the same label."""
    if targets.ndim == 1:
        at = torch.from_numpy(shuffled_within(targets.numpy(), name))
        return Feature(feature.x[at], feature.pad[at], feature.grid), present[at]
    labels = _coarse(targets, feature.grid)
    at = torch.from_numpy(shuffled_within(labels.flatten().numpy(), name))
    length, width = feature.x.shape[1:]
    x = feature.x.reshape(-1, width)[at].reshape(-1, length, width)
    return Feature(x, feature.pad.flatten()[at].reshape(-1, length), feature.grid), present


def _coarse(targets: Tensor, grid: tuple[int, ...] | None) -> Tensor:
    """Labels [n,H,W] -> [n,h,w]: the nearest pixel to the middle of each place of the grid."""
    if grid is None or len(grid) != 2:
        raise UsageError("concat_shuffled needs features on the grid of the label map; leave this suite out.")
    shape = (int(grid[0]), int(grid[1]))
    return torch.nn.functional.interpolate(targets[:, None].float(), size=shape, mode="nearest-exact")[:, 0].long()

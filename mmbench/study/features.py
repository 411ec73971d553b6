"""What a study does with the features of a split: takes some of the inputs or samples, or takes the pairing away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mmbench.core.errors import UsageError
from mmbench.fusion.feature import Feature
from mmbench.models.features import SplitFeatures
from mmbench.study.shuffling import shuffled_within


def only(split: SplitFeatures, modalities: Sequence[str]) -> SplitFeatures:
    """Some of the inputs."""
    return replace(
        split,
        features={m: split.features[m] for m in modalities},
        present={m: split.present[m] for m in modalities},
    )


def select(split: SplitFeatures, ids: Sequence[str]) -> SplitFeatures:
    """Some of the samples, in this order."""
    place = {sample_id: n for n, sample_id in enumerate(split.ids)}
    index = [place[sample_id] for sample_id in ids]
    at = torch.tensor(index)
    return replace(
        split,
        ids=tuple(ids),
        features={m: Feature(f.x[at], f.pad[at], f.grid) for m, f in split.features.items()},
        present={m: p[at] for m, p in split.present.items()},
        targets=tuple(split.targets[n] for n in index),
        truths=tuple(split.truths[n] for n in index),
    )


def shuffled(split: SplitFeatures, seed: int) -> SplitFeatures:
    """All modalities but the first permuted within each label, by sample or, where targets are maps, by place.

    Raises UsageError where features are not places of the map.
    """
    targets = torch.stack(split.targets)
    features, present = dict(split.features), dict(split.present)
    for m in list(features)[1:]:
        features[m], present[m] = _permuted(features[m], present[m], targets, f"study shuffle {seed} {m}")
    return replace(split, features=features, present=present)


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
        raise UsageError("concat_shuffled needs features on the grid of the label map, which these inputs have not.")
    shape = (int(grid[0]), int(grid[1]))
    return torch.nn.functional.interpolate(targets[:, None].float(), size=shape, mode="nearest-exact")[:, 0].long()

"""Every operator equals its equation in plain loops: on vectors, maps and padded sequences, whoever is absent."""

from __future__ import annotations

import attention_equations  # noqa: F401  registers its equations
import numpy as np
import torch
from cases import Case
from equations import EQUATIONS, Item
from torch import Tensor

from mmbench.core import registry
from mmbench.fusion.feature import Feature

# Lengths and grids of the modalities in turn: vectors, maps, sequences, a map beside sequences, a map beside a vector.
Layouts = tuple[tuple[int, tuple[int, ...] | None], ...]
ALIGNED: dict[str, Layouts] = {
    "vectors": ((1, None), (1, None), (1, None)),
    "maps": ((6, (2, 3)), (6, (2, 3)), (6, (2, 3))),
    "sequences": ((4, None), (4, None), (4, None)),
    "spread": ((6, (3, 2)), (1, None), (6, (3, 2))),
}
UNEQUAL: dict[str, Layouts] = {
    "unequal": ((3, None), (6, (2, 3)), (5, (5,))),
    "map first": ((4, (2, 2)), (3, None), (1, None)),
}


def test_every_operator_has_an_equation() -> None:
    assert set(registry.fusion.entries()) <= EQUATIONS.keys()


def test_equals_the_equation(case: Case, model: torch.nn.Module) -> None:
    """Each item has its own pattern of absence and padding; what must not be read is NaN."""
    for layouts in (ALIGNED | UNEQUAL if model.operator.layout == "tokens" else ALIGNED).values():
        _compare(case, model.double(), layouts)


def _compare(case: Case, model: torch.nn.Module, layouts: Layouts) -> None:
    features, present = _inputs(model.operator.modalities, layouts)
    answer = model(features, present)
    weights = {n.removeprefix("operator."): p.detach().numpy() for n, p in model.named_parameters()}
    for b, (y, pad) in enumerate(zip(answer.x.detach().numpy(), answer.pad.numpy(), strict=True)):
        item = Item(
            weights,
            {m: f.x[b].numpy() for m, f in features.items()},
            {m: ~f.pad[b].numpy() for m, f in features.items()},
            {m: bool(p[b]) for m, p in present.items()},
            {m: f.grid for m, f in features.items()},
            case[1],
        )
        expected = EQUATIONS[case[0]](item)
        assert [v is None for v in expected] == pad.tolist()
        for token, v in enumerate(expected):
            if v is not None:
                np.testing.assert_allclose(y[token], v, rtol=1e-5, atol=1e-5)


def _inputs(modalities: tuple[str, ...], layouts: Layouts) -> tuple[dict[str, Feature], dict[str, Tensor]]:
    """Items 0 and 1 have everything (1 with padding), the others lack one modality in turn, the last has none."""
    draws, features, present = torch.Generator().manual_seed(1), {}, {}
    batch = len(modalities) + 3
    for n, (m, (length, grid)) in enumerate(zip(modalities, layouts, strict=False)):
        x = torch.randn(batch, length, 5, generator=draws, dtype=torch.float64)
        pad = torch.zeros(batch, length, dtype=torch.bool)
        if grid is None or len(grid) == 1:
            pad[1, length - n // 2 - 1 :] = length > 1
            pad[2, 1:] = True
        has = torch.arange(batch) != n + 2
        has[-1] = False
        nothing = pad[..., None] | ~has[:, None, None]
        features[m], present[m] = Feature(x.masked_fill(nothing, float("nan")), pad, grid), has
    return features, present

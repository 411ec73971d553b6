"""Laws of every registered fusion, for one, two and three modalities; a new operator is tested by being there."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmbench.fusion.base import Fusion, build_fusion
from mmbench.fusion.feature import Feature

Features = dict[str, Feature]
Present = dict[str, Tensor]


def test_what_is_trained_is_what_is_saved(operator: Fusion) -> None:
    """Parameters = state dict = what an optimiser is given; nothing hides in a plain list."""
    named = dict(operator.named_parameters())
    assert named.keys() == operator.state_dict().keys()
    if named:
        optimiser = torch.optim.SGD(operator.parameters(), lr=1)
        assert {id(p) for group in optimiser.param_groups for p in group["params"]} == {id(p) for p in named.values()}
    assert all(p.requires_grad for p in named.values())
    hidden = [t for t in _tensors(operator) if id(t) not in {id(p) for p in named.values()}]
    assert not hidden


def _tensors(module: nn.Module) -> list[Tensor]:
    """Tensors in plain attributes, lists, tuples and mappings of a module: where weights hide from the optimiser."""
    found: list[Tensor] = []
    for part in module.modules():
        plain = [v for n, v in vars(part).items() if n not in ("_parameters", "_modules", "_buffers")]
        while plain:
            value = plain.pop()
            if isinstance(value, Tensor | nn.Module):
                found += [value] if isinstance(value, Tensor) else list(value.parameters())
            elif isinstance(value, list | tuple | set):
                plain += value
            elif isinstance(value, dict):
                plain += value.values()
    return found


@pytest.mark.parametrize("start", ["fresh", "model"])
def test_every_weight_gets_a_gradient(
    request: pytest.FixtureRequest, start: str, features: Features, mixed: Present
) -> None:
    """One step on items with and without each modality moves every parameter, before any training too.

    And every input: no modality is left out.
    """
    model = request.getfixturevalue(start)
    given = {m: f._replace(x=f.x.clone().requires_grad_()) for m, f in features.items()}
    fused = model(given, mixed)
    (fused.x * torch.randn(fused.x.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    weights = {**dict(model.named_parameters()), **{m: f.x for m, f in given.items()}}
    assert not [n for n, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize("content", [float("nan"), float("inf"), 1e30])
def test_what_is_absent_is_not_read(model: nn.Module, features: Features, mixed: Present, content: float) -> None:
    """The content of an absent modality, NaN included, changes neither the output nor any gradient."""
    outcomes = []
    for filling in (0.0, content):
        given = {m: f._replace(x=torch.where(mixed[m][:, None, None], f.x, filling)) for m, f in features.items()}
        model.zero_grad()
        leaves = {m: f._replace(x=f.x.requires_grad_()) for m, f in given.items()}
        fused = model(leaves, mixed)
        fused.x.square().sum().backward()
        outcomes.append([fused.x.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)])
    assert all(torch.equal(clean, filled) for clean, filled in zip(*outcomes, strict=True))


def test_padding_is_not_read(model: nn.Module, features: Features, everyone: Present) -> None:
    """The content of a padded token, NaN included, does not change the output."""
    pad = next(iter(features.values())).pad.clone()
    pad[:, -2:] = True
    clean, dirty = (
        model({m: Feature(f.x.masked_fill(pad[..., None], c), pad, f.grid) for m, f in features.items()}, everyone)
        for c in (0.0, float("nan"))
    )
    assert torch.equal(clean.x, dirty.x)


def test_layout_is_kept(model: nn.Module, features: Features, mixed: Present, everyone: Present) -> None:
    """Dense features stay dense: same tokens, width and grid; finite whoever is absent."""
    fused, first = model(features, everyone), next(iter(features.values()))
    assert (fused.x.shape, fused.grid, bool(fused.pad.any())) == (first.x.shape, first.grid, False)
    assert torch.isfinite(model(features, mixed).x).all()


def test_one_token_is_spread_over_the_others(model: nn.Module, features: Features, everyone: Present) -> None:
    """A single token (a sentence, a class) beside a grid acts at every place of it, where features are aligned."""
    *others, last = features
    single = features[last]._replace(x=features[last].x[:, :1], pad=features[last].pad[:, :1], grid=None)
    tiled = features[last]._replace(x=single.x.expand(features[last].x.shape))
    if not others or model.operator.layout == "tokens":
        pytest.skip("nothing to be spread over, or a sequence as any other: test_equations has it")
    spread = model({**features, last: single}, everyone).x
    torch.testing.assert_close(spread, model({**features, last: tiled}, everyone).x)


def test_additive_flag_is_true(model: nn.Module, features: Features, everyone: Present) -> None:
    """``additive`` says whether the EMAP projection (Hessel and Lee, EMNLP 2020) leaves the operator as it is.

    With one modality every function is a sum of terms of one modality.
    """
    same = torch.allclose(_emap(model, features), model(features, everyone).x, atol=1e-4)
    assert same == (model.operator.additive or len(features) == 1)


def _emap(model: nn.Module, features: Features) -> Tensor:
    """sum_m mean_j f(x_m of i, the others of j) - (M - 1) mean f; f itself when each term is of one modality."""
    count, batch = len(features), len(next(iter(features.values())).x)
    picks = torch.cartesian_prod(*[torch.arange(batch)] * count).reshape(-1, count)
    given = {m: Feature(f.x[picks[:, n]], f.pad[picks[:, n]], f.grid) for n, (m, f) in enumerate(features.items())}
    every = model(given, {m: torch.ones(len(picks), dtype=torch.bool) for m in features}).x
    held = [torch.stack([every[picks[:, n] == i].mean(dim=0) for i in range(batch)]) for n in range(count)]
    return torch.stack(held).sum(dim=0) - (count - 1) * every.mean(dim=0)


def test_items_do_not_see_each_other(model: nn.Module, features: Features, mixed: Present) -> None:
    """The fused tokens of an item do not depend on the rest of the batch."""
    together = model(features, mixed).x
    for i in range(len(together)):
        one = {m: Feature(f.x[i : i + 1], f.pad[i : i + 1], f.grid) for m, f in features.items()}
        alone = model(one, {m: p[i : i + 1] for m, p in mixed.items()}).x
        torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=1e-5)


def test_finite_under_autocast(model: nn.Module, features: Features, mixed: Present) -> None:
    """bfloat16 autocast gives finite output and gradients, near the float32 output."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fused = model(features, mixed)
    if fused.x.requires_grad:
        fused.x.float().sum().backward()
    exact = model(features, mixed).x.detach()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    torch.testing.assert_close(fused.x.detach().float(), exact, atol=0.05 * float(exact.abs().max()), rtol=0)


def test_exports(model: nn.Module, features: Features, mixed: Present, everyone: Present) -> None:
    """torch.export traces the operator; the masks are read by the program, not baked into it."""
    program = torch.export.export(model, (features, mixed)).module()
    for present in (mixed, everyone):
        torch.testing.assert_close(program(features, present).x, model(features, present).x)


def test_same_start_for_the_same_seed(case: tuple[str, dict[str, Any], int], modalities: tuple[str, ...]) -> None:
    """An operator draws its initial weights from torch's generator alone."""
    starts = []
    for _ in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            starts.append(build_fusion(case[0], modalities, 5, case[1]).state_dict())
    assert all(torch.equal(starts[0][n], starts[1][n]) for n in starts[0])

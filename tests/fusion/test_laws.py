"""Laws of every registered fusion, for one, two and three modalities; a new operator is tested by being there."""

from __future__ import annotations

import copy

import pytest
import torch
from cases import Case, cases, label, names
from torch import Tensor, nn

from mmbench.core import registry
from mmbench.fusion.base import Fusion, build_fusion, fusion_level
from mmbench.fusion.feature import Feature

Features = dict[str, Feature]
Present = dict[str, Tensor]
# Operators with their defaults on two modalities, for laws whose tests take long.
SIMPLE = [(name, {}, 2) for name in names()]
SPREADING = [
    case for case in cases() if case[2] > 1 and build_fusion(case[0], ("a", "b"), 5, case[1]).layout == "aligned"
]


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


@pytest.mark.parametrize("case", SPREADING, ids=label, indirect=True)
def test_one_token_is_spread_over_the_others(model: nn.Module, features: Features, everyone: Present) -> None:
    """A single token (a sentence, a class) beside a grid acts at every place of it, where features are aligned."""
    *_, last = features
    single = features[last]._replace(x=features[last].x[:, :1], pad=features[last].pad[:, :1], grid=None)
    tiled = features[last]._replace(x=single.x.expand(features[last].x.shape))
    spread = model({**features, last: single}, everyone).x
    torch.testing.assert_close(spread, model({**features, last: tiled}, everyone).x)


def test_additive_flag_is_true(model: nn.Module, features: Features, everyone: Present) -> None:
    """``additive`` says whether the EMAP projection (Hessel and Lee, EMNLP 2020) leaves the operator as it is.

    With one modality every function is a sum of terms of one modality.
    """
    given = {m: f._replace(x=f.x.double()) for m, f in features.items()}
    every = model.double()(given, everyone).x.detach()
    same = torch.allclose(_emap(model, given), every, atol=1e-9 * float(every.abs().max()), rtol=0)
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


@pytest.mark.parametrize("case", SIMPLE, ids=label, indirect=True)
def test_exports(model: nn.Module, features: Features, mixed: Present, everyone: Present) -> None:
    """torch.export traces the operator; the masks are read by the program, not baked into it."""
    program = torch.export.export(model, (features, mixed)).module()
    for present in (mixed, everyone):
        torch.testing.assert_close(program(features, present).x, model(features, present).x)


def test_order_of_the_modalities(model: nn.Module, features: Features, mixed: Present) -> None:
    """With the weights of each modality moved along, order changes nothing, but which is first in anchored ones."""
    first, *others = model.operator.modalities
    turned = (*others, first)
    if len(turned) > 1:
        moved = _in_order(model, turned)(features, mixed)
        same = torch.allclose(moved.x, model(features, mixed).x, rtol=1e-4, atol=1e-4)
        assert same == (not model.operator.anchored)
    if len(turned) > 2 and model.operator.anchored:
        behind = _in_order(model, (first, *reversed(others)))(features, mixed)
        torch.testing.assert_close(behind.x, model(features, mixed).x, rtol=1e-4, atol=1e-4)


def _in_order(model: nn.Module, order: tuple[str, ...]) -> nn.Module:
    """The same model built on another order. Weights go by the modality's name, in a concatenation by column."""
    other = copy.deepcopy(model)
    wrapped = [part for part in other.modules() if isinstance(part, Fusion)]
    before = model.operator.modalities
    for part in wrapped:
        part.modalities = order
    for name, weight in other.named_parameters():
        if name.endswith(("expand.weight", "conv.weight", "encoder.weight")) and weight.shape[1] >= 5 * len(order):
            blocks = dict(zip(before, weight.data.chunk(len(order), dim=1), strict=True))
            weight.data = torch.cat([blocks[m] for m in order], dim=1)
    return other


def test_length_of_the_padding_is_not_read(model: nn.Module, modalities: tuple[str, ...], mixed: Present) -> None:
    """A batch padded to a greater length has the same tokens, and more padding, in items that have anything."""
    draws, anyone = torch.Generator().manual_seed(2), torch.stack(list(mixed.values())).any(dim=0)
    short, long = {}, {}
    for m in modalities:
        x, pad = torch.randn(4, 3, 5, generator=draws), torch.tensor([False, False, True]).expand(4, 3)
        short[m] = Feature(x, pad)
        long[m] = Feature(
            nn.functional.pad(x, (0, 0, 0, 2), value=float("nan")), nn.functional.pad(pad, (0, 2), value=True)
        )
    expected, found = model(short, mixed), model(long, mixed)
    assert torch.equal(found.pad[anyone, :3], expected.pad[anyone])
    assert found.pad[anyone, 3:].all()
    real = ~expected.pad & anyone[:, None]
    torch.testing.assert_close(found.x[:, :3][real], expected.x[real], rtol=1e-4, atol=1e-4)


def test_same_answer_twice(model: nn.Module, features: Features, mixed: Present) -> None:
    """Nothing is drawn after training, and nothing is kept from the last batch."""
    first = model(features, mixed).x
    model({m: f._replace(x=f.x + 1) for m, f in features.items()}, mixed)
    assert torch.equal(model(features, mixed).x, first)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dtype_is_kept(model: nn.Module, features: Features, mixed: Present, dtype: torch.dtype) -> None:
    """Weights and features of one type give an answer of that type."""
    fused = model.to(dtype)({m: f._replace(x=f.x.to(dtype)) for m, f in features.items()}, mixed)
    assert fused.x.dtype == dtype
    assert torch.isfinite(fused.x).all()


@pytest.mark.gpu
@pytest.mark.parametrize("case", SIMPLE, ids=label, indirect=True)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_device_is_kept(model: nn.Module, features: Features, mixed: Present) -> None:
    """The same answer on a GPU, from weights and features there."""
    there = {m: Feature(f.x.cuda(), f.pad.cuda(), f.grid) for m, f in features.items()}
    expected = model(features, mixed)
    fused = model.cuda()(there, {m: p.cuda() for m, p in mixed.items()})
    assert fused.x.is_cuda
    torch.testing.assert_close(fused.x.cpu(), expected.x, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", sorted(registry.fusion.entries()))
def test_listed_as_it_is(name: str) -> None:
    """What the decorator says for lists that are read without torch is what the class says."""
    listed = registry.fusion.entry(name).options
    built = build_fusion(name, ("rgb", "depth"), 5, {})
    assert (listed.get("level", "features"), listed.get("additive", False)) == (built.level, built.additive)
    assert fusion_level(name, {}) == built.level


def test_same_start_for_the_same_seed(case: Case, modalities: tuple[str, ...]) -> None:
    """An operator draws its initial weights from torch's generator alone."""
    starts = []
    for _ in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            starts.append(build_fusion(case[0], modalities, 5, case[1]).state_dict())
    assert all(torch.equal(starts[0][n], starts[1][n]) for n in starts[0])

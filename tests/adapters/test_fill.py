"""All weights, or a sentence that lists what does not fit."""

from __future__ import annotations

import pytest
import torch

from mmbench.adapters.fill import fill
from mmbench.core.errors import LoadError


def net() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4), torch.nn.Conv2d(4, 2, 1))


def test_all_weights_arrive() -> None:
    source, target = net(), net()
    fill(target, dict(source.state_dict()), "my.ckpt", "Net")
    assert all(torch.equal(v, target.state_dict()[n]) for n, v in source.state_dict().items())


def test_a_common_prefix_is_dropped_only_when_all_names_then_fit() -> None:
    source, target = net(), net()
    state = {f"model.{n}": v for n, v in source.state_dict().items()}
    fill(target, state, "my.ckpt", "Net")
    assert torch.equal(target[0].weight, source[0].weight)
    with pytest.raises(LoadError, match=r"8 missing .*; 8 unexpected \(model\.0\.bias"):
        fill(target, {n: v for n, v in state.items() if n != "model.0.weight"}, "my.ckpt", "Net")


def test_old_batch_norm_without_a_counter_loads() -> None:
    fill(net(), {n: v for n, v in net().state_dict().items() if "num_batches" not in n}, "my.ckpt", "Net")


def test_what_does_not_fit_is_counted_and_the_first_are_listed() -> None:
    state = dict(net().state_dict())
    for name in ("0.bias", "1.weight", "1.bias", "1.running_mean"):
        del state[name]
    state |= {"extra": torch.ones(1), "2.weight": torch.ones(5, 4, 1, 1)}
    before = net()
    kept = {n: v.clone() for n, v in before.state_dict().items()}
    with pytest.raises(LoadError) as caught:
        fill(before, state, "my.ckpt", "Net")
    assert str(caught.value) == (
        "The weights in my.ckpt do not fit Net, which has 9: 4 missing (0.bias, 1.weight, 1.bias, ...); "
        "1 unexpected (extra); 1 of another shape (2.weight [5, 4, 1, 1] instead of [2, 4, 1, 1]); "
        "check --arch, --arch-kwargs and --key."
    )
    assert all(torch.equal(v, before.state_dict()[n]) for n, v in kept.items())


def test_with_partial_what_fits_is_loaded_and_the_rest_is_told() -> None:
    """Law: a partial load is never silent, and none at all is still refused."""
    source, target = net(), net()
    state = {f"model.{n}": v for n, v in source.state_dict().items() if n != "1.weight"}
    state |= {"criterion.weight": torch.ones(2), "model.2.weight": torch.ones(5, 4, 1, 1)}
    kept = target[2].weight.clone()
    fit = fill(target, state, "my.ckpt", "Net", partial=True)
    assert torch.equal(target[0].weight, source[0].weight)
    assert torch.equal(target[2].weight, kept)
    assert fit.as_dict() == {
        "missing": ["1.weight"],
        "unexpected": ["criterion.weight"],
        "misshaped": ["2.weight [5, 4, 1, 1] instead of [2, 4, 1, 1]"],
    }
    with pytest.raises(LoadError, match=r"None of the 1 weights in my\.ckpt fits Net"):
        fill(net(), {"other": torch.ones(1)}, "my.ckpt", "Net", partial=True)

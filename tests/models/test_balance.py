"""OGM-GE and Gradient Blending against their equations, and in a training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mmbench.core.errors import UsageError
from mmbench.models.balance import Losses, OnTheFlyModulation, blend_weights, coefficient, discrepancies
from mmbench.models.batches import batch_of
from mmbench.models.building import built, config_of
from mmbench.models.data import Items
from mmbench.models.loop import Progress
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.stages import with_targets
from mmbench.models.training import train

RECIPE = Recipe(steps=10, batch_size=8, rate=1e-2, validations=2, class_weight_power=0.0)
CPU = torch.device("cpu")


def silent(_: Progress) -> None:
    """Tells nobody."""


def plan_for(output: Path, **changes: Any) -> Plan:
    return replace(Plan("late", RECIPE, RECIPE, output, CPU, width=4, stride=8), **changes)


def test_the_coefficient_is_that_of_the_paper() -> None:
    """1 - tanh(alpha rho) for the modality that is ahead, 1 for the other; of three, against the mean of the others."""
    rho = discrepancies({"a": 6.0, "b": 3.0})
    assert rho == {"a": 2.0, "b": 0.5}
    assert coefficient(rho["a"], 0.3) == pytest.approx(1 - math.tanh(0.6))
    assert coefficient(rho["b"], 0.3) == 1.0
    assert discrepancies({"a": 6.0, "b": 3.0, "c": 1.0}) == {"a": 3.0, "b": 3 / 3.5, "c": 1 / 4.5}
    assert discrepancies({"a": 1.0, "b": 0.0}) == {"a": 1.0, "b": 0.0}


def test_scores_and_gradients_of_a_sum_of_logits(talking: Splits, tmp_path: Path) -> None:
    """For a late sum the score of a modality is that of its own logits; its gradients shrink, the head's stay."""
    data = with_targets(talking, talking.train.modalities, None)
    model = built(config_of(plan_for(tmp_path / "x"), data), 0, "model", CPU)
    batch = batch_of(data.train, talking.train.ids, RECIPE, 0)
    modulation = OnTheFlyModulation(model, seed=0)
    scores = modulation.scores(batch)
    model.eval()
    features = model.features(batch.inputs, batch.present)
    for m in model.modalities:
        own = model.heads[m](model.bridges[m](features[m])).x[:, 0].detach()
        logits = model.fusion.weight[m].detach() * own * 2  # renormalised: one modality of two is there
        expected = logits.softmax(dim=1).gather(1, batch.target[:, None]).sum()
        assert scores[m] == pytest.approx(float(expected), rel=1e-4)
    model.train()
    torch.nn.functional.cross_entropy(model.outputs(batch.inputs, batch.present), batch.target).backward()
    before = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    modulation(batch, step=3)
    ahead = max(scores, key=scores.__getitem__)
    factor = coefficient(discrepancies(scores)[ahead], 0.3)
    assert factor < 1
    for n, p in model.named_parameters():
        if n.startswith(("heads", "fusion")):
            assert torch.equal(p.grad, before[n])  # type: ignore[arg-type]
        elif p.ndim < 2:
            shrunk = factor if f".{ahead}." in n else 1.0
            torch.testing.assert_close(p.grad, shrunk * before[n])


def test_blending_weighs_what_generalises() -> None:
    """w_k ~ G_k / O_k^2 with mean 1; a head whose validation loss rises gets nothing."""
    measured = {
        "a": Losses(train=(2.0, 1.0), validation=(2.0, 1.5)),  # G .5, O .5
        "b": Losses(train=(2.0, 0.5), validation=(2.0, 1.5)),  # G .5, O 1
        "c": Losses(train=(2.0, 0.0), validation=(2.0, 2.5)),
    }
    assert blend_weights(measured) == pytest.approx({"a": 3 * 2 / 2.5, "b": 3 * 0.5 / 2.5, "c": 0.0})
    assert blend_weights({"c": measured["c"]}) == {"c": 1.0}


@pytest.mark.parametrize(("method", "fusion"), [("ogm-ge", "concat"), ("gradblend", "hybrid")])
def test_a_balanced_training_is_deterministic_and_another(
    talking: Splits, tmp_path: Path, method: Any, fusion: str
) -> None:
    """The same seed gives the same bytes, and other weights than without; the record says what was done."""
    recipe = RECIPE.model_copy(update={"balance": method})
    plan = plan_for(tmp_path / "a.ckpt", fusion=fusion, recipe=recipe)
    first = train(talking, plan, silent)
    train(talking, replace(plan, output=tmp_path / "b.ckpt"), silent)
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()
    plain = train(talking, plan_for(tmp_path / "c.ckpt", fusion=fusion), silent)
    assert plain.digest != first.digest
    record = first.metadata["training"]
    assert record["balance"] == method
    assert ("expert_weights" in record) == (method == "gradblend")


@pytest.mark.parametrize(
    ("method", "fusion", "sentence"),
    [
        ("gradblend", "concat", "--balance gradblend needs a head of each modality .* use --fusion hybrid"),
        ("ogm-ge", "only:rgb", "--balance ogm-ge is for classification with a fusion; leave it out"),
    ],
)
def test_where_it_does_not_apply(talking: Splits, tmp_path: Path, method: Any, fusion: str, sentence: str) -> None:
    recipe = RECIPE.model_copy(update={"balance": method})
    with pytest.raises(UsageError, match=sentence):
        train(talking, plan_for(tmp_path / "a.ckpt", fusion=fusion, recipe=recipe), silent)


def test_only_classification_is_balanced(splits: Splits, tmp_path: Path, items_of: Callable[..., Items]) -> None:
    recipe = RECIPE.model_copy(update={"balance": "ogm-ge"})
    with pytest.raises(UsageError, match="is for classification with a fusion"):
        train(splits, plan_for(tmp_path / "a.ckpt", recipe=recipe), silent)

"""Fusions on cached features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mmbench.core.errors import Interrupted, UsageError
from mmbench.models.assembled import load_model
from mmbench.models.checkpoint import save_checkpoint
from mmbench.models.features import answers
from mmbench.models.fitting import Features, cached_features, fit_fusion
from mmbench.models.loop import Progress
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.training import train

RECIPE = Recipe(steps=12, batch_size=4, rate=1e-2, validations=4, modality_dropout=0.2)


def silent(_: Progress) -> None:
    """Tells nobody."""


def plan_for(output: Path, **changes: Any) -> Plan:
    plan = Plan("concat", RECIPE, RECIPE, output, torch.device("cpu"), width=4, encoders="frozen")
    return replace(plan, **changes)


@pytest.fixture
def features(signed: Splits, tmp_path: Path, cache: Path) -> Features:
    return cached_features(signed, plan_for(tmp_path / "my.ckpt"), silent, dtype=torch.float32)


@pytest.mark.parametrize("fusion", ["concat", "late", "hybrid", "product_of_experts", "only:depth"])
def test_equals_a_training_without_a_cache(signed: Splits, features: Features, tmp_path: Path, fusion: str) -> None:
    """In float32 the same weights, as near as encoding in other batches comes; and the same score and record."""
    whole = train(signed, plan_for(tmp_path / "whole.ckpt", fusion=fusion), silent)
    quick = fit_fusion(features, fusion, RECIPE, silent)
    state = quick.model.state_dict()
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=1e-3, atol=1e-4)
    assert quick.metadata["config"] == whole.metadata["config"]
    assert quick.metadata["training"]["best_after"] == whole.metadata["training"]["best_after"]


def test_half_precision_is_near(signed: Splits, features: Features, tmp_path: Path) -> None:
    """float16 halves what is kept and moves the weights by little."""
    half = cached_features(signed, plan_for(tmp_path / "my.ckpt"), silent)
    assert {f.x.dtype for f in half.train.features.values()} == {torch.float16}
    first, second = (fit_fusion(f, "concat", RECIPE, silent).model.state_dict() for f in (features, half))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=0.05, atol=0.01)


def test_a_checkpoint_of_it_is_self_contained(signed: Splits, features: Features, tmp_path: Path) -> None:
    """Saved and loaded, it predicts from inputs what it predicted from their features."""
    trained = fit_fusion(features, "concat", RECIPE, silent)
    save_checkpoint(tmp_path / "my.ckpt", trained.model, trained.metadata)
    model, _ = load_model(tmp_path / "my.ckpt")
    found = answers(trained.model, features.of(signed.val))
    for sample_id, prediction in zip(signed.val.ids, found, strict=True):
        inputs = signed.val.load(sample_id).inputs
        rgb = torch.from_numpy(inputs["rgb"]).permute(2, 0, 1)[None] / 255
        labels = model(rgb=rgb, depth=torch.from_numpy(inputs["depth"])[None, None]).argmax(dim=1)[0]
        assert prediction.sample_id == sample_id
        assert (labels.numpy() == prediction.labels).mean() > 0.999  # type: ignore[union-attr]


def test_stopped_and_resumed_it_ends_the_same(features: Features, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 7:
            raise KeyboardInterrupt

    state = tmp_path / "state"
    with pytest.raises(Interrupted):
        fit_fusion(features, "gmu", RECIPE, stop, state_file=state)
    assert state.exists()
    resumed = fit_fusion(features, "gmu", RECIPE, silent, state_file=state)
    assert resumed.digest == fit_fusion(features, "gmu", RECIPE, silent).digest
    assert not state.exists()


def test_an_operator_of_one_modality(features: Features) -> None:
    """A control as wide as wanted: a fusion of a single modality."""
    one = fit_fusion(features, "concat", RECIPE, silent, options={"hidden": 64}, modalities=("rgb",))
    assert one.model.modalities == ("rgb",)


@pytest.mark.parametrize(
    ("fusion", "sentence"),
    [
        ("early", "'early' joins inputs, so that no features can be kept for it; train it whole"),
        ("bilinear", "'bilinear' serves classification, vqa, joint, not segmentation; choose another fusion"),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(features: Features, fusion: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        fit_fusion(features, fusion, RECIPE, silent)

"""The assembled model follows the model's contract, whatever the fusion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from mmbench.core import registry
from mmbench.core.errors import LoadError
from mmbench.models.assembled import CONFIG_KEY, FusionModel, load_model
from mmbench.models.checkpoint import save_checkpoint
from mmbench.models.config import ModelConfig, PictureConfig

FUSIONS = [*sorted(registry.fusion.entries()), "only:rgb", "only:depth"]
# One of each way in which a model is put together, for tests that take long; tests/fusion exports every operator.
KINDS = ["sum", "concat", "late", "model_nonlinear", "early", "hybrid", "cross_attention", "only:rgb", "only:depth"]


def built(config: ModelConfig, **changes: Any) -> FusionModel:
    if changes.get("fusion", "").startswith("only:"):
        name = changes["fusion"].removeprefix("only:")
        changes["inputs"] = {name: config.inputs[name]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = FusionModel(ModelConfig.model_validate(config.model_dump() | changes))
        for module in model.modules():  # statistics as after training, so that evaluation is not the identity
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
        return model.eval()


def inputs_of(model: FusionModel, batch: int = 2, size: tuple[int, int] = (16, 20), seed: int = 0) -> dict[str, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return {m: torch.rand(batch, t.channels, *size, generator=draws) for m, t in model.config.inputs.items()}


@pytest.mark.parametrize("fusion", KINDS)
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_logits_have_the_size_of_the_input(config: ModelConfig, fusion: str, stride: int) -> None:
    """float32 [B,C,H,W], for odd sizes too."""
    model = built(config, fusion=fusion, stride=stride)
    logits = model(**inputs_of(model, size=(13, 21)))
    assert (logits.dtype, tuple(logits.shape)) == (torch.float32, (2, 3, 13, 21))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("fusion", sorted(registry.fusion.entries()))
def test_an_absent_input_is_not_read(config: ModelConfig, fusion: str) -> None:
    """None, left out, or marked absent with NaN inside: all the same prediction, item by item."""
    model = built(config, fusion=fusion)
    given = inputs_of(model)
    alone = model(rgb=given["rgb"])
    assert torch.equal(model(rgb=given["rgb"], depth=None), alone)
    dirty = given | {"depth": torch.cat([given["depth"][:1], torch.full((1, 1, 16, 20), float("nan"))])}
    present = {"rgb": torch.tensor([True, True]), "depth": torch.tensor([True, False])}
    mixed = model.outputs(dirty, present)
    torch.testing.assert_close(mixed[1], alone[1])
    torch.testing.assert_close(mixed[0], model(**given)[0])
    assert not torch.allclose(alone, model(**given))
    assert model.accepts_missing


@pytest.mark.parametrize("given", [{}, {"rgb": None}, {"sonar": torch.zeros(1, 1, 4, 4)}])
def test_no_input_at_all_is_refused(config: ModelConfig, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected inputs among rgb, depth, found (none|sonar)"):
        built(config)(**given)


def test_a_unimodal_model_needs_its_input(config: ModelConfig) -> None:
    model = built(config, fusion="only:depth")
    assert model.modalities == ("depth",)
    assert not model.accepts_missing


@pytest.mark.parametrize("fusion", FUSIONS)
def test_additive_fusions_make_additive_models(config: ModelConfig, fusion: str) -> None:
    """The logits equal their EMAP projection (Hessel and Lee, 2020) if and only if the fusion says ``additive``."""
    model = built(config, fusion=fusion).double()
    given = {m: 4 * x.double() for m, x in inputs_of(model).items()}
    same = torch.allclose(_emap(model, given), model(**given), atol=1e-6)
    assert same == model.fusion.additive


@torch.no_grad()
def _emap(model: FusionModel, given: dict[str, Tensor]) -> Tensor:
    """E(i) = mean_j f(a_i, b_j) + mean_j f(a_j, b_i) - mean f, of two items."""
    if len(given) == 1:
        return model(**given)
    (a, x), (b, y) = given.items()
    table = torch.stack([model(**{a: x[i].expand_as(x), b: y}) for i in range(2)])
    return table.mean(dim=1) + table.mean(dim=0) - table.mean(dim=(0, 1))


@pytest.mark.parametrize("fusion", KINDS)
def test_exports(config: ModelConfig, fusion: str) -> None:
    """torch.export traces the whole model with inputs by name, and the program computes the same."""
    model = built(config, fusion=fusion)
    given = inputs_of(model)
    program = torch.export.export(model, (), given).module()
    torch.testing.assert_close(program(**given), model(**given))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_weight_is_trained(config: ModelConfig, fusion: str) -> None:
    """One step with absent items gives a gradient to every parameter of the model."""
    model = built(config, fusion=fusion).train()
    given = inputs_of(model, batch=6)
    present = {m: torch.arange(6) % 3 != n for n, m in enumerate(given)}
    logits = model.outputs(given, present)
    torch.nn.functional.cross_entropy(logits, logits.detach().roll(1, 0).argmax(dim=1)).backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_inputs_are_normalised_inside(config: ModelConfig) -> None:
    """(x - mean) / std per channel, with the numbers among the weights."""
    model = built(config)
    x = torch.tensor([0.7, 0.2, 0.4]).view(1, 3, 1, 1)
    torch.testing.assert_close(model.normalise["rgb"](x).flatten(), torch.tensor([1.0, -1.0, 1.0]))
    assert "normalise.rgb.mean" in model.state_dict()


@pytest.mark.parametrize("fusion", KINDS)
@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_saved_and_loaded_predicts_the_same(tmp_path: Path, config: ModelConfig, fusion: str, suffix: str) -> None:
    """A checkpoint is self-contained: the same logits, bit for bit, from the file alone."""
    model = built(config, fusion=fusion, size=(16, 20))
    path = tmp_path / f"my{suffix}"
    save_checkpoint(path, model, {CONFIG_KEY: model.config.model_dump(mode="json"), "training": {"seed": 3}})
    loaded, metadata = load_model(path)
    given = inputs_of(model)
    assert torch.equal(loaded(**given), model(**given))
    assert loaded.config == model.config
    assert (loaded.modalities, loaded.preprocess, loaded.task) == (model.modalities, {"size": (16, 20)}, "segmentation")
    assert metadata["training"] == {"seed": 3}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"fusion": "concta"}, "cannot be built: There is no fusion named 'concta'; did you mean 'concat'"),
        ({"colour": 1}, "cannot be built: colour: unknown key; it is from another version"),
        ({"width": 8}, "do not fit the model that it describes: .*size mismatch"),
        ({"fusion": "sum"}, "do not fit the model that it describes: Missing key"),
        ({"fusion_options": {"depth": 9}}, "cannot be built: The fusion 'concat' does not take the options"),
    ],
)
def test_a_checkpoint_that_contradicts_itself(
    tmp_path: Path, config: ModelConfig, change: dict[str, Any], sentence: str
) -> None:
    """One LoadError that says what does not fit."""
    path = tmp_path / "my.ckpt"
    save_checkpoint(path, FusionModel(config), {CONFIG_KEY: config.model_dump(mode="json") | change})
    with pytest.raises(LoadError, match=sentence):
        load_model(path)


def test_a_configuration_says_what_is_wrong(config: ModelConfig) -> None:
    with pytest.raises(ValidationError, match="only:rgb needs exactly that one input, found rgb, depth"):
        ModelConfig.model_validate(config.model_dump() | {"fusion": "only:rgb"})
    with pytest.raises(ValidationError, match="expected 3 means and stds, found 1 and 1"):
        PictureConfig(kind="image", channels=3, mean=(0,), std=(1,))

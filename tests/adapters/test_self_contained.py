"""Checkpoints that say of which model they are: trained by mmbench, and the shipped baselines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmbench import content
from mmbench.adapters.opening import expand_locators, open_model
from mmbench.core.errors import ExitCode, LoadError
from mmbench.core.key import digest_of
from mmbench.core.model import Model, ModelOptions
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Batch
from mmbench.models.assembled import CONFIG_KEY, FusionModel
from mmbench.models.checkpoint import save_checkpoint
from mmbench.models.config import ModelConfig, PictureConfig

CONFIG = ModelConfig(
    task="segmentation",
    classes=("background", "cup", "ball"),
    inputs={
        "rgb": PictureConfig(kind="image", channels=3, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2)),
        "depth": PictureConfig(kind="plane", channels=1, mean=(5.0,), std=(2.0,)),
    },
    width=4,
    fusion="concat",
)


def model_of(config: ModelConfig = CONFIG) -> FusionModel:
    torch.manual_seed(3)
    return FusionModel(config)


def metadata_of(config: ModelConfig = CONFIG, **more: Any) -> dict[str, Any]:
    return {CONFIG_KEY: config.model_dump(mode="json"), **more}


@pytest.fixture
def opened(toy_spec: Any, toy_source: Any) -> Callable[..., Model]:
    return lambda locator, **options: open_model(
        str(locator), toy_spec, toy_source, ModelOptions(**{"device": "cpu"} | options)
    )


def test_every_form_of_one_model_predicts_the_same(
    tmp_path: Path, opened: Callable[..., Model], batch_of: Callable[..., Batch], write_module: Callable[..., Path]
) -> None:
    """Law: state dict, safetensors and both self-contained forms give the same bytes and the same digest."""
    module = model_of()
    save_checkpoint(tmp_path / "own.ckpt", module, metadata_of())
    save_checkpoint(tmp_path / "own.safetensors", module, metadata_of())
    torch.save(module.state_dict(), tmp_path / "bare.pt")
    save_file(dict(module.state_dict()), tmp_path / "bare.safetensors")
    text = f"""
    from mmbench.models.assembled import FusionModel
    from mmbench.models.config import ModelConfig
    def make():
        return FusionModel(ModelConfig.model_validate_json({CONFIG.model_dump_json()!r}))
    """
    arch = {"arch": f"{write_module(text)}:make"}
    files = {"own.ckpt": {}, "own.safetensors": {}, "bare.pt": arch, "bare.safetensors": arch}
    models = [opened(tmp_path / name, **options) for name, options in files.items()]
    batch = batch_of([(16, 16), (12, 20), (16, 16)])
    found = [[o.labels.tobytes() for o in m.predict(batch) if isinstance(o, LabelMap)] for m in models]
    assert len(found[0]) == 3
    assert all(f == found[0] for f in found)
    assert len({m.info.digest for m in models}) == 1
    assert len({m.info.parameters for m in models}) == 1


def test_the_info_comes_from_the_file(tmp_path: Path, opened: Callable[..., Model]) -> None:
    save_checkpoint(tmp_path / "own.ckpt", model_of(), metadata_of(training={"seed": 3, "steps": 10}))
    info = opened(tmp_path / "own.ckpt").info
    assert (info.name, info.modalities, info.task) == ("own", ("rgb", "depth"), "segmentation")
    assert info.accepts_missing
    architecture = digest_of(model_of().config.model_dump(mode="json"))
    assert info.training == {"seed": 3, "steps": 10, "architecture": architecture}
    assert info.consents == ()


def test_flags_for_a_module_of_the_users_do_not_concern_it(
    tmp_path: Path, opened: Callable[..., Model], batch_of: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several --model, --map and --output are meant for the module that --arch names."""
    folder = tmp_path / "baselines" / "toy" / "concat"
    folder.mkdir(parents=True)
    (folder / "model.toml").touch()
    save_checkpoint(folder / "weights.safetensors", model_of(), metadata_of())
    monkeypatch.setattr(content, "folder", lambda name: tmp_path / name)
    flags = {"arch": "x.py:X", "map": "rgb=x", "output": "7", "key": "k", "arch_kwargs": {"w": 1}}
    outcomes = [opened("baseline:concat", **f).predict(batch_of([(8, 8)]))[0] for f in ({}, flags)]
    assert np.array_equal(outcomes[0].labels, outcomes[1].labels)


def test_an_absent_modality_is_the_models_business(
    tmp_path: Path, opened: Callable[..., Model], batch_of: Callable[..., Batch]
) -> None:
    """Law: absent is not zeros."""
    save_checkpoint(tmp_path / "own.ckpt", model_of(), metadata_of())
    model = opened(tmp_path / "own.ckpt")
    lacking = batch_of([(8, 8)], absent=("depth",))
    zeros = Batch(lacking.ids, lacking.inputs | {"depth": (np.zeros((8, 8), np.float32),)}, {}, lacking.sizes)
    absent, zero = model.predict(lacking)[0], model.predict(zeros)[0]
    assert isinstance(absent, LabelMap)
    assert isinstance(zero, LabelMap)
    torch.manual_seed(3)
    rgb = torch.from_numpy(lacking.inputs["rgb"][0]).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        expected = model_of().eval()(rgb=rgb).argmax(1)[0].numpy()
    assert np.array_equal(absent.labels, expected)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"classes": ("background", "cup")}, "predicts 2 classes, but suite 'toy' has 3 (background, cup, ball)"),
        (
            {"classes": ("background", "ball", "cup")},
            "trained with class 1 = 'ball', but in suite 'toy' class 1 is 'cup'",
        ),
        (
            {"inputs": {"rgb": CONFIG.inputs["rgb"], "nir": CONFIG.inputs["depth"]}},
            "needs modality 'nir', but suite 'toy' has rgb, depth",
        ),
        (
            {"inputs": {"rgb": CONFIG.inputs["depth"], "depth": CONFIG.inputs["depth"]}},
            "takes 'rgb' as plane with 1 channels, but suite 'toy' has image with 3",
        ),
    ],
)
def test_a_model_of_another_suite_is_refused_before_the_first_batch(
    tmp_path: Path, opened: Callable[..., Model], change: dict[str, Any], sentence: str
) -> None:
    config = ModelConfig.model_validate(CONFIG.model_dump() | change)
    save_checkpoint(tmp_path / "own.ckpt", model_of(config), metadata_of(config))
    with pytest.raises(LoadError) as caught:
        opened(tmp_path / "own.ckpt")
    assert sentence in str(caught.value)
    assert caught.value.exit_code == ExitCode.LOAD_FAILED


@pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (metadata_of() | {CONFIG_KEY: {"task": "segmentation"}}, "cannot be built: "),
        (metadata_of() | {CONFIG_KEY: metadata_of()[CONFIG_KEY] | {"fusion": "nope"}}, "cannot be built: "),
        (
            metadata_of() | {CONFIG_KEY: metadata_of()[CONFIG_KEY] | {"width": 8}},
            "do not fit the model that it describes",
        ),
        ({"note": "another program's"}, "name the module that was trained with --arch"),
        ({}, "name the module that was trained with --arch"),
    ],
)
def test_a_checkpoint_that_cannot_be_built_is_one_sentence(
    tmp_path: Path, opened: Callable[..., Model], suffix: str, metadata: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / f"own.{suffix}"
    save_checkpoint(path, model_of(), metadata)
    with pytest.raises(LoadError) as caught:
        opened(path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_metadata_that_is_not_json_is_damage(tmp_path: Path, opened: Callable[..., Model]) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "own.safetensors", {"mmbench": "{not json"})
    with pytest.raises(LoadError, match="damaged"):
        opened(tmp_path / "own.safetensors")
    save_file({"w": torch.ones(1)}, tmp_path / "own.safetensors", {"mmbench": json.dumps([1])})
    with pytest.raises(LoadError, match="--arch"):
        opened(tmp_path / "own.safetensors")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("toy/concat", "toy/only:rgb", "other/gmu"):
        folder = tmp_path / "baselines" / name
        folder.mkdir(parents=True)
        (folder / "model.toml").touch()
        save_checkpoint(folder / "weights.safetensors", model_of(), metadata_of())
    monkeypatch.setattr(content, "folder", lambda name: tmp_path / name)


@pytest.mark.usefixtures("shipped")
def test_baselines_of_this_and_of_another_suite(opened: Callable[..., Model]) -> None:
    assert opened("baseline:concat").info.name == "concat"
    assert opened("baseline:only:rgb").info.name == "only:rgb"
    info = opened("baseline:other/gmu").info
    assert (info.name, info.locator) == ("gmu", "baseline:other/gmu")
    assert expand_locators(["baseline:*"], "toy") == ["baseline:concat", "baseline:only:rgb"]


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("locator", "sentence"),
    [
        ("baseline:conact", "There is no baseline of suite 'toy' named 'conact'; did you mean 'concat'?"),
        ("baseline:zzz", "named 'zzz'; known: concat, only:rgb."),
        ("baseline:other/concat", "There is no baseline of suite 'other' named 'concat'"),
        ("baseline:nowhere/x", "known: none."),
        ("baseline:", "expected baseline:NAME or baseline:SUITE/NAME"),
        ("baseline:../../etc/x", "expected baseline:NAME or baseline:SUITE/NAME"),
    ],
)
def test_an_unknown_baseline_lists_the_known_ones(opened: Callable[..., Model], locator: str, sentence: str) -> None:
    with pytest.raises(LoadError) as caught:
        opened(locator)
    assert sentence in str(caught.value)
    assert caught.value.exit_code == ExitCode.LOAD_FAILED

"""A user's own checkpoint with the user's own module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmbench.adapters.opening import open_model
from mmbench.adapters.user_code import load_user_code
from mmbench.core.errors import ExitCode, LoadError
from mmbench.core.model import Model, ModelOptions
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Batch


@pytest.fixture
def trained(write_module: Callable[..., Path]) -> torch.nn.Module:
    """MyFusion of ``my_model.py`` with weights that are not those of a fresh one."""
    module: torch.nn.Module = load_user_code(f"{write_module()}:MyFusion", "--arch").build({"width": 6})
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.5).add_(0.01)
        module.norm.running_mean += 0.1
    return module


@pytest.fixture
def opened(tmp_path: Path, toy_spec: Any, toy_source: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Model]:
    def make(locator: str = "my.ckpt", **options: Any) -> Model:
        monkeypatch.chdir(tmp_path)
        options = {"arch": "my_model.py:MyFusion", "arch_kwargs": {"width": 6}, "device": "cpu"} | options
        return open_model(locator, toy_spec, toy_source, ModelOptions(**options))

    return make


def forms(module: torch.nn.Module, folder: Path) -> dict[str, dict[str, Any]]:
    """The same weights saved in every usual way: file name -> options to open it."""
    state = module.state_dict()
    torch.save(state, folder / "state.pt")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": {f"module.{n}": v for n, v in state.items()}, "epoch": 9}, folder / "parallel.ckpt")
    torch.save({"ema": {"w": {f"_orig_mod.{n}": v for n, v in state.items()}}}, folder / "nested.ckpt")
    torch.save({"state_dict": {f"net.{n}": v for n, v in state.items()}}, folder / "lightning.ckpt")
    save_file({n: v.contiguous() for n, v in state.items()}, folder / "my.safetensors")
    names = ("state.pt", "legacy.pth", "parallel.ckpt", "lightning.ckpt", "my.safetensors")
    return {name: {} for name in names} | {"nested.ckpt": {"key": "ema.w"}}


def test_one_set_of_weights_predicts_the_same_from_every_file(
    trained: torch.nn.Module, opened: Callable[..., Model], batch_of: Callable[..., Batch], tmp_path: Path
) -> None:
    """Law: predictions, digest and parameter count do not depend on the file format."""
    batch = batch_of([(8, 9), (6, 6), (8, 9)])
    with torch.inference_mode():
        rgb = torch.from_numpy(batch.inputs["rgb"][1]).permute(2, 0, 1)[None].float() / 255
        depth = torch.from_numpy(batch.inputs["depth"][1])[None, None]
        bare = trained.eval()(rgb, depth).argmax(1)[0].numpy()
    infos, found = [], []
    for name, options in forms(trained, tmp_path).items():
        model = opened(name, **options)
        outcomes = model.predict(batch)
        assert all(isinstance(o, LabelMap) for o in outcomes), outcomes
        assert np.array_equal(outcomes[1].labels, bare)
        found.append([o.labels.tobytes() for o in outcomes])
        infos.append((model.info.digest, model.info.parameters, model.info.modalities))
        assert model.info.name == Path(name).stem
    assert all(f == found[0] for f in found)
    assert len(set(infos)) == 1
    assert infos[0][1] == sum(p.numel() for p in trained.parameters())


def test_the_info_records_code_and_arguments(
    trained: torch.nn.Module, opened: Callable[..., Model], tmp_path: Path
) -> None:
    torch.save(trained.state_dict(), tmp_path / "my.ckpt")
    info = opened().info
    assert info.preprocessing == {"arch": "my_model.py:MyFusion", "arch_kwargs": {"width": 6}}
    assert info.consents[0].startswith("ran my_model.py:MyFusion (source ")
    assert info.locator == "my.ckpt"


def test_overwriting_the_file_changes_the_digest(
    trained: torch.nn.Module, opened: Callable[..., Model], tmp_path: Path
) -> None:
    """Law: one changed weight is another model."""
    torch.save(trained.state_dict(), tmp_path / "my.ckpt")
    before = opened().info.digest
    state = trained.state_dict()
    state["head.bias"] = state["head.bias"].clone()
    state["head.bias"][0] += 1e-6
    torch.save(state, tmp_path / "my.ckpt")
    assert opened().info.digest != before


def test_a_foreign_module_is_wired_from_the_command_line(
    write_module: Callable[..., Path], opened: Callable[..., Model], batch_of: Callable[..., Batch], tmp_path: Path
) -> None:
    text = """
    import torch
    class Foreign(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Conv2d(4, 3, 1)
        def forward(self, x, modal_x):
            return torch.zeros(1), self.head(torch.cat([x, modal_x], 1))
    """
    code = load_user_code(f"{write_module(text, 'foreign.py')}:Foreign", "--arch")
    torch.save(code.build({}).state_dict(), tmp_path / "my.ckpt")
    common = {"arch": "foreign.py:Foreign", "arch_kwargs": {}}
    with pytest.raises(LoadError, match=r"takes \(x, modal_x\), but would be called with \(rgb, depth\)"):
        opened(**common)
    batch = batch_of([(4, 4)])
    (named,) = opened(**common, map="rgb=x,depth=modal_x", output="1").predict(batch)
    (positional,) = opened(**common, map="positional", output="1").predict(batch)
    assert isinstance(named, LabelMap)
    assert isinstance(positional, LabelMap)
    assert np.array_equal(named.labels, positional.labels)
    with pytest.raises(LoadError, match="--output 2 chooses no tensor: Foreign returned a tuple of 2"):
        opened(**common, map="positional", output="2").predict(batch)


MALFORMED = {
    "missing": (None, {}, "cannot be read: No such file or directory"),
    "empty": (b"", {}, "is empty (0 bytes)"),
    "html": (b"<!DOCTYPE html>", {}, "is a web page"),
    "garbage": (b"\x01\x02\x03\x04", {}, "not a format that is known"),
    "no arch": ("state", {"arch": None}, "name the module that was trained with --arch FILE.py:ClassName"),
    "arch without a file": ("state", {"arch": "gone.py:Net"}, "there is no file gone.py"),
    "arch misspelt": ("state", {"arch": "my_model.py:MyFushion"}, "did you mean 'MyFusion'?"),
    "arch is no module": ("state", {"arch": "my_model.py:torch"}, "has no class or function 'torch'"),
    "wrong arguments": ("state", {"arch_kwargs": {"widht": 6}}, "unexpected keyword argument 'widht'"),
    "wrong width": (
        "state",
        {"arch_kwargs": {"width": 8}},
        "of another shape (a.weight [6, 3, 3, 3] instead of [8, 3, 3, 3]",
    ),
    "wrong key": ("state", {"key": "ema"}, "holds no state dict under --key ema"),
    "wrong map": ("state", {"map": "rgb=rgb,lidar=depth"}, "needs modality 'lidar', but suite 'toy' has rgb, depth"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_cannot_be_loaded_is_one_sentence_and_code_7(
    trained: torch.nn.Module, opened: Callable[..., Model], tmp_path: Path, case: str
) -> None:
    content, options, sentence = MALFORMED[case]
    if content == "state":
        torch.save(trained.state_dict(), tmp_path / "my.ckpt")
    elif isinstance(content, bytes):
        (tmp_path / "my.ckpt").write_bytes(content)
    with pytest.raises(LoadError) as caught:
        opened(**options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == ExitCode.LOAD_FAILED


def test_a_factory_that_gives_no_module_is_refused(
    trained: torch.nn.Module, write_module: Callable[..., Path], opened: Callable[..., Model], tmp_path: Path
) -> None:
    torch.save(trained.state_dict(), tmp_path / "my.ckpt")
    write_module("def make():\n    return [1]\n", "other.py")
    with pytest.raises(LoadError, match=r"--arch other\.py:make gave a list; expected a torch\.nn\.Module"):
        opened(arch="other.py:make", arch_kwargs={})


def test_a_model_of_other_classes_never_becomes_a_score(
    trained: torch.nn.Module, toy_spec: Any, toy_source: Any, batch_of: Callable[..., Batch], tmp_path: Path
) -> None:
    torch.save(trained.state_dict(), tmp_path / "my.ckpt")
    toy_source.classes = ("a", "b", "c", "d")
    options = ModelOptions(arch=f"{tmp_path}/my_model.py:MyFusion", arch_kwargs={"width": 6}, device="cpu")
    model = open_model(str(tmp_path / "my.ckpt"), toy_spec, toy_source, options)
    with pytest.raises(LoadError, match="it predicts 3 classes, but suite 'toy' has 4"):
        model.predict(batch_of([(4, 4)]))


def test_a_partial_load_stands_in_the_row(
    trained: torch.nn.Module, opened: Callable[..., Model], tmp_path: Path
) -> None:
    """Law: without --partial it fails, with it the names and the consent are recorded, and the digest is another."""
    torch.save(trained.state_dict(), tmp_path / "my.ckpt")
    whole = opened().info
    state = {n: v for n, v in trained.state_dict().items() if n != "head.bias"} | {"old.head": torch.ones(1)}
    torch.save(state, tmp_path / "my.ckpt")
    with pytest.raises(LoadError, match=r"1 missing \(head\.bias\); 1 unexpected \(old\.head\)"):
        opened()
    info = opened(partial=True).info
    assert info.preprocessing["partial"] == {"missing": ["head.bias"], "unexpected": ["old.head"]}
    assert info.consents[1].startswith("weights that do not fit were allowed (--partial): 1 missing")
    assert info.digest != whole.digest
    assert "partial" not in whole.preprocessing or not whole.preprocessing["partial"]

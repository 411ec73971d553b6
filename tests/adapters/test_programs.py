"""Programs run only when they are asked for, and give what the same weights give in any other form."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmbench.adapters.opening import open_model
from mmbench.adapters.user_code import load_user_code
from mmbench.core.errors import LoadError
from mmbench.core.metric import TaskContext
from mmbench.core.model import Model, ModelOptions
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Batch
from mmbench.metrics.confusion import Confusion


@pytest.fixture
def saved(write_module: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One module in every format: locator -> options."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)
    module = load_user_code(f"{write_module()}:MyFusion", "--arch").build({"width": 6}).eval()
    module.norm.running_mean += 0.1
    state = module.state_dict()
    example = {"rgb": torch.rand(2, 3, 8, 8), "depth": torch.rand(2, 1, 8, 8)}
    torch.save(state, "state.pt")
    torch.save({"state_dict": {f"model.{n}": v for n, v in state.items()}, "hyper_parameters": Path("x")}, "l.ckpt")
    save_file(state, "my.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dynamic = {m: dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC) for m in example}
        torch.export.save(torch.export.export(module, (), example, dynamic_shapes=dynamic), "my.pt2")
        torch.jit.script(module).save("my.pt")
    own = {"arch": "my_model.py:MyFusion", "arch_kwargs": {"width": 6}}
    return {"state.pt": own, "l.ckpt": own, "my.safetensors": own, "pt2:my.pt2": {}, "torchscript:my.pt": {}}


@pytest.fixture
def opened(toy_spec: Any, toy_source: Any) -> Callable[..., Model]:
    return lambda locator, **options: open_model(locator, toy_spec, toy_source, ModelOptions(device="cpu", **options))


def rows(model: Model, batch: Batch) -> list[np.ndarray]:
    """The areas that mIoU is made of, against a fixed target."""
    outcomes = model.predict(batch)
    assert all(isinstance(o, LabelMap) for o in outcomes), outcomes
    targets = [np.arange(h * w).reshape(h, w) % 3 for h, w in batch.sizes]
    context = TaskContext(classes=("a", "b", "c"), ignore=255)
    return [Confusion().row(t, o, context) for t, o in zip(targets, outcomes, strict=True)]


def test_one_set_of_weights_gives_the_same_rows_in_every_format(
    saved: dict[str, Any], opened: Callable[..., Model], batch_of: Callable[..., Batch]
) -> None:
    """Law: the form of the file does not change a metric row."""
    batch = batch_of([(8, 9), (16, 12), (8, 9), (32, 32)])
    found = {locator: rows(opened(locator, **options), batch) for locator, options in saved.items()}
    for locator, one in found.items():
        assert all(np.array_equal(a, b) for a, b in zip(one, found["state.pt"], strict=True)), locator


def test_onnx_gives_the_same_labels(
    saved: dict[str, Any], opened: Callable[..., Model], batch_of: Callable[..., Batch]
) -> None:
    """Law: at least 99.9 % of the pixels have the label that torch gives them."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with mmbench[onnx]")
    pytest.importorskip("onnx", reason="torch writes ONNX with the package onnx, which comes with mmbench[dev]")
    names = ["rgb", "depth"]
    module = load_user_code("my_model.py:MyFusion", "--arch").build({"width": 6}).eval()
    module.load_state_dict(torch.load("state.pt", weights_only=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {name: {0: "b", 2: "h", 3: "w"} for name in (*names, "logits")}
        example = (torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8))
        torch.onnx.export(
            *(module, example, "my.onnx"), input_names=names, output_names=["logits"], dynamic_axes=axes, dynamo=False
        )
    batch = batch_of([(64, 64), (48, 80)])
    onnx, own = (
        opened(locator, **options) for locator, options in (("onnx:my.onnx", {}), ("state.pt", saved["state.pt"]))
    )
    pairs = zip(onnx.predict(batch), own.predict(batch), strict=True)
    equal = np.concatenate([(a.labels == b.labels).ravel() for a, b in pairs])
    assert equal.mean() >= 0.999
    assert onnx.info.consents[0].startswith("ran my.onnx (an ONNX graph, ")
    with pytest.raises(LoadError, match=r"name it as onnx:my\.onnx or add --allow-code"):
        opened("my.onnx")


@pytest.mark.parametrize("file", ["my.pt2", "my.pt"])
def test_a_program_runs_only_when_it_is_asked_for(
    saved: dict[str, Any], opened: Callable[..., Model], file: str
) -> None:
    """Law: neither suffix nor content is consent; the scheme or --allow-code is, and the row tells."""
    with pytest.raises(LoadError, match="a program that would be run here; if you trust it, name it as"):
        opened(file)
    info = opened(file, allow_code=True).info
    assert len(info.consents) == 1
    assert info.consents[0].startswith(f"ran {file} (a")


def test_another_program_is_another_model(saved: dict[str, Any], opened: Callable[..., Model]) -> None:
    """Law: overwriting a program changes the digest."""
    before = opened("pt2:my.pt2").info.digest
    assert opened("pt2:my.pt2").info.digest == before
    data = bytearray(Path("my.pt2").read_bytes())
    Path("my.pt2").write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    assert opened("pt2:my.pt2").info.digest != before


@pytest.mark.parametrize("scheme", ["pt2", "torchscript", "onnx"])
def test_what_is_no_program_is_one_sentence(tmp_path: Path, opened: Callable[..., Model], scheme: str) -> None:
    if scheme == "onnx":
        pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with mmbench[onnx]")
    path = tmp_path / "file"
    path.write_bytes(b"no program of any kind")
    with pytest.raises(LoadError, match=r"cannot be opened as an? .* save it again\.") as caught:
        opened(f"{scheme}:{path}")
    assert "\n" not in str(caught.value)
    with pytest.raises(LoadError, match=f"expected {scheme}:FILE"):
        opened(f"{scheme}:{tmp_path / 'gone'}")

"""Precision, memory layout and compilation: in force while the module runs, refused where they would do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mmbench.adapters.numerics import Numerics, matmul_precision
from mmbench.adapters.opening import open_model
from mmbench.adapters.program import Program
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.core.errors import UsageError
from mmbench.core.model import ModelOptions
from mmbench.core.sample import Batch


class Net(torch.nn.Module):
    """A convolution that notes what it was called with."""

    modalities = ("rgb",)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(3, 3, 3, padding=1)
        self.seen: dict[str, Any] = {}

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        if not torch.compiler.is_compiling():
            self.seen = {
                "last": rgb.is_contiguous(memory_format=torch.channels_last),
                "matmul": torch.get_float32_matmul_precision(),
            }
        return self.conv(rgb)


@pytest.fixture
def wrap(request_for: Callable[..., Any]) -> Callable[..., TorchModel]:
    return lambda module, **options: TorchModel(module, "M", request_for(**options), Identity("0" * 16))


def test_true_float32_is_in_force_and_given_back(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    """Whatever the process had set: a row that says fp32 was computed in it."""
    module = Net()
    with matmul_precision("medium"):
        wrap(module).predict(batch_of([(4, 4)]))
        assert torch.get_float32_matmul_precision() == "medium"
    assert module.seen["matmul"] == "highest"


def test_tf32_sets_the_precision_of_products() -> None:
    """On the settings alone: its device is a GPU."""
    with Numerics(torch.device("cpu"), "tf32").in_force(["a"]):
        assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == "highest"


def test_tf32_is_refused_where_it_would_change_nothing(wrap: Callable[..., TorchModel]) -> None:
    with pytest.raises(UsageError, match="--precision tf32 is a mode of CUDA devices and would change nothing on cpu"):
        wrap(Net(), precision="tf32")


def test_channels_last_reaches_weights_and_inputs(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    module, batch = Net(), batch_of([(5, 4)] * 2)
    plain = wrap(Net()).predict(batch)
    model = wrap(module, channels_last=True)
    found = model.predict(batch)
    assert module.seen["last"]
    assert module.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert all((a.labels == b.labels).mean() > 0.99 for a, b in zip(found, plain, strict=True))
    assert model.numerics.channels_last


def test_a_compiled_module_is_called_compiled(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call goes through ``torch.compile`` (here with a backend that only counts), and the answers stay."""
    graphs: list[Any] = []

    def count(graph: Any, _inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    original = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: original(self, backend=count))
    batch = batch_of([(4, 4)])
    plain, compiled = Net(), Net()
    expected = wrap(plain).predict(batch)
    model = wrap(compiled, compile=True)
    (found,) = model.predict(batch)
    assert np.array_equal(found.labels, expected[0].labels)
    assert len(graphs) == 1
    assert model.numerics.compiled


@pytest.mark.parametrize("flag", ["compile", "channels_last"])
def test_a_program_is_run_as_it_was_saved(wrap: Callable[..., TorchModel], flag: str) -> None:
    program = Program(lambda rgb: rgb, ["rgb"])
    with pytest.raises(UsageError, match=f"--{flag.replace('_', '-')} is for modules"):
        wrap(program, **{flag: True})


@pytest.mark.parametrize("flag", ["compile", "channels_last"])
def test_a_model_without_a_module_refuses_the_switches(toy_spec, toy_source, write_module, flag: str) -> None:
    text = "class Fixed:\n    def predict(self, batch):\n        return {}\n"
    file = write_module(text, "fixed.py")
    with pytest.raises(UsageError, match=f"--{flag.replace('_', '-')} needs a torch module, and the model 'Fixed'"):
        open_model(f"python:{file}:Fixed", toy_spec, toy_source, ModelOptions(**{flag: True}))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_tf32_on_a_gpu_rounds_and_fp32_does_not(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    """Products of fp32 agree with float64 to 1e-5 of their size, those of tf32 only to 1e-2 (10 bits of the inputs)."""
    torch.manual_seed(0)
    a = torch.randn(512, 512, device="cuda")
    exact = (a.double() @ a.double()).float()
    errors = {}
    for precision in ("fp32", "tf32"):
        with Numerics(torch.device("cuda:0"), precision).in_force(["a"]):
            errors[precision] = float((a @ a - exact).abs().max() / exact.abs().max())
    assert errors["fp32"] < 1e-5 < errors["tf32"] < 1e-2

"""The contract between a batch and a torch module."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmbench.adapters.numerics import choose_device
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.core.errors import LoadError, SampleError, UsageError
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Batch


class Exact(torch.nn.Module):
    """Integer arithmetic: the same answer however items are batched."""

    modalities = ("rgb", "depth")

    def forward(self, rgb: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
        r, d = (rgb * 255).round().long(), (depth * 100).round().long()
        neighbours = r[:, :1].roll(1, -1) + r[:, 1:2].roll(1, -2)
        return torch.cat([neighbours % 7, (r[:, 2:] + d) % 5, (neighbours * d) % 6], 1)


class Returns(torch.nn.Module):
    """Gives back what a function makes of the rgb tensor."""

    modalities = ("rgb",)

    def __init__(self, make: Callable[[torch.Tensor], Any], **attributes: Any) -> None:
        super().__init__()
        self.make = make
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, rgb: torch.Tensor) -> Any:
        return self.make(rgb)


@pytest.fixture
def wrap(request_for: Callable[..., Any]) -> Callable[..., TorchModel]:
    def make(module: torch.nn.Module, **options: Any) -> TorchModel:
        return TorchModel(module, "M", request_for(**options), Identity("0" * 16))

    return make


def labels(outcomes: list[Any]) -> list[np.ndarray]:
    assert all(isinstance(o, LabelMap) for o in outcomes), outcomes
    return [o.labels for o in outcomes]


SIZES = [(4, 4), (4, 6), (5, 4), (1, 1)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(8)), cuts=st.sets(st.integers(1, 7)), size=st.sampled_from([None, 3]))
def test_predictions_do_not_depend_on_the_batch(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch], order: list[int], cuts: set[int], size: int | None
) -> None:
    """Law: any batch size, order and mix of sizes gives the same bytes, by id (integer arithmetic; sizes mixed)."""
    module = Exact()
    if size:
        module.preprocess = {"size": (size, size), "interpolation": "nearest"}
    model = wrap(module)
    alone = {i: labels(model.predict(batch_of([SIZES[i % 4]], [f"s{i}"])))[0] for i in range(8)}
    edges = [0, *sorted(cuts), 8]
    for start, end in itertools.pairwise(edges):
        members = order[start:end]
        outcomes = model.predict(batch_of([SIZES[i % 4] for i in members], [f"s{i}" for i in members]))
        assert [o.sample_id for o in outcomes] == [f"s{i}" for i in members]
        for i, found in zip(members, labels(outcomes), strict=True):
            assert found.dtype == np.uint8
            assert np.array_equal(found, alone[i])


def test_the_module_sees_what_the_contract_says(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    seen: dict[str, Any] = {}

    def look(rgb: torch.Tensor) -> torch.Tensor:
        seen.update(x=rgb, inference=torch.is_inference_mode_enabled(), autocast=torch.is_autocast_enabled("cpu"))
        return torch.zeros(len(rgb), 3, 2, 2)

    model = wrap(Returns(look).train())
    batch = batch_of([(4, 6), (4, 6)])
    found = labels(model.predict(batch))
    assert [f.shape for f in found] == [(4, 6), (4, 6)]
    assert torch.equal(seen["x"], torch.from_numpy(np.stack(batch.inputs["rgb"])).permute(0, 3, 1, 2) / 255)
    assert (seen["inference"], seen["autocast"], model._module.training) == (True, False, False)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_precision_is_autocast(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch], precision: str, dtype: torch.dtype
) -> None:
    seen = []

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 3, 1)

        def forward(self, rgb: torch.Tensor) -> torch.Tensor:
            seen.append(self.conv(rgb))
            return seen[-1]

    model = wrap(Net(), precision=precision)
    labels(model.predict(batch_of([(4, 4)])))
    assert [x.dtype for x in seen] == [dtype]
    assert model.precision == precision


def test_declared_preprocessing_is_applied_and_recorded(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    seen = []
    module = Returns(lambda x: seen.append(x) or x, preprocess={"size": (2, 2), "mean": [0.5] * 3})
    model = wrap(module)
    (found,) = labels(model.predict(batch_of([(4, 6)])))
    assert tuple(seen[0].shape) == (1, 3, 2, 2)
    assert found.shape == (4, 6)
    assert model.info.preprocessing == {
        "tables": {"rgb": {"size": [2, 2], "mean": [0.5, 0.5, 0.5], "interpolation": "bilinear"}}
    }


def test_the_info_tells_how_the_module_is_used(wrap: Callable[..., TorchModel]) -> None:
    class Foreign(torch.nn.Module):
        accepts_missing = True

        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(5))
            self.register_buffer("b", torch.zeros(7))

        def forward(self, x: Any, y: Any) -> Any:
            return None, x

    info = wrap(Foreign(), map="rgb=x,depth=y", output="1").info
    assert (info.modalities, info.parameters, info.accepts_missing) == (("rgb", "depth"), 5, True)
    assert info.preprocessing == {"inputs": "rgb=x,depth=y", "output": "1"}


def test_an_absent_modality_fails_the_sample_or_arrives_as_none(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    whole, lacking = batch_of([(4, 4), (4, 4)]), batch_of([(4, 4), (4, 4)], absent=("depth",))
    depth = (whole.inputs["depth"][0], None)
    mixed = Batch(whole.ids, {"rgb": whole.inputs["rgb"], "depth": depth}, lacking.present, whole.sizes)
    first, second = wrap(Exact()).predict(mixed)
    assert isinstance(first, LabelMap)
    assert isinstance(second, SampleError)
    assert str(second) == "The sample 's1' has no depth, and the model 'M' does not declare accepts_missing."

    class Robust(Exact):
        accepts_missing = True

        def forward(self, rgb: torch.Tensor, depth: torch.Tensor | None = None) -> torch.Tensor:
            return super().forward(rgb, rgb[:, :1] if depth is None else depth)

    found = labels(wrap(Robust()).predict(mixed))
    assert np.array_equal(found[0], first.labels)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda x: x[:, :2], r"Returns returned float32 \[1,2,4,4\]: it predicts 2 classes, but suite 'toy' has 3"),
        (lambda x: x.argmax(1).float(), "labels must be integers"),
        (lambda x: x.flatten(1), r"expected \[1,3,h,w\]"),
        (lambda x: x[:0], r"expected \[1,3,h,w\]"),
        (lambda x: (x, x), "Returns returned a tuple of 2"),
        (lambda _: None, "Returns returned None"),
        (
            lambda _: 1 / 0,
            r"Returns\.forward failed: ZeroDivisionError: division by zero \(test_torch_model\.py, line \d+\)",
        ),
        (lambda x: x @ x[:, :, :3], r"Returns\.forward failed: RuntimeError: .*\(test_torch_model\.py, line \d+\)"),
        (lambda _: sys.exit(0), r"Returns\.forward failed: SystemExit: 0"),
    ],
)
def test_a_module_that_fails_is_a_load_error_not_a_score(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch], make: Callable[[Any], Any], sentence: str
) -> None:
    with pytest.raises(LoadError, match=sentence) as caught:
        wrap(Returns(make)).predict(batch_of([(4, 4)]))
    assert caught.value.exit_code == 7
    assert "\n" not in str(caught.value)


def test_nan_fails_its_sample_alone(wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]) -> None:
    def poison(x: torch.Tensor) -> torch.Tensor:
        x[1, 0, 0, 0] = torch.nan
        return x

    outcomes = wrap(Returns(poison)).predict(batch_of([(4, 4)] * 3))
    assert [type(o) for o in outcomes] == [LabelMap, SampleError, LabelMap]


def test_a_module_that_draws_numbers_repeats_itself(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch]
) -> None:
    """Law: the same batch gives the same bytes, whatever ran before; the caller's random state is left alone."""
    model = wrap(Returns(lambda x: torch.nn.functional.dropout(x, 0.5)))
    first, second = batch_of([(9, 9)], ["a"]), batch_of([(9, 9)], ["b"])
    torch.manual_seed(0)
    state = torch.get_rng_state()
    once = labels(model.predict(first))[0]
    assert torch.equal(torch.get_rng_state(), state)
    model.predict(second)
    torch.rand(3)
    assert np.array_equal(labels(model.predict(first))[0], once)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"device": "gpu"}, "--device 'gpu' is not a device; expected auto, cpu, cuda, cuda:N or mps"),
        ({"device": "cuda:x"}, "is not a device"),
        ({"device": "cuda:99"}, "torch sees .* CUDA devices; use --device cpu"),
        ({"precision": "fp8"}, "--precision 'fp8' is not known; expected one of: fp32, bf16, fp16"),
    ],
)
def test_wrong_flags_are_usage_errors(wrap: Callable[..., TorchModel], options: dict[str, str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        wrap(Exact(), **options)


def test_auto_takes_what_is_there() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_threads_are_set() -> None:
    code = (
        "import torch; from mmbench.adapters.torch_model import *; from mmbench.core.model import *;"
        "from mmbench.core.suite import *; from mmbench.core.source import *;"
        "s = SuiteSpec(name='t', version=1, title='', task='segmentation', modalities=('rgb',), metrics=('m',),"
        " primary='m', source=SourceTable(kind='x'));"
        "m = torch.nn.Identity(); m.forward = lambda rgb: rgb;"
        "o = ModelOptions(threads=3, device='cpu');"
        "r = ModelRequest('', '', s, ('a',), {'rgb': Modality('rgb', 'image', 3)}, o);"
        "TorchModel(m, 'M', r, Identity('')); print(torch.get_num_threads())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "3\n"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_cuda_repeats_itself_and_agrees_with_the_cpu(
    wrap: Callable[..., TorchModel], batch_of: Callable[..., Batch], precision: str
) -> None:
    """Law: the same bytes twice on one device; integer arithmetic gives the CPU's bytes."""
    batch = batch_of([(64, 64), (48, 64), (64, 64)])
    exact = labels(wrap(Exact(), device="cpu").predict(batch))
    assert all(
        np.array_equal(a, b) for a, b in zip(labels(wrap(Exact(), device="auto").predict(batch)), exact, strict=True)
    )
    torch.manual_seed(0)
    convs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(32, 3, 3, padding=1)
    )
    module = Returns(lambda x: convs(torch.nn.functional.dropout(x, 0.1)), convs=convs)
    model = wrap(module, device="cuda", precision=precision)
    once, twice = labels(model.predict(batch)), labels(model.predict(batch))
    assert all(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))

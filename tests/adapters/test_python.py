"""python:module:factory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.adapters.opening import open_model
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import Model, ModelOptions
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Batch

NUMPY_MODEL = """
class Threshold:
    modalities = ("rgb",)

    def __init__(self, at=100):
        self.at = at

    def predict(self, batch):
        red = zip(batch.ids, batch.inputs["rgb"])
        return {i: (x[..., 0] > self.at).astype("int64") for i, x in red if x[0, 0].sum() >= 0}
"""


@pytest.fixture
def opened(write_module: Callable[..., Path], toy_spec: Any, toy_source: Any) -> Callable[..., Model]:
    def make(text: str, name: str, **options: Any) -> Model:
        path = write_module(text)
        return open_model(f"python:{path}:{name}", toy_spec, toy_source, ModelOptions(device="cpu", **options))

    return make


def test_an_object_with_predict_has_full_control(opened: Callable[..., Model], batch_of: Callable[..., Batch]) -> None:
    model = opened(NUMPY_MODEL, "Threshold", arch_kwargs={"at": 50})
    batch = batch_of([(4, 5), (3, 3)])
    outcomes = model.predict(batch)
    for outcome, rgb in zip(outcomes, batch.inputs["rgb"], strict=True):
        assert isinstance(outcome, LabelMap)
        assert outcome.labels.dtype == np.uint8
        assert np.array_equal(outcome.labels, rgb[..., 0] > 50)
    info = model.info
    assert (info.name, info.modalities, info.parameters) == ("Threshold", ("rgb",), None)
    assert info.preprocessing["arch_kwargs"] == {"at": 50}
    assert info.consents[0].startswith("ran ")
    assert info.digest in info.consents[0]


def test_a_numpy_model_imports_no_torch(write_module: Callable[..., Path]) -> None:
    path = write_module(NUMPY_MODEL)
    code = (
        "import sys; from mmbench.adapters.python import open_python; from mmbench.core.model import *;"
        "from mmbench.core.suite import *; from mmbench.core.source import *;"
        "s = SuiteSpec(name='t', version=1, title='', task='segmentation', modalities=('rgb',), metrics=('m',),"
        " primary='m', source=SourceTable(kind='x'));"
        f"t = {str(path) + ':Threshold'!r};"
        "open_python(ModelRequest('python:' + t, t, s, ('a',), {'rgb': Modality('rgb', 'image', 3)}, ModelOptions()));"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return [1]", "predict returned a list; expected a dict of integer labels"),
        ("return {'zz': batch.inputs['rgb'][0][..., 0]}", "returned the id 'zz', which is not in the batch"),
        ("return {i: 'x' for i in batch.ids}", "returned a str for 's0'; expected a numpy array of integer labels"),
        ("return {i: x / 2 for i, x in zip(batch.ids, batch.inputs['depth'])}", r"returned float32 \[4, 4\] for 's0'"),
        ("return {i: x for i, x in zip(batch.ids, batch.inputs['rgb'])}", r"returned uint8 \[4, 4, 3\] for 's0'"),
        ("raise KeyError('k')", r"Net\.predict failed: KeyError: 'k' \(my_model\.py, line 4\)"),
    ],
)
def test_a_wrong_predict_is_a_load_error(
    opened: Callable[..., Model], batch_of: Callable[..., Batch], body: str, sentence: str
) -> None:
    model = opened(f"\nclass Net:\n    def predict(self, batch):\n        {body}\n", "Net")
    with pytest.raises(LoadError, match=sentence):
        model.predict(batch_of([(4, 4)]))


def test_an_object_may_fail_single_samples(opened: Callable[..., Model], batch_of: Callable[..., Batch]) -> None:
    text = """
    import numpy as np
    from mmbench.core.errors import SampleError
    class Net:
        def predict(self, batch):
            ok = np.zeros((4, 4), np.uint8)
            return {"s0": ok, "s2": ok + 3, "s3": ok[1:], "s4": SampleError("too dark")}
    """
    outcomes = opened(text, "Net").predict(batch_of([(4, 4)] * 5))
    assert [type(o) for o in outcomes] == [LabelMap] + [SampleError] * 4
    reasons = [str(o) for o in outcomes[1:]]
    for part, reason in zip(
        ("returned nothing for 's1'", "labels 3..3", "size (3, 4)", "too dark"), reasons, strict=True
    ):
        assert part in reason


def test_what_is_neither_module_nor_predictor_is_refused(opened: Callable[..., Model]) -> None:
    with pytest.raises(
        LoadError, match=r"returned an object of type int; expected a torch\.nn\.Module or an object with"
    ):
        opened("def make():\n    return 3\n", "make")


def test_a_module_of_another_suite_is_refused(opened: Callable[..., Model]) -> None:
    with pytest.raises(LoadError, match="needs modality 'thermal', but suite 'toy' has rgb, depth"):
        opened("class Net:\n    modalities = ('thermal',)\n    def predict(self, batch):\n        return {}\n", "Net")
    with pytest.raises(LoadError, match="is for captioning, but suite 'toy' is segmentation"):
        opened("class Net:\n    task = 'captioning'\n    def predict(self, batch):\n        return {}\n", "Net")

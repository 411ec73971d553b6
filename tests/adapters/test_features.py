"""Features on disk take the place of inputs, by modality and sample id."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmbench.adapters.opening import open_model
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import Model, ModelOptions
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Batch

HEAD = """
import torch

class Head(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(3))
    def forward(self, rgb, depth):
        return (self.scale * (rgb + depth))[:, :, None, None].expand(-1, -1, 2, 2)
"""


@pytest.fixture
def opened(write_module: Callable[..., Path], toy_spec: Any, toy_source: Any, tmp_path: Path) -> Callable[..., Model]:
    root = tmp_path / "features"
    (root / "rgb").mkdir(parents=True)
    for place, name in enumerate(("s0", "s1", "s2")):
        np.save(root / "rgb" / f"{name}.npy", np.eye(3, dtype=np.float16)[place])
    np.savez(root / "depth.npz", s0=np.zeros(3), s1=np.zeros(3))
    save_file({"scale": torch.tensor([1.0, 1.0, 1.0])}, root / "weights.safetensors")
    arch = f"{write_module(HEAD, 'head.py')}:Head"
    return lambda **o: open_model(
        f"features:{root}", toy_spec, toy_source, ModelOptions(**{"arch": arch, "device": "cpu"} | o)
    )


def test_each_sample_gets_its_own_features(opened: Callable[..., Model], batch_of: Callable[..., Batch]) -> None:
    """Law: by id, in any order; a sample without a feature fails alone."""
    outcomes = opened().predict(batch_of([(4, 4)] * 3, ["s1", "s2", "s0"]))
    assert isinstance(outcomes[0], LabelMap)
    assert (outcomes[0].labels == 1).all()
    assert isinstance(outcomes[1], SampleError)
    assert "depth.npz has no feature of 's2'" in str(outcomes[1])
    assert (outcomes[2].labels == 0).all()


def test_another_feature_is_another_model(opened: Callable[..., Model], tmp_path: Path) -> None:
    before = opened().info.digest
    np.save(tmp_path / "features" / "rgb" / "s0.npy", np.eye(3)[2])
    assert opened().info.digest != before
    after = opened().info.digest
    save_file({"scale": torch.tensor([2.0, 1.0, 1.0])}, tmp_path / "features" / "weights.safetensors")
    assert opened().info.digest not in (before, after)


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_feature_is_never_unpickled_nor_read_from_elsewhere(
    opened: Callable[..., Model], batch_of: Callable[..., Batch], tmp_path: Path
) -> None:
    """Law: no code in an array, and no way out of the folder by an id or a link."""
    mark = tmp_path / "ran"
    folder = tmp_path / "features" / "rgb"
    np.save(folder / "s0.npy", np.array([_Touch(mark)], dtype=object), allow_pickle=True)
    (folder / "s1.npy").write_bytes(pickle.dumps(_Touch(mark)))
    np.save(tmp_path / "out.npy", np.ones(3))
    (folder / "link.npy").symlink_to(tmp_path / "out.npy")
    outcomes = opened().predict(batch_of([(4, 4)] * 4, ["s0", "s1", "link", "../../out"]))
    assert all(isinstance(one, SampleError) for one in outcomes)
    assert "lies outside" in str(outcomes[2])
    assert "lies outside" in str(outcomes[3])
    assert not mark.exists()


def test_what_is_missing_is_said(opened: Callable[..., Model], tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="name it with --arch"):
        opened(arch=None)
    (tmp_path / "features" / "weights.safetensors").unlink()
    with pytest.raises(LoadError, match=r"has no weights\.safetensors for Head"):
        opened()
    for path in (tmp_path / "features").iterdir():
        path.rename(tmp_path / f"old-{path.name}")
    with pytest.raises(LoadError, match=r"has neither a folder nor an \.npz named rgb or depth"):
        opened()

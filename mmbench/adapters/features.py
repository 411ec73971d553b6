"""``features:DIR``: features that another program extracted take the place of the suite's inputs."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmbench.adapters.fill import fill, weights_of
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.adapters.user_code import load_user_code
from mmbench.adapters.weights_file import read_state_dict
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import Model, ModelInfo, ModelRequest
from mmbench.core.prediction import Prediction
from mmbench.core.registry import adapter
from mmbench.core.sample import Batch
from mmbench.core.source import Modality
from mmbench.models.checkpoint import weights_digest

_WEIGHTS = ("weights.safetensors", "weights.ckpt", "weights.pt")


@adapter("features", needs="torch", example="features:DIR --arch my_head.py:Head")
def open_features(request: ModelRequest) -> Model:
    """A folder of features, MODALITY/<sample id>.npy or MODALITY.npz by id, with the --arch that takes them."""
    root = Path(request.target)
    if not root.is_dir():
        raise LoadError(f"features:{root}: there is no such folder; expected one with MODALITY/<sample id>.npy.")
    if request.options.arch is None:
        raise LoadError(f"features:{root} needs the module that takes the features; name it with --arch FILE.py:Class.")
    stores = {m: store for m in request.spec.modalities if (store := _store(root, m)) is not None}
    if not stores:
        raise LoadError(
            f"features:{root} has neither a folder nor an .npz named {' or '.join(request.spec.modalities)}; name them "
            "after the suite's modalities."
        )
    return FeatureModel(stores, _head(root, stores, request))


class Store:
    """The features of one modality: a folder of .npy, or an .npz; nothing in it is ever unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root = Path(os.path.realpath(path))

    def load(self, sample_id: str) -> NDArray[Any]:
        """The feature of a sample, any float or integer array; raises SampleError when there is none."""
        try:
            found = self._read(sample_id)
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise SampleError(f"{self._path} has no feature of {sample_id!r} that can be read ({error}).") from error
        if found.dtype.kind not in "fiu":
            raise SampleError(f"The feature of {sample_id!r} in {self._path} is {found.dtype}; expected numbers.")
        return found

    def _read(self, sample_id: str) -> NDArray[Any]:
        if self._path.is_dir():
            file = Path(os.path.realpath(self._path / f"{sample_id}.npy"))
            if not file.is_relative_to(self._root):
                raise SampleError(f"The feature of {sample_id!r} lies outside {self._path}; it is not read.")
            array: NDArray[Any] = np.load(file, allow_pickle=False)
            return array
        with np.load(self._path, allow_pickle=False) as archive:
            found: NDArray[Any] = archive[sample_id]
            return found

    def update(self, state: hashlib.blake2b) -> None:
        """Adds the names and bytes of the files to a digest."""
        files = sorted(self._path.rglob("*.npy")) if self._path.is_dir() else [self._path]
        for file in files:
            if Path(os.path.realpath(file)).is_relative_to(self._root):
                content = hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
                state.update(f"{file.relative_to(self._path.parent).as_posix()}\0{content}\n".encode())


class FeatureModel:
    """A head over stored features; what the suite's inputs hold is not looked at."""

    def __init__(self, stores: Mapping[str, Store], head: TorchModel) -> None:
        self._stores = stores
        self._head = head
        self.device, self.precision, self.numerics = head.device, head.precision, head.numerics

    @property
    def info(self) -> ModelInfo:
        """That of the head; its digest is over the weights and the features."""
        return self._head.info

    @property
    def sub_batch(self) -> int | None:
        """That of the head."""
        return self._head.sub_batch

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        """As the head answers; a SampleError for each sample that lacks a feature."""
        loaded: dict[int, dict[str, NDArray[Any]] | SampleError] = {i: self._load(s) for i, s in enumerate(batch.ids)}
        good = [i for i, one in loaded.items() if not isinstance(one, SampleError)]
        inputs = {m: tuple(loaded[i][m] for i in good) for m in self._stores}  # type: ignore[index]
        present = {m: np.ones(len(good), dtype=np.bool_) for m in self._stores}
        sizes = tuple(batch.sizes[i] for i in good) if batch.sizes else ()
        answers = iter(self._head.predict(Batch(tuple(batch.ids[i] for i in good), inputs, present, sizes)))
        return [one if isinstance(one, SampleError) else next(answers) for one in loaded.values()]

    def _load(self, sample_id: str) -> dict[str, NDArray[Any]] | SampleError:
        try:
            return {m: store.load(sample_id) for m, store in self._stores.items()}
        except SampleError as error:
            return error


def _store(root: Path, modality: str) -> Store | None:
    return next((Store(p) for p in (root / modality, root / f"{modality}.npz") if p.exists()), None)


def _head(root: Path, stores: Mapping[str, Store], request: ModelRequest) -> TorchModel:
    code = load_user_code(str(request.options.arch), "--arch")
    kwargs = dict(request.options.arch_kwargs)
    module = code.build(kwargs)
    if not isinstance(module, torch.nn.Module):
        raise LoadError(f"--arch {code.reference} gave a {type(module).__name__}; expected a torch.nn.Module.")
    weights = next((root / name for name in _WEIGHTS if (root / name).is_file()), None)
    if weights is not None:
        fill(module, read_state_dict(weights, request.options.key), str(weights), code.name, request.options.partial)
    elif weights_of(module):
        raise LoadError(f"features:{root} has no {_WEIGHTS[0]} for {code.name}; save the weights of the head there.")
    state = hashlib.blake2b(weights_digest(weights_of(module)).encode(), digest_size=16)
    for store in stores.values():
        store.update(state)
    identity = Identity(state.hexdigest(), {}, (code.consent,), {"arch": code.reference, "arch_kwargs": kwargs})
    modalities = {m: Modality(m, "features", 1) for m in stores}
    return TorchModel(module, root.name, dataclasses.replace(request, modalities=modalities), identity)

"""``predictions:PATH``: a result file, or label maps as one PNG per sample, of another program; needs no torch."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmbench.adapters.fit import check_spatial
from mmbench.adapters.labels import label_map
from mmbench.adapters.results.reading import has_result_files
from mmbench.adapters.stored import StoredResults
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import Model, ModelInfo, ModelRequest
from mmbench.core.prediction import Prediction
from mmbench.core.registry import adapter
from mmbench.core.sample import Batch

# PIL modes whose pixels are label indices: 1, 8 and 16 bit grey, palette (the index counts, not the colour).
_LABEL_MODES = ("1", "L", "P", "I;16", "I;16B", "I")


@adapter("predictions", example="predictions:label_pngs")
def open_predictions(request: ModelRequest) -> Model:
    """A result file (official formats, or by sample id), or a folder of label PNGs named <sample id>.png."""
    if has_result_files(request.spec.task) and not Path(request.target).is_dir():
        return StoredResults.open(request)
    check_spatial(request.locator, request)
    root = Path(request.target)
    if not root.is_dir():
        raise LoadError(f"predictions:{request.target}: there is no such folder; expected one with <sample id>.png.")
    files = _png_files(root)
    if not files:
        raise LoadError(f"predictions:{request.target}: the folder holds no PNG; expected <sample id>.png.")
    return StoredPredictions(root, files, request)


class StoredPredictions:
    """Label maps read from ``root``; each may fail for itself."""

    def __init__(self, root: Path, files: list[Path], request: ModelRequest) -> None:
        self._root = root.resolve()
        self._shown = root
        self._classes = len(request.classes)
        self._info = ModelInfo(
            name=root.resolve().name,
            locator=request.locator,
            task=request.spec.task,
            modalities=(),
            digest=_digest(root, files),
            accepts_missing=True,
        )

    @property
    def info(self) -> ModelInfo:
        """Who made the predictions; ``digest`` is over the names and bytes of all PNGs under the folder."""
        return self._info

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        """The label map of each sample, or a SampleError that names the file."""
        return [self._outcome(sample_id, size) for sample_id, size in zip(batch.ids, batch.sizes, strict=True)]

    def _outcome(self, sample_id: str, size: tuple[int, int]) -> Prediction | SampleError:
        shown = self._shown / f"{sample_id}.png"
        try:
            labels = _read_labels(self._file(sample_id), shown)
        except SampleError as error:
            return error
        return label_map(sample_id, labels, size, self._classes, where=str(shown))

    def _file(self, sample_id: str) -> Path:
        """The file of a sample; ids come from data, so that a path out of the folder is refused."""
        try:
            file = Path(os.path.realpath(self._root / f"{sample_id}.png"))
        except (OSError, ValueError) as error:  # a NUL in the id
            raise SampleError(f"The sample id {sample_id!r} cannot be a file name.") from error
        if not file.is_relative_to(self._root):
            raise SampleError(f"The prediction of {sample_id!r} lies outside {self._shown}; it is not read.")
        return file


def _read_labels(file: Path, shown: Path) -> NDArray[Any]:
    try:
        with Image.open(file) as image:
            if image.format != "PNG" or image.mode not in _LABEL_MODES:
                raise SampleError(
                    f"{shown} is a {image.format} picture of mode {image.mode}; expected a PNG of label indices "
                    "(8 or 16 bit grey, or palette)."
                )
            return np.asarray(image)
    except FileNotFoundError as error:
        raise SampleError(f"{shown} does not exist; expected one label PNG per sample.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SampleError(f"{shown} cannot be read as a PNG ({error}).") from error


def _png_files(root: Path) -> list[Path]:
    found = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    return sorted(file for file in found if file.suffix.lower() == ".png")


def _digest(root: Path, files: list[Path]) -> str:
    """Over the relative names and the bytes of the files, 16 hex digits, as of the moment of opening."""
    state = hashlib.blake2b(digest_size=8)
    inside = root.resolve()
    for file in files:
        if Path(os.path.realpath(file)).is_relative_to(inside):
            state.update(f"{file.relative_to(root).as_posix()}\0{_content(file)}\n".encode())
    return state.hexdigest()


def _content(file: Path) -> str:
    try:
        return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
    except OSError:  # its sample will fail; the other predictions still count
        return "unreadable"

"""Class scores by sample id: CSV or JSON, or arrays of numpy with their ids."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.adapters.results.by_id import ID, table, unique
from mmbench.core.errors import LoadError
from mmbench.core.prediction import ClassScores, Prediction
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec
from mmbench.sources.json_file import read_json


def read(path: Path, spec: SuiteSpec, source: Source) -> Mapping[str, Prediction]:  # noqa: ARG001  as the others
    """Scores of the suite's classes by sample; raises LoadError with the line, key or array that is wrong.

    CSV: ``id`` and one column per class. JSON: ``{id: [scores]}`` in the order of the classes, or ``{id: {class:
    score}}``. ``.npz``: arrays ``ids`` [N] and ``scores`` [N,C]. ``.npy``: scores [N,C], with the ids in a text file
    beside it that has the same name and one id per line. NaN is left to the check of each sample.
    """
    classes = tuple(source.classes)
    readers = {".csv": _csv, ".npz": _npz, ".npy": _npy}
    found = readers.get(path.suffix.lower(), _json)(path, classes)
    return unique(found, path, ClassScores)


def _csv(path: Path, classes: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    heads, rows = table(path)
    if set(heads) != {ID, *classes}:
        raise LoadError(
            f"The CSV {str(path)!r} has the columns {_few(heads)}; expected {ID} and the classes of the suite "
            f"({_few(classes)})."
        )
    places = [heads.index(name) for name in classes]
    for row in rows:
        yield row[heads.index(ID)], _numbers([row[place] for place in places], row[heads.index(ID)], path)


def _json(path: Path, classes: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    content = read_json(path, unique_keys=True)
    if not isinstance(content, dict):
        raise LoadError(f"The results {str(path)!r} must be an object with the scores by sample id.")
    for sample_id, value in content.items():
        named = isinstance(value, dict) and set(value) == set(classes)
        row = [value[name] for name in classes] if named else value
        if not isinstance(row, list) or len(row) != len(classes):
            shown = json.dumps(value)[:80]
            raise LoadError(
                f"The results {str(path)!r} hold {shown} for {sample_id!r}; expected the scores of the "
                f"{len(classes)} classes ({_few(classes)})."
            )
        yield sample_id, _numbers(row, sample_id, path)


def _npz(path: Path, classes: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            ids, scores = arrays["ids"], arrays["scores"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise LoadError(f"{str(path)!r} cannot be read ({error}); expected arrays ids [N] and scores [N,C].") from error
    return _paired([str(one) for one in np.atleast_1d(ids)], scores, path, classes)


def _npy(path: Path, classes: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    beside = path.with_suffix(".txt")
    try:
        ids = beside.read_text(encoding="utf-8-sig").split("\n")
        scores = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise LoadError(f"{str(path)!r} needs its ids, one per line, in {str(beside)!r}, which is missing.") from error
    except (OSError, ValueError, EOFError) as error:
        raise LoadError(f"{str(path)!r} cannot be read with its ids in {beside.name!r} ({error}).") from error
    return _paired([line.strip() for line in ids if line.strip()], scores, path, classes)


def _paired(
    ids: Sequence[str], scores: NDArray[Any], path: Path, classes: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    if scores.shape != (len(ids), len(classes)) or scores.dtype.kind != "f":
        raise LoadError(
            f"The scores in {str(path)!r} are {scores.dtype} {list(scores.shape)}; expected floats "
            f"[{len(ids)},{len(classes)}] ({len(ids)} ids, {len(classes)} classes)."
        )
    yield from zip(ids, scores.astype(np.float32), strict=True)


def _numbers(values: Sequence[Any], sample_id: str, path: Path) -> NDArray[np.float32]:
    try:
        return np.array([float(value) for value in values], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise LoadError(f"The results {str(path)!r} hold a score for {sample_id!r} that is no number.") from error


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")

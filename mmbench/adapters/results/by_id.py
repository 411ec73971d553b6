"""Predictions by sample id, for suites without an official format: ``{id: value}`` in JSON, or a table in CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mmbench.core.errors import LoadError
from mmbench.core.prediction import Prediction, Text
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec
from mmbench.sources.json_file import read_json

T = TypeVar("T")

ID = "id"
# Columns of a text, by task.
TEXTS = {"captioning": "caption", "vqa": "answer"}


def is_by_id(path: Path) -> bool:
    """Whether the file is of this form: a CSV, or an object of JSON (the official formats are lists)."""
    if path.suffix.lower() == ".csv":
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    except OSError:
        return False  # the reader says what is wrong with it


def read(path: Path, spec: SuiteSpec, source: Source) -> Mapping[str, Prediction]:  # noqa: ARG001  as the others
    """A caption or an answer by sample; raises LoadError with the line or key that is wrong, or an id named twice."""
    column = TEXTS[spec.task]
    if path.suffix.lower() == ".csv":
        heads, rows = table(path)
        if sorted(heads) != sorted((ID, column)):
            raise LoadError(f"The CSV {str(path)!r} has the columns {', '.join(heads)}; expected {ID} and {column}.")
        place = heads.index(column)
        return unique(((row[heads.index(ID)], row[place]) for row in rows), path, Text)
    content = read_json(path, unique_keys=True)
    wrong = next((key for key, value in content.items() if not isinstance(value, str)), None)
    if wrong is not None:
        shown = json.dumps(content[wrong])[:80]
        raise LoadError(f"The results {str(path)!r} hold {shown} for {wrong!r}; expected a text ({column}).")
    return {key: Text(key, value) for key, value in content.items()}


def table(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """The head and the lines of a CSV in UTF-8, each with as many fields as the head; raises LoadError."""
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LoadError(f"The file {str(path)!r} cannot be read as CSV in UTF-8 ({error}).") from error
    heads = [name.strip() for name in lines[0]] if lines else []
    if ID not in heads or len(set(heads)) < len(heads):
        raise LoadError(f"The CSV {str(path)!r} begins with {', '.join(heads)!r}; expected {ID} and other columns.")
    return heads, _whole(lines[1:], len(heads), path)


def unique(
    found: Iterator[tuple[str, Any]], path: Path, make: Callable[[str, Any], Prediction]
) -> dict[str, Prediction]:
    """The predictions by id; raises LoadError for an id that is there twice."""
    predictions: dict[str, Prediction] = {}
    for sample_id, value in found:
        if sample_id in predictions:
            raise LoadError(f"The results {str(path)!r} name sample {sample_id!r} twice; one prediction per sample.")
        predictions[sample_id] = make(sample_id, value)
    return predictions


def _whole(lines: Sequence[list[str]], width: int, path: Path) -> Iterator[list[str]]:
    for number, line in enumerate(lines, start=2):
        if line and len(line) != width:
            raise LoadError(f"Line {number} of {str(path)!r} has {len(line)} fields; expected {width} as in its head.")
        if line:
            yield line

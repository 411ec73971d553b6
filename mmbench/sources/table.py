"""Reads a manifest: a CSV with a header, or JSON lines; every row becomes text by column."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmbench.core.errors import LoadError

Row = dict[str, str]
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")


def read_table(path: Path, shown: str) -> list[Row]:
    """The rows in their order, at least one; a cell that is missing or null is "".

    Raises LoadError with the file's name and the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise LoadError(f"The manifest {shown!r} is missing; check the data root and source.params.file.") from error
    except OSError as error:
        raise LoadError(f"The manifest {shown!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise LoadError(f"The manifest {shown!r} is not a text file in UTF-8.") from error
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise LoadError(f"The manifest {shown!r} must end in one of {', '.join(SUFFIXES)}.")
    lines = text.splitlines()
    rows = list(_objects(lines, shown) if suffix in (".jsonl", ".ndjson") else _cells(lines, shown, suffix))
    if not rows:
        raise LoadError(f"The manifest {shown!r} has no row.")
    return rows


def columns_of(rows: Sequence[Row]) -> list[str]:
    """All column names, in the order in which they first occur."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _cells(lines: Sequence[str], shown: str, suffix: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter="\t" if suffix == ".tsv" else ",", strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header) or "" in header:
            raise LoadError(f"The header of the manifest {shown!r} has an empty or a repeated column name.")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise LoadError(
                    f"Line {reader.line_num} of the manifest {shown!r} has {len(cells)} cells, expected {len(header)}."
                )
            yield {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise LoadError(f"Line {reader.line_num} of the manifest {shown!r} is not CSV ({error}).") from error


def _objects(lines: Sequence[str], shown: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            content: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise LoadError(f"Line {number} of the manifest {shown!r} is not JSON.") from error
        plain = isinstance(content, dict) and all(isinstance(v, str | int | float | None) for v in content.values())
        if not plain:
            raise LoadError(f"Line {number} of the manifest {shown!r} is not a JSON object of texts and numbers.")
        yield {name: "" if value is None else str(value) for name, value in content.items()}

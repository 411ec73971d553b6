"""Split lists: one id per line, lines of several columns, or a list inside a YAML or JSON file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from mmbench.core.errors import LoadError
from mmbench.sources.paths import confine


def find_list(root: Path, text: str) -> Path:
    """A list under the data root, or anywhere when the suite file gives an absolute path; raises LoadError."""
    path = Path(text) if PurePosixPath(text).is_absolute() else confine(root, text, LoadError)
    if path.is_file():
        return path
    first = PurePosixPath(text).parts[0]
    inner = root.name == first and not (root / first).exists()
    hint = f"give the folder that holds {first!r}" if inner else "check the data root"
    raise LoadError(f"The split list {text!r} is missing under {root}; {hint}.")


def read_list(path: Path, shown: str, key: str | None, column: int | None, zero_pad: int) -> list[str]:
    """The entries in their order, at least one; raises LoadError with the file's name.

    A text file has one entry per line; empty lines and lines that begin with ``#`` do not count; ``column`` (from 0)
    takes one of several columns between white space. A ``.yaml`` or ``.json`` file is a list, or with ``key`` a table
    of lists. Entries of digits only are padded with zeros to ``zero_pad`` characters.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LoadError(f"The split list {shown!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise LoadError(f"The split list {shown!r} is not a text file in UTF-8.") from error
    structured = path.suffix.lower() in (".yaml", ".yml", ".json")
    entries = _structured(text, shown, key) if structured else _lines(text, shown, column)
    if not entries:
        raise LoadError(f"The split list {shown!r} is empty; expected one id per line.")
    return [entry.zfill(zero_pad) if entry.isdigit() else entry for entry in entries]


def _lines(text: str, shown: str, column: int | None) -> list[str]:
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if column is None:
            entries.append(stripped)
            continue
        columns = stripped.split()
        if column >= len(columns):
            raise LoadError(f"Line {number} of the split list {shown!r} has no column {column} (columns count from 0).")
        entries.append(columns[column])
    return entries


def _structured(text: str, shown: str, key: str | None) -> list[str]:
    try:
        content: Any = yaml.safe_load(text)  # JSON is YAML
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise LoadError(f"The split list {shown!r} is neither YAML nor JSON.") from error
    if key is not None:
        if not isinstance(content, dict) or key not in content:
            known = ", ".join(map(str, content)) if isinstance(content, dict) else "none"
            raise LoadError(f"The split list {shown!r} has no key {key!r}; it has: {known}.")
        content = content[key]
    if not isinstance(content, list) or not all(isinstance(v, str | int) for v in content):
        where = f"under {key!r} " if key is not None else ""
        raise LoadError(f"The split list {shown!r} holds no list of ids {where}(expected names or numbers).")
    return [str(value) for value in content]

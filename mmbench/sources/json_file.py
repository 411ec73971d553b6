"""Reads one JSON file whole; every way in which it can be broken is one sentence with its name and the place."""

from __future__ import annotations

import contextlib
import gc
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmbench.core.errors import LoadError


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """No search for cycles within; also a decorator.

    JSON values have no cycles, and searching millions of them time and again takes as long as reading them.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def read_json(path: Path, unique_keys: bool = False) -> Any:
    """The content of a JSON file in UTF-8 (or UTF-16, UTF-32; a byte order mark is skipped).

    With ``unique_keys`` a key that an object holds twice is an error; the standard library keeps the last in silence.
    Raises LoadError with the line and column, or the key.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise LoadError(f"The file {str(path)!r} is missing; check the path.") from error
    except (OSError, ValueError) as error:
        raise LoadError(f"The file {str(path)!r} cannot be read ({error}).") from error
    try:
        with collector_paused():
            return json.loads(content, object_pairs_hook=_unique if unique_keys else None)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise LoadError(
            f"The file {str(path)!r} is not JSON at {where} ({error.msg}); it is truncated or damaged."
        ) from error
    except _RepeatedKey as error:
        raise LoadError(f"The file {str(path)!r} holds the key {error.key!r} twice in one object.") from error
    except UnicodeDecodeError as error:
        raise LoadError(f"The file {str(path)!r} is not text in UTF-8 (byte {error.start}).") from error
    except (ValueError, RecursionError) as error:
        raise LoadError(f"The file {str(path)!r} cannot be read as JSON ({error}).") from error


class _RepeatedKey(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _RepeatedKey(key)
    return found

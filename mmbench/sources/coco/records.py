"""JSON files taken apart: a list of objects becomes checked columns, an error names the object and the key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import LoadError

Id = int | str
# Far beyond any coordinate, area or score; below it, no product of two of them overflows.
_LARGEST = 1e15


class Records:
    """A list of JSON objects of a file.

    ``what`` is the word for one of them; it is named by its ``id``, or by its place from 0 where it has none.
    """

    def __init__(self, items: Any, file: str, what: str) -> None:
        self._file, self._what = file, what
        if type(items) is not list:
            raise LoadError(f"The file {file!r} has no list of {what}s, expected the COCO format.")
        self._items: list[dict[str, Any]] = items
        for place, item in enumerate(items):
            if type(item) is not dict:
                raise LoadError(f"The file {file!r} has a {what} at place {place} that is no JSON object.")

    def __len__(self) -> int:
        return len(self._items)

    def fail(self, place: int, problem: str) -> NoReturn:
        """Raises LoadError: "The file F: result 3 <problem>"."""
        item = self._items[place]
        name = f"{self._what} {item['id']!r}" if isinstance(item.get("id"), Id) else f"{self._what} at place {place}"
        raise LoadError(f"The file {self._file!r}: the {name} {problem}")

    def first_has(self, key: str) -> bool:
        """Whether the first object has a value of this key that is not empty."""
        return bool(self._items) and bool(self._items[0].get(key))

    def column(self, key: str) -> list[Any]:
        """The values of a key; raises LoadError where it is missing."""
        try:
            return [item[key] for item in self._items]
        except KeyError:
            place = next(i for i, item in enumerate(self._items) if key not in item)
            self.fail(place, f"has no {key!r}; every {self._what} needs one.")

    def optional(self, key: str, default: Any) -> list[Any]:
        """The values of a key, ``default`` where it is missing."""
        return [item.get(key, default) for item in self._items]

    def ids(self, key: str = "id") -> list[Id]:
        """Whole numbers or texts, all of one kind and each once."""
        values = self.column(key)
        for place, value in enumerate(values):
            if type(value) is not type(values[0]) or type(value) not in (int, str):
                self.fail(place, f"has {_shown(value)} as {key!r}, expected whole numbers, or texts, throughout.")
        if len(set(values)) < len(values):
            twice = _first_repeated(values)
            raise LoadError(f"The file {self._file!r} holds the {self._what} {values[twice]!r} twice; ids are unique.")
        return values

    def indices(self, key: str, known: Mapping[Id, int], of: str) -> NDArray[np.int64]:
        """int64 [m]: the numbers of the ids under ``key``; raises LoadError for one that is not ``known`` in ``of``."""
        values = self.column(key)
        try:
            return np.array([known[value] for value in values], dtype=np.int64)
        except (KeyError, TypeError):
            place = next(i for i, value in enumerate(values) if not _is_key(value, known))
            self.fail(place, f"has {key} {_shown(values[place])}, which is not in {of}.")

    def numbers(self, key: str) -> NDArray[np.float64]:
        """float64 [m]; raises LoadError unless all are finite numbers."""
        values = self.column(key)
        if not set(map(type, values)) <= {int, float}:
            self._fail_at(key, values, lambda value: type(value) in (int, float), "a finite number")
        return self._finite(key, values, values, 1)[:, 0]

    def vectors(self, key: str, width: int) -> NDArray[np.float64]:
        """float64 [m,width]; raises LoadError unless all are lists of that many finite numbers."""
        values = self.column(key)
        wanted = f"a list of {width} finite numbers"
        if not set(map(type, values)) <= {list} or not set(map(len, values)) <= {width}:
            self._fail_at(key, values, lambda value: type(value) is list and len(value) == width, wanted)
        flat = list(chain.from_iterable(values))
        if not set(map(type, flat)) <= {int, float}:
            self._fail_at(key, values, lambda value: set(map(type, value)) <= {int, float}, wanted)
        return self._finite(key, values, flat, width)

    def require(self, kept: NDArray[np.bool_] | np.bool_, key: str, wanted: str) -> None:
        """Raises LoadError for the first object that is not ``kept`` [m]."""
        if not kept.all():
            place = int(np.argmin(kept))
            self.fail(place, f"has {_shown(self._items[place].get(key))} as {key!r}, expected {wanted}.")

    def _finite(self, key: str, values: Sequence[Any], flat: Sequence[float], width: int) -> NDArray[np.float64]:
        try:
            table = np.array(flat, dtype=np.float64).reshape(len(values), width)
        except OverflowError:
            table = np.array([[_as_float(x) for x in flat]]).reshape(len(values), width)
        # NaN fails the comparison too.
        self.require((np.abs(table) <= _LARGEST).all(axis=1), key, f"finite numbers of at most {_LARGEST:g}")
        return table

    def _fail_at(self, key: str, values: Sequence[Any], good: Any, wanted: str) -> NoReturn:
        place = next(i for i, value in enumerate(values) if not good(value))
        self.fail(place, f"has {_shown(values[place])} as {key!r}, expected {wanted}.")


def _is_key(value: Any, known: Mapping[Id, int]) -> bool:
    return isinstance(value, Id | float) and value in known


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _first_repeated(values: Sequence[Id]) -> int:
    seen: set[Id] = set()
    for place, value in enumerate(values):
        if value in seen:
            return place
        seen.add(value)
    raise ValueError("no value occurs twice")


def _shown(value: Any) -> str:
    """The value as JSON, cut to 60 characters."""
    try:
        text = json.dumps(value)
    except RecursionError:
        return "a deeply nested value"
    return text if len(text) <= 60 else f"{text[:57]}..."

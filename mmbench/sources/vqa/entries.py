"""The entries of a VQA file, one JSON object a question or answer, and their fields; each error names its entry."""

from __future__ import annotations

import contextlib
import operator
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mmbench.core.errors import LoadError

Entry = dict[str, Any]

_ANSWER = operator.itemgetter("answer")
_IDS = ("question_id", "questionId", "image")


class Texts(dict[str, str]):
    """One object for each text of a file: an answer that ten annotators give is kept once.

    Raises TypeError for what is not a text.
    """

    def __missing__(self, text: object) -> str:
        if not isinstance(text, str):
            raise TypeError(f"{text!r} is not a text")
        return self.setdefault(text, text)


@dataclass(frozen=True, slots=True)
class EntryFile:
    """The name of a file, for messages, and the texts met in it."""

    shown: str
    texts: Texts = field(default_factory=Texts)

    def entries(self, content: Any, key: str | None) -> Iterator[Entry]:
        """The objects of the list under ``key``, or of ``content`` itself; raises LoadError on another form."""
        found = content if key is None else content.get(key) if isinstance(content, dict) else None
        if not isinstance(found, list):
            expected = "a list" if key is None else f"an object with a list {key!r}"
            raise LoadError(f"The file {self.shown!r} must hold {expected}, found {reprlib.repr(content)}.")
        for position, entry in enumerate(found):
            yield self.entry(entry, f"Entry {position} (from 0)")

    def entry(self, value: Any, name: str) -> Entry:
        """``value`` itself; raises LoadError when it is no object."""
        if not isinstance(value, dict):
            raise LoadError(f"{name} of {self.shown!r} is {reprlib.repr(value)}, expected an object.")
        return value

    def identity(self, entry: Entry, key: str) -> str:
        """A number or a text, as text; raises LoadError for anything else."""
        value = entry.get(key)
        if type(value) is int or (isinstance(value, str) and value):
            return str(value)
        raise self._wrong(entry, key, "a number or a text")

    def text(self, entry: Entry, key: str) -> str:
        """A text; raises LoadError for anything else."""
        value = entry.get(key)
        if isinstance(value, str):
            return self.texts[value]
        raise self._wrong(entry, key, "a text")

    def optional_text(self, entry: Entry, key: str) -> str:
        """A text, or "" where the entry has no such field; raises LoadError for anything else."""
        return self.text(entry, key) if key in entry else ""

    def number(self, entry: Entry, key: str) -> float:
        """A number; raises LoadError for anything else."""
        value = entry.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):
                return float(value)
        raise self._wrong(entry, key, "a number")

    def flag(self, entry: Entry, key: str) -> bool:
        """True or false; raises LoadError for anything else."""
        value = entry.get(key)
        if isinstance(value, bool):
            return value
        raise self._wrong(entry, key, "true or false")

    def answers(self, entry: Entry) -> tuple[str, ...]:
        """The annotators' answers, objects with an ``answer`` or plain texts; raises LoadError when there is none."""
        given = entry.get("answers")
        try:
            found = tuple(map(self.texts.__getitem__, map(_ANSWER, given)))  # type: ignore[arg-type]
        except (KeyError, TypeError):
            found = self._plain(entry, given)
        if not found:
            raise self._wrong(entry, "answers", "the annotators' answers")
        return found

    def _plain(self, entry: Entry, given: Any) -> tuple[str, ...]:
        if not isinstance(given, list) or not all(isinstance(answer, str) for answer in given):
            raise self._wrong(entry, "answers", "a list of texts, or of objects with a text 'answer'")
        return tuple(self.texts[answer] for answer in given)

    def _wrong(self, entry: Entry, key: str, expected: str) -> LoadError:
        name = next((f"with {k} {reprlib.repr(entry[k])}" for k in _IDS if k != key and k in entry), "without an id")
        found = f"has {reprlib.repr(entry[key])} as {key!r}" if key in entry else f"has no {key!r}"
        return LoadError(f"The entry {name} of {self.shown!r} {found}, expected {expected}.")

"""Path patterns of a suite file: ``leftImg8bit/{split}/{city}/{id}_leftImg8bit.png``.

    {name}        one or more characters of one file or folder name, as few as possible
    {name:**}     the same, and it may span folders
    {name:a|b}    one of the alternatives
    *             any characters of one file or folder name
    **/           any number of folders

A name that occurs twice in a pattern has the same value both times.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

Fields = dict[str, str]

_TOKEN = re.compile(r"\{(?P<name>[a-z_][a-z0-9_]*)(?::(?P<kind>[^{}]+))?\}|(?P<deep>\*\*/)|(?P<star>(?<!\*)\*(?!\*))")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern: ``names`` are its placeholders, ``wild`` tells that it holds ``*``."""

    text: str
    names: frozenset[str]
    wild: bool

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Raises ValueError when the braces do not pair or a placeholder is not ``{lower_case}``."""
        rest = _TOKEN.sub("", text)
        if not text or "{" in rest or "}" in rest or "*" in rest:
            raise ValueError(
                f"{text!r} is not a pattern; write placeholders like {{id}}, {{id:**}} or {{time:day|night}}"
            )
        tokens = list(_TOKEN.finditer(text))
        names = frozenset(token["name"] for token in tokens if token["name"])
        return cls(text, names, any(token["deep"] or token["star"] for token in tokens))

    def is_path(self, known: Collection[str]) -> bool:
        """Whether the fields ``known`` make it one path, so that nothing has to be searched for."""
        return not self.wild and self.names <= set(known)

    def fill(self, fields: Mapping[str, str]) -> str:
        """The text with the fields put in; what is not known stays a placeholder."""
        return _TOKEN.sub(lambda token: fields.get(token["name"] or "", token[0]), self.text)

    def match(self, text: str, fixed: Mapping[str, str]) -> Fields | None:
        """The values of all placeholders when the whole ``text`` fits, ``fixed`` among them; else None."""
        found = _regex(self.text, tuple(sorted(fixed.items()))).fullmatch(text)
        return None if found is None else {name: found[name] for name in self.names}

    def folder(self, fixed: Mapping[str, str]) -> str:
        """The folder that every match lies in."""
        parts = PurePosixPath(self.fill(fixed)).parts[:-1]
        literal = next((i for i, part in enumerate(parts) if "{" in part or "*" in part), len(parts))
        return "/".join(parts[:literal])


@lru_cache(maxsize=256)
def _regex(text: str, fixed: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    known, seen, pieces, end = dict(fixed), set[str](), [], 0
    for token in _TOKEN.finditer(text):
        pieces += [re.escape(text[end : token.start()]), _piece(token, known, seen)]
        end = token.end()
    return re.compile("".join(pieces) + re.escape(text[end:]), re.DOTALL)


def _piece(token: re.Match[str], known: Mapping[str, str], seen: set[str]) -> str:
    name, kind = token["name"], token["kind"]
    if token["deep"]:
        return "(?:.*/)?"
    if token["star"]:
        return "[^/]*"
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    if name in known:
        return f"(?P<{name}>{re.escape(known[name])})"
    if kind is None or kind == "**":
        return f"(?P<{name}>{'.' if kind else '[^/]'}+?)"
    return f"(?P<{name}>{'|'.join(map(re.escape, kind.split('|')))})"


def search(root: Path, pattern: Pattern, fixed: Mapping[str, str]) -> Iterator[tuple[str, Fields]]:
    """Every file under ``root`` that fits, as its relative path and its fields, in the order of the paths."""
    top = root / pattern.folder(fixed)
    paths = (Path(folder, name).relative_to(root).as_posix() for folder, _, names in os.walk(top) for name in names)
    for path in sorted(paths):
        fields = pattern.match(path, fixed)
        if fields is not None:
            yield path, fields


def _checked(text: str) -> str:
    Pattern.parse(text)
    return text


def _checked_path(text: str) -> str:
    if PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts:
        raise ValueError(f"{text!r} must be a path under the data root, without '..'")
    return _checked(text)


# In the models of parameters: any pattern, and one that is a path under the data root.
PatternText = Annotated[str, AfterValidator(_checked)]
PathPattern = Annotated[str, AfterValidator(_checked_path)]

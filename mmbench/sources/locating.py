"""Finds the file of each sample for one pattern: by filling it in, or by searching its folder once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mmbench.sources.patterns import Fields, Pattern, search


def locate(
    root: Path, pattern: Pattern, samples: Sequence[Fields], constant: Iterable[str]
) -> list[tuple[str | None, Fields]]:
    """Per sample its path under ``root`` and its fields with those that the path adds.

    The path is None when no file fits, or more than one. A pattern whose placeholders are all known is filled in and
    not looked for. ``constant`` names the fields that are equal in all samples.
    """
    known = samples[0].keys() & pattern.names
    if pattern.is_path(known):
        return [(pattern.fill(fields), fields) for fields in samples]
    fixed = {name: samples[0][name] for name in constant if name in samples[0]}
    names = sorted(known)
    places: dict[tuple[str, ...], list[tuple[str, Fields]]] = {}
    for path, fields in search(root, pattern, fixed):
        places.setdefault(tuple(fields[name] for name in names), []).append((path, fields))
    return [_only(places.get(tuple(fields[name] for name in names), []), fields) for fields in samples]


def _only(places: Sequence[tuple[str, Fields]], fields: Fields) -> tuple[str | None, Fields]:
    if len(places) != 1:
        return None, fields
    path, found = places[0]
    return path, {**found, **fields}

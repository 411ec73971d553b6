"""Which folders are modalities, which holds the labels, and which files belong together."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath

from mmbench.core.errors import UsageError
from mmbench.sources.discover.names import is_label, modality_name, split_of
from mmbench.sources.raster import SUFFIXES

EXPECTED = "expected a folder per modality and one of labels, like rgb/ depth/ labels/, with equal file names"


@dataclass(frozen=True, slots=True)
class Place:
    """A file: the folder of its kind, the folder of its split ("" if there is none), its id and its path."""

    role: str
    split: str
    id: str
    path: str


@dataclass(frozen=True, slots=True)
class Role:
    """Files of one kind: ``pattern`` with ``{split}`` and ``{id:**}``; ``files`` by (split folder, id)."""

    name: str
    pattern: str
    files: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Layout:
    """``keys`` are (split folder, id) of the samples with labels and all modalities, in order."""

    modalities: Mapping[str, Role]
    label: Role
    keys: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def find_layout(root: Path, label: str | None = None) -> Layout:
    """Reads names only; ``label`` is the folder of the labels, guessed by its name when None.

    Raises UsageError with what was found when the folders do not follow a layout that is known.
    """
    roles = _roles(root)
    if len(roles) < 2:
        found = f"pictures in {', '.join(sorted(roles))} only" if roles else "no pictures in subfolders"
        raise UsageError(f"{root} has {found}; {EXPECTED}.")
    chosen = _label_role(roles, label, root)
    known = set(roles[chosen].files)
    others = {name: role for name, role in roles.items() if name != chosen}
    notes = [f"Left out {name}/: it is called like labels." for name in others if is_label(name)]
    candidates = {name: role for name, role in others.items() if not is_label(name)}
    partners = {name: role for name, role in candidates.items() if 2 * len(known & role.files.keys()) >= len(known)}
    notes += [f"Left out {name}/: its names do not fit those of {chosen}/." for name in candidates.keys() - partners]
    if not partners:
        raise UsageError(f"No folder of {root} has files named like those of {chosen}/; {EXPECTED}.")
    keys = sorted(known.intersection(*(role.files.keys() for role in partners.values())))
    if not keys:
        raise UsageError(f"No sample of {root} has all of {', '.join([*partners, chosen])}; {EXPECTED}.")
    names = _names(partners)
    ordered = sorted(partners, key=lambda name: (names[name] != "rgb", names[name]))
    return Layout({names[n]: partners[n] for n in ordered}, roles[chosen], tuple(keys), tuple(notes))


def _names(roles: Mapping[str, Role]) -> dict[str, str]:
    short = {name: modality_name(name) for name in roles}
    twice = {name for name in short if list(short.values()).count(short[name]) > 1}
    plain = {name: re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in roles}
    return {name: plain[name] if name in twice else short[name] for name in roles}


def _roles(root: Path) -> dict[str, Role]:
    places = _places(_pictures(root))
    by_role: dict[str, list[Place]] = {}
    for place in places:
        by_role.setdefault(place.role, []).append(place)
    ids = [{p.id for p in found} for found in by_role.values()]
    alike = len(ids) > 1 and all(2 * len(ids[0] & other) >= min(len(ids[0]), len(other)) for other in ids[1:])
    return {name: _role(name, found, strip=not alike) for name, found in sorted(by_role.items())}


def _pictures(root: Path) -> list[str]:
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        here = Path(folder).relative_to(root)
        found += [(here / n).as_posix() for n in sorted(names) if Path(n).suffix.lower() in SUFFIXES]
    return found


def _places(paths: Sequence[str]) -> list[Place]:
    """``role`` is the path of folders down to the one that names the kind, the common wrapping folders included."""
    wrapped = _wrapping([PurePosixPath(path).parts[:-1] for path in paths])
    places = []
    for path in paths:
        parts = PurePosixPath(path).parts
        folders, name = list(parts[len(wrapped) : -1]), PurePosixPath(path).stem
        at = next((i for i, folder in enumerate(folders[:2]) if split_of(folder)), None)
        split = folders.pop(at) if at is not None else ""
        if folders:
            places.append(Place(folders[0], split, "/".join([*folders[1:], name]), path))
    return places


def _wrapping(folders: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    if not folders:
        return ()
    common = folders[0][: _common(folders)]
    # A folder that is all there is wraps the others; the last one must stay to tell the kinds apart.
    return common if len({folder[: len(common) + 1] for folder in folders}) > 1 else common[:-1]


def _role(name: str, places: Sequence[Place], strip: bool) -> Role:
    head, tail = _affixes([PurePosixPath(p.id).name for p in places]) if strip else ("", "")
    ids = [replace(p, id=_without(p.id, head, tail)) for p in places]
    endings = {PurePosixPath(p.path).suffix for p in places}
    first = places[0]
    folders = PurePosixPath(first.path).parts[: -1 - first.id.count("/")]
    written = [("{split}" if part == first.split and first.split else part) for part in folders]
    ending = next(iter(endings)) if len(endings) == 1 else ".*"
    pattern = "/".join([*map(_literal, written), f"{{id:**}}{tail}{ending}"])
    if head:
        pattern = pattern.replace("{id:**}", f"{head}{{id}}")
        if any("/" in p.id for p in ids):
            raise UsageError(f"The files of {name}/ lie in subfolders and begin with {head!r}; rename them without it.")
    return Role(name, pattern, {(p.split, p.id): p.path for p in ids})


def _literal(part: str) -> str:
    if part != "{split}" and re.search(r"[{}*]", part):
        raise UsageError(f"The folder name {part!r} has a character of {{}}*; rename the folder.")
    return part


def _affixes(names: Sequence[str]) -> tuple[str, str]:
    """What all names begin and end with, up to and from a separator: ``("", "_depth")`` of 1_depth, 2_depth."""
    if len(set(names)) < 2:
        return "", ""
    head = names[0][: _common(names)]
    tail = names[0][len(names[0]) - _common([name[::-1] for name in names]) :]
    head = head[: max(head.rfind(c) for c in "_-.") + 1]
    starts = [i for i, c in enumerate(tail) if c in "_-."]
    return head, tail[starts[0] :] if starts else ""


def _common(items: Sequence[Sequence[str]]) -> int:
    """How many leading elements all items share."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*items, strict=False)))


def _without(path: str, head: str, tail: str) -> str:
    folder, slash, name = path.rpartition("/")
    return folder + slash + name[len(head) : len(name) - len(tail)]


def _label_role(roles: Mapping[str, Role], given: str | None, root: Path) -> str:
    if given is not None:
        if given not in roles:
            raise UsageError(f"{root} has no folder {given!r} with pictures; it has: {', '.join(roles)}.")
        return given
    named = [name for name in roles if is_label(name)]
    if len(named) == 1:
        return named[0]
    found = f"several ({', '.join(named)})" if named else f"none (found: {', '.join(roles)})"
    raise UsageError(
        f"The folder of labels must be called like labels, masks or gt; {found}; choose with --label NAME."
    )

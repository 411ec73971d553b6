"""The splits of a user's data: the folders or lists that are there, else a seeded draw that is written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmbench.core.errors import LoadError, UsageError
from mmbench.sources.discover.names import SPLITS, split_of
from mmbench.sources.listing import read_list
from mmbench.sources.patterns import Pattern

# How an entry of a list may name a sample.
_ENTRIES = ("{id:**}", "{id:**}.*", "**/{id}", "**/{id}.*")


@dataclass(frozen=True, slots=True)
class Splits:
    """``tables`` is ``[source.params.splits]``; ``roles`` the suite's split keys; ``lists`` are files to be written."""

    tables: Mapping[str, dict[str, Any]]
    roles: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    note: str


def from_values(counts: Mapping[str, int], what: str) -> Splits:
    """Splits that are folders or values of a column (``what``), by their names; ``counts`` are samples of each."""
    named = {split_of(name): name for name in sorted(counts)}
    found = {s: ({} if named[s] == s else {"folder": named[s]}) for s in SPLITS if s in named}
    trained = counts[named["train"]] if "train" in named else 0
    return _completed(found, trained, f"splits from the {what} {', '.join(sorted(counts))}")


def from_lists(root: Path, ids: Collection[str]) -> Splits | None:
    """Splits that are text files called train.txt and so on, whose entries name samples; None when there are none."""
    found: dict[str, dict[str, Any]] = {}
    trained = 0
    for path in sorted(root.rglob("*.txt")):
        split, shown = split_of(path.stem), path.relative_to(root).as_posix()
        read = _list_table(path, shown, ids) if split is not None and split not in found else None
        if split is not None and read is not None:
            found[split] = {"list": shown, **read[0]}
            trained = read[1] if split == "train" else trained
    names = ", ".join(str(table["list"]) for table in found.values())
    return _completed(found, trained, f"splits from the lists {names}") if found else None


def drawn(ids: Sequence[str], groups: Sequence[str], stem: str, seed: int) -> Splits:
    """A random 70/10/20 split: of whole groups when there are at least ten, else of samples.

    The order is by Philox ``random_raw``, so a seed gives the same split everywhere. Raises UsageError under 3 samples.
    """
    by_group = 10 <= len(set(groups)) < len(ids)
    units = sorted(set(groups)) if by_group else sorted(ids)
    if len(units) < 3:
        raise UsageError(f"Found {len(units)} samples; at least 3 are needed to split them into train, val and test.")
    raw = np.random.Philox(key=seed).random_raw(len(units))
    order = [units[i] for i in np.argsort(raw, kind="stable")]
    test, val = max(1, round(0.2 * len(units))), max(1, round(0.1 * len(units)))
    parts = {"test": order[:test], "val": order[test : test + val], "train": order[test + val :]}
    unit_of = dict(zip(ids, groups if by_group else ids, strict=True))
    lists = {
        f"{stem}.{split}.txt": tuple(sorted(i for i in ids if unit_of[i] in set(parts[split])))
        for split in ("train", "val", "test")
    }
    tables = {split: {"list": f"{{here}}/{stem}.{split}.txt"} for split in ("train", "val", "test")}
    what = f"of {len(units)} whole groups" if by_group else "of samples"
    return Splits(
        tables, {}, lists, f"no splits found: a random 70/10/20 split {what} with seed {seed}, written to lists"
    )


def _list_table(path: Path, shown: str, ids: Collection[str]) -> tuple[dict[str, Any], int] | None:
    """How the entries name samples, and their number; None when they do not."""
    for column in (0, None):
        try:
            entries = read_list(path, shown, None, column, 0)
        except LoadError:
            return None
        for entry in _ENTRIES:
            matches = [Pattern.parse(entry).match(text, {}) for text in entries]
            known = sum(match is not None and match["id"] in ids for match in matches)
            if None not in matches and 2 * known >= len(entries):
                table: dict[str, Any] = {} if entry == _ENTRIES[0] else {"entry": entry}
                columns = any(len(line.split()) > 1 for line in read_list(path, shown, None, None, 0))
                return {**table, **({"column": 0} if columns and column == 0 else {})}, len(entries)
    return None


def _completed(found: dict[str, dict[str, Any]], trained: int, note: str) -> Splits:
    """Makes train, validation and test of what is there: a missing one is every n-th of the ``trained`` samples."""
    if {"train", "val", "test"} <= found.keys():
        return Splits(found, {}, {}, note)
    rest, every = dict(found), min(10, max(2, trained))
    if found.keys() == {"train", "test"}:
        rest |= {"val": {"of": "train", "every": every}, "fit": {"of": "train", "without": ["val"]}}
        return Splits(rest, {"train_split": "fit"}, {}, f"{note}; one in {every} of train is held out as val")
    if found.keys() == {"train", "val"}:
        rest |= {"tune": {"of": "train", "every": every}, "fit": {"of": "train", "without": ["tune"]}}
        roles = {"split": "val", "train_split": "fit", "val_split": "tune"}
        return Splits(rest, roles, {}, f"{note}; val is measured, one in {every} of train chooses the checkpoint")
    if found.keys() == {"train"}:
        tested = min(5, max(2, trained // 2))
        every = min(8, max(2, trained - trained // tested))
        rest |= {"test": {"of": "train", "every": tested}, "rest": {"of": "train", "without": ["test"]}}
        rest |= {"val": {"of": "rest", "every": every}, "fit": {"of": "rest", "without": ["val"]}}
        return Splits(rest, {"train_split": "fit"}, {}, f"{note}; one in {tested} of train is held out as test")
    roles = {} if "test" in found else {"split": "val"}
    return Splits(rest, roles, {}, f"{note}; nothing to train on")

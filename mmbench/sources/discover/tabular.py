"""Proposes a suite for a manifest: which column is what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmbench.core.errors import UsageError
from mmbench.sources.discover import lists
from mmbench.sources.discover.looking import look_at_input, look_at_labels
from mmbench.sources.discover.names import GROUPS, IDS, SPLIT_COLUMNS, is_label, modality_name, split_of
from mmbench.sources.paths import exists
from mmbench.sources.raster import SUFFIXES as PICTURES
from mmbench.sources.table import SUFFIXES, Row, columns_of, read_table

# A column of so few different values is a slice.
_MOST_TAGS = 20


def find_manifest(data: Path) -> Path | None:
    """``data`` itself, or the one table in the folder; None when there is none; UsageError when there are several."""
    if data.is_file():
        if data.suffix.lower() not in SUFFIXES:
            raise UsageError(
                f"{data} is no folder and no manifest; expected a folder, or one of {', '.join(SUFFIXES)}."
            )
        return data
    found = [path for path in sorted(data.iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"{data} holds several manifests ({names}); give one of them with --data.")
    return found[0] if found else None


def propose_manifest(
    root: Path, path: Path, stem: str, seed: int, label: str | None
) -> tuple[dict[str, Any], lists.Splits, dict[str, str], list[str]]:
    """``source.params``, the splits, comments and notes; raises UsageError with the columns that were found."""
    rows = read_table(path.resolve(), path.name)
    names = columns_of(rows)
    pictures = [name for name in names if _is_path_column(root, rows, name)]
    target = _label_column(pictures, names, label)
    inputs = [name for name in pictures if name != target]
    sample_id = _first(names, IDS)
    if sample_id is None or not inputs:
        what = "a column id" if sample_id is None else "a column of paths to pictures beside the labels"
        raise UsageError(f"The manifest {path.name!r} needs {what}; it has: {', '.join(names)}.")
    complete = [row for row in rows if row.get(target) and all(row.get(name) for name in inputs)]
    if not complete:
        raise UsageError(f"The manifest {path.name!r} has no row with all of {', '.join([*inputs, target])}.")
    decoded_label, classes, size = look_at_labels(root, [row[target] for row in complete])
    comments: dict[str, str] = {}
    modalities = {}
    for column in inputs:
        name = modality_name(column)
        decoded, comment = look_at_input(root, name, [row[column] for row in complete], size)
        modalities[name] = {"column": column, **decoded}
        comments[f"source.params.modalities.{name}"] = comment
    columns, splits, notes = _columns(rows, names, set(pictures), sample_id, stem, seed)
    params: dict[str, Any] = {"file": path.name, "classes": classes, "modalities": modalities}
    params |= {"label": {"column": target, **decoded_label}, "columns": columns, "splits": dict(splits.tables)}
    return params, splits, comments, [f"{len(rows)} rows in {path.name}; {splits.note}", *notes]


def _columns(
    rows: Sequence[Row], names: Sequence[str], used: set[str], sample_id: str, stem: str, seed: int
) -> tuple[dict[str, Any], lists.Splits, list[str]]:
    """``source.params.columns``: the id, the group, the tags; and the splits, of a column or drawn."""
    split = next((name for name in names if name.lower() in SPLIT_COLUMNS), None)
    group = _first(names, GROUPS)
    rest = [name for name in names if name not in {*used, sample_id, split, group}]
    tags = [name for name in rest if 1 < len({row.get(name, "") for row in rows}) <= min(_MOST_TAGS, len(rows) // 2)]
    columns: dict[str, Any] = {"id": sample_id}
    columns |= {"group": group} if group else {}
    columns |= {"tags": tags} if tags else {}
    notes = [f"Slices: {', '.join(tags)}."] if tags else []
    if split is not None:
        columns["split"] = split
        values = Counter(row[split] for row in rows if row.get(split))
        unknown = sorted(value for value in values if split_of(value) is None)
        if unknown:
            raise UsageError(f"The column {split!r} holds {unknown[0]!r}, expected train, val and test.")
        return columns, lists.from_values(values, f"values of {split}:"), notes
    ids = [row[sample_id] for row in rows]
    groups = [row.get(group, "") or row[sample_id] for row in rows] if group else ids
    return columns, lists.drawn(ids, groups, stem, seed), notes


def _is_path_column(root: Path, rows: Sequence[Row], name: str) -> bool:
    cells = [row[name] for row in rows if row.get(name)][:20]
    return bool(cells) and all(Path(cell).suffix.lower() in PICTURES and exists(root, cell) for cell in cells)


def _label_column(pictures: Sequence[str], names: Sequence[str], given: str | None) -> str:
    if given is not None:
        if given not in pictures:
            raise UsageError(f"The manifest has no column {given!r} of paths; it has: {', '.join(pictures) or 'none'}.")
        return given
    named = [name for name in pictures if is_label(name)]
    if len(named) == 1:
        return named[0]
    found = (
        f"several ({', '.join(named)})" if named else f"none (columns: {', '.join(names)}; paths are under the root)"
    )
    raise UsageError(f"One column of paths must be called like label or mask; {found}; choose with --label NAME.")


def _first(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for want in wanted for name in names if name.lower() == want), None)

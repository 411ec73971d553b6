"""The source ``manifest``: a CSV or JSONL file with one row per sample."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.registry import source
from mmbench.core.source import SourceRequest
from mmbench.sources.decoding import InputParams, Table
from mmbench.sources.items import LABEL, Item, ItemSource, present_only
from mmbench.sources.labels import LabelParams
from mmbench.sources.opened import check_modalities, data_root, label_decoder, validated
from mmbench.sources.paths import confine
from mmbench.sources.patterns import Fields
from mmbench.sources.splits import SplitParams, SplitResolver
from mmbench.sources.table import Row, columns_of, read_table


class ManifestInput(InputParams):
    """A modality and its column, by default of the same name.

    The cell is a path, or with ``decode = "value"`` a number, which fills a plane (scaled as any other).
    """

    column: str | None = None


class ManifestLabel(LabelParams):
    """The labels and their column."""

    column: str = LABEL


class Columns(Table):
    """The columns that are not a modality or the label; ``split``, ``group`` None: there is none."""

    id: str = "id"
    split: str | None = "split"
    group: str | None = None
    tags: tuple[str, ...] = ()


class ManifestParams(Table):
    """``[source.params]`` of a suite with kind ``manifest``.

    ``file`` is under the data root, or an absolute path. The splits are the values of the split column, unless
    ``splits`` says otherwise (lists of ids, parts of other splits; see ``splits.SplitParams``). ``missing`` as in
    ``folders``.
    """

    file: str
    classes: tuple[str, ...] = Field(min_length=2, max_length=32_000)
    modalities: dict[str, ManifestInput] = Field(min_length=1)
    label: ManifestLabel = ManifestLabel()
    columns: Columns = Columns()
    splits: dict[str, SplitParams] = Field(default_factory=dict)
    missing: Literal["fail", "skip"] = "fail"


@source("manifest")
class ManifestSource:
    """A CSV or JSONL file: id, split, one path or value column per modality, target, group, tags."""

    @classmethod
    def open(cls, request: SourceRequest) -> ItemSource:
        """Reads the manifest; raises UsageError on wrong parameters, LoadError when it is missing or malformed."""
        params = validated(ManifestParams, request.spec)
        check_modalities(params.modalities, request.spec)
        decoder = label_decoder(params.label, params.classes, request.spec)
        root = data_root(request)
        items = _Manifest(root, request.spec.name, params).items(request.split)
        notes: tuple[str, ...] = ()
        if params.missing == "skip":
            items, notes = present_only(items, root, request.split)
        return ItemSource(root, items, dict(params.modalities), decoder, params.classes, notes=notes)


class _Manifest:
    def __init__(self, root: Path, suite: str, params: ManifestParams) -> None:
        self._root, self._suite, self._params = root, suite, params
        absolute = PurePosixPath(params.file).is_absolute()
        path = Path(params.file) if absolute else confine(root, params.file, LoadError)
        self._rows = read_table(path, params.file)
        self._check_columns()

    def items(self, split: str) -> tuple[Item, ...]:
        column = self._params.columns.split
        named = [row[column] for row in self._rows if row.get(column)] if column else []
        splits = self._params.splits or {name: SplitParams() for name in named}
        if not splits:
            raise LoadError(
                f"The manifest {self._params.file!r} has no split column {column!r}; add one, or declare splits."
            )
        resolver = SplitResolver(self._suite, self._root, splits, {}, self._on_disk, lambda fields: fields["id"])
        chosen, by_id = resolver.resolve(split), {row[self._params.columns.id]: row for row in self._rows}
        unknown = next((fields["id"] for fields in chosen if fields["id"] not in by_id), None)
        if unknown is not None:
            raise LoadError(f"The manifest {self._params.file!r} has no row {unknown!r}, which split {split!r} lists.")
        return tuple(self._item(by_id[fields["id"]]) for fields in chosen)

    def _on_disk(self, fixed: Fields) -> list[Fields]:
        columns = self._params.columns
        rows = [row for row in self._rows if columns.split is None or row.get(columns.split, "") == fixed["split"]]
        return [{"id": row[columns.id]} for row in rows]

    def _item(self, row: Row) -> Item:
        columns, sample_id = self._params.columns, row[self._params.columns.id]
        cells = {name: row.get(p.column or name, "") for name, p in self._params.modalities.items()}
        lost = {
            name: f"column {p.column or name}"
            for name, p in self._params.modalities.items()
            if not cells[name] and not p.optional
        }
        label = row.get(self._params.label.column, "")
        if not label:
            lost[LABEL] = f"column {self._params.label.column}"
        values = {n: c for n, c in cells.items() if c and self._params.modalities[n].decode == "value"}
        return Item(
            id=sample_id,
            files={name: cell for name, cell in cells.items() if cell and name not in values},
            label=label,
            values={name: self._number(cell, name, sample_id) for name, cell in values.items()},
            unknown=lost,
            group=(row.get(columns.group) or None) if columns.group else None,
            tags={name: row[name] for name in columns.tags if row.get(name)},
        )

    def _number(self, cell: str, name: str, sample_id: str) -> float:
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise LoadError(
                f"The manifest {self._params.file!r} has {cell!r} as {name} of {sample_id!r}, expected a finite number."
            )
        return number

    def _check_columns(self) -> None:
        found, columns = columns_of(self._rows), self._params.columns
        wanted = {p.column or name for name, p in self._params.modalities.items()} | {self._params.label.column}
        wanted |= {columns.id, *columns.tags, *filter(None, (columns.group,))}
        if columns.split and not self._params.splits:
            wanted.add(columns.split)
        missing = sorted(wanted - set(found))
        if missing:
            raise UsageError(
                f"Suite {self._suite!r}: the manifest {self._params.file!r} has no column {missing[0]!r}; it has: "
                f"{', '.join(found)}."
            )
        ids = [row.get(columns.id, "") for row in self._rows]
        if "" in ids:
            raise LoadError(f"Row {ids.index('') + 1} of the manifest {self._params.file!r} has no {columns.id}.")
        twice = next((sample_id for sample_id, count in Counter(ids).items() if count > 1), None)
        if twice is not None:
            raise LoadError(f"The manifest {self._params.file!r} holds {twice!r} twice; ids must be unique.")

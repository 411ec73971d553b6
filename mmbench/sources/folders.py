"""The source ``folders``: a picture per modality and a label picture, found by path patterns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from mmbench.core.errors import UsageError
from mmbench.core.registry import source
from mmbench.core.source import SourceRequest
from mmbench.sources.decoding import InputParams, Table
from mmbench.sources.items import LABEL, Item, ItemSource, present_only
from mmbench.sources.labels import LabelParams
from mmbench.sources.locating import locate
from mmbench.sources.opened import check_modalities, data_root, label_decoder, validated
from mmbench.sources.paths import exists
from mmbench.sources.patterns import Fields, PathPattern, Pattern, search
from mmbench.sources.splits import SplitParams, SplitResolver
from mmbench.sources.templates import TagParams, Template, fields_of, fields_of_tags, fill, fill_tags


class FolderInput(InputParams):
    """A modality and the pattern of its files."""

    path: PathPattern

    @model_validator(mode="after")
    def _is_a_file(self) -> FolderInput:
        if self.decode == "value":
            raise ValueError("decode = 'value' needs a column of numbers, that is, a source of kind 'manifest'")
        return self


class FolderLabel(LabelParams):
    """The labels and the pattern of their files."""

    path: PathPattern


class FolderParams(Table):
    """``[source.params]`` of a suite with kind ``folders``; patterns as in ``patterns``.

    ``classes``: the class names, whose index is the label. ``id``, ``group`` and ``tags`` are templates of the
    placeholders that the lists' entries and the patterns give; the suite's parameters and ``{split}`` may stand in
    patterns too. ``missing = "skip"`` leaves out samples with a missing file and says how many; with ``"fail"`` each
    of them is a failed sample.
    """

    classes: tuple[str, ...] = Field(min_length=2, max_length=32_000)
    modalities: dict[str, FolderInput] = Field(min_length=1)
    label: FolderLabel
    splits: dict[str, SplitParams] = Field(min_length=1)
    id: Template = "{id}"
    group: Template | None = None
    tags: dict[str, Template | TagParams] = Field(default_factory=dict)
    missing: Literal["fail", "skip"] = "fail"


@source("folders")
class FolderSource:
    """Pictures and labels in folders, found by path patterns; split by lists or by folder."""

    @classmethod
    def open(cls, request: SourceRequest) -> ItemSource:
        """Finds the samples of a split; raises UsageError on wrong parameters, LoadError when data is missing."""
        params = validated(FolderParams, request.spec)
        check_modalities(params.modalities, request.spec)
        decoder = label_decoder(params.label, params.classes, request.spec)
        root = data_root(request)
        items = _Finder(root, request.spec.name, params, dict(request.parameters)).items(request.split)
        notes: tuple[str, ...] = ()
        if params.missing == "skip":
            items, notes = present_only(items, root, request.split)
        return ItemSource(root, items, dict(params.modalities), decoder, params.classes, notes=notes)


class _Finder:
    """Finds the files of the samples of one suite."""

    def __init__(self, root: Path, suite: str, params: FolderParams, fixed: Fields) -> None:
        self._root, self._suite, self._params, self._fixed = root, suite, params, fixed
        self._optional = {name for name, value in params.modalities.items() if value.optional}
        # What every sample has comes first: it is what a split without a list is searched by.
        needed = {name: value.path for name, value in params.modalities.items() if name not in self._optional}
        others = {name: params.modalities[name].path for name in self._optional}
        paths = {**needed, LABEL: params.label.path, **others}
        self._patterns = {name: Pattern.parse(path) for name, path in paths.items()}
        self._base = next(iter(self._patterns.values()))

    def items(self, split: str) -> tuple[Item, ...]:
        """The items of a split, in its order."""
        resolver = SplitResolver(self._suite, self._root, self._params.splits, self._fixed, self._on_disk, self._id_of)
        samples = resolver.resolve(split)
        places: dict[str, list[str | None]] = {}
        for name, pattern in self._patterns.items():
            found = locate(self._root, pattern, samples, {"split", *self._fixed})
            places[name] = [path for path, _ in found]
            samples = [fields for _, fields in found]
        return tuple(
            self._item(fields, {name: paths[index] for name, paths in places.items()})
            for index, fields in enumerate(samples)
        )

    def _item(self, fields: Fields, places: Mapping[str, str | None]) -> Item:
        files = {name: path for name, path in places.items() if path is not None and name != LABEL}
        absent = {name for name in self._optional & files.keys() if not exists(self._root, files[name])}
        lost = [name for name, path in places.items() if path is None and name not in self._optional]
        if not lost:  # else the path that would give the field is not there, and the sample fails for that
            self._check_fields("group and tags", self._needed_fields(), fields)
        return Item(
            id=self._id_of(fields),
            files={name: path for name, path in files.items() if name not in absent},
            label=places[LABEL] or "",
            unknown={name: self._patterns[name].fill(fields) for name in lost},
            group=fill(self._params.group, fields) if self._params.group and not lost else None,
            tags=fill_tags(self._params.tags, fields) if not lost else {},
        )

    def _on_disk(self, fixed: Fields) -> list[Fields]:
        return [{**fixed, **fields} for _, fields in search(self._root, self._base, fixed)]

    def _id_of(self, fields: Fields) -> str:
        self._check_fields("id", fields_of(self._params.id), fields)
        return fill(self._params.id, fields)

    def _needed_fields(self) -> set[str]:
        group = fields_of(self._params.group) if self._params.group else set[str]()
        return group | set(fields_of_tags(self._params.tags))

    def _check_fields(self, what: str, needed: set[str], known: Collection[str]) -> None:
        unknown = sorted(needed - set(known))
        if unknown:
            raise UsageError(
                f"Suite {self._suite!r}, source.params: {what} needs {{{unknown[0]}}}, which no list entry and no path "
                "gives."
            )

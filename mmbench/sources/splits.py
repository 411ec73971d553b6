"""Which samples a split has: by a list, by folder, or as a declared part of another split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import Field, model_validator

from mmbench.core.errors import LoadError, UsageError
from mmbench.sources.decoding import Table
from mmbench.sources.listing import find_list, read_list
from mmbench.sources.patterns import Fields, Pattern, PatternText
from mmbench.sources.templates import fill_known


class SplitParams(Table):
    """One split, in one of three ways.

    By ``list`` (a file, or several): each entry is matched with the pattern ``entry`` and gives its placeholders;
    ``column``, ``key`` and ``zero_pad`` as in ``listing.read_list``. As a part ``of`` another split: every n-th of its
    samples (``every``), without those of the splits in ``without``. Else by what is on the disk. ``folder`` is the
    value of ``{split}`` in the patterns, the split's own name if it is not given.
    """

    list: str | tuple[str, ...] | None = None
    entry: PatternText = "{id:**}"
    column: int | None = Field(default=None, ge=0)
    key: str | None = None
    zero_pad: int = Field(default=0, ge=0, le=32)
    folder: str | None = None
    of: str | None = None
    every: int = Field(default=1, ge=1)
    without: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _keys_fit_together(self) -> SplitParams:
        chosen = self.model_fields_set
        if self.of is None and chosen & {"every", "without"}:
            raise ValueError("every and without take a part of another split; name it with of")
        if self.of is not None and chosen - {"of", "every", "without"}:
            raise ValueError("a split that is a part of another has only of, every and without")
        if self.list is None and chosen & {"entry", "column", "key", "zero_pad"}:
            raise ValueError("entry, column, key and zero_pad belong to list")
        return self

    @property
    def lists(self) -> tuple[str, ...]:
        """The list files."""
        return (self.list,) if isinstance(self.list, str) else self.list or ()


class SplitResolver:
    """Finds the samples of the splits of one suite.

    ``on_disk(fixed)`` gives the fields of every sample that is there, ``id_of`` a sample's id; ``fixed`` are fields
    that all samples have (the suite's parameters).
    """

    def __init__(
        self,
        suite: str,
        root: Path,
        splits: Mapping[str, SplitParams],
        fixed: Fields,
        on_disk: Callable[[Fields], list[Fields]],
        id_of: Callable[[Fields], str],
    ) -> None:
        self._suite, self._root, self._splits, self._fixed = suite, root, splits, fixed
        self._on_disk, self._id_of = on_disk, id_of

    def resolve(self, split: str) -> list[Fields]:
        """The fields of each sample, in the order of the list or of the paths; their ids are unique.

        Raises UsageError for an unknown split, LoadError for a missing or empty one or an id that occurs twice.
        """
        found = self._find(split, ())
        if not found:
            raise LoadError(f"The split {split!r} of suite {self._suite!r} is empty under {self._root}.")
        return found

    def _find(self, split: str, seen: tuple[str, ...]) -> list[Fields]:
        if split not in self._splits:
            raise UsageError(f"Suite {self._suite!r} has no split {split!r}; it has: {', '.join(self._splits)}.")
        if split in seen:
            raise UsageError(f"Suite {self._suite!r}: the split {split!r} is a part of itself.")
        params = self._splits[split]
        if params.of is not None:
            found = self._part(params, params.of, (*seen, split))
        else:
            fixed = {**self._fixed, "split": params.folder or split}
            found = self._listed(params, fixed) if params.lists else self._on_disk(fixed)
        self._refuse_twice(split, found)
        return found

    def _part(self, params: SplitParams, whole: str, seen: tuple[str, ...]) -> list[Fields]:
        left_out = {self._id_of(fields) for other in params.without for fields in self._find(other, seen)}
        chosen = self._find(whole, seen)[params.every - 1 :: params.every]
        return [fields for fields in chosen if self._id_of(fields) not in left_out]

    def _listed(self, params: SplitParams, fixed: Fields) -> list[Fields]:
        pattern, found = Pattern.parse(params.entry), []
        for text in params.lists:
            shown = fill_known(text, fixed)
            path = find_list(self._root, shown)
            for entry in read_list(path, shown, params.key, params.column, params.zero_pad):
                fields = pattern.match(entry, fixed)
                if fields is None:
                    raise LoadError(f"The entry {entry!r} of the split list {shown!r} does not fit {params.entry!r}.")
                found.append({**fixed, **fields})
        return found

    def _refuse_twice(self, split: str, found: list[Fields]) -> None:
        seen = set[str]()
        for fields in found:
            sample_id = self._id_of(fields)
            if sample_id in seen:
                raise LoadError(
                    f"The split {split!r} of suite {self._suite!r} holds {sample_id!r} twice; ids must be unique."
                )
            seen.add(sample_id)

"""Plug-ins by name, listed without importing them.

An in-tree plug-in is one file in its folder with a decorator whose first argument is a literal name; the file is read
with ``ast`` to list it and imported when it is used. An outside package declares an entry point in the group
``mmbench.plugins`` whose value is a module; that module is imported once, when a registry is first asked.

    from mmbench.core.registry import source

    @source("folders")
    class FolderSource: ...
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from mmbench.core.errors import MissingExtra, UnknownName, UsageError

T = TypeVar("T")
GROUP = "mmbench.plugins"
# What tells that an extra is installed.
_EXTRA_MODULE = {"torch": "torch"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A plug-in that is known by name: where it stands, what it says of itself, the extra that it needs."""

    name: str
    module: str
    file: str
    summary: str = ""
    needs: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def missing(self) -> str | None:
        """The extra that is not installed, None if the plug-in can be used."""
        absent = self.needs is not None and importlib.util.find_spec(_EXTRA_MODULE[self.needs]) is None
        return self.needs if absent else None


class Registry:
    """The plug-ins of one kind."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._objects: dict[str, Any] = {}
        self._outside: dict[str, Entry] = {}

    def __call__(self, name: str, *, needs: str | None = None, **options: Any) -> Callable[[T], T]:
        """The decorator that registers a class or function under a literal ``name``."""

        def register(plugin: T) -> T:
            module = plugin.__module__
            if not module.startswith("mmbench."):
                self._add_outside(name, module, plugin, needs, options)
            self._objects[name] = plugin
            return plugin

        return register

    def entries(self) -> dict[str, Entry]:
        """All plug-ins by name; raises UsageError when two files use one name."""
        load_outside_plugins()
        found = dict(self._in_tree)
        for name, entry in self._outside.items():
            _refuse_duplicate(self.kind, entry, found.get(name))
            found[name] = entry
        return dict(sorted(found.items()))

    def get(self, name: str) -> Any:
        """The plug-in itself, imported now; raises UnknownName or MissingExtra."""
        entry = self.entry(name)
        if entry.missing:
            raise MissingExtra(f"The {self.kind} {name!r}", entry.missing)
        importlib.import_module(entry.module)
        return self._objects[name]

    def entry(self, name: str) -> Entry:
        """What is known of a plug-in without importing it; raises UnknownName."""
        entries = self.entries()
        if name not in entries:
            raise UnknownName(self.kind, name, entries)
        return entries[name]

    def _add_outside(self, name: str, module: str, plugin: Any, needs: str | None, options: dict[str, Any]) -> None:
        summary = (plugin.__doc__ or "").strip().partition("\n")[0]
        file = str(getattr(importlib.import_module(module), "__file__", module))
        entry = Entry(name, module, file, summary, needs, options)
        _refuse_duplicate(self.kind, entry, self._outside.get(name) or self._in_tree.get(name))
        self._outside[name] = entry

    @cached_property
    def _in_tree(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for entry in _scan(self.kind, self.package):
            _refuse_duplicate(self.kind, entry, found.get(entry.name))
            found[entry.name] = entry
        return found


def _refuse_duplicate(kind: str, entry: Entry, other: Entry | None) -> None:
    if other is not None and other.module != entry.module:
        raise UsageError(
            f"Two files register the {kind} {entry.name!r}: {other.file} and {entry.file}; rename one of them."
        )


def _scan(kind: str, package: str) -> Iterator[Entry]:
    folder = Path(__file__).resolve().parent.parent.joinpath(*package.split(".")[1:])
    for file in sorted(folder.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if f"@{kind}(" in text:
            dotted = ".".join((package, *file.relative_to(folder).with_suffix("").parts))
            yield from _entries_in(kind, dotted.removesuffix(".__init__"), file, ast.parse(text))


def _entries_in(kind: str, module: str, file: Path, tree: ast.Module) -> Iterator[Entry]:
    for node in tree.body:
        for call in getattr(node, "decorator_list", ()):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == kind:
                options = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
                summary = (ast.get_docstring(node) or "").partition("\n")[0]  # type: ignore[arg-type]
                name = ast.literal_eval(call.args[0])
                yield Entry(name, module, str(file), summary, options.pop("needs", None), options)


_loaded: list[str] = []


def load_outside_plugins() -> None:
    """Imports the modules of the entry-point group, once; raises UsageError with the package's name on failure."""
    if _loaded:
        return
    _loaded.append(GROUP)
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except ImportError as error:
            raise UsageError(
                f"The plug-in package {point.dist.name if point.dist else point.value!r} could not be imported "
                f"({error}); repair or uninstall it."
            ) from error


source = Registry("source", "mmbench.sources")
statistic = Registry("statistic", "mmbench.metrics")
metric = Registry("metric", "mmbench.metrics")
fusion = Registry("fusion", "mmbench.fusion")
adapter = Registry("adapter", "mmbench.adapters")
report = Registry("report", "mmbench.reports")
REGISTRIES = {r.kind: r for r in (source, statistic, metric, fusion, adapter, report)}

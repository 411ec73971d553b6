"""Plug-ins by name, listed without importing them.

A plug-in is one file with a decorator whose arguments are literals; the file is read with ``ast`` to list it and
imported when it is used. In-tree files stand in the folder of their kind. An outside package declares an entry point in
the group ``mmbench.plugins`` whose value is a module or a package; its files are read in the same way, so that a
plug-in whose extra is not installed is still listed.

    from mmbench.core.registry import source

    @source("folders")
    class FolderSource: ...
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from mmbench.core.errors import MissingExtra, MmbenchError, UnknownName, UsageError

T = TypeVar("T")
GROUP = "mmbench.plugins"
# What tells that an extra is installed; an extra of an outside package is taken for the module of its name.
_EXTRA_MODULE = {"torch": "torch", "onnx": "onnxruntime"}


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
        if self.needs is None or importlib.util.find_spec(_EXTRA_MODULE.get(self.needs, self.needs)) is not None:
            return None
        return self.needs


class Registry:
    """The plug-ins of one kind."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._objects: dict[str, Any] = {}
        self._decorated: dict[str, Entry] = {}

    def __call__(self, name: str, *, needs: str | None = None, **options: Any) -> Callable[[T], T]:
        """The decorator that registers a class or function under a literal ``name``."""

        def register(plugin: T) -> T:
            module = plugin.__module__
            if not module.startswith("mmbench."):
                summary = (plugin.__doc__ or "").strip().partition("\n")[0]
                file = str(getattr(importlib.import_module(module), "__file__", module))
                self._add(Entry(name, module, file, summary, needs, options))
            self._objects[name] = plugin
            return plugin

        return register

    def entries(self) -> dict[str, Entry]:
        """All plug-ins by name; raises UsageError when two files use one name or an outside package is broken."""
        for entry in self._decorated.values():
            _refuse_duplicate(self.kind, entry, self._listed.get(entry.name))
        return dict(sorted((self._decorated | self._listed).items()))

    def get(self, name: str) -> Any:
        """The plug-in itself, imported now; raises UnknownName, MissingExtra, or UsageError when its import fails."""
        entry = self.entry(name)
        if entry.missing:
            raise MissingExtra(f"The {self.kind} {name!r}", entry.missing)
        try:
            importlib.import_module(entry.module)
        except MmbenchError:
            raise
        except Exception as error:
            if entry.module.startswith("mmbench."):
                raise
            # Code of others may fail in any way, and the user must know whose it is.
            raise UsageError(
                f"The {self.kind} {name!r} of {entry.file} could not be imported ({type(error).__name__}: {error}); "
                "repair or uninstall its package."
            ) from error
        return self._objects[name]

    def entry(self, name: str) -> Entry:
        """What is known of a plug-in without importing it; raises UnknownName."""
        entries = self.entries()
        if name not in entries:
            raise UnknownName(self.kind, name, entries)
        return entries[name]

    def _add(self, entry: Entry) -> None:
        """A plug-in of a module that was just imported: of an outside package, of a notebook, of a test."""
        _refuse_duplicate(self.kind, entry, self._decorated.get(entry.name) or self._listed.get(entry.name))
        self._decorated[entry.name] = entry

    @cached_property
    def _listed(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        home = Path(__file__).resolve().parent.parent.joinpath(*self.package.split(".")[1:], "__init__.py")
        for module, origin in ((self.package, home), *_outside()):
            for entry in _scan(self.kind, module, origin):
                _refuse_duplicate(self.kind, entry, found.get(entry.name))
                found[entry.name] = entry
        return found


def _refuse_duplicate(kind: str, entry: Entry, other: Entry | None) -> None:
    if other is not None and other.file != entry.file:
        raise UsageError(
            f"Two files register the {kind} {entry.name!r}: {other.file} and {entry.file}; rename one of them."
        )


@cache
def _outside() -> tuple[tuple[str, Path], ...]:
    """The modules that outside packages declare, with their files; raises UsageError for one that cannot be found."""
    found = []
    for point in entry_points(group=GROUP):
        package = repr(point.dist.name if point.dist else point.value)
        try:
            spec = importlib.util.find_spec(point.module)
        except Exception as error:  # looking for a.b imports a, which is code of others
            raise UsageError(
                f"The plug-in package {package} could not be imported ({type(error).__name__}: {error}); "
                "repair or uninstall it."
            ) from error
        if spec is None or spec.origin is None:
            raise UsageError(f"The plug-in package {package} has no module {point.module!r}; repair or uninstall it.")
        found.append((point.module, Path(spec.origin)))
    return tuple(found)


def _scan(kind: str, module: str, origin: Path) -> Iterator[Entry]:
    """The plug-ins of one kind in a module, or in all files of a package."""
    folder = origin.parent
    decorator = re.compile(rf"^@(\w+\.)*{kind}\(", re.MULTILINE)
    for file in sorted(folder.rglob("*.py")) if origin.name == "__init__.py" else [origin]:
        text = file.read_text(encoding="utf-8")
        if decorator.search(text):
            parts = file.relative_to(folder).with_suffix("").parts if origin.name == "__init__.py" else ()
            dotted = ".".join((module, *parts)).removesuffix(".__init__")
            try:
                yield from _entries_in(kind, dotted, file, ast.parse(text))
            except (SyntaxError, ValueError) as error:
                raise UsageError(
                    f"{file} cannot be listed ({error}): expected Python, with literals as arguments of @{kind}(...)."
                ) from error


def _entries_in(kind: str, module: str, file: Path, tree: ast.Module) -> Iterator[Entry]:
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == kind:
                options = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
                summary = (ast.get_docstring(node) or "").partition("\n")[0]
                name = ast.literal_eval(call.args[0])
                yield Entry(name, module, str(file), summary, options.pop("needs", None), options)


source = Registry("source", "mmbench.sources")
statistic = Registry("statistic", "mmbench.metrics")
metric = Registry("metric", "mmbench.metrics")
fusion = Registry("fusion", "mmbench.fusion")
adapter = Registry("adapter", "mmbench.adapters")
report = Registry("report", "mmbench.reports")
REGISTRIES = {r.kind: r for r in (source, statistic, metric, fusion, adapter, report)}

"""Runs code that the user named: imports it, builds from it, and turns what it raises into one sentence."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import json
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from mmbench.core.errors import LoadError, MmbenchError, UsageError

_LONGEST_MESSAGE = 300
_PYTHON_CONSTANTS = {"True": True, "False": False, "None": None}
_OURS = str(Path(__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True)
class UserCode:
    """A class or function of the user's: ``factory`` from ``reference`` (``FILE.py:Name`` or ``package.module:Name``).

    ``digest`` is over the source file's bytes, 16 hex digits.
    """

    reference: str
    factory: Any
    digest: str

    @property
    def name(self) -> str:
        """The part after the last colon."""
        return self.reference.rpartition(":")[2]

    @property
    def consent(self) -> str:
        """What the user allowed by naming the code, for the record."""
        return f"ran {self.reference} (source {self.digest})"

    def build(self, kwargs: Mapping[str, Any]) -> Any:
        """Calls the factory, with torch's random state seeded; raises LoadError with what it raised and where."""
        with user_code(f"{self.reference}({_call(kwargs)})"), _seeded():
            return self.factory(**kwargs)


def parse_arch_kwargs(text: str) -> dict[str, Any]:
    """Reads ``--arch-kwargs width=32,norm=batch,sizes=[8,16],skip=true``; raises UsageError.

    Values are JSON (also Python's True, False and None); what is neither is text. A comma separates arguments only
    where a ``name=`` follows it.
    """
    kwargs: dict[str, Any] = {}
    for piece in re.split(r",(?=\s*[A-Za-z_]\w*\s*=)", text):
        name, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or not name.isidentifier() or name in kwargs:
            raise UsageError(
                f"--arch-kwargs {text!r} is wrong at {piece!r}; expected name=value,... with each name once."
            )
        kwargs[name] = _value(value)
    return kwargs


def load_user_code(reference: str, flag: str) -> UserCode:
    """Imports ``FILE.py:Name`` or ``package.module:Name``; names ``flag`` in its errors.

    Raises UsageError when the reference is not of this form, LoadError when the code is not there or fails.
    """
    place, colon, name = reference.rpartition(":")
    if not (colon and place and name.isidentifier()):
        raise UsageError(f"{flag} {reference!r} is not code; expected FILE.py:Name or package.module:Name.")
    module = _import_file(Path(place), flag) if place.endswith(".py") else _import_module(place, flag)
    if not callable(getattr(module, name, None)):
        raise LoadError(f"{flag} {reference!r}: {place} has no class or function {name!r}{_nearest(module, name)}.")
    file = getattr(module, "__file__", None)
    source = Path(file).read_bytes() if file else reference.encode()
    return UserCode(reference, getattr(module, name), hashlib.blake2b(source, digest_size=8).hexdigest())


@contextmanager
def user_code(what: str) -> Iterator[None]:
    """Turns any exception of the user's code (SystemExit too) into a LoadError: type, message, file and line."""
    try:
        yield
    except MmbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise LoadError(f"{what} failed: {_message(error)}{_place(error)}.") from error


class _UncachedLoader(SourceFileLoader):
    """Compiles the file as it is now: a bytecode cache is stale when a file is rewritten within one second."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        raise OSError(f"the bytecode of {path} is not cached")


def _import_file(file: Path, flag: str) -> ModuleType:
    if not file.is_file():
        raise LoadError(f"{flag}: there is no file {file}; expected FILE.py:Name.")
    path = file.resolve()
    name = f"mmbench_user_{path.stem}_{hashlib.blake2b(str(path).encode(), digest_size=4).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_UncachedLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise LoadError(f"{flag}: {file} cannot be imported; expected a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with user_code(f"Importing {file}"), _importable_from(path.parent):
        spec.loader.exec_module(module)
    return module


def _import_module(dotted: str, flag: str) -> ModuleType:
    with user_code(f"{flag}: importing {dotted}"), _importable_from(Path.cwd()):
        return importlib.import_module(dotted)


@contextmanager
def _importable_from(folder: Path) -> Iterator[None]:
    """While it is imported, code sees its neighbours, as a script does."""
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


@contextmanager
def _seeded() -> Iterator[None]:
    """What is not loaded from a checkpoint is at least the same in every process; no effect without torch."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def _message(error: BaseException) -> str:
    text = str(error.msg) if isinstance(error, SyntaxError) else " ".join(str(error).split()).rstrip(".")
    if len(text) > _LONGEST_MESSAGE:
        text = text[:_LONGEST_MESSAGE] + "..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error: BaseException) -> str:
    """Where the user's code failed: its innermost line that is neither ours nor of an installed package."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({Path(error.filename).name}, line {error.lineno})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(("<", _OURS))]
    own = [f for f in frames if "site-packages" not in f.filename and not f.filename.startswith(sys.base_prefix)]
    if not own:
        return ""
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno})"


def _nearest(module: ModuleType, name: str) -> str:
    public = [n for n in vars(module) if not n.startswith("_") and callable(getattr(module, n))]
    near = difflib.get_close_matches(name, public, n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _value(text: str) -> Any:
    if text in _PYTHON_CONSTANTS:
        return _PYTHON_CONSTANTS[text]
    try:
        return json.loads(text, parse_constant=str)  # NaN and Infinity stay text: a record holds finite numbers
    except json.JSONDecodeError:
        return text


def _call(kwargs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in kwargs.items())

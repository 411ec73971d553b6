"""Models that are programs: consent to run them, and the module that the rest of mmbench sees."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from mmbench.adapters.locator import Locator
from mmbench.adapters.torch_model import Identity
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.model import ModelRequest

_FIXED = "{} is for modules, and this model is a program that is run as it was saved; leave it out."


def consent(request: ModelRequest, scheme: str, what: str) -> str:
    """What the user allowed, for the record; raises LoadError unless the program was asked for.

    Naming the scheme is asking, so is ``--allow-code``; the suffix or content of a file is not.
    """
    path = Path(request.target)
    if not path.is_file():
        raise LoadError(f"There is no file {request.target}; expected {scheme}:FILE.")
    if Locator.parse(request.locator).scheme != scheme and not request.options.allow_code:
        raise LoadError(
            f"{path} is {what}, a program that would be run here; if you trust it, name it as {scheme}:{path} or add "
            "--allow-code."
        )
    return f"ran {path.name} ({what}, {file_digest(path)})"


def identity_of(request: ModelRequest, agreed: str, form: str) -> Identity:
    """The digest is over the file's bytes: the program decides as much as its weights."""
    return Identity(file_digest(Path(request.target)), consents=(agreed,), architecture={"format": form})


def file_digest(path: Path) -> str:
    """Digest of a file's bytes, 32 hex digits."""
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            state.update(block)
    return state.hexdigest()


class Program(torch.nn.Module):
    """A program with named arguments as a module; it is always in evaluation mode, as it was when it was saved."""

    def __init__(self, run: Callable[..., Any], arguments: Iterable[str], held: torch.nn.Module | None = None) -> None:
        super().__init__()
        self.held = held  # so that its weights are moved and counted
        self._run = run
        parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in arguments]
        self._signature = inspect.Signature(parameters)
        self.forward = self._bound()

    def _bound(self) -> Callable[..., Any]:
        def forward(*args: Any, **kwargs: Any) -> Any:
            return self._run(*self._signature.bind(*args, **kwargs).args)

        forward.__signature__ = self._signature  # type: ignore[attr-defined]
        return forward

    def to(self, *args: Any, **kwargs: Any) -> Program:
        """To another device; raises UsageError for another memory layout."""
        if "memory_format" in kwargs:
            raise UsageError(_FIXED.format("--channels-last"))
        return super().to(*args, **kwargs)

    def compile(self, *_args: Any, **_kwargs: Any) -> None:
        """Raises UsageError."""
        raise UsageError(_FIXED.format("--compile"))

    def train(self, _mode: bool = True) -> Program:
        """A program has one mode only."""
        return self


def broken(path: str, what: str, error: Exception) -> LoadError:
    """What to raise when the library cannot read its own format."""
    reason = (" ".join(str(error).split()) or type(error).__name__)[:200].rstrip(".")
    return LoadError(f"{path} cannot be opened as {what} ({reason}); save it again.")

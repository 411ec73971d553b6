"""Models that are objects of this process already: of a test, a notebook, a training loop."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmbench.adapters.fit import check_modalities, check_task
from mmbench.adapters.python import adapted
from mmbench.adapters.user_code import UserCode
from mmbench.core.model import Model, ModelOptions, ModelRequest
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec


def wrap_model(thing: Any, spec: SuiteSpec, source: Source, options: ModelOptions, name: str = "") -> Model:
    """A torch module, an object with predict(batch), or a function that is one, as a model of the suite.

    ``name`` is that of the row, else the class's or function's. Raises LoadError when it is none of these or does not
    fit the suite's task, classes or modalities.
    """
    code = _code_of(thing, name)
    request = ModelRequest(f"object:{code.name}", code.name, spec, tuple(source.classes), source.modalities, options)
    model = adapted(_Function(thing) if inspect.isroutine(thing) else thing, code, request)
    check_task(model.info.name, model.info.task, request)
    check_modalities(model.info.name, model.info.modalities, request)
    return model


class _Function:
    """A function in the place of predict(batch); its attributes (``modalities``) are those of the object."""

    def __init__(self, predict: Callable[..., Any]) -> None:
        self.predict = predict

    def __getattr__(self, name: str) -> Any:
        return getattr(self.predict, name)


def _code_of(thing: Any, name: str) -> UserCode:
    kind = thing if inspect.isroutine(thing) else type(thing)
    try:
        source = Path(inspect.getfile(kind)).read_bytes()
    except (TypeError, OSError):  # builtins and what was typed into a session have no file
        source = repr(kind).encode()
    reference = f"{kind.__module__}:{name or kind.__name__}"
    return UserCode(reference, kind, hashlib.blake2b(source, digest_size=8).hexdigest())

"""From what stands after ``--model`` to a Model: globs first, then the adapter that the scheme names."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mmbench import content
from mmbench.adapters.fit import check_modalities, check_task
from mmbench.adapters.locator import Locator
from mmbench.adapters.recognise import recognised
from mmbench.core import registry
from mmbench.core.errors import LoadError
from mmbench.core.model import Model, ModelOptions, ModelRequest
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec

# Schemes whose target is a file or a folder of the user's.
_ON_DISK = ("checkpoint", "predictions", "pt2", "torchscript", "onnx", "features")


def expand_locators(texts: Iterable[str], suite: str = "") -> list[str]:
    """The locators meant by ``texts``: globs on paths and on ``baseline:`` are replaced by what they match, sorted.

    ``baseline:PATTERN`` means the baselines of ``suite``; without a suite, those of every suite. The order of ``texts``
    is kept, repetitions are dropped. Raises LoadError that lists every text that matches nothing.
    """
    expanded: dict[str, None] = {}
    unmatched = []
    for text in texts:
        found = _matches(Locator.parse(text), suite)
        unmatched += [] if found else [repr(text)]
        expanded.update(dict.fromkeys(str(locator) for locator in found))
    if unmatched:
        verb = "matches" if len(unmatched) == 1 else "match"
        raise LoadError(
            f"{', '.join(unmatched)} {verb} nothing: expected a checkpoint file, baseline:NAME ({_known(suite)}), "
            "python:module:factory, oracle:joint or predictions:DIR; check the spelling of --model."
        )
    return list(expanded)


def open_model(locator: str, spec: SuiteSpec, source: Source, options: ModelOptions) -> Model:
    """The model behind one locator, ready for the suite.

    Raises UnknownName for a scheme that no adapter has, MissingExtra when the adapter needs an extra, LoadError when
    the model cannot be loaded or does not fit the suite's task, classes or modalities.
    """
    parsed = Locator.parse(locator)
    if options.arch is None:  # with it, whatever is given holds weights
        parsed = recognised(parsed)
    opener = registry.adapter.get(parsed.scheme)
    request = ModelRequest(locator, parsed.target, spec, tuple(source.classes), source.modalities, options, source)
    model: Model = opener(request)
    check_task(model.info.name, model.info.task, request)
    check_modalities(model.info.name, model.info.modalities, request)
    return model


def _matches(locator: Locator, suite: str) -> list[Locator]:
    if locator.scheme == "baseline":
        return [Locator("baseline", name) for name in _baselines(locator.target, suite)]
    if locator.scheme in _ON_DISK:
        return [Locator(locator.scheme, path) for path in _paths(locator)]
    return [locator]


def _baselines(pattern: str, suite: str) -> list[str]:
    if "/" not in pattern and suite:
        return [name for name in content.baseline_names(suite) if fnmatchcase(name, pattern)]
    wanted = pattern if "/" in pattern else f"*/{pattern}"
    known = (f"{folder}/{name}" for folder in _suites_with_baselines() for name in content.baseline_names(folder))
    return [name for name in known if fnmatchcase(name, wanted)]


def _suites_with_baselines() -> Sequence[str]:
    folder = content.folder("baselines")
    return sorted(child.name for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else ()


def _paths(locator: Locator) -> list[str]:
    if Path(locator.target).exists():
        return [locator.target]
    wants_folder = locator.scheme in ("predictions", "features")
    found = sorted(glob.glob(locator.target, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
    return [path for path in found if Path(path).is_dir() == wants_folder]


def _known(suite: str) -> str:
    return "known: " + (", ".join(_baselines("*", suite)) or "none")

"""Finds the content that ships with mmbench: suites, baselines and reference results.

In an installed wheel the folders are inside the package; in a checkout and in an editable install they stand beside
pyproject.toml.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mmbench.core.errors import UnknownName, UsageError
from mmbench.core.suite import SuiteReference, SuiteSpec

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """``suites``, ``baselines`` or ``results/reference``; the folder need not exist."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def suite_files() -> dict[str, Path]:
    """The suites that ship, by name."""
    return {file.stem: file for file in sorted(folder("suites").glob("*.toml"))}


def baseline_names(suite: str) -> tuple[str, ...]:
    """The baselines that ship for a suite."""
    return tuple(sorted(card.parent.name for card in folder("baselines").glob(f"{suite}/*/model.toml")))


def load_suite(text: str) -> tuple[SuiteSpec, SuiteReference]:
    """A suite by reference (``seg@1[regime=S4]``) or by path of a TOML file; raises UsageError.

    A path is anything that ends in ``.toml``; its reference is the name and version that the file states.
    """
    if text.endswith(".toml"):
        spec = read_suite(Path(text))
        return spec, SuiteReference(name=spec.name, version=spec.version)
    reference = SuiteReference.parse(text)
    files = suite_files()
    if reference.name not in files:
        raise UnknownName("suite", reference.name, files)
    spec = read_suite(files[reference.name])
    if reference.version not in (None, spec.version):
        raise UsageError(f"{text!r} asks for version {reference.version}, but version {spec.version} is installed.")
    return spec, reference.model_copy(update={"version": spec.version})


def read_suite(file: Path) -> SuiteSpec:
    """Reads a suite file; raises UsageError with the file's name and the key that is wrong."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        if "source" in content:
            content["source"] = _located(content["source"], str(file.parent.resolve()))
        return SuiteSpec.model_validate(content)
    except OSError as error:
        raise UsageError(f"The suite file {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The suite file {file} is not TOML: {error}.") from error
    except ValidationError as error:
        raise UsageError(f"The suite file {file}: {explain(error)}.") from error


def _located(value: Any, here: str) -> Any:
    """``{here}`` in the texts of the source's table is the folder of the suite file, so that lists can stand beside."""
    if isinstance(value, str):
        return value.replace("{here}", here)
    if isinstance(value, list):
        return [_located(item, here) for item in value]
    return {key: _located(item, here) for key, item in value.items()} if isinstance(value, dict) else value


def explain(error: ValidationError) -> str:
    """The first mistake that pydantic found, as ``key: what is wrong``."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what

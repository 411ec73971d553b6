"""Finds an annotation file under the data root."""

from __future__ import annotations

from pathlib import Path

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.source import SourceRequest
from mmbench.sources.paths import confine


def located(root: Path, pattern: str, request: SourceRequest) -> Path:
    """The file that ``pattern`` means: ``{split}`` and the suite's parameters are filled in.

    Raises UsageError for another placeholder, LoadError when the file is not there.
    """
    text = filled(pattern, request)
    file = confine(root, text, LoadError)
    if not file.is_file():
        name = request.spec.name
        raise LoadError(
            f"Suite {name!r} needs the annotations {text!r} under {root}, which are not there; give --data-root "
            f"{name}=PATH, or the file itself to mmbench score with --annotations FILE."
        )
    return file


def filled(pattern: str, request: SourceRequest, **names: object) -> str:
    """``pattern`` with the suite's parameters, ``{split}`` and ``names``; raises UsageError for another placeholder."""
    try:
        return pattern.format_map({**request.parameters, "split": request.split, **names})
    except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise UsageError(f"Suite {request.spec.name!r}, source.params: {pattern!r} is no path ({error!r}).") from error


def stamp_of(*files: Path) -> str:
    """Size and modification time of the files."""
    found = [file.stat() for file in files]
    return ";".join(f"{one.st_size}:{one.st_mtime_ns}" for one in found)

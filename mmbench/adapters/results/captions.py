"""Captions in the format of the COCO server: a list of ``image_id`` and ``caption``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmbench.core.errors import LoadError
from mmbench.core.prediction import Prediction, Text
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec
from mmbench.sources.json_file import read_json


def read(path: Path, spec: SuiteSpec, source: Source) -> Mapping[str, Prediction]:  # noqa: ARG001  one format
    """A caption by image; raises LoadError with the entry that is wrong or the image that is named twice."""
    content = read_json(path)
    if not isinstance(content, list):
        raise LoadError(f"The results {str(path)!r} must be a list of objects with 'image_id' and 'caption'.")
    found: dict[str, Prediction] = {}
    for position, entry in enumerate(content):
        sample_id, caption = _checked(entry, position, path)
        if sample_id in found:
            raise LoadError(f"The results {str(path)!r} name image {sample_id!r} twice; one caption per image.")
        found[sample_id] = Text(sample_id, caption)
    return found


def _checked(entry: object, position: int, path: Path) -> tuple[str, str]:
    image, caption = (entry.get("image_id"), entry.get("caption")) if isinstance(entry, dict) else (None, None)
    if not isinstance(image, int | str) or isinstance(image, bool) or not isinstance(caption, str):
        shown = repr(entry)[:80]
        raise LoadError(
            f"Entry {position} (from 0) of {str(path)!r} is {shown}; expected an object with 'image_id' and a text "
            "'caption'."
        )
    return str(image), caption

"""Which adapter a file or folder is for, by its content and suffix, when no scheme was given."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

from mmbench.adapters.locator import DEFAULT_SCHEME, Locator

_MANY = 200_000


def recognised(locator: Locator) -> Locator:
    """The locator with the scheme that the file's content asks for; a scheme that was given stays.

    Programs (TorchScript, torch.export, ONNX) and folders of transformers are told from weights; everything else is
    left to ``checkpoint``, which says what is wrong with it.
    """
    path = Path(locator.target)
    if locator.scheme != DEFAULT_SCHEME or not path.exists():
        return locator
    if path.is_dir():
        return Locator("hf", locator.target) if (path / "config.json").is_file() else locator
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  follows links, as opening would
        return locator
    if path.suffix.lower() == ".onnx":
        return Locator("onnx", locator.target)
    kind = program_in(path)
    return Locator(kind, locator.target) if kind else locator


def program_in(path: Path) -> str | None:
    """``torchscript`` or ``pt2`` when the file is a zip that holds such a program, else None."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    names = {*entries[:_MANY], *(name.partition("/")[2] for name in entries[:_MANY])}
    if "constants.pkl" in names:
        return "torchscript"
    exported = ("archive_format", "serialized_exported_program.json", "models/model.json")
    return "pt2" if any(name in names for name in exported) else None

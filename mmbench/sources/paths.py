"""Paths that come from data stay under the data root."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from mmbench.core.errors import MmbenchError


def confine(root: Path, text: str, error: type[MmbenchError]) -> Path:
    """``root/text`` with links resolved; raises ``error`` for ``..``, an absolute path or a link that leaves ``root``.

    ``root`` must be resolved itself. The file need not exist.
    """
    if ".." in PurePosixPath(text).parts:
        raise error(f"The path {text!r} contains '..'; paths stay under the data root.")
    try:
        path = (root / text).resolve()
    except (OSError, ValueError, RuntimeError) as cause:  # a NUL, a name too long, a loop of links
        raise error(f"The path {text!r} cannot be a file name ({cause}).") from cause
    if not path.is_relative_to(root):
        raise error(f"The path {text!r} leads out of the data root {root}; put the file itself under the root.")
    return path


def exists(root: Path, text: str) -> bool:
    """Whether ``root/text`` is a file; a name that no file can have does not exist."""
    try:
        return (root / text).is_file()
    except (OSError, ValueError):
        return False

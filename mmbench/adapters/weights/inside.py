"""Files that a manifest names: only plain files of its own folder."""

from __future__ import annotations

import os
from pathlib import Path

from mmbench.core.errors import LoadError


def inside(folder: Path, name: str) -> Path:
    """The file ``name`` of ``folder``; raises LoadError when it lies elsewhere or is not there.

    A manifest is data: it may name neither an absolute path nor ``..``, and a symbolic link must not lead out of the
    folder. The links of a hub cache (``snapshots/REVISION/FILE`` to ``blobs``) stay inside the repository's folder.
    """
    root = Path(os.path.realpath(folder))
    allowed = root.parent.parent / "blobs" if root.parent.name == "snapshots" else root
    try:
        real = Path(os.path.realpath(folder / name))
        outside = Path(name).is_absolute() or ".." in Path(name).parts
        reached = real.is_relative_to(root) or real.is_relative_to(allowed)
    except (OSError, ValueError) as error:  # a NUL in the name
        raise LoadError(f"{folder} names the file {name[:80]!r}, which cannot be a file.") from error
    if outside or not reached:
        raise LoadError(f"{folder} names the file {name[:80]!r}, which lies outside the folder; it is not read.")
    if not real.is_file():
        raise LoadError(
            f"{folder} names the file {name[:80]!r}, which is not there; copy or download the whole folder."
        )
    return real

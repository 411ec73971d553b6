"""Reads what ``torch.save`` wrote, in each of its three formats, without running anything of it.

Research checkpoints keep an argparse Namespace, an OmegaConf tree or a numpy number beside the weights, and
``torch.load(weights_only=True)`` refuses them. Here tensors and plain containers are built; every other name becomes an
inert placeholder: nothing is imported, nothing is called (see ``machine``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmbench.adapters.weights.torch_legacy import outline_legacy, read_legacy
from mmbench.adapters.weights.torch_tar import read_tar
from mmbench.adapters.weights.torch_zip import outline_zip, read_zip

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Screened:
    """What is known of a file before its tensors are read.

    ``unknown`` names the objects in it that are no tensors or plain containers; ``readable_by_torch`` whether
    ``torch.load(weights_only=True)`` may see it at all.
    """

    unknown: frozenset[str]
    readable_by_torch: bool


def screen(path: Path) -> Screened:
    """Checks sizes, nesting and names; raises what a damaged or hostile file makes the reader raise.

    It comes before ``torch.load``, which a file of two megabytes can crash: Python hashes a tuple by recursion, and a
    pickle may nest a million of them into the key of a dict.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
        if head == _ZIP:
            _, unknown = outline_zip(stream)
            return Screened(frozenset(unknown), True)
        if is_tar(path):
            return Screened(frozenset(), False)
        _, unknown, of_torch = outline_legacy(stream)
        return Screened(frozenset(unknown), of_torch)


def read_inert(path: Path) -> Any:
    """The pickled content with tensors on the CPU; what is not a tensor or plain container is an ``Inert``.

    Raises whatever a damaged file makes the reader raise; the caller turns it into a sentence.
    """
    with path.open("rb") as stream:
        if stream.read(4) == _ZIP:
            return read_zip(stream)
        stream.seek(0)
        return read_tar(stream) if is_tar(path) else read_legacy(stream)


def is_tar(path: Path) -> bool:
    """Whether the file is a tar, by the mark at byte 257."""
    with path.open("rb") as stream:
        return stream.read(262)[257:262] == b"ustar"

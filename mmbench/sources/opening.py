"""Opens the source of a suite: finds its data root, then lets the registered source read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mmbench.core import registry
from mmbench.core.errors import LoadError
from mmbench.core.source import Source, SourceRequest
from mmbench.core.suite import SuiteSpec


def open_source(spec: SuiteSpec, parameters: Mapping[str, str], split: str, root: Path | None = None) -> Source:
    """The samples of one split; ``root`` is the folder given with ``--data-root``, else it is looked for.

    Raises LoadError when no root is found, UnknownName when the suite names a source that is not registered.
    """
    factory = registry.source.get(spec.source.kind)
    found = find_root(spec, root)
    opened: Source = factory.open(SourceRequest(spec, parameters, found, split))
    return opened


def find_root(spec: SuiteSpec, given: Path | None = None) -> Path | None:
    """The data root: ``given``, else a candidate of the suite (absolute, or under MMBENCH_DATA); None if generated."""
    if given is not None:
        if not given.is_dir():
            raise LoadError(f"The data root {given} of suite {spec.name!r} is not a directory; check --data-root.")
        return given
    if not spec.source.root:
        return None
    base = os.environ.get("MMBENCH_DATA")
    candidates = [Path(base or ".") / name for name in spec.source.root if base or Path(name).is_absolute()]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    looked = f"looked for {', '.join(map(str, candidates))}" if candidates else "MMBENCH_DATA is not set"
    raise LoadError(f"The data of suite {spec.name!r} was not found ({looked}); give --data-root {spec.name}=PATH.")

"""``baseline:NAME`` of this suite, ``baseline:SUITE/NAME`` of another: the models that ship with mmbench."""

from __future__ import annotations

import re

from mmbench import content
from mmbench.adapters.self_contained import open_self_contained
from mmbench.core.errors import LoadError, UnknownName
from mmbench.core.model import Model, ModelRequest
from mmbench.core.registry import adapter

_WEIGHTS = "weights.safetensors"
_NAME = re.compile(r"^((?P<suite>[a-z0-9][a-z0-9-]*)/)?(?P<name>[^/\\]+)$")


@adapter("baseline", needs="torch", example="baseline:concat")
def open_baseline(request: ModelRequest) -> Model:
    """A model that ships with mmbench, by name."""
    match = _NAME.match(request.target)
    if match is None:
        raise LoadError(f"baseline:{request.target} is not a baseline; expected baseline:NAME or baseline:SUITE/NAME.")
    suite, name = match["suite"] or request.spec.name, match["name"]
    known = content.baseline_names(suite)
    if name not in known:
        raise LoadError(str(UnknownName(f"baseline of suite {suite!r}", name, known)))
    return open_self_contained(content.folder("baselines") / suite / name / _WEIGHTS, name, request)

"""What the sources of files check alike when they are opened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from mmbench.content import explain
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.source import SourceRequest
from mmbench.core.suite import SuiteSpec
from mmbench.sources.decoding import Table
from mmbench.sources.items import LABEL
from mmbench.sources.labels import LabelDecoder, LabelParams

P = TypeVar("P", bound=Table)


def validated(model: type[P], spec: SuiteSpec) -> P:
    """The suite's ``source.params``; raises UsageError that names the suite and the key."""
    try:
        return model.model_validate(spec.source.params)
    except ValidationError as error:
        raise UsageError(f"Suite {spec.name!r}, source.params: {explain(error)}.") from error


def data_root(request: SourceRequest) -> Path:
    """The root with links resolved; raises LoadError when the suite names none."""
    if request.root is None:
        raise LoadError(f"Suite {request.spec.name!r} names no data root; give --data-root {request.spec.name}=PATH.")
    return request.root.resolve()


def label_decoder(params: LabelParams, classes: Sequence[str], spec: SuiteSpec) -> LabelDecoder:
    """Raises UsageError when the parameters of the label do not fit the classes."""
    if len(set(classes)) < len(classes):
        raise UsageError(f"Suite {spec.name!r}, source.params: classes: a name occurs twice.")
    try:
        return LabelDecoder.of(params, classes)
    except ValueError as error:
        raise UsageError(f"Suite {spec.name!r}, source.params: {error}.") from error


def check_modalities(declared: Collection[str], spec: SuiteSpec) -> None:
    """Raises UsageError unless the suite's modalities are exactly those that the source declares."""
    if LABEL in declared:
        raise UsageError(f"Suite {spec.name!r}: a modality cannot be named {LABEL!r}; rename it.")
    odd = sorted(set(spec.modalities) ^ set(declared))
    if odd:
        where = "source.params.modalities" if odd[0] in spec.modalities else "modalities"
        raise UsageError(f"Suite {spec.name!r} names the modality {odd[0]!r} in one place only; add it to {where}.")

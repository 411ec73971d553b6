"""Comparability: which numbers may stand in one column."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

CLEAN = "clean"  # the condition of inputs to which nothing was done


def digest_of(value: Any) -> str:
    """Digest of JSON-able data in canonical form, 16 hex digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # A file name that is not UTF-8 holds lone surrogates.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class ComparabilityKey(BaseModel):
    """The fields that must be equal for two runs to be compared on a metric.

    ``data`` digests the content (pixels and targets) of the samples before ``condition`` changes their inputs (always
    in the same way, so that both together say what was seen), ``ids`` the set of their ids.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    version: int
    parameters: dict[str, str]
    split: str
    subset: str
    ids: str
    data: str
    condition: str
    inference: dict[str, str]
    metrics: dict[str, int]

    def column(self, metric: str) -> str:
        """Digest of what must be equal for ``metric`` to be compared, 16 hex digits."""
        return digest_of(self._fields(metric))

    def differences(self, other: ComparabilityKey, metric: str) -> list[str]:
        """The fields in which two runs differ for ``metric``, as ``field: a against b``."""
        mine, theirs = self._fields(metric), other._fields(metric)
        return [f"{name}: {mine[name]} against {theirs[name]}" for name in mine if mine[name] != theirs[name]]

    def _fields(self, metric: str) -> dict[str, Any]:
        fields: dict[str, Any] = self.model_dump(exclude={"metrics"})
        return fields | {"metric": f"{metric}@{self.metrics.get(metric, 'not measured')}"}

"""The plan: which samples are measured, in which batches, and the key under which an unfinished run is found again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmbench.core.errors import LoadError, NothingMeasured
from mmbench.core.key import digest_of
from mmbench.core.source import Source
from mmbench.core.suite import SuiteReference


@dataclass(frozen=True, slots=True)
class Plan:
    """The samples in the order of the source, cut into batches once and for all: a resumed run never re-batches.

    ``reference`` is complete: version, every parameter, and the subset if ``ids`` is one. ``available`` is the number
    of samples before those were left out that a result file does not name, None for a model that is run.
    """

    reference: SuiteReference
    ids: tuple[str, ...]
    batches: tuple[tuple[str, ...], ...]
    available: int | None = None


def make_plan(source: Source, reference: SuiteReference, batch_size: int, named: Collection[str] | None = None) -> Plan:
    """Chooses the samples and fixes the batches; with ``named`` only samples of these ids are left.

    Raises NothingMeasured when the split is empty, or none of its samples is named.
    """
    ids = tuple(source.ids)
    if not ids:
        raise NothingMeasured(f"Suite {reference.name!r} has no sample in this split; check its lists and patterns.")
    if len(set(ids)) < len(ids):
        twice = next(sample_id for sample_id, n in Counter(ids).items() if n > 1)
        raise LoadError(f"Suite {reference.name!r} has the sample id {twice!r} twice; ids must be unique.")
    if reference.limit is not None and reference.limit >= len(ids):
        # A limit that selects everything is no subset: the numbers belong in the column of the full split.
        reference = reference.model_copy(update={"limit": None, "seed": 0})
    if reference.limit is not None:
        strata = [source.stratum(sample_id) for sample_id in ids]
        ids = tuple(ids[i] for i in choose(strata, reference.limit, reference.seed))
    available = None if named is None else len(ids)
    if named is not None:
        ids = tuple(sample_id for sample_id in ids if sample_id in named)
        if not ids:
            raise NothingMeasured("The predictions name no sample of the subset; leave out its limit.")
    batches = tuple(ids[start : start + batch_size] for start in range(0, len(ids), batch_size))
    return Plan(reference, ids, batches, available)


def choose(strata: Sequence[str], limit: int, seed: int) -> list[int]:
    """The ascending indices of ``limit`` samples, every stratum in proportion to within one sample.

    Systematic sampling (Madow and Madow 1944): the samples of a stratum of size m, in random order, lie at the
    positions (r + u)/m, r = 0..m-1, with one random u in [0,1) per stratum; the ``limit`` smallest positions are taken.
    So a smaller limit with the same seed is a subset of a larger one. Philox ``random_raw``, the same on every numpy.
    """
    members: dict[str, list[int]] = {name: [] for name in sorted(set(strata))}
    for index, stratum in enumerate(strata):
        members[stratum].append(index)
    raw = np.random.Philox(key=seed).random_raw(len(members) + len(strata))
    offsets = (raw[: len(members)] >> np.uint64(11)).astype(np.float64) / 2.0**53
    order = raw[len(members) :]
    positions = np.empty(len(strata))
    for offset, indices in zip(offsets, map(np.array, members.values()), strict=True):
        shuffled = indices[np.argsort(order[indices], kind="stable")]
        positions[shuffled] = (np.arange(len(indices)) + offset) / len(indices)
    return sorted(np.argsort(positions, kind="stable")[:limit].tolist())


def resume_key(plan: Plan, source: Source, identity: Mapping[str, Any]) -> str:
    """Key of an unfinished run, 32 hex digits.

    Over the suite reference, the ids and the batches, the stamp of every sample (size and mtime, or the generator's
    version), and ``identity``: everything JSON-able that decides the predictions (the suite's content, model, options,
    execution, version of mmbench).
    """
    state = hashlib.blake2b(digest_size=16)
    state.update(f"{plan.reference}\0{len(plan.batches[0])}\0{digest_of(identity)}\0".encode())
    for sample_id in plan.ids:
        state.update(f"{sample_id}\0{source.stamp(sample_id)}\0".encode())
    return state.hexdigest()

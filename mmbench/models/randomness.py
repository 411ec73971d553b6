"""Every random draw of a training follows from its seed and a position, so that a resumed one goes on unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import torch


def generator(seed: int, *position: str | int) -> torch.Generator:
    """A generator of its own for each seed and position (say: "augment", step)."""
    text = "\0".join(map(str, (seed, *position)))
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
    return torch.Generator().manual_seed(number)


def some_of(ids: Sequence[str], most: int) -> list[str]:
    """At most ``most`` of the ids, in their order; drawn, since every n-th may be a question of one kind."""
    if len(ids) <= most:
        return list(ids)
    chosen = torch.randperm(len(ids), generator=generator(0, "some", len(ids)))[:most]
    return [ids[place] for place in sorted(chosen.tolist())]


@contextmanager
def seeded(seed: int, *position: str | int) -> Iterator[None]:
    """While modules are built, or a step is made: torch's global state is seeded, and put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(seed, *position).initial_seed())
        yield


def batch_at(step: int, batch_size: int, count: int, seed: int) -> list[int]:
    """Positions 0..count-1 of the items of a step: one permutation after the other, each item once per epoch."""
    numbers = range(step * batch_size, (step + 1) * batch_size)
    return [_permutation(count, seed, n // count)[n % count] for n in numbers]


@lru_cache(maxsize=4)
def _permutation(count: int, seed: int, epoch: int) -> tuple[int, ...]:
    return tuple(torch.randperm(count, generator=generator(seed, "order", epoch)).tolist())

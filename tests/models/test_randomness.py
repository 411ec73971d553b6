"""Random draws follow from seed and position alone."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from mmbench.models.randomness import batch_at, generator, seeded


def test_same_position_same_draws_and_no_global_state() -> None:
    """A generator depends on every part of its position; the global generator is neither read nor moved."""
    before = torch.random.get_rng_state()
    draws = [
        torch.rand(3, generator=generator(*p)).tolist() for p in ((0, "a", 1), (0, "a", 1), (0, "a", 2), (1, "a", 1))
    ]
    assert draws[0] == draws[1]
    assert len({tuple(d) for d in draws}) == 3
    assert torch.equal(torch.random.get_rng_state(), before)


def test_seeded_puts_the_global_state_back() -> None:
    before = torch.random.get_rng_state()
    weights = []
    for _ in range(2):
        with seeded(3, "init"):
            weights.append(torch.nn.Linear(2, 2).weight)
        torch.testing.assert_close(torch.random.get_rng_state(), before)
    assert torch.equal(*weights)


@given(st.integers(1, 7), st.integers(1, 12), st.integers(0, 3))
def test_each_item_once_per_epoch(batch: int, count: int, seed: int) -> None:
    """The steps one after the other are permutations one after the other, also where a step spans two epochs."""
    stream = [n for step in range(3 * count) for n in batch_at(step, batch, count, seed)]
    epochs = [stream[i : i + count] for i in range(0, len(stream) - count + 1, count)]
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)


def test_epochs_differ() -> None:
    assert batch_at(0, 20, 20, 0) != batch_at(1, 20, 20, 0) != batch_at(0, 20, 20, 1)

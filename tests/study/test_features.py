"""Cached features are what the encoders make, and their shuffled control keeps the labels."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mmbench.fusion.feature import Feature  # noqa: E402
from mmbench.models.features import SplitFeatures  # noqa: E402
from mmbench.models.recipe import Recipe  # noqa: E402
from mmbench.models.tasks.catalogue import TASKS  # noqa: E402
from mmbench.study.features import only, select, shuffled  # noqa: E402

COUNT, LENGTH, WIDTH = 24, 4, 2


def split(targets: torch.Tensor) -> SplitFeatures:
    """Each token of ``b`` tells the sample and the place it belongs to."""
    places = torch.arange(COUNT * LENGTH, dtype=torch.float32).reshape(COUNT, LENGTH, 1).expand(-1, -1, WIDTH)
    features = {m: Feature(places.clone(), torch.zeros(COUNT, LENGTH, dtype=torch.bool), (2, 2)) for m in "ab"}
    present = {m: torch.ones(COUNT, dtype=torch.bool) for m in "ab"}
    ids = tuple(f"i{n}" for n in range(COUNT))
    return SplitFeatures(ids, features, present, tuple(targets), ids, TASKS["classification"], None)


def test_samples_are_shuffled_within_their_class() -> None:
    """The first modality and the targets stay; each sample's second one is whole, and from its class."""
    targets = torch.arange(COUNT) % 3
    found = shuffled(split(targets), seed=0)
    assert (found.features["a"].x == split(targets).features["a"].x).all()
    source = (found.features["b"].x[:, 0, 0] / LENGTH).long()
    assert sorted(source.tolist()) == list(range(COUNT))
    assert (targets[source] == targets).all()
    assert (source != torch.arange(COUNT)).any()
    assert (found.features["b"].x[:, :, 0] - found.features["b"].x[:, :1, 0] == torch.arange(LENGTH)).all()


def test_places_are_shuffled_within_their_class() -> None:
    """Where targets are maps, each place takes the features of a place with the same label, of any sample."""
    targets = (torch.arange(COUNT * LENGTH) % 5).reshape(COUNT, 2, 2)
    found = shuffled(split(targets), seed=0)
    source = found.features["b"].x[..., 0].flatten().long()
    assert sorted(source.tolist()) == list(range(COUNT * LENGTH))
    assert (targets.flatten()[source] == targets.flatten()).all()


def test_batches_follow_from_the_seed_and_the_step() -> None:
    """Every strategy sees the same samples in the same order, with the same modalities hidden."""
    data = split(torch.arange(COUNT) % 3)
    recipe = Recipe(steps=6, batch_size=5, rate=1e-3, modality_dropout=0.5, seed=3)
    whole = list(data.batches(recipe, 0))
    later = list(data.batches(recipe, 4))
    for batch, again in zip(whole[4:], later, strict=True):
        assert (batch.target == again.target).all()
        assert (batch.present["a"] == again.present["a"]).all()
    alone = list(only(data, ["b"]).batches(recipe, 0))
    assert all((one.target == two.target).all() for one, two in zip(whole, alone, strict=True))
    assert any(not batch.present["a"].all() for batch in whole)
    assert all((batch.present["a"] | batch.present["b"]).all() for batch in whole)


def test_a_part_keeps_what_belongs_together() -> None:
    data = select(split(torch.arange(COUNT) % 3), ["i3", "i7"])
    ((ids, truths, batch),) = data.groups()
    assert (list(ids), list(truths)) == (["i3", "i7"], ["i3", "i7"])
    assert batch.target.tolist() == [0, 1]
    assert batch.features["a"].x[:, 0, 0].tolist() == [3.0 * LENGTH, 7.0 * LENGTH]

"""Other light: the range of an image stays, its content too."""

from __future__ import annotations

import torch

from mmbench.models.photometric import recoloured


def draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_range_and_shape_stay() -> None:
    image = torch.rand(3, 8, 9, generator=draws(0))
    for seed in range(50):
        found = recoloured(image, draws(seed))
        assert found.shape == image.shape
        assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_a_grey_image_keeps_the_order_of_its_values() -> None:
    """Every step is monotonous where the channels are one: what was brighter is not darker afterwards."""
    ramp = torch.linspace(0, 1, 32).reshape(1, 4, 8)
    for seed in range(50):
        found = recoloured(ramp, draws(seed)).flatten()
        assert (found[1:] >= found[:-1]).all()


def test_draws_differ_and_repeat() -> None:
    image = torch.rand(3, 8, 9, generator=draws(0))
    assert torch.equal(recoloured(image, draws(1)), recoloured(image, draws(1)))
    assert not torch.equal(recoloured(image, draws(1)), recoloured(image, draws(2)))

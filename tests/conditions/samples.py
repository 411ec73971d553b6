"""A sample of every kind of modality, of the sizes that real data has."""

from __future__ import annotations

import numpy as np

from mmbench.core.sample import Sample
from mmbench.core.source import Modality

MODALITIES = {
    "image": Modality("image", "image", 3),
    "depth": Modality("depth", "plane", 1, unit="m", scale=2.0),
    "audio": Modality("audio", "audio", 1, rate=16_000),
    "text": Modality("text", "text", 1),
}


def sample(sample_id: str = "test/000001", size: tuple[int, int] = (48, 64)) -> Sample:
    """Image and depth of random squares of 8 pixels, random audio, a sentence of twenty words."""
    random = np.random.Generator(np.random.Philox(3))
    squares = np.ones((8, 8), dtype=np.uint8)
    coarse = -(-size[0] // 8), -(-size[1] // 8)
    return Sample(
        sample_id,
        {
            "image": np.kron(random.integers(0, 256, (*coarse, 3), np.uint8), squares[:, :, None])[
                : size[0], : size[1]
            ],
            "depth": np.kron(random.random(coarse, np.float32) + 0.5, squares)[: size[0], : size[1]].astype(np.float32),
            "audio": (random.random(16_000, dtype=np.float32) - 0.5) * 0.8,
            "text": " ".join(f"word{n}" for n in range(20)),
        },
        0,
    )

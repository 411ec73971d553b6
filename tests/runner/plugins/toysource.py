"""A source for the tests of the runner; in a folder of its own, so that worker processes can import it by name."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mmbench.core.errors import SampleError
from mmbench.core.sample import Sample
from mmbench.core.source import Modality


@dataclass(frozen=True)
class ToySource:
    """``count`` samples of 6x8 pixels; some may be broken, and ``deadly`` kills the process that loads it."""

    count: int = 20
    broken: frozenset[str] = frozenset()
    deadly: str = ""
    stamps: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ("background", "cup", "ball")
    ignore: int | None = 255
    strata: int = 3

    @property
    def modalities(self) -> Mapping[str, Modality]:
        return {"rgb": Modality("rgb", "image", 3), "depth": Modality("depth", "plane", 1, "m", 10.0)}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"s{index:03d}" for index in range(self.count))

    def load(self, sample_id: str) -> Sample:
        if sample_id in self.broken:
            raise SampleError(f"{sample_id}.png cannot be read.")
        if sample_id == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        bits = np.random.Philox(key=zlib.crc32(sample_id.encode())).random_raw(48)
        target = (bits % np.uint64(3)).astype(np.uint8).reshape(6, 8)
        rgb = np.stack([target * 80] * 3, axis=-1)
        depth = (bits >> np.uint64(40)).astype(np.float32).reshape(6, 8)
        return Sample(sample_id, {"rgb": rgb, "depth": depth}, target, tags={"light": self.stratum(sample_id)})

    def stamp(self, sample_id: str) -> str:
        return self.stamps.get(sample_id, "1")

    def stratum(self, sample_id: str) -> str:
        return f"light-{int(sample_id[1:]) % self.strata}"

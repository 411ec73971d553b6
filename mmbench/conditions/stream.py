"""The random stream of one sample under one condition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.core.streams import BELL, bell, random_words

VERSION = 1  # raised when any byte of any changed input may change


class Stream:
    """Words keyed by sample id, condition, modality and severity; each call takes the next ones."""

    def __init__(self, sample_id: str, condition: str, modality: str, severity: int) -> None:
        self._name = f"conditions|{VERSION}|{sample_id}|{condition}|{modality}|{severity}"
        self._calls = 0

    def words(self, count: int) -> NDArray[np.uint64]:
        """uint64 [count]."""
        self._calls += 1
        return random_words(count, f"{self._name}|{self._calls}")

    def hits(self, count: int, percent: int) -> NDArray[np.bool_]:
        """bool [count]: each True with a chance of ``percent`` in 100, independently."""
        return (self.words(count) >> np.uint64(32)) * np.uint64(100) < np.uint64(percent << 32)

    def noise(self, count: int, scale: int) -> NDArray[np.int64]:
        """int64 [count]: nearly normal whole numbers of standard deviation ``scale``."""
        return bell(self.words(count)).astype(np.int64) * scale // BELL

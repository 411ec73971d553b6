"""The control that takes away what only the pairing of the modalities tells: one is shuffled within each class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.core.streams import random_words

Ints = NDArray[np.int64]


def shuffled_within(labels: Ints, name: str) -> Ints:
    """int64 [n]: for each place the place that its second modality is taken from, one of the same label [n].

    A random permutation inside every label, so that what the second modality shows stays as it was distributed given
    the class: each modality alone is as informative as before, and given the class the two are independent. ``name``
    names the random stream.
    """
    order = np.argsort(random_words(len(labels), name), kind="stable")
    sources = np.empty(len(labels), dtype=np.int64)
    # Both are sorted by label: the same places, once in their order and once in the random one.
    sources[np.argsort(labels, kind="stable")] = order[np.argsort(labels[order], kind="stable")]
    return sources

"""What one modality alone shows, as labels: on these an encoder can be trained before any fusion.

Labels are blocks of one size, one block a law in the order of ``laws_of`` (four for X, else one): in each block
background first, then the signatures, then the blank object where the regime has one. So in X a label holds the
regime's cue and the signature, and 0 is the background of the first law.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.regimes import BLANK, HIDDEN, Law, laws_of
from mmbench.sources.scenes.scene import Scene, paint


def label_count(regime: str, modality: int) -> int:
    """Number of labels that ``signature_map`` may hold in a regime."""
    return sum(_block_size(law, modality) for law in laws_of(regime))


def signature_map(scene: Scene, regime: str, modality: int) -> NDArray[np.uint8]:
    """uint8 [H, W]: what the modality of that index shows at each pixel; hidden objects are background."""
    laws = laws_of(regime)
    first = sum(_block_size(law, modality) for law in laws[: laws.index(scene.law)])
    labels = np.full((scene.canvas, scene.canvas), first, dtype=np.uint8)
    for thing in scene.things:
        shown = thing.shown[modality]
        if shown != HIDDEN:
            paint(labels, thing, first + 1 + (scene.law.signatures if shown == BLANK else shown))
    return labels


def _block_size(law: Law, modality: int) -> int:
    return 1 + law.signatures + law.blanks(modality)

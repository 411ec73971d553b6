"""Tables of pixels by observation and class: counted from latents, equal to a count over label maps."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mmbench.sources.scenes.observation import classes_of, pixels_of, table_of
from mmbench.sources.scenes.regimes import HIDDEN, LAWS, REGIMES
from mmbench.sources.scenes.scene import label_map, paint, scene_of


def counted(scenes, observed: tuple[int, ...], classes: int) -> list[list[int]]:
    """The table's rows, sorted, counted pixel by pixel over maps of what is seen and what is true."""
    counts: Counter[tuple[tuple[int, ...], int]] = Counter()
    background = (-9,)
    for scene in scenes:
        seen, names = np.zeros((64, 64), dtype=np.uint8), [background]
        for thing in scene.things:
            shown = tuple(thing.shown[m] for m in observed)
            if any(value != HIDDEN for value in shown):
                names.append((scene.law.cue, *shown))
                paint(seen, thing, len(names) - 1)
        pairs, pixels = np.unique(np.stack([seen, label_map(scene)]).reshape(2, -1), axis=1, return_counts=True)
        for (name, label), n in zip(pairs.T, pixels, strict=True):
            counts[names[name] if observed else background, int(label)] += int(n)
    kinds = {kind for kind, _ in counts}
    return sorted([counts[kind, c] for c in range(classes)] for kind in kinds)


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("observed", [(), (0,), (1,), (0, 1)])
def test_tables_equal_a_count_over_pixels(regime: str, observed: tuple[int, ...]) -> None:
    scenes = [scene_of("seg", regime, "test", index, 64) for index in range(40)]
    classes = classes_of(regime)
    table = table_of(pixels_of(scenes), observed, classes, 64 * 64 * len(scenes))
    assert sorted(table.astype(int).tolist()) == counted(scenes, observed, classes)
    assert table.sum() == 64 * 64 * len(scenes)


def test_background_is_a_class_of_its_own() -> None:
    assert {classes_of(name) for name in REGIMES if name != "M16"} == {5}
    assert classes_of("M16") == 17
    assert {law.classes for law in LAWS.values()} == {4, 16}

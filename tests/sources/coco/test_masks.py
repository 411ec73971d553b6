"""Compressed run lengths are checked as pycocotools reads them: what it would loop on for ever is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as masks

from mmbench.core.errors import LoadError
from mmbench.sources.coco import masks as module
from mmbench.sources.coco.annotations import read_ground_truth
from mmbench.sources.coco.masks import first_broken

MASKS = hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 1))


def counts_of(mask: np.ndarray) -> bytes:
    return masks.encode(np.asfortranarray(mask))["counts"]


def by_hand(text: bytes, pixels: int) -> bool:
    """Whether the counts are sound, number by number."""
    runs: list[int] = []
    place = 0
    while place < len(text):
        value = shift = 0
        while True:
            if place == len(text) or shift == 35:
                return False
            group, place = text[place] - 48, place + 1
            if not 0 <= group < 64:
                return False
            value |= (group & 31) << shift
            shift += 5
            if not group & 32:
                break
        if group & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        if runs[-1] < 0:
            return False
    return sum(runs) == pixels


@given(st.lists(MASKS, min_size=1, max_size=5))
def test_masks_are_sound(found: list[np.ndarray]) -> None:
    """What pycocotools writes is accepted, several at once; with another number of pixels it is not."""
    counts, pixels = [counts_of(mask) for mask in found], np.array([mask.size for mask in found])
    assert first_broken(counts, pixels) is None
    pixels[-1] += 1
    assert first_broken(counts, pixels) == len(found) - 1


@given(st.lists(st.text("0123456789?@OPQ_`aoPo~/\x00", max_size=12).map(str.encode), min_size=1, max_size=4))
@example([b"o" * 30, b"1"])
@example([b"", b"4"])
@example([b"T4", b"000"])
def test_any_text_is_judged_as_by_hand(texts: list[bytes]) -> None:
    """The first unsound text is found, whatever comes before and after it."""
    pixels = np.array([4] * len(texts))
    wrong = [place for place, text in enumerate(texts) if not by_hand(text, 4)]
    assert first_broken(texts, pixels) == (wrong[0] if wrong else None)


def test_many_texts_are_judged_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block boundary changes nothing."""
    random = np.random.default_rng(0)
    counts = [counts_of(mask) for mask in random.integers(0, 2, (50, 6, 7)).astype(np.uint8)]
    pixels = np.full(50, 42)
    monkeypatch.setattr(module, "_BLOCK", 64)
    assert first_broken(counts, pixels) is None
    counts[37] += b"1"
    assert first_broken(counts, pixels) == 37


def test_a_large_mask_uses_long_numbers() -> None:
    """Runs of many pixels take several groups of bits, and differences of either sign."""
    mask = np.zeros((3000, 3000), np.uint8)
    mask[100:2900, 500:510] = 1
    mask[10:20, 2000:2900] = 1
    assert first_broken([counts_of(mask)], np.array([mask.size])) is None
    assert by_hand(counts_of(mask), mask.size)


def test_broken_counts_name_the_annotation(tmp_path: Path) -> None:
    """Run lengths that end too early are refused with the id of the annotation and the size of the image."""
    annotation = {"image_id": 1, "category_id": 1, "area": 1}
    mask = {"size": [4, 5], "counts": counts_of(np.eye(4, 5, dtype=np.uint8)).decode()}
    content = {
        "images": [{"id": 1, "height": 4, "width": 5}],
        "categories": [{"id": 1}],
        "annotations": [
            annotation | {"id": 70, "segmentation": mask},
            annotation | {"id": 71, "segmentation": mask | {"counts": mask["counts"][:-1]}},
        ],
    }
    file = tmp_path / "truth.json"
    file.write_text(json.dumps(content))
    with pytest.raises(LoadError, match=r"annotation 71 has run lengths that do not make up its image of 4 x 5 pixels"):
        read_ground_truth(file, "segm")

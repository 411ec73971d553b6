"""The closed vocabulary: under 120 words, all used, none missing."""

from __future__ import annotations

import pytest

from mmbench.sources.scenes import words
from mmbench.sources.scenes.tasks.catalogue import TASKS
from mmbench.sources.scenes.tasks.task import Item


def texts_of(task, regime: str):
    """Texts, answers and references of 64 scenes, without rendering pictures."""
    for scene in range(64):
        for part in range(task.parts):
            item = Item(regime, "test", scene, part, 64)
            target = task.target(item)
            if isinstance(target, str):
                yield target
            elif isinstance(target, tuple):
                yield from target
            if any(modality.kind == "text" for modality in task.modalities):
                yield task.inputs(item)["text"]


@pytest.fixture(scope="module")
def used() -> set[str]:
    runs = [(task, regime) for task in TASKS.values() for regime in task.regimes if task.name not in ("seg", "det")]
    return {word for task, regime in runs for text in texts_of(task, regime) for word in text.split()}


def test_the_vocabulary_is_closed_and_small(used: set[str]) -> None:
    assert len(words.vocabulary()) < 120
    assert used <= set(words.vocabulary())


def test_every_word_is_used(used: set[str]) -> None:
    """But for the place of regime C, which no text task has."""
    assert set(words.vocabulary()) - used <= {words.PLACES[6]}


def test_cells_have_names_of_their_own() -> None:
    assert len({words.cell_name(cell) for cell in range(16)}) == 16
    assert words.cell_name(6) == "upper third"

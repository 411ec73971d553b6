"""The registered metrics of captions are the pure functions over raw texts; slices and draws keep the frequencies."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.errors import SampleError
from mmbench.core.metric import TaskContext
from mmbench.core.prediction import ClassScores, Text
from mmbench.metrics.caption_texts import Captions
from mmbench.metrics.captions import caption_rows, caption_scores
from mmbench.text.ptb import tokenize_many

NAMES = ("bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider")
CONTEXT = TaskContext((), None)
# One to four references; a caption that is empty, one that is a reference, marks that the tokenizer drops.
REFERENCES = (
    ("A man riding a wave on a surfboard.", "A surfer rides a big wave!", "a man on a surf board"),
    ("Two dogs play with a red ball in the grass.",),
    ("A plate of food on a wooden table.", "Food (rice, beans) on a plate.", "a plate with food", "Lunch"),
    ("A train stops at the station in the rain.", "the train is at the station"),
    ("A cat sleeps on a laptop's keyboard.", "a cat on a laptop"),
)
CAPTIONS = (
    "a man riding a wave on a board .",
    "Two dogs play with a red ball in the grass.",
    "",
    "a train on the tracks at the station",
    "a dog sleeps on the sofa",
)


@pytest.fixture
def captions(scored):
    return scored(NAMES, REFERENCES, [Text(str(i), text) for i, text in enumerate(CAPTIONS)])


def test_values_are_those_of_the_pure_functions(captions) -> None:
    """The suite's figures are ``caption_scores`` of the raw texts."""
    expected = caption_scores(REFERENCES, CAPTIONS)
    found = captions.values()
    keys = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider")
    assert [float(found[name][0]) for name in NAMES] == pytest.approx([expected[key] for key in keys], abs=1e-12)
    assert all(expected[key] > 0 for key in keys)


def test_weights_are_repetitions(captions) -> None:
    """An image that is drawn twice is there twice; document frequencies stay those of all references."""
    counts = [2, 0, 1, 3, 1]
    drawn, literal = captions.values([counts, [1] * 5]), captions.repeated(counts)
    for name in NAMES:
        assert drawn[name][0] == pytest.approx(literal[name][0], abs=1e-12)
        assert drawn[name][1] == pytest.approx(captions.values()[name][0], abs=1e-12)


def test_a_slice_keeps_the_document_frequencies(captions) -> None:
    """CIDEr of a slice is the mean over its images of the whole set's CIDEr, not that of a set of its own."""
    rows = caption_rows([tokenize_many(texts) for texts in REFERENCES], tokenize_many(CAPTIONS))
    found = captions.values([[1, 1, 0, 0, 0]])["cider"][0]
    assert found == pytest.approx(rows.cider[:2].mean(), abs=1e-12)
    assert found != pytest.approx(caption_scores(REFERENCES[:2], CAPTIONS[:2])["cider"], abs=1e-3)


def test_an_empty_caption_scores_nothing(captions) -> None:
    found = captions.values([[0, 0, 1, 0, 0]])
    assert [float(found[name][0]) for name in NAMES] == pytest.approx([0] * 6, abs=1e-12)


def test_what_cannot_be_scored() -> None:
    """Named by its id, before any row is counted; an empty caption is fine."""
    statistic = Captions()
    statistic.check(("a dog",), Text("7", ""), CONTEXT)
    with pytest.raises(SampleError, match="prediction of '7' is scores, expected a caption"):
        statistic.check(("a dog",), ClassScores("7", np.zeros(2, np.float32)), CONTEXT)
    with pytest.raises(SampleError, match="image '7' has no reference"):
        statistic.check((), Text("7", "a dog"), CONTEXT)


def test_there_are_no_classes(captions) -> None:
    table = captions.tables["captions"]
    assert table.shape == (5, 13)
    assert Captions().support(table, CONTEXT).shape == (0,)
    assert Captions().absent(table, CONTEXT) == 0

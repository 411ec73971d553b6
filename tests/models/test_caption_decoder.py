"""The decoder says P(w_t | w_<t): nothing of what comes later, and of the memory only what is there."""

from __future__ import annotations

import math

import pytest
import torch

from mmbench.fusion.feature import Feature
from mmbench.models.caption_decoder import CaptionDecoder
from mmbench.models.tasks.captioning import Captioning
from mmbench.models.tasks.task import VOID, Labels, Penalty

LABELS = Labels(("a", "disc", "red", "the"), length=5)


def decoder() -> CaptionDecoder:
    torch.manual_seed(0)
    return CaptionDecoder(4, 4)


def memory(dirty: float = math.nan) -> Feature:
    x = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(2))
    pad = torch.tensor([[False, False, True], [False, False, False]])
    x[0, 2] = dirty
    return Feature(x, pad)


def test_targets_are_shifted_by_one() -> None:
    """Before word t stand the words before it and nothing else: the query is the target without its last column."""
    task = Captioning()
    target = task.target(("the red disc", "a disc"), LABELS)
    assert target.tolist() == [[4, 3, 2, 0], [1, 2, 0, VOID]]
    assert task.query(target[None]).tolist() == [[[4, 3, 2], [1, 2, 0]]]
    assert task.target(("the quick red fox disc a a a",), LABELS).tolist() == [[4, 3, 2, 1, 1, 0]]


def test_a_word_depends_on_those_before_it_alone() -> None:
    """Changing word t leaves the logits of the words up to t and moves those after it."""
    model = decoder()
    words = torch.tensor([[[1, 2, 3]], [[1, 2, 3]]])
    changed = torch.tensor([[[1, 4, 3]], [[1, 4, 3]]])
    first, second = model(memory(), words).x, model(memory(), changed).x
    assert torch.equal(first[:, :2], second[:, :2])
    assert not torch.allclose(first[:, 2], second[:, 2])


def test_the_loss_is_the_factorised_probability() -> None:
    """-sum_t log P(w_t | w_<t), each factor from a decoder that was given w_<t only, over the number of words."""
    model, task = decoder(), Captioning()
    target = task.collate([task.target(("the red disc", "a"), LABELS), task.target(("disc",), LABELS)])
    logits = model(memory(), task.query(target))
    loss = task.loss(logits, target, Penalty(torch.ones(4)), None)  # type: ignore[arg-type]
    total, words = 0.0, 0
    for item in range(2):
        own = Feature(memory().x[item : item + 1], memory().pad[item : item + 1])
        for row in target[item]:
            caption = row[row != VOID]
            for t, word in enumerate(caption):
                after = model(own, caption[None, None, :t]).x[0, -1].log_softmax(dim=-1)
                total, words = total - float(after[word].detach()), words + 1
    assert loss.item() == pytest.approx(total / words, rel=1e-5)


def test_padding_of_the_memory_is_not_read() -> None:
    """NaN or numbers: the same logits; and with nothing but padding they are finite."""
    model, words = decoder(), torch.tensor([[[1, 2]], [[3, 4]]])
    assert torch.equal(model(memory(math.nan), words).x, model(memory(5.0), words).x)
    nothing = Feature(torch.full((1, 2, 4), math.nan), torch.ones(1, 2, dtype=torch.bool))
    assert torch.isfinite(model(nothing, words[:1]).x).all()


def test_several_captions_of_an_item_at_once() -> None:
    """R captions side by side have the logits that each has alone."""
    model = decoder()
    words = torch.tensor([[[1, 2], [3, 4], [0, 1]], [[2, 2], [1, 1], [4, 0]]])
    together = model(memory(), words).x.unflatten(1, (3, 3))
    for r in range(3):
        torch.testing.assert_close(together[:, r], model(memory(), words[:, r : r + 1]).x)

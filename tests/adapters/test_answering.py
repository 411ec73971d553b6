"""From what modules of all tasks return to predictions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from mmbench.adapters.answering import CONVERTERS, converter_for
from mmbench.adapters.asked import Asked
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.prediction import ClassScores, Detections, LabelMap, Text

NAN = float("nan")


@pytest.fixture
def ask(request_for: Callable[..., Any]) -> Callable[..., Any]:
    """``ask(task, raw)`` converts what module M returned for two items of 4 x 6 pixels."""

    def convert(task: str, raw: Any, answers: tuple[str, ...] = ("yes", "no"), **options: Any) -> Any:
        request = request_for(**options)
        request = replace(request, spec=request.spec.model_copy(update={"task": task}))
        asked = Asked(["a", "b"], "M", request, [(4, 6), (4, 6)], answers)
        return converter_for("M", request)(raw, asked)

    return convert


def test_class_scores_are_the_logits(ask: Callable[..., Any]) -> None:
    """float32, unchanged; also from an output object; an item with NaN fails alone."""
    logits = torch.tensor([[1.0, 2.0, 3.0], [0.0, NAN, 1.0]], dtype=torch.float64)
    for raw in (logits, {"logits": logits, "aux": 1}, SimpleNamespace(logits=logits)):
        first, second = ask("classification", raw)
        assert isinstance(first, ClassScores)
        assert (first.scores.dtype, first.scores.tolist()) == (np.float32, [1, 2, 3])
        assert isinstance(second, SampleError)
        assert "NaN or infinite logits for 'b'" in str(second)


def test_answers_by_logits_or_by_text(ask: Callable[..., Any]) -> None:
    found = ask("vqa", torch.tensor([[0.1, 0.2], [3.0, -1.0]]))
    assert [answer.text for answer in found] == ["no", "yes"]
    assert [answer.text for answer in ask("vqa", ["two dogs", ""])] == ["two dogs", ""]


def test_captions(ask: Callable[..., Any]) -> None:
    assert ask("captioning", ("a disc", "a cup")) == [Text("a", "a disc"), Text("b", "a cup")]


@pytest.mark.parametrize(
    "raw",
    [
        torch.tensor([1.0, -1.0]).view(2, 1, 1).expand(2, 2, 3),
        torch.tensor([1.0, -1.0]).view(2, 1, 1, 1).expand(2, 1, 2, 3),
        torch.tensor([[2.0, 3.0], [3.0, 2.0]]).view(2, 2, 1, 1).expand(2, 2, 2, 3),
        torch.tensor([True, False]).view(2, 1, 1).expand(2, 2, 3),
        torch.tensor([1, 0]).view(2, 1, 1).expand(2, 4, 6),
    ],
)
def test_masks_of_every_form(ask: Callable[..., Any], raw: torch.Tensor) -> None:
    """Logits of one or two channels, truth values and integers, at any size: uint8 0 or 1 at the target's."""
    for found, expected in zip(ask("referring-segmentation", raw), (1, 0), strict=True):
        assert isinstance(found, LabelMap)
        assert (found.labels.dtype, found.labels.shape) == (np.uint8, (4, 6))
        assert (found.labels == expected).all()


def test_logits_of_masks_are_resized_before_they_are_compared(ask: Callable[..., Any]) -> None:
    """Bilinear with half-pixel centres: the edge lies where the line between the two logits crosses 0."""
    raw = torch.tensor([[[-1.0, 3.0]]]).expand(2, 1, 2)
    found, _ = ask("referring-segmentation", raw)
    centres = (np.arange(6) + 0.5) * 2 / 6 - 0.5
    assert found.labels[0].tolist() == (np.interp(centres, [0, 1], [-1, 3]) > 0).astype(int).tolist()


def test_boxes_become_left_top_width_height(ask: Callable[..., Any]) -> None:
    raw = [
        {"boxes": torch.tensor([[1.0, 2.0, 4.0, 6.0]]), "scores": torch.tensor([0.5]), "labels": torch.tensor([2])},
        {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, dtype=int)},
    ]
    first, second = ask("detection", raw)
    assert isinstance(first, Detections)
    assert first.boxes is not None
    assert (first.boxes.tolist(), first.areas.tolist()) == ([[1, 2, 3, 4]], [12])
    assert (first.scores.tolist(), first.labels.tolist(), len(second.scores)) == ([0.5], [2], 0)


def one(box: list[float], score: float, label: int) -> dict[str, torch.Tensor]:
    return {"boxes": torch.tensor([box]), "scores": torch.tensor([score]), "labels": torch.tensor([label])}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (one([1, 2, NAN, 4], 0.5, 0), "NaN or infinite boxes or scores for 'b'"),
        (one([1, 2, 3, 4], NAN, 0), "NaN or infinite boxes or scores for 'b'"),
        (one([4, 2, 3, 4], 0.5, 0), "A box of 'b' ends before it begins; expected x1, y1, x2, y2"),
        (one([1, 2, 3, 4], 0.5, 3), r"labels 3\.\.3, expected 0\.\.2"),
    ],
)
def test_a_wrong_detection_fails_alone(ask: Callable[..., Any], found: Any, reason: str) -> None:
    first, second = ask("detection", [one([1, 2, 3, 4], 0.5, 0), found])
    assert isinstance(first, Detections)
    assert isinstance(second, SampleError)
    assert re.search(reason, str(second))


def test_a_wrong_integer_mask_fails_alone(ask: Callable[..., Any]) -> None:
    first, second = ask("referring-segmentation", torch.stack([torch.ones(4, 6).int(), torch.full((4, 6), 7).int()]))
    assert isinstance(first, LabelMap)
    assert "mask of 'b' holds 7..7, expected 0 and 1" in str(second)


@pytest.mark.parametrize(
    ("task", "raw", "sentence"),
    [
        ("classification", torch.zeros(2, 5), "M returned scores of 5 classes, but suite 'toy' has 3; use a model"),
        ("classification", torch.zeros(3, 3), r"float32 \[3,3\]; expected logits \[2,3\] \(items, classes\) for 2"),
        ("classification", torch.zeros(2).long(), r"int64 \[2\]; expected logits \[2,3\]"),
        ("classification", ["a", "b"], r"returned a list of 2 .* expected logits \[2,3\] .* choose a part"),
        ("vqa", torch.zeros(2, 5), "scores of 5 answers, but suite 'toy' has 2"),
        ("vqa", ["one"], "expected one of the answers for each item, 2 strings"),
        ("captioning", torch.zeros(2, 7), r"float32 \[2,7\]; expected a list of captions \(str\)"),
        ("captioning", ["a", None], r"expected a list of captions \(str\)"),
        ("referring-segmentation", torch.zeros(2, 3, 4, 4), r"float32 \[2,3,4,4\]; expected logits \[B,h,w\]"),
        ("referring-segmentation", torch.zeros(3, 4, 4), r"float32 \[3,4,4\]; expected logits \[B,h,w\]"),
        ("detection", {"boxes": 1}, "returned a dict with boxes; expected a list of {boxes"),
        ("detection", [{"boxes": 1}, {}], "returned a dict with boxes for 'a'; expected a list of {boxes"),
        (
            "detection",
            [{"boxes": torch.zeros(2, 4), "scores": torch.zeros(3), "labels": torch.zeros(3).long()}] * 2,
            r"boxes \[2, 4\], scores \[3\] and int64 labels \[3\] for 'a'; expected \[N,4\], \[N\] and integers",
        ),
        ("detection", [one([1, 2, 3, 4], 0.5, 0) | {"labels": torch.zeros(1)}] * 2, "float32 labels|float64 labels"),
    ],
)
def test_what_does_not_fit_is_a_sentence(ask: Callable[..., Any], task: str, raw: Any, sentence: str) -> None:
    with pytest.raises(LoadError, match=sentence):
        ask(task, raw)


def test_logits_need_a_list_of_answers(ask: Callable[..., Any]) -> None:
    with pytest.raises(LoadError, match="has no closed list of answers that logits could be of"):
        ask("vqa", torch.zeros(2, 5), answers=())


def test_a_task_without_a_form_is_refused(request_for: Callable[..., Any]) -> None:
    request = request_for()
    request = replace(request, spec=request.spec.model_copy(update={"task": "keypoints"}))
    assert "keypoints" not in CONVERTERS
    with pytest.raises(LoadError, match="cannot be run on suite 'toy', which is keypoints; score a result file"):
        converter_for("M", request)

"""Targets, losses and answers of each task against plain computations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmbench.core.errors import SampleError
from mmbench.core.prediction import ClassScores, Detections, Joint, LabelMap, Text
from mmbench.core.targets import Boxes, JointTarget
from mmbench.fusion.feature import Feature, from_map
from mmbench.models.config import AudioConfig, ModelConfig
from mmbench.models.detection_head import Grid, box_loss, centre_loss, peaks
from mmbench.models.heads import PixelClassifier
from mmbench.models.tasks.catalogue import TASKS
from mmbench.models.tasks.joint import spans
from mmbench.models.tasks.task import VOID, Asked, Labels, Penalty

CPU = torch.device("cpu")
EARS = {"audio": AudioConfig(rate=8000, mean=0.0, std=1.0)}


def config_of(task: str, classes: tuple[str, ...], **more: object) -> ModelConfig:
    table = {"task": task, "classes": classes, "inputs": EARS, "fusion": "only:audio", "width": 4} | more
    return ModelConfig.model_validate(table)


@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_penalty_equals_a_loop(focal: float) -> None:
    """The mean over labels that are not VOID of w_y (1 - p_y)^focal (-log p_y)."""
    draws = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=draws, requires_grad=True)
    target, weights = torch.tensor([0, 2, VOID, 1, 2]), torch.tensor([1.0, 0.5, 2.0])
    expected = 0.0
    for row, y in zip(logits.detach().softmax(dim=1), target.tolist(), strict=True):
        if y != VOID:
            expected += float(weights[y]) * (1 - float(row[y])) ** focal * -float(row[y].log())
    loss = Penalty(weights, focal).of(logits, target)
    assert loss.item() == pytest.approx(expected / 4, rel=1e-5)
    loss.backward()
    assert torch.isfinite(logits.grad).all()  # type: ignore[arg-type]


def test_nothing_to_learn_is_no_loss() -> None:
    assert Penalty(torch.ones(3), 1.0).of(torch.zeros(2, 3), torch.full((2,), VOID)) == 0


def test_answers_outside_the_list_have_no_loss() -> None:
    task, labels = TASKS["vqa"], Labels(("yes", "no"))
    assert [int(task.target(answer, labels)) for answer in ("no", "maybe")] == [1, VOID]
    found = task.predictions(torch.tensor([[0.0, 1.0]]), ["a"], labels.classes)
    assert found == [Text("a", "no")]


def test_a_class_outside_the_list_is_refused() -> None:
    with pytest.raises(SampleError, match=r"has the class 5, expected 0\.\.1"):
        TASKS["classification"].target(5, Labels(("one", "two")))


def test_pixels_of_a_token_lie_where_it_lies() -> None:
    """Logit c of pixel (i, j) of token (r, s) stands at (stride r + i, stride s + j)."""
    torch.manual_seed(0)
    head = PixelClassifier(4, 3, 2)
    feature = from_map(torch.randn(1, 4, 2, 3))
    found = head(feature)
    assert found.grid == (4, 6)
    raw = head.classify(feature.x)[0].reshape(2, 3, 3, 2, 2)
    maps = found.x[0].reshape(4, 6, 3)
    for r, s, i, j in np.ndindex(2, 3, 2, 2):
        torch.testing.assert_close(maps[2 * r + i, 2 * s + j], raw[r, s, :, i, j])


def test_referring_answers_are_differences() -> None:
    logits = from_map(torch.tensor([[[[1.0, 2.0]], [[3.0, 1.0]]]]))
    task = TASKS["referring-segmentation"]
    answer = task.answer(lambda _: logits, Asked(config_of("referring-segmentation", ("a", "b")), 1, CPU, None))
    assert answer.tolist() == [[[2.0, -1.0]]]
    (found,) = task.predictions(answer, ["x"], ("a", "b"))
    assert isinstance(found, LabelMap)
    assert found.labels.tolist() == [[1, 0]]


def test_looks_are_read_by_token_and_shown_by_pixel() -> None:
    """Perfect logits give back a map whose tokens each hold one label and background."""
    task, config = TASKS["look-map"], config_of("look-map", ("ground", "a", "b", "c"), stride=2)
    labels = torch.tensor([[0, 2, 3, 3], [0, 2, 3, 0], [1, 1, 0, 0], [1, 1, 0, 0]])
    shown = torch.nn.functional.pixel_unshuffle((labels > 0).float()[None, None], 2)
    token = torch.nn.functional.one_hot(labels[1::2, 1::2].where(labels[1::2, 1::2] > 0, labels[::2, ::2]), 4)
    maps = torch.cat([20 * (2 * shown - 1), 20.0 * token.permute(2, 0, 1)[None]], dim=1)
    logits = from_map(maps)
    (found,) = task.predictions(task.answer(lambda _: logits, Asked(config, 1, CPU, None)), ["x"], config.classes)
    assert isinstance(found, LabelMap)
    assert found.labels.tolist() == labels.tolist()
    good, bad = (task.loss(from_map(m), labels[None], Penalty(torch.ones(4)), config) for m in (maps, -maps))
    assert good < 11 < 20 < bad  # one token's centre is background, though not all of it


def boxes_of(*rows: tuple[float, float, float, float, int]) -> Boxes:
    table = np.array(rows, dtype=np.float32).reshape(-1, 5)
    return Boxes(table[:, :4], table[:, 4].astype(np.int64))


def test_boxes_are_collated_and_counted() -> None:
    task, labels = TASKS["detection"], Labels(("a", "b"))
    one, none = task.target(boxes_of((1, 2, 5, 6, 1)), labels), task.target(boxes_of(), labels)
    together = task.collate([one, none])
    assert together.shape == (2, 1, 5)
    assert together[1, 0, 4] == VOID
    assert task.counts(one, 2).tolist() == [0, 1]


def ideal(boxes: torch.Tensor, labels: list[int], grid: Grid, classes: int) -> torch.Tensor:
    """The head's numbers that say exactly these boxes, float [1,L,C+4]."""
    x = torch.full((1, len(grid.centres), classes + 4), -8.0)
    for box, label in zip(boxes, labels, strict=True):
        middle = (box[:2] + box[2:]) / 2
        x[0, int(((grid.centres - middle) ** 2).sum(dim=1).argmin()), label] = 8.0
        inside = ((grid.centres > box[:2]) & (grid.centres < box[2:])).all(dim=1)
        away = torch.cat([grid.centres - box[:2], box[2:] - grid.centres], dim=1)[inside] / grid.stride
        x[0, inside, classes:] = torch.log(torch.expm1(away))
    return x


def test_detections_say_what_the_head_says() -> None:
    """From numbers made for two boxes these two come out, best first, and their loss is next to nothing."""
    config = config_of("detection", ("a", "b"), stride=4)
    grid = Grid.of((8, 8), 4, CPU)
    boxes = torch.tensor([[2.0, 3.0, 13.0, 15.0], [17.0, 16.0, 29.0, 28.0]])
    logits = Feature(ideal(boxes, [1, 0], grid, 2), torch.zeros(1, 64, dtype=torch.bool), (8, 8))
    task = TASKS["detection"]
    (found,) = task.predictions(task.answer(lambda _: logits, Asked(config, 1, CPU, (32, 32))), ["x"], ("a", "b"))
    assert isinstance(found, Detections)
    best = np.argsort(found.labels[:2])[::-1]
    assert found.boxes is not None
    np.testing.assert_allclose(found.boxes[:2][best], [[2, 3, 11, 12], [17, 16, 12, 12]], atol=1e-3)
    target = task.collate([task.target(boxes_of((*boxes[0].tolist(), 1), (*boxes[1].tolist(), 0)), Labels(("a", "b")))])  # type: ignore[arg-type]
    good = task.loss(logits, target, Penalty(torch.ones(2)), config)
    assert good < 0.05
    worse = logits._replace(x=logits.x.roll(1, dims=1))
    assert task.loss(worse, target, Penalty(torch.ones(2)), config) > 10 * good


def test_a_picture_without_objects_still_teaches() -> None:
    """All tokens learn that nothing is there; no box has a loss."""
    grid = Grid.of((2, 2), 4, CPU)
    nothing = torch.zeros(0, 4)
    assert centre_loss(torch.zeros(4, 2), nothing, torch.zeros(0).long(), grid) > 0
    loss, count = box_loss(torch.rand(4, 4), nothing, grid)
    assert (float(loss), count) == (0.0, 0)


def test_peaks_are_the_highest_of_their_neighbours() -> None:
    logits = torch.tensor([0.0, 2.0, 1.0, 0.0, -1.0, 3.0])[None, :, None]
    found = peaks(logits, (1, 6))[0, :, 0]
    assert (found > 0).tolist() == [False, True, False, False, False, True]


CLASSES = ("classification/a", "classification/b", "vqa/yes", "vqa/no", "vqa/two")


def test_joint_is_the_weighted_sum_of_its_parts() -> None:
    """sum_k w_k l_k with the l_k of the single tasks; answers and targets are theirs."""
    task, config = TASKS["joint"], config_of("joint", CLASSES)
    assert spans(CLASSES) == {"classification": slice(0, 2), "vqa": slice(2, 5)}
    values = [JointTarget({"classification": 1, "vqa": "two"}), JointTarget({"classification": 0, "vqa": "what"})]
    target = task.collate([task.target(value, Labels(CLASSES)) for value in values])
    assert target.tolist() == [[1, 4], [0, VOID]]
    x = torch.randn(2, 1, 5, generator=torch.Generator().manual_seed(0))
    logits = Feature(x, torch.zeros(2, 1, dtype=torch.bool))
    plain = Penalty(torch.ones(2)).of(x[:, 0, :2], torch.tensor([1, 0]))
    asked = Penalty(torch.ones(3)).of(x[:, 0, 2:], torch.tensor([2, VOID]))
    found = task.loss(logits, target, Penalty(torch.ones(5), tasks={"vqa": 0.25}), config)
    torch.testing.assert_close(found, plain + 0.25 * asked)
    answer = task.answer(lambda _: logits, Asked(config, 2, CPU, None))
    assert {k: tuple(v.shape) for k, v in answer.items()} == {"classification": (2, 2), "vqa": (2, 3)}
    first, _ = task.predictions(answer, ["s", "t"], CLASSES)
    assert isinstance(first, Joint)
    assert isinstance(first.parts["classification"], ClassScores)
    assert first.parts["vqa"] == Text("s", ("yes", "no", "two")[int(x[0, 0, 2:].argmax())])

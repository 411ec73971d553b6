"""The assembled model on every task: texts and recordings too, whatever the fusion."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from mmbench.core import registry
from mmbench.core.errors import UsageError
from mmbench.models.assembled import CONFIG_KEY, FusionModel, load_model
from mmbench.models.checkpoint import save_checkpoint
from mmbench.models.config import AudioConfig, InputConfig, ModelConfig, PictureConfig, ReferenceTask, TextConfig
from mmbench.models.serving import check_served
from mmbench.models.tasks.task import Asked

WORDS = ("a", "disc", "red", "the")
INPUTS: dict[str, InputConfig] = {
    "image": PictureConfig(kind="image", channels=3, mean=(0.5,) * 3, std=(0.2,) * 3),
    "text": TextConfig(words=WORDS, length=4),
    "audio": AudioConfig(rate=2000, mean=-3.0, std=1.0),
}
TEXTS = ["the red disc", "a disc"]
CLASSES: dict[str, tuple[str, ...]] = {
    "referring-segmentation": ("other", "meant"),
    "classification": ("one", "two", "three"),
    "vqa": ("yes", "no"),
    "captioning": WORDS,
    "detection": ("one", "two"),
    "joint": ("classification/one", "classification/two", "vqa/yes", "vqa/no", "vqa/red"),
}


def served(fusion: str, task: Any) -> bool:
    try:
        check_served(fusion, task)
    except UsageError:
        return False
    return fusion != "early"  # joins pictures, and here is one


PAIRS = [(t, f) for t in CLASSES for f in sorted(registry.fusion.entries()) if served(f, t)]
# Enough to see each task, each level and each layout; the operators have laws of their own.
SOME = [(t, f) for t, f in PAIRS if f in ("concat", "late", "cross_attention", "hybrid")]


def built(task: str, fusion: str, inputs: dict[str, InputConfig] = INPUTS) -> FusionModel:
    torch.manual_seed(1)
    config = ModelConfig(
        task=task,  # type: ignore[arg-type]
        classes=CLASSES[task],
        inputs=inputs,
        width=8,
        stride=4,
        length=3,
        beam=2,
        shape=(16, 24),
        subpixel=task == "referring-segmentation",
        fusion=fusion,
    )
    return FusionModel(config).eval()


def inputs_of(seed: int = 0) -> dict[str, Any]:
    draws = torch.Generator().manual_seed(seed)
    return {
        "image": torch.rand(2, 3, 16, 24, generator=draws),
        "text": TEXTS,
        "audio": torch.rand(2, 900, generator=draws) - 0.5,
    }


def numbers(answer: Any) -> Tensor:
    """Any answer as one tensor."""
    if isinstance(answer, dict):
        return torch.cat([value.flatten() for value in answer.values()])
    if isinstance(answer, list) and isinstance(answer[0], dict):
        return torch.cat([found["scores"] for found in answer])
    return answer if isinstance(answer, Tensor) else torch.tensor([hash(text) % 997 for text in answer])


def test_every_task_has_classes_here() -> None:
    assert {*CLASSES, "segmentation", "look-map"} == set(get_args(ReferenceTask))


@pytest.mark.parametrize(("task", "fusion"), PAIRS)
def test_answers_have_the_form_of_the_contract(task: str, fusion: str) -> None:
    answer = built(task, fusion)(**inputs_of())
    if task == "referring-segmentation":
        assert (answer.dtype, tuple(answer.shape)) == (torch.float32, (2, 16, 24))
    elif task in ("classification", "vqa"):
        assert (answer.dtype, tuple(answer.shape)) == (torch.float32, (2, len(CLASSES[task])))
    elif task == "joint":
        assert {name: tuple(x.shape) for name, x in answer.items()} == {"classification": (2, 2), "vqa": (2, 3)}
    elif task == "captioning":
        assert len(answer) == 2
        assert all(set(text.split()) <= set(WORDS) for text in answer)
    else:
        assert [set(found) for found in answer] == [{"boxes", "scores", "labels"}] * 2


@pytest.mark.parametrize(("task", "fusion"), SOME)
def test_what_is_absent_is_not_read(task: str, fusion: str) -> None:
    """NaN, numbers or other words in an absent modality: the same features' decision; left out: the same answer."""
    model, given = built(task, fusion), inputs_of()
    present = {m: torch.tensor([True, m == "image"]) for m in INPUTS}
    dirty = given | {"text": [TEXTS[0], "red red"], "audio": given["audio"].clone()}
    dirty["audio"][1] = 7.0
    query = torch.tensor([[[1]], [[2]]]) if task == "captioning" else None

    def logits(inputs: dict[str, Any]) -> Tensor:
        return model.decide(model.features(inputs, present), present, query).logits.x

    torch.testing.assert_close(logits(dirty), logits(given))
    alone = model(image=given["image"][1:])
    both = model.outputs(given, present)
    second = both[1:] if not isinstance(both, dict) else {name: x[1:] for name, x in both.items()}
    torch.testing.assert_close(numbers(second), numbers(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fusion", ["concat", "late"])
def test_bridges_are_crossed_once_for_all_words(fusion: str) -> None:
    """The decoder asks word by word; the captions are those of a search that decides anew each time."""
    model, given = built("captioning", fusion), inputs_of()
    present = {m: torch.ones(2, dtype=torch.bool) for m in INPUTS}
    asked = Asked(model.config, 2, torch.device("cpu"), None)
    words, crossed = [], []
    features = model.features(given, present)
    anew = model.kind.answer(lambda query: words.append(query) or model.decide(features, present, query).logits, asked)
    for bridge in model.bridges.values():
        bridge.register_forward_hook(lambda *_: crossed.append(1))
    assert model.answer(features, present, None) == anew
    assert len(words) > 1
    assert len(crossed) == len(model.bridges)


def test_what_lies_behind_the_end_of_a_recording_is_not_read() -> None:
    model, given = built("classification", "self_attention"), inputs_of()
    longer = given | {"audio": torch.cat([given["audio"], torch.full((2, 700), math.nan)], dim=1)}
    torch.testing.assert_close(model(**longer), model(**given), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("task", "fusion"), SOME)
def test_every_weight_is_trained(task: str, fusion: str) -> None:
    """One step with absent items gives a gradient to every parameter, of encoders, bridges, fusion and heads."""
    model, given = built(task, fusion).train(), inputs_of()
    given = {m: [*x, *x[::-1]] if isinstance(x, list) else torch.cat([x, x.flip(0)]) for m, x in given.items()}
    present = {m: torch.arange(4) != n for n, m in enumerate(given)}
    query = torch.tensor([[[1, 2]]] * 4) if task == "captioning" else None
    decision = model.decide(model.features(given, present), present, query)
    every = [decision.logits, *decision.experts.values()]
    draws = torch.Generator().manual_seed(0)
    loss = sum((f.x * torch.randn(f.x.shape, generator=draws)).sum() for f in every) + decision.auxiliary
    loss.backward()  # type: ignore[union-attr]
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not idle


@pytest.mark.parametrize(("task", "fusion"), SOME)
def test_saved_and_loaded_it_answers_the_same(tmp_path: Path, task: str, fusion: str) -> None:
    """The file alone is enough: vocabulary and scales stand in it."""
    model = built(task, fusion)
    path = tmp_path / "my.safetensors"
    save_checkpoint(path, model, {CONFIG_KEY: model.config.model_dump(mode="json")})
    loaded, _ = load_model(path)
    assert torch.equal(numbers(loaded(**inputs_of())), numbers(model(**inputs_of())))


def test_without_any_picture_its_size_is_that_of_the_training() -> None:
    answer = built("referring-segmentation", "concat")(text=TEXTS)
    assert tuple(answer.shape) == (2, 16, 24)


def test_a_text_alone_has_no_places() -> None:
    with pytest.raises(UsageError, match="needs a picture as its first input, found 'text'; a text or a recording"):
        built("referring-segmentation", "only:text", {"text": INPUTS["text"]})


def test_inputs_are_joined_on_one_grid() -> None:
    with pytest.raises(UsageError, match="'early' joins pictures on one grid, and 'text' is none; use another"):
        built("classification", "early")

"""Defaults by the kind of data, each overridden by a flag."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mmbench.core.errors import UsageError
from mmbench.models.config import Stride
from mmbench.models.dense_encoder import DenseEncoder
from mmbench.models.planning import Choices, plan
from mmbench.models.splits import Splits, open_splits

OUTPUT = Path("my.ckpt")


def test_generated_data_has_encoder_stages_and_no_augmentation(signed: Splits) -> None:
    """A flip would change what a generated modality shows."""
    made = plan(signed, Choices("concat", OUTPUT))
    assert made.encoders == "frozen"
    assert (made.recipe.augmentation, made.recipe.crop) == ("none", None)
    assert made.encoder.modality_dropout == 0.0
    assert made.stride == 1


def test_the_looks_of_captions_are_learnt_at_every_place() -> None:
    """There are 241 of them in 2,048 pictures; captions themselves say where things are, and stay."""
    made = plan(open_splits("caption[tier=smoke]", {}, {}), Choices("concat", OUTPUT))
    assert (made.encoder.augmentation, made.recipe.augmentation) == ("shift", "none")


@pytest.mark.parametrize(("side", "stride", "enough"), [(64, 8, False), (64, 4, True), (65, 8, True), (8, 1, False)])
def test_one_picture_is_a_batch_where_it_has_more_than_one_place(
    splits: Splits, side: int, stride: Stride, enough: bool
) -> None:
    """At the coarsest level, an eighth of the features; what is refused is what batch norm refuses."""
    choices = Choices("concat", OUTPUT, batch_size=1, size=(side, side), stride=stride, encoders="joint")
    encoder = DenseEncoder(3, 4, stride)
    if enough:
        assert plan(splits, choices).recipe.batch_size == 1
        encoder(torch.zeros(1, 3, side, side))
        return
    with pytest.raises(UsageError, match="--batch-size 2"):
        plan(splits, choices)
    with pytest.raises(ValueError, match="more than 1 value"):
        encoder(torch.zeros(1, 3, side, side))


@pytest.mark.parametrize(("fusion", "refused"), [("only:text", False), ("only:image", True), ("concat", True)])
def test_one_sample_is_a_batch_where_no_picture_is_read(fusion: str, refused: bool) -> None:
    splits = open_splits("vqa[tier=smoke]", {}, {})
    choices = Choices(fusion, OUTPUT, batch_size=1)
    if refused:
        with pytest.raises(UsageError, match="--batch-size 2"):
            plan(splits, choices)
    else:
        assert plan(splits, choices).recipe.batch_size == 1


def test_other_data_is_trained_jointly_with_random_views(splits: Splits) -> None:
    made = plan(splits, Choices("concat", OUTPUT))
    assert made.encoders == "joint"
    assert (made.recipe.augmentation, made.recipe.crop) == ("crop", (16, 16))


def test_large_inputs_have_features_at_half_the_resolution(splits: Splits) -> None:
    assert plan(splits, Choices("concat", OUTPUT, size=(360, 480))).stride == 2
    assert plan(splits, Choices("concat", OUTPUT, size=(360, 480), stride=4)).stride == 4


@pytest.mark.parametrize(
    ("size", "view"), [((180, 240), (180, 240)), ((360, 480), (180, 240)), ((966, 1296), (179, 241))]
)
def test_views_of_large_inputs_are_parts_of_them(splits: Splits, size: tuple[int, int], view: tuple[int, int]) -> None:
    """At most 43,200 pixels in the proportions of the input."""
    assert plan(splits, Choices("concat", OUTPUT, size=size)).recipe.crop == view


def test_flags_win(signed: Splits) -> None:
    choices = Choices(
        "concat",
        OUTPUT,
        seed=5,
        steps=7,
        encoder_steps=9,
        encoders="finetuned",
        batch_size=3,
        rate=0.5,
        width=12,
        crop=(8, 8),
        augmentation="crop",
        class_weight_power=0.0,
        precision="bf16",
    )
    made = plan(signed, choices)
    recipe = made.recipe
    assert (recipe.steps, recipe.batch_size, recipe.rate, recipe.seed) == (7, 3, 0.5, 5)
    assert (recipe.crop, recipe.class_weight_power, recipe.precision) == ((8, 8), 0.0, "bf16")
    assert (made.encoder.steps, made.encoder.batch_size, made.encoders, made.width) == (9, 3, "finetuned", 12)


def test_the_output_must_be_a_file(splits: Splits, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder; expected the checkpoint's file name, as in -o my\.ckpt"):
        plan(splits, Choices("concat", tmp_path))

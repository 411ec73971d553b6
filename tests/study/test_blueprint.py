"""Hidden widths solved for parameters, options by the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from mmbench.core.errors import UsageError
from mmbench.models.config import ModelConfig, PictureConfig, TextConfig
from mmbench.study.blueprint import Blueprint, empty, fusion_parameters, places_of, smallest
from mmbench.study.design import Strategy
from mmbench.study.settings import Settings
from mmbench.study.sizing import TOLERANCE

INPUTS = {
    "image": PictureConfig(kind="image", channels=3, mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2)),
    "text": TextConfig(words=("a", "b"), length=4),
}
WHOLE = ModelConfig(
    task="classification", classes=("a", "b", "c"), inputs=INPUTS, width=8, stride=8, shape=(64, 64), fusion="concat"
)
BOTH = ("image", "text")


def blueprint(**options: object) -> Blueprint:
    def told(fusion: str, given: Mapping[str, Any]) -> dict[str, Any]:
        return {**given, "prior": (0.2, 0.3, 0.5)} if fusion == "product_of_experts" else dict(given)

    return Blueprint(WHOLE, told, options.pop("track", "frozen"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["mfb", "low_rank_tensor", "mixture_of_experts"])
def test_matched_operators_have_the_parameters_of_concat(name: str) -> None:
    """As near as whole widths allow; natively they have others."""
    wanted = fusion_parameters(empty(WHOLE))
    strategy = Strategy(name, name, BOTH)
    native = fusion_parameters(empty(blueprint().config(strategy, Settings())))
    found = fusion_parameters(empty(blueprint(matched=True).config(strategy, Settings())))
    assert abs(native - wanted) > TOLERANCE * wanted
    assert abs(found - wanted) < abs(native - wanted)


@given(st.integers(1, 300), st.integers(1, 200))
def test_the_smallest_width_is_found(answer: int, most: int) -> None:
    """Among 1..most, and without asking for one that is more than twice as large."""
    asked = []

    def holds(value: int) -> bool:
        asked.append(value)
        return value >= answer

    assert smallest(holds, most) == min(answer, most)
    assert all(1 <= value <= min(2 * answer, most) for value in asked)


def test_what_has_no_width_stays_native_and_says_so() -> None:
    strategy = Strategy("feat_linear", "feat_linear", BOTH)
    assert blueprint(matched=True).config(strategy, Settings()) == blueprint().config(strategy, Settings())
    assert blueprint(matched=True).size(strategy, Settings()).sizing == "unmatched"


def test_sizes_are_those_of_the_models() -> None:
    """Native and matched parameters, counted on models; concat is what the others are matched with."""
    wanted = fusion_parameters(empty(WHOLE))
    for name, sizing in (("mixture_of_experts", "matched"), ("low_rank_tensor", "nearest"), ("hybrid", "matched")):
        strategy = Strategy(name, name, BOTH)
        native, found = (
            fusion_parameters(empty(blueprint(matched=matched).config(strategy, Settings())))
            for matched in (False, True)
        )
        size = blueprint(matched=True).size(strategy, Settings())
        assert (size.native, size.trained, size.wanted, size.sizing) == (native, found, wanted, sizing)
        assert blueprint().size(strategy, Settings()).sizing == "native"
    assert blueprint(matched=True).size(Strategy("concat", "concat", BOTH), Settings()).sizing == "native"
    assert blueprint().size(Strategy("concat", "concat", BOTH), Settings(width=2.0)).sizing == "tuned"


@pytest.mark.parametrize("m", BOTH)
def test_the_over_wide_model_is_as_large_as_concat(m: str) -> None:
    """Of trained parameters with frozen encoders, of all of them where these are trained as well."""
    strategy = Strategy(f"wide:{m}", "concat", (m,), "wide")
    for track, parts in (
        ("frozen", ("fusion", "heads", "bridges")),
        ("finetune", ("fusion", "heads", "bridges", "encoders")),
    ):
        counts = [
            sum(p.numel() for part in parts for p in getattr(empty(config), part).parameters())
            for config in (WHOLE, blueprint(track=track).config(strategy, Settings()))
        ]
        assert counts[1] == pytest.approx(counts[0], rel=TOLERANCE)


@pytest.mark.parametrize(("task", "places"), [("classification", 1), ("segmentation", 64), ("detection", 64)])
def test_on_maps_a_fusion_works_at_every_place(task: str, places: int) -> None:
    """64 x 64 pixels at a stride of 8."""
    assert places_of(WHOLE.model_copy(update={"task": task})) == places


def test_what_an_operator_must_know_of_the_labels_is_told() -> None:
    config = blueprint().config(Strategy("product_of_experts", "product_of_experts", BOTH), Settings())
    assert config.fusion_options["prior"] == (0.2, 0.3, 0.5)


def test_tuning_scales_the_hidden_width() -> None:
    config = blueprint().config(Strategy("concat", "concat", BOTH), Settings(width=2.0))
    assert config.fusion_options == {"hidden": 32}


@pytest.mark.parametrize("name", ["concat", "mixture_of_experts"])
def test_tuning_leaves_matched_widths_as_they_are(name: str) -> None:
    """Else concat alone would be tuned in width, and the others have the parameters of one that is in no table."""
    strategy = Strategy(name, name, BOTH)
    found = [blueprint(matched=True).config(strategy, Settings(width=width)) for width in (1.0, 2.0)]
    assert found[0] == found[1]


def test_an_operator_that_does_not_serve_says_so() -> None:
    with pytest.raises(UsageError, match="serves segmentation"):
        empty(blueprint().config(Strategy("early", "early", BOTH), Settings()))

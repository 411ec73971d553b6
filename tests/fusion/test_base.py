"""Building an operator by name, and the identity that stands for it in a unimodal model."""

from __future__ import annotations

import pytest
import torch

from mmbench.core.errors import UnknownName, UsageError
from mmbench.fusion.base import Single, build_fusion, fusion_level
from mmbench.fusion.feature import Feature


def test_an_unknown_fusion_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'concat'"):
        build_fusion("concta", ("rgb", "depth"), 4, {})


def test_an_unknown_option_is_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"'concat' does not take the options \{'hiden': 3\}"):
        build_fusion("concat", ("rgb", "depth"), 4, {"hiden": 3})


def test_late_fusions_join_logits() -> None:
    assert fusion_level("model_linear", {}) == fusion_level("late", {}) == "logits"
    assert fusion_level("feat_linear", {}) == fusion_level("concat", {}) == "features"


def test_single_passes_through_and_marks_what_is_absent() -> None:
    feature = Feature(torch.randn(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool), (1, 3))
    fused = Single(("rgb",), 4).fuse({"rgb": feature}, {"rgb": torch.tensor([True, False])})
    assert fused.x is feature.x
    assert fused.pad.tolist() == [[False] * 3, [True] * 3]

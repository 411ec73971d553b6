"""What a bench of the reference models refuses before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from mmbench.models.config import Stride
from mmbench.models.planning import Choices
from mmbench.study.design import Strategy, design
from mmbench.study.opening import Opening, benches

WIDE = Strategy("wide:rgb", "concat", ("rgb",), "wide")


@pytest.mark.parametrize(("stride", "refused"), [(1, True), (8, False)])
def test_an_over_wide_model_that_takes_gigabytes_is_refused(stride: Stride, refused: bool) -> None:
    """As many parameters as an encoder, in an MLP at every pixel; at every place of coarser features it is small."""
    made = design(["seg"], ["concat"], 1, tracks=["finetune"])
    choices = Choices(fusion="concat", output=Path("unused"), width=16, stride=stride)
    (bench,) = benches(made, Opening(choices, {"tier": "smoke"}), lambda _: None)
    reason = bench.refusal(WIDE)
    assert ("4,096 places would take 6.7 GB" in reason) == refused
    assert bool(reason) == refused
    assert not bench.refusal(Strategy("concat", "concat", ("rgb", "depth")))

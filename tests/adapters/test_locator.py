"""Locators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.adapters.locator import Locator


@pytest.mark.parametrize(
    ("text", "scheme", "target"),
    [
        ("my.ckpt", "checkpoint", "my.ckpt"),
        ("runs/a:b.ckpt", "checkpoint", "runs/a:b.ckpt"),
        ("./baseline:x", "checkpoint", "./baseline:x"),
        ("checkpoint:my.ckpt", "checkpoint", "my.ckpt"),
        ("baseline:concat", "baseline", "concat"),
        ("baseline:seg/only:rgb", "baseline", "seg/only:rgb"),
        ("python:my.py:make", "python", "my.py:make"),
        ("predictions:out/dir", "predictions", "out/dir"),
    ],
)
def test_a_path_without_a_scheme_is_a_checkpoint(text: str, scheme: str, target: str) -> None:
    assert Locator.parse(text) == Locator(scheme, target)


@given(
    st.sampled_from(["checkpoint", "baseline", "python", "predictions"]),
    st.text(min_size=1).filter(lambda t: ":" not in t),
)
def test_text_and_locator_round_trip(scheme: str, target: str) -> None:
    """Law: parse(str(locator)) == locator."""
    assert Locator.parse(str(Locator(scheme, target))) == Locator(scheme, target)

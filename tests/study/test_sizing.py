"""Native, tuned, matched, nearest, unmatched."""

from __future__ import annotations

import pytest

from mmbench.study.sizing import TOLERANCE, Size


@pytest.mark.parametrize(
    ("size", "sizing"),
    [
        (Size(100, 100), "native"),
        (Size(50, 100), "tuned"),
        (Size(1000, 400, 1000), "matched"),
        (Size(1049, 400, 1000), "matched"),
        (Size(951, 951, 1000), "matched"),
        (Size(1051, 400, 1000), "nearest"),
        (Size(1051, 1051, 1000), "unmatched"),
    ],
)
def test_how_the_parameters_came_about(size: Size, sizing: str) -> None:
    """Within 5 % is matched, whether it was solved for or is so by itself; farther off it is one of two others."""
    assert size.sizing == sizing
    assert (abs(size.off) <= TOLERANCE) == (sizing in ("native", "tuned", "matched"))


def test_off_is_a_share_of_what_is_wanted() -> None:
    assert Size(1500, 1500, 1000).off == pytest.approx(0.5)
    assert Size(2, 2, 1000).off == pytest.approx(-0.998)

"""Copies between host and device as stages; torch's meta device stands in for a GPU, as it is another one, too."""

from __future__ import annotations

import pytest

from mmbench.perf.clock import VirtualClock
from mmbench.perf.stages import FORWARD, Marks

torch = pytest.importorskip("torch")


def seen(marks: Marks) -> list[str]:
    return [name for name, _, _ in marks.pairs]


def test_a_copy_to_the_device_is_marked_and_a_conversion_is_not() -> None:
    from mmbench.perf.transfers import TransferWatch

    marks = Marks(VirtualClock())
    with TransferWatch(marks):
        moved = torch.zeros(2).to("meta")
        torch.zeros(2).to(torch.float64).cpu()
        moved.copy_(torch.zeros(2))
        moved.copy_(other=torch.zeros(2))
    assert seen(marks) == ["h2d"] * 3
    torch.zeros(2).to("meta")
    assert len(marks.pairs) == 3


def test_a_copy_within_the_forward_pass_belongs_to_it() -> None:
    from mmbench.perf.transfers import TransferWatch

    marks = Marks(VirtualClock())
    with TransferWatch(marks):
        marks.timed(FORWARD, lambda: torch.zeros(2).to("meta"))()
        torch.zeros(2).to("meta")
    assert seen(marks) == [FORWARD, "h2d"]

"""Random views: inputs and labels stay aligned."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.core.source import Modality
from mmbench.models.augment import random_view, shifted
from mmbench.models.data import Item
from mmbench.models.tasks.task import VOID

MODALITIES = {"rgb": Modality("rgb", "image", 3), "depth": Modality("depth", "plane", 1)}


def item(height: int, width: int) -> Item:
    """Depth is 10 x the label, in blocks of 8 pixels; so a view can be checked against itself."""
    labels = (torch.arange(height)[:, None] // 8 + torch.arange(width)[None] // 8) % 3
    return Item({"rgb": torch.rand(3, height, width), "depth": 10.0 * labels[None].float()}, labels)


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 40), st.integers(8, 40), st.integers(8, 24), st.integers(8, 24), st.integers(0, 1000))
def test_inputs_and_labels_move_together(height: int, width: int, rows: int, columns: int, seed: int) -> None:
    """The view has the size asked for; where depth is pure (away from edges) it agrees with the label."""
    draws = torch.Generator().manual_seed(seed)
    view = random_view(item(height, width), MODALITIES, (rows, columns), draws)
    depth, rgb = view.inputs["depth"], view.inputs["rgb"]
    assert depth is not None
    assert rgb is not None
    assert (depth.shape, rgb.shape, view.target.shape) == ((1, rows, columns), (3, rows, columns), (rows, columns))
    assert 0 <= float(rgb.min()) <= float(rgb.max()) <= 1
    assert set(view.target.unique().tolist()) <= {VOID, 0, 1, 2}
    # A pixel whose neighbourhood is constant, in labels, shows exactly the depth of its label. At the border of the
    # view the neighbour outside is not seen: it may be where the window reached over the edge.
    around = torch.nn.functional.pad(view.target[None, None].float(), (1, 1, 1, 1), value=VOID)
    near = torch.nn.functional.unfold(around, 3).reshape(9, rows, columns)
    flat = (near == near[4]).all(dim=0) & (view.target != VOID)
    torch.testing.assert_close(depth[0][flat], 10.0 * view.target[flat].float())


def test_same_draws_same_view() -> None:
    views = [
        random_view(item(20, 30), {"depth": MODALITIES["depth"]}, (16, 16), torch.Generator().manual_seed(4))
        for _ in "ab"
    ]
    assert torch.equal(views[0].target, views[1].target)


def test_what_is_absent_stays_absent() -> None:
    whole = item(16, 16)
    lacking = Item({**whole.inputs, "depth": None}, whole.target)
    assert random_view(lacking, MODALITIES, (8, 8), torch.Generator().manual_seed(0)).inputs["depth"] is None


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 1000))
def test_a_shift_moves_all_alike_and_loses_nothing(height: int, width: int, seed: int) -> None:
    """Depth is 10 x the label at every pixel; every pixel of the picture is there, once."""
    whole = item(height, width)
    moved = shifted(whole, torch.Generator().manual_seed(seed))
    torch.testing.assert_close(moved.inputs["depth"], 10.0 * moved.target[None].float())
    pixels = [x.flatten(1).sort(dim=1).values for x in (whole.inputs["rgb"], moved.inputs["rgb"])]
    assert torch.equal(*pixels)


def test_shifts_reach_every_place() -> None:
    """Each of 3 x 4 of them, so that no place is left for an encoder to learn by heart."""
    draws = torch.Generator().manual_seed(0)
    first = Item({}, torch.arange(12).reshape(3, 4))
    assert {int(shifted(first, draws).target[0, 0]) for _ in range(200)} == set(range(12))


def test_an_item_without_a_map_is_not_moved() -> None:
    """A recording and its class, in a training whose pictures are moved."""
    heard = Item({"audio": torch.rand(16)}, torch.tensor(3))
    assert shifted(heard, torch.Generator().manual_seed(0)) is heard

"""What a study consists of, and what is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from mmbench.core.errors import UnknownName, UsageError
from mmbench.study.design import design, strategies

MODALITIES = ("image", "text")


def test_every_control_is_there() -> None:
    """Each modality alone and over-wide, the ensemble, concat, concat with a shuffled modality."""
    found = strategies(design(["cls-it"], ["feat_linear"], 5), MODALITIES, labelled=True, averaged=True)
    assert [s.name for s in found if not s.control] == ["concat", "feat_linear"]
    assert [(s.name, s.control, s.modalities) for s in found if s.control] == [
        ("only:image", "unimodal", ("image",)),
        ("only:text", "unimodal", ("text",)),
        ("ensemble", "ensemble", MODALITIES),
        ("concat_shuffled", "shuffled", MODALITIES),
        ("wide:image", "wide", ("image",)),
        ("wide:text", "wide", ("text",)),
    ]


def test_what_a_task_does_not_allow_is_left_out() -> None:
    found = strategies(design(["caption"], ["concat"], 3), MODALITIES, labelled=False, averaged=False)
    assert {s.control for s in found} == {"", "unimodal", "wide"}


def test_cells_cross_everything_and_controls_see_the_whole_split() -> None:
    """2 strategies x 3 seeds x 2 tracks, at 2 shares, and each control once per seed and track."""
    made = design(["cls-it"], ["concat", "feat_linear"], 3, tracks=["frozen", "finetune"], shares=[10])
    lines = strategies(made, MODALITIES, labelled=True, averaged=True)
    cells = [cell for track in made.tracks for cell in made.cells("cls-it@1", track, lines)]
    assert len(cells) == len(set(map(str, cells)))
    assert Counter((cell.strategy.control == "", cell.share) for cell in cells) == {
        (True, 100): 12,
        (True, 10): 12,
        (False, 100): 36,
    }


def test_concat_takes_part_in_every_study() -> None:
    assert design(["cls-it"], ["feat_linear"], 3).fusions == ("concat", "feat_linear")
    assert design(["cls-it"], ["feat_linear", "concat"], 3).fusions == ("feat_linear", "concat")


@pytest.mark.parametrize(
    ("fusions", "options", "told"),
    [
        (["only:image"], {}, "is a control"),
        (["concat_shuffled"], {}, "is a control"),
        ([], {}, "names no strategy"),
        (["concat"], {"against": "late"}, "--against late takes no part"),
        (["concat"], {"shares": [0, 100]}, "among 1, 2, 5"),
        (["concat"], {"shares": [200]}, "among 1, 2, 5"),
    ],
)
def test_what_makes_no_sense_is_said(fusions: list[str], options: dict, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        design(["cls-it"], fusions, 3, **options)


def test_an_unknown_fusion_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="feat_linear"):
        design(["cls-it"], ["feat_liner"], 3)

"""Comparable or refused: one changed field changes the column, and is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.key import ComparabilityKey, digest_of

FIELDS = {
    "suite": "seg",
    "version": 1,
    "parameters": {"regime": "X"},
    "split": "test",
    "subset": "",
    "ids": "1111",
    "data": "2222",
    "condition": "clean",
    "inference": {"mode": "whole"},
    "metrics": {"miou": 1, "iou": 1},
}
CHANGED = {
    "suite": "seg2",
    "version": 2,
    "parameters": {"regime": "R"},
    "split": "val",
    "subset": "n=10,seed=0",
    "ids": "3333",
    "data": "4444",
    "condition": "missing:rgb",
    "inference": {"mode": "slide"},
}
KEY = ComparabilityKey(**FIELDS)


def test_the_changes_below_cover_every_field():
    assert CHANGED.keys() | {"metrics"} == ComparabilityKey.model_fields.keys()


@pytest.mark.parametrize("field", CHANGED)
def test_one_changed_field_changes_the_column_and_is_named(field):
    other = ComparabilityKey(**FIELDS | {field: CHANGED[field]})
    assert other.column("miou") != KEY.column("miou")
    assert KEY.differences(other, "miou") == [f"{field}: {FIELDS[field]} against {CHANGED[field]}"]


def test_a_new_version_of_a_metric_changes_its_own_column_only():
    other = ComparabilityKey(**FIELDS | {"metrics": {"miou": 2, "iou": 1}})
    assert other.column("miou") != KEY.column("miou")
    assert other.column("iou") == KEY.column("iou")
    assert KEY.differences(other, "miou") == ["metric: miou@1 against miou@2"]
    assert KEY.differences(other, "iou") == []


def test_measuring_further_metrics_changes_no_column():
    other = ComparabilityKey(**FIELDS | {"metrics": {"miou": 1, "iou": 1, "fw_iou": 1}})
    assert other.column("miou") == KEY.column("miou")


def test_metrics_have_columns_of_their_own():
    assert KEY.column("miou") != KEY.column("iou")


def test_a_metric_that_one_run_lacks_is_a_difference():
    other = ComparabilityKey(**FIELDS | {"metrics": {}})
    assert KEY.differences(other, "miou") == ["metric: miou@1 against miou@not measured"]


def test_column_is_pinned():
    """Stored tables and CI jobs hold these digests."""
    assert KEY.column("miou") == "4fb4924c24db5a38"


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5), st.randoms())
def test_digest_does_not_depend_on_the_order_of_keys(table, random):
    items = list(table.items())
    random.shuffle(items)
    assert digest_of(dict(items)) == digest_of(table)
    assert len(digest_of(table)) == 16


def test_digest_tells_types_apart():
    assert len({digest_of(value) for value in (1, "1", 1.5, None, [1], {"1": 1})}) == 6


def test_names_that_are_not_utf8_have_a_digest():
    assert digest_of("a\udcff") != digest_of("a\udcfe")


def test_nan_has_no_digest():
    with pytest.raises(ValueError, match="JSON"):
        digest_of(float("nan"))

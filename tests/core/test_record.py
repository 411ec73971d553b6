"""The record is JSON that reads back equal, and refuses what it does not know."""

from __future__ import annotations

import json
import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from mmbench.core.record import RunRecord

BUILD = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "reports" / "records.py")))


@pytest.mark.parametrize("record", [BUILD.run(), BUILD.partial(), BUILD.run(value=None)])
def test_json_round_trip(record):
    text = json.dumps(record.model_dump(mode="json"), allow_nan=False)
    assert RunRecord.model_validate(json.loads(text)) == record
    assert RunRecord.model_validate_json(text) == record


def test_the_schema_number_is_written():
    assert BUILD.run().model_dump(mode="json")["schema"] == 1


@pytest.mark.parametrize("path", [(), ("model",), ("key",), ("cost",), ("estimates", 0)])
def test_unknown_keys_are_refused_at_every_level(path):
    content = BUILD.run().model_dump(mode="json")
    inner = content
    for step in path:
        inner = inner[step]
    inner["surprise"] = 1
    with pytest.raises(ValidationError):
        RunRecord.model_validate(content)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_is_a_number_or_undefined(value):
    """pydantic would write NaN as null: it must not get in."""
    with pytest.raises(ValidationError):
        BUILD.estimate(value=value)


def test_estimates_are_found_by_metric_class_and_slice():
    record = BUILD.run(value=0.75)
    assert record.estimate("miou").n == 1024
    assert record.estimate("miou", tag="regime", value="S4").n == 256
    assert record.estimate("iou", label="b").value == pytest.approx(0.3)
    assert record.estimate("iou") is None

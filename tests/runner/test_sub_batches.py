"""A batch that memory did not hold is recorded, also when the run is killed and resumed after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mmbench.core.errors import Interrupted
from mmbench.core.model import ModelOptions
from mmbench.core.record import Execution
from mmbench.runner.measure import Prepared, RunOptions, execution_of, measure, prepare_model


@pytest.fixture
def splitting(pixel_model: Any) -> Callable[..., Any]:
    """A model that says how many items went through at once, by the number of the batch; it may be stopped."""

    class Splitting(pixel_model):
        def __init__(self, told: dict[int, int], stop: int = -1) -> None:
            super().__init__()
            self.told, self.stop = told, stop

        @property
        def sub_batch(self) -> int | None:
            return self.told.get(len(self.batches) - 1)

        def predict(self, batch: Any) -> Any:
            if len(self.batches) == self.stop:
                raise KeyboardInterrupt
            return super().predict(batch)

    return Splitting


def finished(prepared: Prepared, folder: Path) -> dict[str, Any]:
    run = measure(prepared, RunOptions(results=folder, draws=100), lambda _: None)
    record: dict[str, Any] = json.loads((run.folder / "record.json").read_text())
    return record


def test_the_fewest_items_at_once_stand_in_the_record(
    prepared: Callable[..., Prepared], splitting: Callable[..., Any], tmp_path: Path
) -> None:
    plain = {"batch_size": 4, "device": "cpu", "precision": "fp32", "threads": 1}
    assert finished(prepared(model=splitting({0: 2, 1: 1})), tmp_path / "a")["execution"] == {**plain, "sub_batch": 1}
    assert finished(prepared(model=splitting({})), tmp_path / "b")["execution"] == plain


def test_a_resumed_run_remembers_it(
    prepared: Callable[..., Prepared], splitting: Callable[..., Any], tmp_path: Path
) -> None:
    """The first session splits batch 0 and is stopped; the second splits nothing."""
    with pytest.raises(Interrupted):
        finished(prepared(model=splitting({0: 2}, stop=1)), tmp_path)
    second = splitting({})
    record = finished(prepared(model=second), tmp_path)
    assert record["execution"]["sub_batch"] == 2
    assert len(second.batches) == len(prepared().plan.batches) - 1


@pytest.mark.parametrize("switch", ["compiled", "channels_last"])
def test_the_switches_belong_to_the_row_and_the_resume_key(
    opened: Callable[..., Any], pixel_model: Any, switch: str
) -> None:
    suite, options = opened(), RunOptions()
    keys = set()
    for on in (False, True):
        model = pixel_model()
        model.numerics = SimpleNamespace(**{"compiled": False, "channels_last": False, switch: on})
        assert getattr(execution_of(model, options), switch) == on
        keys.add(prepare_model(suite, model, options).key)
    assert len(keys) == 2
    assert prepare_model(suite, pixel_model(), RunOptions(model=ModelOptions(compile=True))).key not in keys


def test_an_old_record_has_no_switches() -> None:
    """What was not set is not written, so that records of before and after are equal byte by byte."""
    old = {"batch_size": 4, "device": "cpu", "precision": "fp32", "threads": 1}
    assert Execution.model_validate(old).model_dump() == old
    full = {**old, "sub_batch": 2, "compiled": True, "channels_last": True}
    assert Execution.model_validate(full).model_dump() == full

"""Event files, read back by TensorBoard's own reader."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from mmbench.core.errors import MissingExtra, UsageError
from mmbench.reports import event_files
from mmbench.reports.event_files import EventFile, write_run
from mmbench.store import load_record

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

REFERENCE = sorted((Path(__file__).resolve().parents[2] / "results" / "reference").glob("*seg-concat*"))


def read(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def points(found: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in found.Scalars(tag)]


@pytest.mark.skipif(not REFERENCE, reason="the reference records do not come with an installed package")
def test_a_run_is_its_estimates_its_cost_and_its_card(tmp_path: Path) -> None:
    """Every estimate that has a value, with its interval; nothing else."""
    record = load_record(REFERENCE[0])
    write_run(record, tmp_path)
    found = read(tmp_path)
    whole = record.estimate("miou")
    assert whole is not None
    assert points(found, "miou/value") == [(0, pytest.approx(whole.value))]
    assert points(found, "miou/low") == [(0, pytest.approx(whole.low))]
    assert points(found, "miou/high") == [(0, pytest.approx(whole.high))]
    assert points(found, "cost/ms_per_item") == [(0, pytest.approx(record.cost.ms_per_item))]
    parts = sum(getattr(e, part) is not None for e in record.estimates for part in ("value", "low", "high"))
    assert len(found.Tags()["scalars"]) == parts + 3
    assert any(tag.startswith("iou{label=class-1}") for tag in found.Tags()["scalars"])
    (text,) = found.Tensors("card")
    shown = text.tensor_proto.string_val[0].decode()
    assert record.id in shown
    assert all(line.startswith("    ") for line in shown.splitlines())


def test_a_curve_keeps_its_steps_and_has_gaps_where_it_is_undefined(tmp_path: Path) -> None:
    with EventFile(tmp_path) as file:
        for step, value in ((1, 0.5), (2, float("nan")), (3, 0.25)):
            file.scalar("loss", value, step)
    assert points(read(tmp_path), "loss") == [(1, 0.5), (3, 0.25)]


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(event_files, "find_spec", lambda name: None if name == "tensorboard" else find(name))
    with pytest.raises(MissingExtra, match=r"pip install 'mmbench\[tensorboard\]'"):
        EventFile(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another --tensorboard"):
        EventFile(tmp_path / "file" / "folder")

"""TensorBoard's event files: a run's scores and card, and curves; needs mmbench[tensorboard], and no torch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any

from mmbench.core.errors import MissingExtra, UsageError
from mmbench.core.record import Estimate, RunRecord
from mmbench.reports.run_card import card
from mmbench.reports.terminal import drawn

_CARD_WIDTH = 120


def require(flag: str) -> None:
    """Raises MissingExtra when the tensorboard package is not installed."""
    if find_spec("tensorboard") is None:
        raise MissingExtra(flag, "tensorboard")


class EventFile:
    """One event file in ``folder``, which TensorBoard shows as one run; closed on exit.

    Raises MissingExtra without the package, UsageError when the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        require("Writing event files")
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = EventFileWriter(str(folder))
        except OSError as error:
            raise UsageError(f"{folder} cannot be written ({error.strerror}); choose another --tensorboard.") from error

    def __enter__(self) -> EventFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._writer.close()

    def scalar(self, tag: str, value: float, step: int = 0) -> None:
        """A point of the curve ``tag``; what is not finite is left out, as a gap."""
        if isfinite(value):
            self._add(step, tag=tag, simple_value=value)

    def text(self, tag: str, text: str, step: int = 0) -> None:
        """A text, shown as it is written: indented, so that nothing in it is read as Markdown or HTML."""
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
        from tensorboard.plugins.text import metadata

        shown = "".join(f"    {line}\n" for line in text.splitlines())
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[shown.encode()], tensor_shape=shape)
        self._add(step, tag=tag, tensor=tensor, metadata=metadata.create_summary_metadata(tag, ""))

    def _add(self, step: int, **value: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(**value)])
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


def write_run(record: RunRecord, folder: Path) -> None:
    """Each estimate as ``METRIC/value``, ``/low``, ``/high``, the cost, and the run's card as text."""
    with EventFile(folder) as file:
        for estimate in record.estimates:
            for part, value in _parts(estimate):
                file.scalar(f"{_tag(estimate)}/{part}", value)
        for name, value in record.cost:
            if value is not None:
                file.scalar(f"cost/{name}", value)
        file.text("card", drawn(card(record), _CARD_WIDTH, colour=False))


def _parts(estimate: Estimate) -> Iterator[tuple[str, float]]:
    for part in ("value", "low", "high"):
        value = getattr(estimate, part)
        if value is not None:
            yield part, value


def _tag(estimate: Estimate) -> str:
    """``miou``, ``iou{label=road}``, ``miou{time=night}``, as a gate names them."""
    inside = [f"label={estimate.label}"] * bool(estimate.label)
    inside += [f"{estimate.tag}={estimate.slice}"] * bool(estimate.tag)
    return f"{estimate.metric}{{{','.join(inside)}}}" if inside else estimate.metric

"""From answers of processes to estimates and rows, and back."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from mmbench.perf import estimating
from mmbench.perf.estimating import DEVICE, OFFLINE, REQUEST, knee
from mmbench.perf.request import BatchResult, Cold, Replicate, Timed


def process(device: float, request: float, offline: float, invalid: str = "", batches=(1, 8)) -> Replicate:
    timed = [Timed(blocks=((s, s, 2 * s), (9 * s,)), invalid=("", invalid)) for s in (device, request)]
    each = [
        BatchResult(
            batch=batch,
            warm_up_calls=9,
            warm_up_s=1.0,
            steady=True,
            device=timed[0],
            request=timed[1],
            offline=offline,
        )
        for batch in batches
    ]
    return Replicate(cold=Cold(import_s=1, load_s=1, first_call_s=1), batches=tuple(each))


PROCESSES = [process(0.001 * (1 + i / 100), 0.002, 500.0, "recompiled") for i in range(3)]


def test_rows_say_what_the_processes_said() -> None:
    """The value of each process from the stored rows is the one from its answer; void blocks are in neither."""
    table = estimating.rows(PROCESSES)
    for quantity in (DEVICE, REQUEST, OFFLINE):
        stored = estimating.process_values(table, quantity, 8)
        assert stored == pytest.approx(estimating.values(PROCESSES, 8, quantity))
    assert estimating.process_values(table, DEVICE, 1)[1] == pytest.approx(log(0.00101))
    assert not any(sample.endswith("/1") for sample in table.ids)


def test_batch_sizes_are_those_that_all_processes_have() -> None:
    """One that ran out of memory earlier than the others narrows the sweep."""
    assert estimating.batches_of([*PROCESSES, process(1, 1, 1, batches=(1,))]) == [1]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([(1, 100), (2, 190), (4, 300), (8, 303), (16, 305)], 4),
        ([(1, 100), (2, 101), (4, 300), (8, 301)], 4),
        ([(1, 100), (2, 200)], 2),
        ([(1, 100)], 1),
        ([(1, 100), (2, 90), (4, 80)], 1),
    ],
)
def test_the_knee_is_where_two_steps_gain_little(rates: list[tuple[int, float]], expected: int) -> None:
    """A single flat step, as at 2 in the second sweep, is no knee."""
    assert knee(rates) == expected


def test_a_table_of_rows_has_calls_in_seconds() -> None:
    table = estimating.rows(PROCESSES)
    assert np.all(table.values[estimating.STATISTIC].values > 0)
    assert set(table.groups) == {"p0", "p1", "p2"}

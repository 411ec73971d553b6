"""Loads the samples of the plan's batches in their order, ahead of the model, in a thread or in worker processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial

from mmbench.conditions.applied import Applied, changed
from mmbench.core.errors import LoadError, SampleError, UsageError
from mmbench.core.record import Failure
from mmbench.core.sample import Sample
from mmbench.core.source import Source


@dataclass(frozen=True, slots=True)
class Loaded:
    """A sample as the model sees it, with the digest of its content before any condition."""

    sample: Sample
    digest: str


@dataclass(frozen=True, slots=True)
class LoadedBatch:
    """Batch number ``index`` of the plan: the samples that could be loaded, in order, and those that could not."""

    index: int
    loaded: tuple[Loaded, ...]
    failures: tuple[Failure, ...]


def load_batch(source: Source, conditions: Sequence[Applied], index: int, ids: Sequence[str]) -> LoadedBatch:
    """Loads one batch here and now, under the conditions; a SampleError becomes a failure of that sample."""
    loaded, failures = [], []
    for sample_id in ids:
        try:
            sample = source.load(sample_id)
        except SampleError as error:
            failures.append(Failure(id=sample_id, reason=str(error)))
        else:
            loaded.append(Loaded(changed(sample, conditions), sample.digest()))
    return LoadedBatch(index, tuple(loaded), tuple(failures))


def load_batches(
    source: Source, batches: Iterable[tuple[int, Sequence[str]]], workers: int, conditions: Sequence[Applied] = ()
) -> Iterator[LoadedBatch]:
    """The batches ``(index, ids)`` in the order given, the same for any number of workers.

    0 workers: one thread loads the next batch while the model works on this one. N workers: N processes, at most
    N + 1 batches ahead. Raises LoadError when a worker dies, UsageError when the source cannot be sent to a process.
    """
    if workers == 0:
        with ThreadPoolExecutor(1, thread_name_prefix="mmbench-load") as pool:
            yield from _in_order(pool, partial(load_batch, source, conditions), batches, window=1)
        return
    with _processes(source, conditions, workers) as pool:
        try:
            yield from _in_order(pool, _load_in_worker, batches, window=workers + 1)
        except BrokenProcessPool as error:
            raise LoadError(
                "A process that loads samples ended unexpectedly (killed, perhaps for want of memory); lower --workers "
                "or --batch-size, the same command resumes the run."
            ) from error


def _in_order(
    pool: Executor,
    load: Callable[[int, Sequence[str]], LoadedBatch],
    batches: Iterable[tuple[int, Sequence[str]]],
    window: int,
) -> Iterator[LoadedBatch]:
    waiting: deque[Future[LoadedBatch]] = deque()
    try:
        for index, ids in batches:
            waiting.append(pool.submit(load, index, ids))
            if len(waiting) > window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _processes(source: Source, conditions: Sequence[Applied], workers: int) -> ProcessPoolExecutor:
    try:
        payload = pickle.dumps((source, tuple(conditions)))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UsageError(f"The source cannot be sent to worker processes ({error}); use --workers 0.") from error
    # Spawned, not forked: a fork copies torch's threads and locks in an undefined state.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(payload,))


_worker_source: list[tuple[Source, Sequence[Applied]]] = []


def _start_worker(payload: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the process that keeps the journal
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker_source[:] = [pickle.loads(payload)]  # noqa: S301  from the process that started this one


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the parent was killed: nobody waits for this process any more


def _load_in_worker(index: int, ids: Sequence[str]) -> LoadedBatch:
    return load_batch(*_worker_source[0], index, ids)

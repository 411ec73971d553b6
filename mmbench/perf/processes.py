"""Starts measuring processes: a fresh interpreter each, its request on a pipe, its answer as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmbench
from mmbench.core.errors import LoadError, MmbenchError, NothingMeasured, SampleError, UsageError
from mmbench.perf.request import Request
from mmbench.perf.worker import ANSWER, ERROR

_MODULE = "mmbench.perf.worker"
_OURS = Path(mmbench.__file__).resolve().parent.parent
_RAISED: dict[int, type[MmbenchError]] = {2: UsageError, 4: NothingMeasured, 6: SampleError, 7: LoadError}
_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Side:
    """Whose code measures: the interpreter, and the checkout in which it works, whose modules go before all others.

    ``cache`` is the folder in which torch keeps what it compiled; None: its usual one.
    """

    python: str = sys.executable
    root: Path | None = None
    cache: Path | None = None


class Measuring:
    """A measuring process; a context manager, at whose end the process has ended."""

    def __init__(self, request: Request, threads: int | None, side: Side = Side()) -> None:
        self._process = subprocess.Popen(
            [side.python, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=side.root,
            env=_environment(threads, side),
        )
        # Without what is as by default, so that the code of an older revision understands it, too.
        self.tell(request.model_copy(update={"started": time.time()}).model_dump_json(exclude_defaults=True))

    def __enter__(self) -> Measuring:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def tell(self, line: str) -> None:
        """Sends a line."""
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101  it was asked for
        try:
            pipe.write(line + "\n")
            pipe.flush()
        except BrokenPipeError as error:
            raise self._died() from error

    def hear(self) -> Any:
        """The next answer; raises what the process reported, or LoadError when it died."""
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101  it was asked for
        line = pipe.readline()
        if not line:
            raise self._died()
        content = json.loads(line)
        if ERROR in content:
            raise _RAISED.get(content["exit_code"], LoadError)(content[ERROR])
        return content[ANSWER]

    def _died(self) -> LoadError:
        _, errors = self._process.communicate()
        last = " ".join(" ".join(errors.strip().splitlines()[-_LAST_LINES:]).split())
        return LoadError(
            f"A measuring process ended with code {self._process.returncode} ({last or 'it said nothing'}); run the "
            "model with mmbench run on a suite first, to see that it works."
        )


def ask(request: Request, threads: int | None, side: Side = Side()) -> Any:
    """One request, one answer."""
    with Measuring(request, threads, side) as process:
        return process.hear()


def _environment(threads: int | None, side: Side) -> dict[str, str]:
    # A revision that holds no mmbench of its own is measured by ours.
    roots = [str(root) for root in (side.root, _OURS) if root is not None]
    path = os.pathsep.join(filter(None, (*roots, os.environ.get("PYTHONPATH"))))
    pinned = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")} if threads else {}
    cache = {"TORCHINDUCTOR_CACHE_DIR": str(side.cache)} if side.cache is not None else {}
    return {**os.environ, **pinned, **cache, "PYTHONPATH": path}

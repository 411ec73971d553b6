"""Records made by hand, and the rows of models that err on a known share of the samples."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.core.errors import LoadError
from mmbench.metrics.rows import Rows
from mmbench.reports.leaderboard import leaderboard


@pytest.fixture
def build():
    """The functions of records.py: run, partial, key, bounds, estimate."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))


@pytest.fixture
def rows_of():
    """Rows of 200 samples of 3 classes in which the model errs on the first ``wrong``."""

    def make(wrong, ids=200, groups=200):
        table = np.zeros((ids, 3, 3), np.int64)  # samples, (intersection, predicted, target), classes
        for i in range(ids):
            table[i, 2, i % 3] = 64
            table[i, 1, (i + (i < wrong)) % 3] = 64
            table[i, 0, i % 3] = 0 if i < wrong else 64
        names = tuple(f"i{i}" for i in range(ids))
        return Rows(
            names, tuple(f"g{i % groups}" for i in range(ids)), ({},) * ids, {"confusion": table.reshape(ids, 9)}
        )

    return make


@pytest.fixture
def board():
    """A leaderboard without rows: nothing is ranked."""

    def make(*records, **options):
        def no_rows(record):
            raise LoadError(f"The rows of {record.id} are missing.")

        return leaderboard(records, no_rows, **options)

    return make

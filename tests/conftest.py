"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples everywhere, and no verdict by the clock of a busy machine.
settings.register_profile("mmbench", deadline=None, derandomize=True)
settings.load_profile("mmbench")


def _find(variable: str, name: str) -> Path:
    base = os.environ.get(variable)
    path = Path(base, name) if base else None
    if path is not None and path.exists():
        return path
    reason = f"{variable}/{name} does not exist" if base else f"{variable} is not set"
    if os.environ.get("MMBENCH_REQUIRE_DATA") == "1":
        pytest.fail(f"{reason}, but MMBENCH_REQUIRE_DATA=1 says it must be there")
    pytest.skip(f"{reason}: the real data does not come with the project")


@pytest.fixture
def data_root() -> Callable[[str], Path]:
    """The folder of a real data set under MMBENCH_DATA; skips with a reason, fails under MMBENCH_REQUIRE_DATA=1."""
    return lambda name: _find("MMBENCH_DATA", name)


@pytest.fixture
def parity() -> Callable[[str], Path]:
    """A file of outputs of the official scorers under MMBENCH_PARITY; skips and fails as ``data_root``."""
    return lambda name: _find("MMBENCH_PARITY", name)

"""Lets the tests of this folder import the simulation that lies beside them, and the made test sets of tests/stats."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "stats")]

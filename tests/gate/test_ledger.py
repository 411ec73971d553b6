"""The ledger: rerunning until green does not work, a verdict stands, the same rows are the same look."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mmbench.core.errors import LoadError
from mmbench.gate.ledger import read
from mmbench.gate.spec import LedgerSpec
from mmbench.stats.decisions import Outcome, SharedHarm, StudentHarm, decide

MARGIN, ERROR, TRIES = 0.02, 0.01, 4000


def passes(share: float, harms: np.ndarray) -> np.ndarray:
    """bool [n]: which measured harms pass at their share of alpha."""
    found = [decide([SharedHarm(StudentHarm(float(h), ERROR, 999, 1000), share)], [MARGIN])[0] for h in harms]
    return np.array([verdict.outcome is Outcome.PASS for verdict in found])


def test_three_reruns_at_the_margin_pass_at_most_as_often_as_one_look_may() -> None:
    """P(PASS) at the margin is at most 5 % over all looks (plus two standard errors), about 14 % without shares."""
    harms = np.random.default_rng(5).normal(MARGIN, ERROR, (TRIES, 3))
    shares = LedgerSpec(file="x").shares
    attacked = np.any([passes(shares[k], harms[:, k]) for k in range(3)], axis=0).mean()
    naive = np.any([passes(1.0, harms[:, k]) for k in range(3)], axis=0).mean()
    assert attacked <= 0.05 + 2 * (0.05 * 0.95 / TRIES) ** 0.5
    assert naive > 0.12


def test_a_share_is_a_share_of_alpha() -> None:
    harm = StudentHarm(0.01, ERROR, 50, 51)
    half = SharedHarm(harm, 0.5)
    assert half.lower(0.05) == harm.lower(0.025)
    assert half.upper(0.05) == harm.upper(0.025)
    assert half.p_over(0.0) == 2 * harm.p_over(0.0)
    spent = SharedHarm(harm, 0.0)
    assert (spent.p_over(0), spent.p_under(9), spent.lower(0.05), spent.upper(0.05)) == (1, 1, -np.inf, np.inf)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "looks.jsonl"
    assert read(file) == []
    file.write_text(json.dumps(dict.fromkeys(("change", "metric", "question", "evidence", "status"), "x")) + "\n{\n")
    with pytest.raises(LoadError, match="Line 2 of the ledger"):
        read(file)

"""A logistic regression as a probe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from mmbench.diagnostics.probe_inputs import Floats

_STEPS, _TOLERANCE, _INVERSE_PENALTY = 400, 1e-2, 0.3


def fitted_labels(train: Floats, labels: NDArray[np.str_], test: Floats) -> NDArray[np.str_]:
    """The labels of ``test`` [m,k] by a regression fitted to ``train`` [n,k], each column scaled to deviation 1."""
    mean, deviation = train.mean(axis=0), train.std(axis=0) + 1e-9
    probe = LogisticRegression(max_iter=_STEPS, tol=_TOLERANCE, C=_INVERSE_PENALTY)
    found: NDArray[np.str_] = probe.fit((train - mean) / deviation, labels).predict((test - mean) / deviation)
    return found

"""Small networks as probes: convolutions on pictures, two layers on vectors."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmbench.diagnostics.probe_inputs import Floats

_EPOCHS, _BATCH, _RATE, _WIDTH, _SEED = 12, 64, 3e-3, 16, 0


def fitted_labels(train: Floats, labels: NDArray[np.str_], test: Floats) -> NDArray[np.str_]:
    """The labels of ``test`` by a network trained on ``train``; both [n,k] or both [n,C,H,W]. Seeded, on the CPU."""
    names, numbers = np.unique(labels, return_inverse=True)
    mean, deviation = float(train.mean()), float(train.std()) + 1e-9
    inputs, others = (torch.from_numpy((x - mean) / deviation) for x in (train, test))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        network = _network(inputs, len(names))
        _fit(network, inputs, torch.from_numpy(numbers))
    with torch.inference_mode():
        starts = range(0, len(others), 4 * _BATCH)
        found = torch.cat([network.eval()(others[n : n + 4 * _BATCH]).argmax(dim=1) for n in starts])
    answer: NDArray[np.str_] = names[found.numpy()]
    return answer


def _network(inputs: Tensor, classes: int) -> nn.Module:
    if inputs.ndim == 2:
        return nn.Sequential(nn.Linear(inputs.shape[1], 4 * _WIDTH), nn.ReLU(), nn.Linear(4 * _WIDTH, classes))
    first, second = (
        nn.Conv2d(inputs.shape[1], _WIDTH, 3, stride=2, padding=1),
        nn.Conv2d(_WIDTH, 2 * _WIDTH, 3, stride=2),
    )
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * _WIDTH, classes))
    return nn.Sequential(first, nn.BatchNorm2d(_WIDTH), nn.ReLU(), second, nn.ReLU(), *pooled)


def _fit(network: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    optimiser = torch.optim.Adam(network.parameters(), lr=_RATE, weight_decay=1e-4)
    for _ in range(_EPOCHS):
        order = torch.randperm(len(inputs))
        for chosen in (order[n : n + _BATCH] for n in range(0, len(order), _BATCH)):
            if len(chosen) > 1:  # the norm of a single sample is undefined
                loss = nn.functional.cross_entropy(network(inputs[chosen]), labels[chosen])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()

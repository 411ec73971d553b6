"""Puts weights into a module, all of them or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mmbench.core.errors import LoadError

_SHOWN = 3
# Batch norm's counter; absent in old checkpoints, without effect on predictions.
_OPTIONAL = "num_batches_tracked"


def weights_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The tensors of a module's state dict; the extra state that some modules keep beside them is left out."""
    return {name: value for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)}


def fill(module: torch.nn.Module, state: dict[str, torch.Tensor], path: str, arch: str) -> None:
    """Loads ``state`` into ``module``; raises LoadError that lists missing, unexpected and mis-shaped weights."""
    expected = weights_of(module)
    state = _without_common_prefix(state, expected)
    missing = [n for n in expected if n not in state and not n.endswith(_OPTIONAL)]
    unexpected = [n for n in state if n not in expected]
    shapes = [
        f"{n} {list(state[n].shape)} instead of {list(expected[n].shape)}"
        for n in expected
        if n in state and state[n].shape != expected[n].shape
    ]
    problems = [
        f"{len(names)} {what} ({_first(names)})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if names
    ]
    if problems:
        raise LoadError(
            f"The weights in {path} do not fit {arch}, which has {len(expected)}: {'; '.join(problems)}; "
            "check --arch, --arch-kwargs and --key."
        )
    module.load_state_dict(state, strict=False)


def _without_common_prefix(
    state: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Lightning and others put ``model.`` before every name; it is dropped only if then all names fit exactly."""
    prefix = next(iter(state), "").partition(".")[0] + "."
    if not all(name.startswith(prefix) for name in state) or state.keys() == expected.keys():
        return state
    short = {name.removeprefix(prefix): value for name, value in state.items()}
    return short if short.keys() == expected.keys() else state


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")

"""Puts weights into a module: all of them, or, where the user allows it, those that fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mmbench.adapters.weights.find import shown
from mmbench.core.errors import LoadError

_SHOWN = 3
# Batch norm's counter; absent in old checkpoints, without effect on predictions.
_OPTIONAL = "num_batches_tracked"
# How many names in front of a weight's own name are dropped at most: ``model.``, ``net.encoder.``.
_PREFIXES = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """How weights fit a module of ``count`` weights: the names that do not."""

    count: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshaped: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything fits."""
        return not (self.missing or self.unexpected or self.misshaped)

    @property
    def text(self) -> str:
        """What does not fit, counted, with the first names."""
        kinds = (("missing", self.missing), ("unexpected", self.unexpected), ("of another shape", self.misshaped))
        return "; ".join(f"{len(names)} {what} ({_first(names)})" for what, names in kinds if names)

    def as_dict(self) -> dict[str, Any]:
        """For the record: all names that were left out or left at their initial values; empty when all fit."""
        kinds = {"missing": self.missing, "unexpected": self.unexpected, "misshaped": self.misshaped}
        return {what: list(names) for what, names in kinds.items() if names}


def weights_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The tensors of a module's state dict; the extra state that some modules keep beside them is left out."""
    return {name: value for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)}


def fill(
    module: torch.nn.Module, state: Mapping[str, torch.Tensor], path: str, arch: str, partial: bool = False
) -> Fit:
    """Loads ``state`` into ``module``; raises LoadError that lists missing, unexpected and mis-shaped weights.

    With ``partial`` those that fit are loaded and the others are told by the Fit; it is still an error when none fits.
    """
    expected = weights_of(module)
    state = _without_common_prefix(state, expected, partial)
    fit = _fit(state, expected)
    if not fit.complete and not partial:
        raise LoadError(
            f"The weights in {path} do not fit {arch}, which has {fit.count}: {fit.text}; "
            "check --arch, --arch-kwargs and --key."
        )
    fitting = {n: v for n, v in state.items() if n in expected and v.shape == expected[n].shape}
    if expected and not fitting:
        raise LoadError(
            f"None of the {len(state)} weights in {path} fits {arch}, which has {fit.count}: {fit.text}; check --arch, "
            "--arch-kwargs and --key."
        )
    module.load_state_dict(fitting, strict=False)
    return fit


def _fit(state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> Fit:
    misshaped = [n for n in expected if n in state and state[n].shape != expected[n].shape]
    return Fit(
        count=len(expected),
        missing=tuple(n for n in expected if n not in state and not n.endswith(_OPTIONAL)),
        unexpected=tuple(shown(n) for n in state if n not in expected),
        misshaped=tuple(f"{n} {list(state[n].shape)} instead of {list(expected[n].shape)}" for n in misshaped),
    )


def _without_common_prefix(
    state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor], partial: bool
) -> Mapping[str, torch.Tensor]:
    """Lightning and others put ``model.`` before every name; it is dropped only if then all names fit exactly.

    With ``partial`` the names are taken under which most weights are found.
    """
    forms = [state]
    while len(forms) <= _PREFIXES and (prefix := _commonest_prefix(forms[-1], everywhere=not partial)):
        forms.append({name.removeprefix(prefix): value for name, value in forms[-1].items()})
    exact = next((form for form in forms if form.keys() == expected.keys()), None)
    if exact is not None or not partial:
        return state if exact is None else exact
    return max(forms, key=lambda form: len(form.keys() & expected.keys()))


def _commonest_prefix(names: Collection[str], everywhere: bool) -> str:
    """The commonest first part of the names with its dot, "" when they have none (or, ``everywhere``, not all have)."""
    counts = Counter(name.partition(".")[0] + "." for name in names if "." in name)
    (prefix, count), *_ = counts.most_common(1) or [("", 0)]
    return prefix if count == len(names) or not everywhere else ""


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")

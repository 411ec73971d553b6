"""Where in a checkpoint the weights of the model are, and under which names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from mmbench.adapters.weights.machine import Malformed
from mmbench.adapters.weights.placeholder import Inert
from mmbench.adapters.weights.rebuild import as_array
from mmbench.core.errors import LoadError
from mmbench.models.checkpoint import StateDict

# Where training code usually keeps the weights.
USUAL_KEYS = (
    *("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params"),
    "network_weights",  # nnU-Net
)
# Where it keeps their moving average: which of the two was published is for the user to say.
AVERAGES = ("state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "model_ema_state_dict", "params_ema")
_DEPTH = 3
_LONGEST_NAME = 60
# Groups of tensors that are no weights of a model.
_NOT_WEIGHTS = ("optim", "sched", "scaler", "rng", "loops", "callbacks", "message_hub", "hyper_parameters")
# What torch's AveragedModel keeps beside the averaged weights.
_COUNTER = "n_averaged"
# Names that wrappers put into the path of a weight: torch.compile, FSDP, activation checkpointing.
_MARKS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})


def find_state_dict(content: Any, path: Path, key: str | None) -> StateDict:
    """The weights in the content of a file, without the marks of wrappers in their names.

    ``key`` says where they are (nested: ``a.b``); else they are looked for. Raises LoadError that says what there is.
    """
    found = _only(content, path) if key is None else _under_key(content, path, key)
    return unwrapped(_tensors(found))


def unwrapped(state: Mapping[str, torch.Tensor]) -> StateDict:
    """Names without ``module.`` of (Distributed)DataParallel in front and the marks of other wrappers anywhere."""
    averaged = all(name.startswith("module.") for name in state if name != _COUNTER)
    named = (name for name in state if not (averaged and name == _COUNTER))
    short = {name: ".".join(part for part in name.split(".") if part not in _MARKS) for name in named}
    while short and all(name.startswith("module.") for name in short.values()):
        short = {name: value.removeprefix("module.") for name, value in short.items()}
    if len(set(short.values())) < len(short):
        return dict(state)
    return {short[name]: state[name] for name in short}


def resave(place: str = "") -> str:
    """How the weights of a file that holds a whole model are saved anew, where its maker is trusted."""
    return (
        "re-save it where you trust it: import torch; "
        f"model = torch.load('old.ckpt', weights_only=False){place}; torch.save(model.state_dict(), 'my.ckpt')"
    )


def shown(name: Any) -> str:
    """A name out of a file, short enough for a sentence."""
    text = str(name)
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "..."


def _only(content: Any, path: Path) -> Mapping[str, Any]:
    if is_state_dict(content):
        return content  # type: ignore[no-any-return]
    groups = dict(_groups(content, ()))
    plain = sorted((place for place in groups if place[-1] in USUAL_KEYS), key=lambda p: USUAL_KEYS.index(p[-1]))
    found = plain + [place for place in groups if place[-1] in AVERAGES]
    if len(found) == 1:
        return groups[found[0]]
    if len(found) > 1:
        names = ", ".join(shown(".".join(place)) for place in found[:8])
        raise LoadError(f"{path} holds several state dicts ({names}); choose one with --key.")
    _refuse_module(content, path)
    raise LoadError(f"{path} holds no state dict under a usual name; it holds {describe(content)}; name it with --key.")


def _groups(content: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The state dicts in a content, with their places; not inside one another, not in an optimizer's state."""
    if not isinstance(content, Mapping) or len(place) >= _DEPTH:
        return
    for name, value in content.items():
        if not isinstance(name, str) or any(word in name.lower() for word in _NOT_WEIGHTS):
            continue
        if is_state_dict(value):
            yield (*place, name), value
        else:
            yield from _groups(value, (*place, name))


def _under_key(content: Any, path: Path, key: str) -> Mapping[str, Any]:
    found = content
    for part in [key] if isinstance(content, Mapping) and key in content else key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is not None and not is_state_dict(found):
        _refuse_module({key: found}, path)
    if found is None or not is_state_dict(found):
        raise LoadError(f"{path} holds no state dict under --key {shown(key)}; it holds {describe(content)}.")
    return found  # type: ignore[no-any-return]


def _refuse_module(content: Any, path: Path) -> None:
    """Raises LoadError for a model that was pickled whole: building it means running the code of its class."""
    if isinstance(content, Inert):
        raise LoadError(f"{path} holds a whole pickled object ({shown(content.origin)}), not a state dict; {resave()}.")
    for name, value in content.items() if isinstance(content, Mapping) else ():
        if isinstance(value, Inert) and isinstance(value.state, dict) and "_modules" in value.state:
            raise LoadError(
                f"{path} holds a whole pickled model ({shown(value.origin)}) under {shown(name)!r}, not its weights; "
                f"{resave(f'[{shown(name)!r}]')}."
            )


def is_state_dict(value: Any) -> bool:
    """All names are text, at least one value is a tensor, and whatever is not one is a module's extra state."""
    if not isinstance(value, Mapping) or not any(_is_tensor(v) for v in value.values()):
        return False
    return all(isinstance(k, str) and (_is_tensor(v) or _is_extra(k)) for k, v in value.items())


def _is_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor) or (isinstance(value, Inert) and value.origin.endswith("._reconstruct"))


def _is_extra(name: str) -> bool:
    return name.rpartition(".")[2] == "_extra_state"


def _tensors(state: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
    """The tensors of a state dict; numpy arrays, which Detectron2 and older code save, become tensors."""
    found = {}
    for name, value in state.items():
        if isinstance(value, torch.Tensor):
            found[name] = value
        elif (array := as_array(value)) is not None:
            found[name] = torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))
        elif not _is_extra(name):
            raise Malformed(f"{shown(name)} is an array of another kind than numbers")
    return found


def describe(content: Any) -> str:
    """What a content holds, for a sentence."""
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}"
    parts = [f"{shown(name)} ({_kind(value)})" for name, value in list(content.items())[:8]]
    more = f" and {len(content) - 8} more" if len(content) > 8 else ""
    return ", ".join(parts) + more if parts else "an empty dict"


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"tensor {list(value.shape)}"
    if isinstance(value, Mapping):
        return f"dict of {len(value)}"
    return shown(value.origin) if isinstance(value, Inert) else type(value).__name__

"""Backbones from a local folder, as transformers saves them; nothing is fetched.

DIR/vgg16/   weights.pth or .safetensors with features.N.weight
DIR/resnet/  config.json, model.safetensors
DIR/bert/    config.json, model.safetensors, vocab.txt
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from mmbench.core.errors import LoadError
from mmbench.models.backbones import vgg_stages
from mmbench.models.checkpoint import StateDict
from mmbench.models.config import Backbone, BackboneName

_SUFFIXES = (".safetensors", ".bin", ".pth", ".pt")
# In front of the names of a whole model's weights stands that of its backbone.
_PREFIXES = ("bert.", "resnet.", "vgg.", "model.", "module.")


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A backbone on disk: its table, its weights, and the word pieces of a text's."""

    table: Backbone
    weights: StateDict
    words: tuple[str, ...] = ()

    def load_into(self, backbone: nn.Module) -> None:
        """Copies the weights; those of other parts (a classifier, a pooler) are left; raises LoadError on a gap."""
        wanted = backbone.state_dict()
        found = {name: value for name, value in self.weights.items() if name in wanted}
        lacking = sorted(wanted.keys() - found.keys())
        if lacking:
            raise LoadError(f"The weights of {self.table.name} lack {lacking[0]!r} and {len(lacking) - 1} others.")
        try:
            backbone.load_state_dict(found)
        except RuntimeError as error:
            problem = " ".join(str(error).split())[:200]
            raise LoadError(f"The weights of {self.table.name} do not fit its settings: {problem}") from error


def read_pretrained(folder: Path, name: BackboneName) -> Pretrained:
    """The backbone in ``folder/name``; raises LoadError when it is not there or cannot be read."""
    place = folder / name
    weights = _weights(place)
    if name == "vgg16":
        stages = vgg_stages({n: tuple(value.shape) for n, value in weights.items()})
        return Pretrained(Backbone(name=name, settings={"stages": stages}), weights)
    settings = _settings(place / "config.json")
    words = _lines(place / "vocab.txt") if name == "bert" else ()
    return Pretrained(Backbone(name=name, settings=settings), weights, words)


def _weights(place: Path) -> StateDict:
    files = sorted(path for path in place.glob("*") if path.suffix in _SUFFIXES)
    if not files:
        raise LoadError(f"There are no weights in {place}; expected a file {', '.join('*' + s for s in _SUFFIXES)}.")
    path = files[0]
    try:
        if path.suffix == ".safetensors":
            state: Any = safetensors.torch.load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a broken file raises in its readers has no common kind
        raise LoadError(f"{path} cannot be read ({type(error).__name__}); copy it again.") from error
    if not isinstance(state, Mapping) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise LoadError(f"{path} holds no table of weights.")
    return {_bare(name): value for name, value in state.items()}


def _bare(name: str) -> str:
    prefix = next((p for p in _PREFIXES if name.startswith(p)), "")
    return name.removeprefix(prefix)


def _settings(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoadError(
            f"{path} cannot be read ({type(error).__name__}); expected the backbone's config.json."
        ) from error
    if not isinstance(table, dict):
        raise LoadError(f"{path} is not a table; expected the backbone's config.json.")
    # What names files, versions or code of others does not shape the model.
    return {k: v for k, v in table.items() if not k.startswith("_") and k not in ("architectures", "auto_map")}


def _lines(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path} cannot be read ({type(error).__name__}); expected one word piece a line.") from error

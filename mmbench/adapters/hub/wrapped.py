"""What the wrappers of transformers models share: pictures for a processor, prompts, and labels by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mmbench.core.errors import LoadError
from mmbench.core.model import ModelRequest
from mmbench.core.source import Modality


class Wrapped(torch.nn.Module):
    """A transformers model with its processor; ``forward`` takes the suite's inputs by modality.

    ``settings`` says what the wrapper decided (prompt, decoding), for the record.
    """

    def __init__(self, model: Any, processor: Any, request: ModelRequest, spread: bool = False) -> None:
        super().__init__()
        self.model = model
        self.processor = processor
        self.request = request
        self.settings: dict[str, Any] = {}
        self._spread = spread
        self.modalities: tuple[str, ...] = tuple(self._needed())

    def _needed(self) -> Sequence[str]:
        """The inputs that are used; by default the first picture."""
        return [only(self.request, "image")]

    def to(self, *args: Any, **kwargs: Any) -> Wrapped:
        """As usual; a model that transformers has spread over devices stays where it is."""
        return self if self._spread and "memory_format" not in kwargs else super().to(*args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """The model alone; what its processor does is no tensor code."""
        self.model.compile(*args, **kwargs)

    def encoded(self, **inputs: Any) -> Any:
        """What the processor makes of its inputs, on the model's device and in its float type."""
        found = self.processor(**inputs, return_tensors="pt")
        return {name: self._placed(value) for name, value in found.items() if value is not None}

    def _placed(self, value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        value = value.to(self.model.device)
        return value.to(self.model.dtype) if value.is_floating_point() else value


def only(request: ModelRequest, kind: str) -> str:
    """The first modality of a kind; raises LoadError when the suite has none."""
    found = next((m for m, one in request.modalities.items() if one.kind == kind), None)
    if found is None:
        kinds = ", ".join(f"{m} ({one.kind})" for m, one in request.modalities.items())
        raise LoadError(
            f"{request.locator} takes an input of kind {kind}, but suite {request.spec.name!r} has {kinds}; choose "
            "another suite."
        )
    return found


def has(modalities: Mapping[str, Modality], kind: str) -> bool:
    """Whether there is an input of a kind."""
    return any(one.kind == kind for one in modalities.values())


def pictures(values: torch.Tensor) -> list[Any]:
    """float32 [B,3,H,W] in 0..1 -> B arrays uint8 [H,W,3], the very pixels of the suite."""
    return list((values * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy())


def order_of(names: Sequence[str], request: ModelRequest) -> list[int] | None:
    """Where the suite's classes stand among a model's ``names``, None when the model's names say nothing.

    Raises LoadError when their numbers differ: numbers of other classes must not become a score.
    """
    own = {plain(name): place for place, name in enumerate(names)}
    if all(plain(name) in own for name in request.classes):
        return [own[plain(name)] for name in request.classes]
    if len(names) != len(request.classes):
        lacking = next(name for name in request.classes if plain(name) not in own)
        raise LoadError(
            f"{request.locator} knows {len(names)} classes ({', '.join(names[:4])}, ...), none of them {lacking!r} of "
            f"suite {request.spec.name!r}; use a model that was trained for its {len(request.classes)} classes."
        )
    return None


def plain(name: str) -> str:
    """A class name without what differs in spelling only."""
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def names_of(config: Any) -> list[str]:
    """The names of a model's classes, by index."""
    table = config.id2label or {}
    return [str(table[index]) for index in sorted(table)]

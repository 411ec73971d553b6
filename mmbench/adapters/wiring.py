"""Which input of the suite goes to which argument of a module's ``forward``."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmbench.adapters.fit import check_modalities
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.model import ModelRequest

POSITIONAL = "positional"


@dataclass(frozen=True, slots=True)
class Wiring:
    """``arguments`` maps a modality to a keyword of ``forward``; with ``positional`` only their order counts."""

    arguments: Mapping[str, str]
    positional: bool = False

    @property
    def modalities(self) -> tuple[str, ...]:
        """The inputs that the module takes, in its order."""
        return tuple(self.arguments)

    @property
    def text(self) -> str:
        """As it was given with ``--map``, "" when every input goes by its own name."""
        if self.positional:
            return f"{POSITIONAL}: {', '.join(self.arguments)}"
        renamed = any(m != keyword for m, keyword in self.arguments.items())
        return ",".join(f"{m}={keyword}" for m, keyword in self.arguments.items()) if renamed else ""

    def call(self, forward: Any, inputs: Mapping[str, Any]) -> Any:
        """Calls ``forward`` with the inputs of one group."""
        if self.positional:
            return forward(*(inputs[m] for m in self.arguments))
        return forward(**{keyword: inputs[m] for m, keyword in self.arguments.items()})


def parse_map(text: str) -> dict[str, str]:
    """Reads ``--map rgb=x,depth=modal_x``; raises UsageError."""
    pairs = [piece.partition("=") for piece in text.split(",")]
    if not all(equals and m and keyword.isidentifier() for m, equals, keyword in pairs):
        raise UsageError(f"--map {text!r} is not a map; expected modality=argument,... or the word {POSITIONAL}.")
    mapped = {m: keyword for m, _, keyword in pairs}
    if len(mapped) < len(pairs) or len(set(mapped.values())) < len(pairs):
        raise UsageError(f"--map {text!r} names a modality or an argument twice; name each once.")
    return mapped


def wire(module: Any, name: str, request: ModelRequest) -> Wiring:
    """The wiring of a module: ``--map``, else its declared ``modalities``, else the arguments that the suite has.

    Raises UsageError for a wrong ``--map``; LoadError when a modality is not in the suite or ``forward`` cannot be
    called with these arguments.
    """
    given = request.options.map
    if given is not None and given != POSITIONAL:
        wiring = Wiring(parse_map(given))
    else:
        modalities = _declared(module, name, request)
        wiring = Wiring({m: m for m in modalities}, positional=given == POSITIONAL)
    check_modalities(name, wiring.modalities, request)
    _check_call(module, wiring, request.modalities)
    return wiring


def declared_modalities(thing: Any, name: str) -> tuple[str, ...] | None:
    """The attribute ``modalities``, None when there is none; raises LoadError unless it is a sequence of names."""
    declared = getattr(thing, "modalities", None)
    if declared is None:
        return None
    if isinstance(declared, str) or not isinstance(declared, Iterable) or not all(isinstance(m, str) for m in declared):
        raise LoadError(f"The model {name!r} declares modalities = {declared!r}; expected a tuple of names.")
    return tuple(declared)


def declared_answers(module: Any, name: str, request: ModelRequest) -> tuple[str, ...]:
    """What logits over answers stand for: the attribute ``answers``, else the suite's closed list (maybe empty).

    Raises LoadError unless the attribute is a sequence of texts.
    """
    declared = getattr(module, "answers", None)
    if declared is None:
        return request.classes
    if isinstance(declared, str) or not isinstance(declared, Iterable) or not all(isinstance(a, str) for a in declared):
        raise LoadError(
            f"The model {name!r} declares answers of type {type(declared).__name__}; expected a list of texts."
        )
    return tuple(declared)


def _declared(module: Any, name: str, request: ModelRequest) -> Sequence[str]:
    declared = declared_modalities(module, name)
    if declared is not None:
        return declared
    named = [p for p in _parameters(module) if p in request.modalities]
    return named or tuple(request.modalities)


def _check_call(module: Any, wiring: Wiring, modalities: Iterable[str]) -> None:
    signature = inspect.signature(module.forward)
    try:
        wiring.call(signature.bind, dict.fromkeys(wiring.modalities))
    except TypeError as error:
        takes = ", ".join(_parameters(module)) or "nothing"
        gives = ", ".join(wiring.arguments.values())
        how = "by position" if wiring.positional else "by name"
        example = ",".join(f"{m}=ARGUMENT" for m in modalities)
        raise LoadError(
            f"{type(module).__name__}.forward takes ({takes}), but would be called with ({gives}) {how}; "
            f"give --map {example} or --map {POSITIONAL}."
        ) from error


def _parameters(module: Any) -> list[str]:
    return list(inspect.signature(module.forward).parameters)

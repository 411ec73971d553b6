"""The conditions by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mmbench.conditions import pictures, sounds, texts
from mmbench.conditions.condition import Condition
from mmbench.conditions.stream import Stream
from mmbench.core.errors import UnknownName
from mmbench.core.source import Modality


def _absent(value: Any, level: int, stream: Stream, modality: Modality) -> Any:  # noqa: ARG001
    """The modality is not there in ``level`` of 100 samples."""
    return None if stream.hits(1, level)[0] else value


CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        condition.name: condition
        for condition in (
            Condition("noise", ("image",), (8, 16, 32, 48, 64), "deviation in 1/255", pictures.noise),
            Condition("jitter", ("plane",), (5, 10, 20, 40, 80), "deviation in 1/1000 of the scale", pictures.noise),
            Condition("blur", ("image", "plane"), (1, 2, 3, 4, 5), "radius in pixels", pictures.blur),
            Condition("fog", ("image",), (15, 30, 45, 60, 75), "cover in percent", pictures.fog),
            Condition("holes", ("image", "plane"), (5, 10, 20, 35, 50), "share in percent", pictures.holes),
            Condition("snr", ("audio",), (20, 15, 10, 5, 0), "signal-to-noise ratio in dB", sounds.snr),
            Condition("clip", ("audio",), (80, 60, 40, 25, 10), "cut at percent of the peak", sounds.clip),
            Condition("offset", ("audio",), (20, 50, 100, 200, 400), "milliseconds", sounds.offset),
            Condition("word-drop", ("text",), (10, 20, 35, 50, 70), "words lost in percent", texts.word_drop),
            Condition(
                "absent", ("image", "plane", "audio", "text"), (10, 25, 50, 75, 100), "samples in percent", _absent
            ),
        )
    }
)


def condition_named(name: str) -> Condition:
    """The condition of that name; raises UnknownName."""
    if name not in CONDITIONS:
        raise UnknownName("condition", name, CONDITIONS)
    return CONDITIONS[name]

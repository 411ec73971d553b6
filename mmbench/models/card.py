"""The card of a shipped model: what it is, how it was made, and how well it did on its validation split."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from mmbench.models.training import Trained

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def card_of(trained: Trained, title: str, command: Sequence[str]) -> str:
    """TOML; ``command`` makes the model again."""
    training = trained.metadata["training"]
    table: dict[str, Any] = {
        "title": title,
        "suite": training["suite"],
        "fusion": trained.model.config.fusion,
        "modalities": list(trained.model.modalities),
        "parameters": sum(parameter.numel() for parameter in trained.model.parameters()),
        "digest": trained.digest,
        "command": " ".join(command),
        "licence": "Apache-2.0",
    }
    validation = training["validation"]
    made = {
        "seed": training["seed"],
        "encoder_steps": max((stage["steps"] for stage in training["encoder_stages"].values()), default=0),
        "steps": training["steps"],
        "items_seen": training["items_seen"],
        f"validation_{validation['metric']}": round(validation["value"], 4),
    }
    lines = [_pair(name, value) for name, value in table.items()]
    return "\n".join([*lines, "", "[training]", *(_pair(name, value) for name, value in made.items()), ""])


def _pair(name: str, value: Any) -> str:
    """TOML's basic strings, arrays and numbers are written as JSON's; so is a name that is more than a bare key."""
    return f"{name if _BARE.fullmatch(name) else json.dumps(name)} = {json.dumps(value)}"

"""The card of a shipped model: what it is, how it was made, and how well it did on its validation split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mmbench.models.training import Trained


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
    # TOML's basic strings, arrays and numbers are written as JSON's.
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    return "\n".join([*lines, "", "[training]", *(f"{name} = {json.dumps(value)}" for name, value in made.items()), ""])

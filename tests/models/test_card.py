"""Cards are TOML whatever the names in them."""

from __future__ import annotations

import tomllib

import pytest
import torch

from mmbench.models.building import built
from mmbench.models.card import card_of
from mmbench.models.config import ModelConfig
from mmbench.models.training import Trained


@pytest.mark.parametrize("metric", ["miou", "vqa/answer_accuracy", 'odd "name"'])
def test_what_is_written_is_read(config: ModelConfig, metric: str) -> None:
    """Metrics of joint suites have a slash in their name, which no bare key of TOML has."""
    training = {"suite": "s@1", "seed": 3, "encoder_stages": {}, "steps": 5, "items_seen": 40}
    training["validation"] = {"metric": metric, "value": 0.123456}
    model = built(config, 0, "model", torch.device("cpu"))
    card = tomllib.loads(card_of(Trained(model, {"training": training}, "abc"), "A title", ["mmbench", "train"]))
    assert card["training"] == {
        "seed": 3,
        "encoder_steps": 0,
        "steps": 5,
        "items_seen": 40,
        f"validation_{metric}": 0.1235,
    }
    assert (card["title"], card["digest"], card["modalities"]) == ("A title", "abc", list(model.modalities))

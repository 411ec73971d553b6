"""What ships is what its card says: weights, digest, size; and its record was made with it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mmbench import content
from mmbench.store import find_runs, load_rows

CARDS = sorted(content.folder("baselines").glob("*/*/model.toml"))
ROOT = Path(__file__).resolve().parents[1]


def names(cards: list[Path]) -> list[str]:
    return [f"{card.parents[1].name}/{card.parent.name}" for card in cards]


@pytest.mark.parametrize("file", CARDS, ids=names(CARDS))
def test_card_and_weights_agree(file: Path) -> None:
    pytest.importorskip("torch")
    from mmbench.models.assembled import load_model
    from mmbench.models.checkpoint import weights_digest

    card = tomllib.loads(file.read_text(encoding="utf-8"))
    model, metadata = load_model(file.with_name("weights.safetensors"))
    training = metadata["training"]
    assert card["digest"] == weights_digest(model.state_dict())
    assert card["parameters"] == sum(p.numel() for p in model.parameters())
    assert (card["suite"], card["fusion"]) == (training["suite"], model.config.fusion)
    assert card["modalities"] == list(model.modalities)
    assert (card["training"]["steps"], card["training"]["seed"]) == (training["steps"], training["seed"])
    validation = training["validation"]
    assert card["training"][f"validation_{validation['metric']}"] == pytest.approx(validation["value"], abs=5e-5)
    assert f"-o {file.parent.relative_to(ROOT)}/weights.safetensors" in card["command"]


def test_every_baseline_has_a_record_of_these_weights() -> None:
    """results/reference holds the leaderboard of the baselines, with the rows, and no journal."""
    folder = content.folder("results/reference")
    digests = {tomllib.loads(card.read_text(encoding="utf-8"))["digest"] for card in CARDS}
    runs = find_runs([folder])
    assert {run.record.model.digest for run in runs} == digests
    assert all(run.record.status == "ok" and not (run.folder / "journal.sqlite").exists() for run in runs)
    assert all(len(load_rows(run.folder, run.record)) == run.record.counts.scored for run in runs)


def test_the_wheel_stays_small() -> None:
    """All weights together stay under 40 MB."""
    assert sum(file.stat().st_size for file in content.folder("baselines").rglob("*.safetensors")) < 40e6

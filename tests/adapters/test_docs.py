"""docs/models.md tells of every adapter and every protocol that there is, as they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mmbench.cli.main import main
from mmbench.core import registry
from mmbench.core.inference import PROTOCOLS, Inference

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def test_every_adapter_has_an_example_and_is_told_of() -> None:
    for name, entry in registry.adapter.entries().items():
        assert entry.options.get("example"), name
        assert f"{name}:" in TEXT or name == "checkpoint", name


def test_the_examples_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "adapters"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for entry in registry.adapter.entries().values():
        assert f"--model {entry.options['example']}" in printed


def test_every_protocol_is_told_of() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", TEXT, re.MULTILINE)) == set(PROTOCOLS)


def test_the_protocol_in_the_text_is_one() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    protocol = Inference.model_validate(tomllib.loads(block)["inference"])
    assert (protocol.mode, protocol.combine, protocol.flip) == ("slide", "softmax", True)

"""``mmbench check model``: what is fine, and for everything that is not what was expected and what was found."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

from mmbench.cli.main import main

NETS = """
import torch

class Fine(torch.nn.Module):
    modalities = ("rgb", "depth")
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Conv2d(4, 5, 1)
    def forward(self, rgb, depth):
        return self.head(torch.cat([rgb, depth], 1))

class Mixing(Fine):
    "Answers depend on the neighbours in the batch."
    def forward(self, rgb, depth):
        logits = super().forward(rgb, depth)
        best = torch.arange(5).view(1, -1, 1, 1) == logits.argmax(1, keepdim=True)
        return logits - 100 * best * (len(rgb) > 1)

class Drifting(Fine):
    "Answers another time something else."
    calls = 0
    def forward(self, rgb, depth):
        self.calls += 1
        return super().forward(rgb, depth).roll(self.calls, 1)

class Broken(Fine):
    def forward(self, rgb, depth):
        logits = super().forward(rgb, depth)
        return torch.where(torch.arange(len(rgb)).view(-1, 1, 1, 1) == 1, torch.nan, logits)

class Boasting(Fine):
    "Declares that an input may be missing, and guesses nothing then."
    accepts_missing = True
    def forward(self, rgb, depth):
        if rgb is None or depth is None:
            return torch.full((8, 5, 4, 4), torch.nan)
        return super().forward(rgb, depth)
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(textwrap.dedent(NETS))
    torch.manual_seed(0)
    head = torch.nn.Conv2d(4, 5, 1)
    torch.save({f"head.{n}": v for n, v in head.state_dict().items()}, "my.ckpt")

    def run(name: str) -> tuple[int, dict[str, Any]]:
        arguments = ["check", "model", "my.ckpt", "--arch", f"nets.py:{name}", "--suite", "seg", "--tier", "smoke"]
        code = main([*arguments, "--device", "cpu", "--json"])
        found = json.loads(capsys.readouterr().out)
        return code, {one["name"]: one for one in found["findings"]}

    return run


def test_a_model_that_is_fine(check: Any) -> None:
    code, found = check("Fine")
    assert code == 0
    assert all(one["ok"] for one in found.values())
    assert found["answers"]["found"] == "8 of 8"
    assert found["shapes and types"]["found"].startswith("labels uint8 [")
    assert found["without rgb"] == {
        "name": "without rgb", "expected": "no answer", "found": "0 of 8 answered", "ok": True
    }  # fmt: skip
    assert "ms a sample" in found["time"]["found"]
    assert "MiB" in found["memory"]["found"]


@pytest.mark.parametrize(
    ("name", "code", "finding", "sentence"),
    [
        ("Mixing", 5, "batches of 1 and of 8", "a difference of 1"),
        ("Drifting", 5, "the same batch again", "a difference of"),
        ("Broken", 6, "answers", "7 of 8; the first failure: The model returned NaN"),
        ("Boasting", 7, "without depth", "0 of 8 answered"),
    ],
)
def test_each_failure_says_what_was_found(check: Any, name: str, code: int, finding: str, sentence: str) -> None:
    found_code, found = check(name)
    assert found_code == code
    assert not found[finding]["ok"]
    assert found[finding]["found"].startswith(sentence)
    assert found[finding]["expected"]


def test_the_card_says_what_was_expected(check: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main(
        [
            "check",
            "model",
            "my.ckpt",
            "--arch",
            "nets.py:Broken",
            "--suite",
            "seg",
            "--tier",
            "smoke",
            "--device",
            "cpu",
        ]
    )
    text = " ".join(capsys.readouterr().out.split())
    assert "FAIL answers: 7 of 8; the first failure: The model returned NaN" in text
    assert "expected 8 finite answers" in text
    assert "allowed: ran nets.py:Broken" in text


def test_a_model_is_checked_on_a_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "model", "my.ckpt"]) == 2
    assert "add it, as in: mmbench check model my.ckpt --suite seg" in capsys.readouterr().err

"""``mmbench train --part``, ``--imbalance``, ``--hold-out``: what was trained on stands in the checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench.cli.main import main
from mmbench.models.assembled import load_model

FLAGS = "--tier smoke --encoders joint --steps 1 --batch-size 2 --width 1 --stride 4 --threads 1 --fusion only:rgb"


def train(output: Path, *more: str) -> int:
    return main(["train", "--suite", "seg", *FLAGS.split(), *more, "-o", str(output)])


def test_the_checkpoint_says_what_was_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The next command measures on what was held out."""
    output = tmp_path / "my.safetensors"
    assert train(output, "--hold-out", "pairs", "--part", "25") == 0
    training = load_model(output)[1]["training"]
    assert training["suite"] == "seg@1[hold_out=pairs,regime=X,tier=smoke]"
    assert (training["part"], training["imbalance"]) == (25, 1)
    assert 0 < training["samples"] < 64
    assert "--set hold_out=pairs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--part", "3"], "There is no part of 3%; expected one of: 1, 2, 5, 10, 25, 100"),
        (["--imbalance", "10"], "--imbalance needs samples of one class each"),
        (["--hold-out", "templates"], "Suite 'seg' has no hold_out='templates'; expected one of: none, pairs"),
        (["--hold-out", "pairs", "--set", "hold_out=none"], "--set hold_out is given twice"),
    ],
)
def test_a_mistake_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], sentence: str
) -> None:
    assert train(tmp_path / "my.ckpt", *flags) == 2
    assert sentence in capsys.readouterr().err

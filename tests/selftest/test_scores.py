"""The self-test of the scores: right here, and it notices a wrong number."""

from __future__ import annotations

import json

import pytest

from mmbench.cli.main import main
from mmbench.selftest import scores


def test_this_install_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "scores"]) == 0
    said = capsys.readouterr().out
    assert "All 23 numbers are those of the official scorers." in said
    assert "WRONG" not in said


def test_a_wrong_number_is_noticed(tmp_path, monkeypatch, capsys) -> None:
    """One more word in a result changes BLEU, and the command says so with exit code 1."""
    for file in scores.DATA.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    results = json.loads((tmp_path / "captions_results.json").read_text())
    results[0]["caption"] += " again"
    (tmp_path / "captions_results.json").write_text(json.dumps(results))
    monkeypatch.setattr(scores, "DATA", tmp_path)
    assert main(["selftest", "scores"]) == 1
    said = capsys.readouterr()
    assert "WRONG caption-coco   bleu1" in said.out
    assert "ok    vqa-v2" in said.out
    assert "differ from the official scorers" in said.err

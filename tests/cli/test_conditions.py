"""``mmbench run --condition`` on a suite of files: runs under a condition stand apart everywhere."""

from __future__ import annotations

import json

import pytest

from mmbench.cli.main import main


@pytest.fixture
def noisy(desk):
    """The same model clean (a) and under noise (b), in folders of their own."""
    assert desk.run("a") == 0
    assert desk.run("b", "--condition", "noise:rgb=5") == 0
    return desk


def test_the_record_names_the_condition(noisy, capsys):
    """It costs the model something, and the line that is printed says so."""
    assert noisy.run("c", "--condition", "noise:rgb=5") == 0
    assert capsys.readouterr().out.startswith("tiny@1, condition noise:rgb=5  make  miou")
    records = [json.loads(next((noisy.folder / name).rglob("record.json")).read_text()) for name in "ab"]
    clean, under = ((r["condition"], r["key"]["condition"], r["estimates"][0]["value"]) for r in records)
    assert clean[:2] == ("clean", "clean")
    assert under[:2] == ("noise:rgb=5", "noise:rgb=5")
    assert under[2] < clean[2]


@pytest.mark.parametrize("arguments", [["compare", "a", "b"], ["gate", "--base", "a", "--head", "b"]])
def test_unequal_conditions_are_not_compared(noisy, capsys, arguments):
    capsys.readouterr()
    assert main(arguments) == 4
    message = capsys.readouterr().err
    assert "condition: clean against noise:rgb=5" in message
    assert "data:" not in message


def test_equal_conditions_are_compared(noisy):
    assert noisy.run("c", "--condition", "noise:rgb=5") == 0
    assert main(["compare", "b", "c"]) == 0


def test_the_leaderboard_keeps_conditions_apart(noisy, capsys):
    """A table each, and a column of the CSV."""
    capsys.readouterr()
    assert main(["leaderboard", "a", "b"]) == 0
    text = capsys.readouterr().out
    assert "tiny@1: Tiny images" in text
    assert "tiny@1, condition noise:rgb=5: Tiny images" in text
    assert "there is no phi" in text
    assert main(["leaderboard", "a", "b", "--format", "csv"]) == 0
    assert {line.split(",")[2] for line in capsys.readouterr().out.splitlines()[1:]} == {"clean", "noise:rgb=5"}


def test_a_model_that_needs_the_input_fails_without_it(desk, capsys):
    assert desk.run("a", "--condition", "absent:rgb=3") == 6
    assert "does not declare accepts_missing" in capsys.readouterr().out
    assert desk.run("b", "--condition", "absent:rgb=5") == 6


def test_a_wrong_condition_is_a_mistake_of_the_user(desk, capsys):
    assert desk.run("a", "--condition", "fog:depth=1") == 2
    assert "the suite has no 'depth'; it has: rgb" in capsys.readouterr().err

"""``mmbench check suite NAME --leakage``."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mmbench.cli.main import main
from mmbench.sources.scenes.source import SceneSource


def check(*arguments: str) -> int:
    return main(["check", "suite", *arguments])


def test_a_suite_without_leaks(capsys) -> None:
    assert check("cls-it[regime=S4]", "--leakage", "--tier", "smoke") == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("Leakage of cls-it@1[regime=S4,tier=smoke]", "image tells the", "(test 256, train 256, val 256): 0"):
        assert part in text
    assert "LEAK" not in text


def test_nothing_to_hide_is_said(capsys) -> None:
    """R: each modality knows the class."""
    assert check("cls-it", "--leakage", "--tier", "smoke", "--set", "regime=R") == 0
    assert "there is nothing to leak" in " ".join(capsys.readouterr().out.split())


def test_a_leak_ends_with_code_1_and_is_named(monkeypatch, capsys) -> None:
    """One more word for one class."""
    load = SceneSource.load

    def leaky(source: SceneSource, sample_id: str):
        sample = load(source, sample_id)
        return replace(sample, inputs=sample.inputs | {"text": sample.inputs["text"] + " and" * (sample.target == 1)})

    monkeypatch.setattr(SceneSource, "load", leaky)
    monkeypatch.setenv("COLUMNS", "120")
    assert check("cls-it[regime=S4]", "--leakage", "--tier", "smoke") == 1
    assert "LEAK: words, letters" in capsys.readouterr().out
    assert check("cls-it[regime=S4]", "--leakage", "--tier", "smoke", "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert {leak["measure"] for leak in facts["leaks"]} == {"words", "letters"}
    assert len(facts["tests"]) == 12


def test_probes_are_trained_on_request(monkeypatch, capsys) -> None:
    """A line each; a leak that only a probe may see ends with code 1 as well."""
    monkeypatch.setenv("COLUMNS", "120")
    assert check("cls-av[regime=S4]", "--leakage", "--probes", "--tier", "smoke", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert {(one["modality"], one["leaks"]) for one in facts["probes"]} == {("image", False), ("audio", False)}
    assert all(one["units"] == 256 and one["bound"] == 0.25 for one in facts["probes"])
    found = [{**facts["probes"][0], "right": 0.5, "errors": 9.2, "leaks": True}]
    monkeypatch.setattr("mmbench.cli.check._probed", lambda _: {"probes": found})
    assert check("cls-av[regime=S4]", "--leakage", "--probes", "--tier", "smoke") == 1
    assert "0.500 0.250 +9.2 256 LEAK" in " ".join(capsys.readouterr().out.split())


def test_a_sample_that_occurs_twice_is_a_finding(monkeypatch, capsys) -> None:
    """Of training and test."""
    load = SceneSource.load
    opened = SceneSource("cls-it", "S4", "smoke", "train")

    def copied(source: SceneSource, sample_id: str):
        if sample_id == "test/000007":
            return replace(load(opened, "train/000003"), id=sample_id)
        return load(source, sample_id)

    monkeypatch.setattr(SceneSource, "load", copied)
    assert check("cls-it[regime=S4]", "--leakage", "--tier", "smoke") == 1
    text = capsys.readouterr().out
    assert "val 256): 2" in text
    assert "test/000007" in text
    assert "train/000003" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cls-it"], "There is nothing to check; add --leakage"),
        (["seg-camvid", "--leakage"], "'seg-camvid' is not one"),
        (["cls-it", "--leakage", "--set", "regime=Z"], "has no regime='Z'"),
        (["clsit", "--leakage"], "There is no suite named 'clsit'"),
    ],
)
def test_mistakes_are_one_sentence(capsys, arguments: list[str], sentence: str) -> None:
    assert check(*arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1

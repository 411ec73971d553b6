"""Globs, schemes, and models that do not fit the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench import content
from mmbench.adapters.opening import expand_locators, open_model
from mmbench.core.errors import ExitCode, LoadError, UnknownName
from mmbench.core.model import ModelOptions


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Baselines a, b of toy and b, c of other; the files are enough to list them."""
    root = tmp_path / "shipped"
    for name in ("toy/a", "toy/b", "other/b", "other/c"):
        folder = root / "baselines" / name
        folder.mkdir(parents=True)
        (folder / "model.toml").write_text("", encoding="utf-8")
    monkeypatch.setattr(content, "folder", lambda name: root / name)
    return root


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.ckpt", "a.ckpt", "deep/c.ckpt", "preds/x.png", "a[1].ckpt"):
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path / "files")
    return tmp_path / "files"


@pytest.mark.parametrize(
    ("texts", "expanded"),
    [
        (["a.ckpt"], ["a.ckpt"]),
        (["checkpoint:a.ckpt"], ["a.ckpt"]),
        (["[ab].ckpt"], ["a.ckpt", "b.ckpt"]),
        (["a[1].ckpt"], ["a[1].ckpt"]),
        (["b.ckpt", "*.ckpt"], ["b.ckpt", "a.ckpt", "a[1].ckpt"]),
        (["**/c.ckpt"], ["deep/c.ckpt"]),
        (["predictions:pre*"], ["predictions:preds"]),
        (["python:m:f"], ["python:m:f"]),
        (["baseline:*"], ["baseline:a", "baseline:b"]),
        (["baseline:b"], ["baseline:b"]),
        (["baseline:*/b"], ["baseline:other/b", "baseline:toy/b"]),
        (["baseline:other/*", "baseline:a"], ["baseline:other/b", "baseline:other/c", "baseline:a"]),
    ],
)
def test_globs_give_sorted_matches_without_repetition(
    shipped: Path, files: Path, texts: list[str], expanded: list[str]
) -> None:
    assert expand_locators(texts, "toy") == expanded


def test_without_a_suite_a_baseline_pattern_covers_every_suite(shipped: Path) -> None:
    assert expand_locators(["baseline:b"]) == ["baseline:other/b", "baseline:toy/b"]


def test_an_absolute_glob(files: Path) -> None:
    assert expand_locators([f"{files}/b*"]) == [f"{files}/b.ckpt"]


def test_all_texts_without_a_match_are_listed_in_one_sentence(shipped: Path, files: Path) -> None:
    texts = ["no.ckpt", "a.ckpt", "x*.ckpt", "baseline:z", "baseline:no/*", "predictions:gone"]
    with pytest.raises(LoadError) as caught:
        expand_locators(texts, "toy")
    message = str(caught.value)
    assert caught.value.exit_code == ExitCode.LOAD_FAILED == 7
    assert all(repr(text) in message for text in texts if text != "a.ckpt")
    assert "'a.ckpt'" not in message
    assert "known: a, b" in message


def test_an_unknown_scheme_suggests_the_nearest(toy_spec, toy_source) -> None:
    with pytest.raises(UnknownName, match="did you mean 'predictions'"):
        open_model("prediction:out", toy_spec, toy_source, ModelOptions())


def test_expanding_imports_no_torch() -> None:
    """Law: what needs no torch imports none."""
    import subprocess
    import sys

    code = (
        "import sys, mmbench.adapters.opening, mmbench.adapters.predictions, mmbench.adapters.python;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

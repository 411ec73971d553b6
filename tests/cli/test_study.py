"""``mmbench study`` from the command to the files, on a few steps of small models."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmbench.cli.main import main

pytest.importorskip("torch")

SMALL = ["--tier", "smoke", "--steps", "4", "--encoder-steps", "2", "--width", "4", "--stride", "8"]
SMALL += ["--threads", "1", "--device", "cpu", "--draws", "100"]
COMMAND = ["study", "--suite", "cls-it[regime=S4]", "--fusion", "feat_linear", "--seeds", "1", *SMALL]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the studies of this file, and for the encoders that they share."""
    return tmp_path_factory.mktemp("study")


@pytest.fixture(autouse=True)
def cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(home / "cache"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(scope="module")
def studied(home: Path) -> Path:
    """The folder of a finished study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(home / "cache"))
        assert main([*COMMAND, "-o", str(home / "whole")]) == 0
    return home / "whole"


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "cells.csv").read_text().splitlines()))


def test_every_strategy_and_control_has_a_row(studied: Path) -> None:
    """With what FUSION.md 3.1 asks of a row: digests of data, split, encoders; budget; parameters; numerics."""
    found = rows(studied)
    assert [row["strategy"] for row in found] == [
        "concat", "feat_linear", "only:image", "only:text", "ensemble", "concat_shuffled", "wide:image", "wide:text",
    ]  # fmt: skip
    whole = {
        "items_seen",
        "metric",
        "n",
        "data",
        "split",
        "encoders",
        "device",
        "threads",
        "mmbench",
        "weights",
        "cell",
    }
    assert all(row[name] for row in found if row["strategy"] != "ensemble" for name in whole)
    assert len({(row["data"], row["split"]) for row in found}) == 1
    assert len({row["encoders"] for row in found if row["strategy"] in ("concat", "feat_linear", "ensemble")}) == 1
    assert len({row["cell"] for row in found}) == len(found)


def test_one_seed_claims_no_interval_over_seeds(studied: Path) -> None:
    assert "intervals speak of these trained models" in (studied / "study.md").read_text()


def test_the_over_wide_model_has_the_parameters_of_concat(studied: Path) -> None:
    """Trained ones, to within 5 %: encoders stay as they are on this track."""
    found = {row["strategy"]: row for row in rows(studied)}
    trained = {
        name: sum(value.numel() for value in _weights(studied, row["cell"]).values()) for name, row in found.items()
    }
    assert trained["wide:text"] == pytest.approx(trained["concat"], rel=0.05)
    assert trained["wide:image"] == pytest.approx(trained["concat"], rel=0.05)


def test_the_ensemble_is_the_mean_of_the_unimodal_models(studied: Path) -> None:
    """Its heads are theirs, and nothing is trained."""
    found = {row["strategy"]: row for row in rows(studied)}
    ensemble = _weights(studied, found["ensemble"]["cell"])
    for m in ("image", "text"):
        alone = _weights(studied, found[f"only:{m}"]["cell"])
        assert (ensemble[f"heads.{m}.classify.weight"] == alone["heads.fused.classify.weight"]).all()
        assert (ensemble[f"bridges.{m}.expand.weight"] == alone[f"bridges.{m}.expand.weight"]).all()
    assert found["ensemble"]["items_seen"] == "0"


def test_cells_are_runs_like_any_other(studied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The leaderboard ranks them, and compare pairs two of them."""
    assert main(["leaderboard", str(studied), "--format", "csv"]) == 0
    assert "feat_linear s0" in capsys.readouterr().out
    runs = {json.loads(f.read_text())["model"]["name"]: str(f.parent) for f in studied.rglob("record.json")}
    assert main(["compare", runs["concat s0"], runs["feat_linear s0"]]) == 0
    assert "accuracy" in capsys.readouterr().out


def test_a_finished_study_is_not_done_again(studied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command reads the cells, and writes the same files."""
    before = (studied / "cells.csv").read_bytes(), {f.stat().st_mtime_ns for f in studied.rglob("record.json")}
    assert main([*COMMAND, "-o", str(studied), "--format", "md", "--figures", "svg"]) == 0
    shown = capsys.readouterr()
    assert "8 cells, 8 of them finished before" in shown.err
    assert shown.out == (studied / "study.md").read_text()
    assert (
        (studied / "cells.csv").read_bytes(),
        {f.stat().st_mtime_ns for f in studied.rglob("record.json")},
    ) == before
    (figure,) = studied.glob("*-cost.svg")
    assert "feat_linear" in figure.read_text()


def test_more_seeds_keep_those_that_are_there(studied: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "-o", str(studied), "--seeds", "2", "--dry-run"]) == 0
    assert "16 cells, 8 done" in capsys.readouterr().out


def test_seeds_of_a_strategy_are_one_side(studied: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """compare takes the cells of two seeds as one model."""
    command = [*COMMAND, "-o", str(home / "seeds"), "--seeds", "2"]
    assert main(command) == 0
    runs: dict[str, list[str]] = {}
    for file in sorted((home / "seeds").rglob("record.json")):
        runs.setdefault(json.loads(file.read_text())["model"]["training"]["study"]["strategy"], []).append(
            str(file.parent)
        )
    capsys.readouterr()
    assert main(["compare", ",".join(runs["concat"]), ",".join(runs["feat_linear"])]) == 0
    assert "accuracy" in capsys.readouterr().out


def test_killed_and_resumed_it_gives_the_same_bytes(studied: Path, home: Path) -> None:
    """SIGKILL after the second cell; the same command goes on, in another process."""
    folder = home / "killed"
    command = [sys.executable, "-m", "mmbench.cli.main", *COMMAND, "-o", str(folder)]
    process = subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None and len(list(folder.glob("*/record.json"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = len(list(folder.glob("*/record.json")))
    assert 2 <= done < 8
    assert main([*COMMAND, "-o", str(folder)]) == 0
    assert (folder / "cells.csv").read_bytes() == (studied / "cells.csv").read_bytes()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--fusion", "gmuu"], "gmu"),
        (["--fusion", "only:image"], "is a control"),
        (["--against", "gmu"], "takes no part"),
        (["--labels", "a"], "no list of per cents"),
        (["--labels", "1,500"], "among 1, 2, 5"),
        (["--track", "warm"], "frozen, finetune, both"),
        (["--figures", "pdf"], "png, svg"),
        (["--format", "xml"], "table, md"),
        (["--suite", "det-coco"], "det-coco"),
        (["--fusion", "early"], "serves segmentation"),
        (["--lr", "0"], "learning rate"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    flags: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MMBENCH_DATA", raising=False)
    given = [name for name in flags if name.startswith("--")]
    command = [part for i, part in enumerate(COMMAND) if not {part, COMMAND[i - 1]} & set(given)]
    assert main([*command, *flags, "-o", str(tmp_path / "study")]) in (2, 7)
    message = capsys.readouterr().err
    assert told in message
    assert "Traceback" not in message
    assert not list(tmp_path.rglob("record.json"))


def _weights(folder: Path, cell: str) -> dict:
    from safetensors.torch import load_file

    (place,) = folder.glob(f"*-{cell}")
    return load_file(place / "weights.safetensors")


def test_from_suite_to_suite(studied: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Encoders and fusions stay as they were trained; new heads are learnt from 16, 64 and 256 labels."""
    folder = home / "cross"
    suites = ["--suite", "cls-it[regime=S4]", "--suite", "cls-it[regime=R]"]
    assert (
        main(["study", *suites, "--fusion", "concat", "--seeds", "1", *SMALL, "--mode", "cross", "-o", str(folder)])
        == 0
    )
    found = [row for row in rows(folder) if row["origin"]]
    assert {(row["share"], row["strategy"]) for row in found} >= {(n, "concat") for n in ("16", "64", "256")}
    shown = capsys.readouterr().out
    assert "cls-it@1" in shown
    assert " after cls-it@1" in shown
    alone = {row["cell"]: row for row in rows(folder)}
    after = next(row for row in found if row["strategy"] == "concat" and row["share"] == "64")
    origin = next(row for row in alone.values() if row["suite"] == after["origin"] and row["strategy"] == "concat")
    before, now = _weights(folder, origin["cell"]), _weights(folder, after["cell"])
    assert all((before[name] == now[name]).all() for name in before if name.startswith(("bridges.", "fusion.")))
    assert (before["heads.fused.classify.weight"] != now["heads.fused.classify.weight"]).any()


def test_one_suite_has_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--mode", "cross", "-o", str(tmp_path)]) == 2
    assert "give --suite twice or more" in capsys.readouterr().err
    assert main([*COMMAND, "--mode", "cross", "--trials", "2", "-o", str(tmp_path)]) == 2
    assert "without --trials" in capsys.readouterr().err

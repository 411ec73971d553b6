"""The options of ``mmbench study`` together: tracks, tuning, shares of labels, matching, modes, own data, figures."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbench.cli.main import main

pytest.importorskip("torch")

SMALL = ["--steps", "2", "--encoder-steps", "2", "--batch-size", "8", "--width", "4", "--stride", "8"]
SMALL += ["--threads", "1", "--device", "cpu", "--draws", "100"]
S4 = ["study", "--suite", "cls-it[regime=S4]", "--tier", "smoke", *SMALL]
TRAINED = ["concat", "mixture_of_experts", "feat_linear"]
ALONE = ["only:image", "only:text", "concat_shuffled", "wide:image", "wide:text"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the studies of this file, and for the encoders that they share."""
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(autouse=True)
def surroundings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(home / "cache"))
    monkeypatch.setenv("COLUMNS", "100")


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text().splitlines()))


@pytest.fixture(scope="module")
def tuned(home: Path) -> Path:
    """The folder of a study with two trials, two shares of the labels, matched parameters, figures; two seeds."""
    options = ["--trials", "2", "--labels", "25,100", "--match-params", "--figures", "svg", "--seeds", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(home / "cache"))
        assert main([*S4, "--fusion", ",".join(TRAINED), *options, "-o", str(home / "tuned")]) == 0
    return home / "tuned"


def test_every_strategy_is_tried_as_often(tuned: Path) -> None:
    """Also the controls that are trained; the expected best of one trial is the mean, of two it is no less."""
    found = rows(tuned / "tuning.csv")
    assert Counter(row["strategy"] for row in found) == dict.fromkeys([*TRAINED, *ALONE], 2)
    for first, second in zip(found[::2], found[1::2], strict=True):
        mean = (float(first["validation"]) + float(second["validation"])) / 2
        assert float(first["expected_best"]) == pytest.approx(mean)
        assert float(second["expected_best"]) >= mean


def test_shares_of_the_labels_are_rows_a_column_and_a_figure(tuned: Path) -> None:
    """A quarter of the training split for strategies, the whole of it for all; 90 % of F* is not reached so soon."""
    found = Counter((row["labels"], bool(row["control"])) for row in rows(tuned / "cells.csv"))
    assert found == {("256", False): 6, ("64", False): 6, ("256", True): 12}
    assert "labels to 90%" in (tuned / "study.md").read_text()
    names = sorted(file.name.rpartition("-")[2] for file in tuned.glob("*.svg"))
    assert names == ["cost.svg", "labels.svg"]
    (figure,) = tuned.glob("*-labels.svg")
    assert all(name in figure.read_text() for name in TRAINED)


def test_matched_parameters_are_told_from_native_ones(tuned: Path) -> None:
    """Experts are narrowed to the parameters of concat, a weighted sum has no width; the table says so."""
    found = {row["strategy"]: row for row in rows(tuned / "cells.csv") if not row["control"]}
    sizes = {name: int(row["fusion_parameters"]) for name, row in found.items()}
    assert {name: row["sizing"] for name, row in found.items()} == {
        "concat": "native",
        "mixture_of_experts": "matched",
        "feat_linear": "unmatched",
    }
    assert sizes["mixture_of_experts"] == pytest.approx(sizes["concat"], rel=0.05)
    assert int(found["mixture_of_experts"]["native_fusion_parameters"]) > 1.5 * sizes["concat"]
    assert int(found["feat_linear"]["native_fusion_parameters"]) == sizes["feat_linear"]
    text = (tuned / "study.md").read_text()
    assert "native (unmatched)" in text
    assert "| matched |" in text


def test_a_tuned_study_is_not_done_again(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trials and cells are read; the same bytes come out."""
    before = {name: (tuned / name).read_bytes() for name in ("cells.csv", "tuning.csv")}
    command = [*S4, "--fusion", ",".join(TRAINED), "--trials", "2", "--labels", "25,100", "--match-params"]
    assert main([*command, "--seeds", "2", "-o", str(tuned)]) == 0
    assert "24 cells, 24 of them finished before" in capsys.readouterr().err
    assert {name: (tuned / name).read_bytes() for name in before} == before


def test_both_tracks_are_studied(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table each; on the finetune track the encoders are trained on, so that their weights are those of the cell."""
    folder = home / "both"
    command = [*S4, "--fusion", "feat_linear", "--seeds", "1", "--track", "both", "-o", str(folder)]
    assert main(command) == 0
    shown = capsys.readouterr()
    for track in ("frozen", "finetune"):
        assert f"{track} encoders: strategies against concat" in shown.out
        assert f"{track}: 8 cells" in shown.err
    found = rows(folder / "cells.csv")
    assert Counter(row["track"] for row in found) == {"frozen": 8, "finetune": 8}
    assert len({row["encoders"] for row in found if row["strategy"] in ("concat", "feat_linear")}) == 1
    kept = {row["track"]: _encoder_weights(folder, row["cell"]) for row in found if row["strategy"] == "concat"}
    assert kept["frozen"] == 0 < kept["finetune"]


def _encoder_weights(folder: Path, cell: str) -> int:
    from safetensors.torch import load_file

    (place,) = folder.glob(f"*-{cell}")
    return sum(name.startswith("encoders.") for name in load_file(place / "weights.safetensors"))


def test_generality_is_over_what_was_held_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first suite, another one after it with new heads, the first one's held-out split; each between its bounds."""
    folder = home / "generality"
    suites = ["--suite", "cls-it[regime=R]"]
    command = [*S4, *suites, "--fusion", "concat", "--seeds", "1", "--mode", "generality", "-o", str(folder)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Generality: what was not trained for" in shown
    assert "(1) cls-it@1[regime=R,tier=smoke] after cls-it@1[regime=S4,tier=smoke]" in shown
    assert "(2) cls-it@1[hold_out=objects,regime=S4,tier=smoke]" in shown
    found = rows(folder / "cells.csv")
    assert {row["share"] for row in found if row["origin"]} == {"16", "64", "256"}
    held = [row for row in found if "hold_out=objects" in row["suite"]]
    assert {row["strategy"] for row in held} >= {"concat", "only:image", "only:text"}


def test_a_preview_trains_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells, trials, minutes; with short trainings as well."""
    folder = home / "preview"
    command = [*S4, "--fusion", "feat_linear", "--seeds", "2", "--trials", "2", "--dry-run", "-o", str(folder)]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "16 cells and 14 trials of tuning, 0 done" in told
    assert "30 trainings are left" in told
    assert "minutes" in told
    assert not folder.exists()


def test_own_data_is_studied(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of pictures, depth maps and label maps: ``mmbench init``, then a study of the suite that it wrote."""
    (home / "own").mkdir()
    monkeypatch.chdir(home / "own")
    _write_own(home / "own/mine")
    assert main(["init", "--data", "mine"]) == 0
    command = ["study", "--suite", "mine.toml", "--fusion", "gmu", "--seeds", "1", *SMALL, "-o", "out"]
    assert main(command) == 0
    found = rows(home / "own/out/cells.csv")
    assert {row["strategy"] for row in found} >= {"concat", "gmu", "only:rgb", "ensemble", "concat_shuffled"}
    assert len({row["encoders"] for row in found if row["strategy"] in ("concat", "gmu")}) == 1
    assert {row["n"] for row in found} == {"4"}
    capsys.readouterr()
    assert main([*command, "--labels", "25,100"]) == 2
    assert "use --track finetune" in capsys.readouterr().err


def _write_own(folder: Path) -> None:
    """Twenty samples of 16 x 16 pixels; nothing can be learnt from them."""
    random = np.random.default_rng(0)
    for name, high, depth in (("rgb", 256, 3), ("depth", 4000, 0), ("labels", 3, 0)):
        (folder / name).mkdir(parents=True)
        for n in range(20):
            pixels = random.integers(0, high, (16, 16, depth) if depth else (16, 16))
            Image.fromarray(pixels.astype(np.uint16 if name == "depth" else np.uint8)).save(folder / name / f"{n}.png")

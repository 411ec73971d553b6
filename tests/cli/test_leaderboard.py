"""``mmbench leaderboard``: from folders of runs to a table or a file, with the right exit code."""

from __future__ import annotations

import csv
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench import store
from mmbench.cli.main import main
from mmbench.metrics.rows import Rows

BUILD = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "reports" / "records.py")))


def rows(wrong):
    """200 samples of one class each; the model errs on the first ``wrong``."""
    table = np.zeros((200, 3, 3), np.int64)
    for i in range(200):
        table[i, 2, i % 3] = table[i, 1, (i + (i < wrong)) % 3] = 64
        table[i, 0, i % 3] = 0 if i < wrong else 64
    names = tuple(f"i{i}" for i in range(200))
    return Rows(names, names, ({},) * 200, {"confusion": table.reshape(200, 9)})


def save(results, record, wrong=10):
    folder = results / record.id
    folder.mkdir(parents=True)
    return store.save_run(folder, record.model_copy(update={"rows": store.save_rows(folder, rows(wrong))}))


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A working directory whose ``results`` holds three runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name, value, wrong in (("good", 0.95, 10), ("near", 0.94, 11), ("bad", 0.5, 100)):
        save(tmp_path / "results", BUILD.run(name, value), wrong)
    return tmp_path / "results"


def test_the_default_is_a_table_of_results(results, capsys):
    assert main(["leaderboard"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[3:6]] == [["1-2", "good"], ["1-2", "near"], ["3", "bad"]]
    assert max(map(len, lines)) <= 80
    assert not any("\x1b" in line for line in lines)


def test_csv_beside_the_table(results, capsys):
    assert main(["leaderboard", str(results), "--csv", "board.csv"]) == 0
    captured = capsys.readouterr()
    assert "rank  model" in captured.out
    assert captured.err == "Wrote board.csv.\n"
    with Path("board.csv").open(newline="", encoding="utf-8") as file:
        found = [line for line in csv.DictReader(file) if line["metric"] == "miou" and not line["tag"]]
    ranks = [(x["model"], x["rank_first"], x["rank_last"]) for x in found if x["line"] == "model"]
    assert ranks == [("good", "1", "2"), ("near", "1", "2"), ("bad", "3", "3")]


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("table", "seg@1[regime"),
        ("csv", "suite,task,"),
        ("md", "### seg"),
        ("markdown", "### seg"),
        ("latex", "% needs"),
        ("tex", "% needs"),
    ],
)
def test_formats_on_screen_and_in_a_file(results, capsys, form, start):
    assert main(["leaderboard", "--format", form]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(start)
    assert main(["leaderboard", "--format", form, "-o", "out.txt"]) == 0
    assert Path("out.txt").read_text(encoding="utf-8") == shown
    assert capsys.readouterr().out == ""


def test_metrics_slices_and_classes_are_added_on_demand(results, capsys):
    main(["leaderboard"])
    plain = capsys.readouterr().out
    assert main(["leaderboard", "-m", "pixel_accuracy", "--slices", "--per-class", "--sort", "model"]) == 0
    full = capsys.readouterr().out
    for text in ("pixel_accuracy [95%]", "miou by regime", "iou by class"):
        assert text in full
        assert text not in plain
    assert [line.split()[1] for line in full.splitlines()[3:6]] == ["bad", "good", "near"]


def test_json_holds_the_lines_of_the_csv(results, capsys):
    assert main(["leaderboard", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["refused"] == []
    assert {line["model"] for line in found["lines"] if line["line"] == "model"} == {"good", "near", "bad"}


def test_unequal_keys_are_kept_apart_and_strict_refuses(results, capsys):
    save(results, BUILD.run("other", key=BUILD.key(data="9999")))
    assert main(["leaderboard"]) == 0
    out = capsys.readouterr().out
    assert "Kept apart" in out
    assert out.count("rank  model") == 2
    assert main(["leaderboard", "--strict"]) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("cannot be compared, they differ in data: 2222 against 9999.\n")
    assert main(["leaderboard", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"][0]["differences"] == ["data: 2222 against 9999"]


def test_strict_passes_where_all_can_be_compared(results, capsys):
    assert main(["leaderboard", "--strict"]) == 0


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"x")])
def test_damaged_rows_cost_the_rank_and_not_the_score(results, capsys, damage):
    damage(next(results.glob("*-bad-*")) / "rows.npz")
    assert main(["leaderboard", "--sort", "model"]) == 0
    out = capsys.readouterr().out
    assert " -  bad" in out
    assert "1 of 3 runs are not ranked: The rows " in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere"], 4, "nowhere does not exist"),
        (["empty"], 4, "empty holds no record.json"),
        (["--format", "excel"], 2, "There is no report named 'excel'"),
        (["--format", "markdwn"], 2, "did you mean 'markdown'?"),
        (["--sort", "beauty"], 2, "Cannot sort by 'beauty'"),
        (["--metric", "mios"], 2, "There is no measured metric named 'mios'; did you mean 'miou'"),
        (["-o", "no/such/folder/x"], 2, "cannot be written (No such file or directory)"),
        (["--csv", "empty"], 2, "empty cannot be written (Is a directory)"),
        (["--json", "-o", "x"], 2, "leave out --format and -o"),
        (["--json", "--format", "csv"], 2, "leave out --format and -o"),
        (["broken"], 7, "is not JSON"),
        (["unscored"], 4, "None of the 1 runs found has a value"),
        (["--no-such-flag"], 2, "No such option"),
    ],
)
def test_mistakes_are_one_sentence_with_their_code(results, capsys, arguments, code, sentence):
    Path("empty").mkdir()
    Path("broken").mkdir()
    Path("broken/record.json").write_text("{")
    save(Path("unscored"), BUILD.run("none", estimates=(), bounds=(), status="failed"))
    assert main(["leaderboard", *arguments]) == code
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_name_that_the_output_cannot_encode_is_shown_as_its_code(results, tmp_path):
    save(tmp_path / "wide", BUILD.run("模型"))
    command = [sys.executable, "-m", "mmbench.cli.main", "leaderboard", "wide"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env=environment)
    assert rb"\u6a21\u578b" in run.stdout


def test_it_needs_neither_torch_nor_pandas(results, tmp_path):
    code = (
        "import sys; from mmbench.cli.main import main\n"
        "code = main(['leaderboard', '--csv', 'x.csv'])\n"
        "print(code, [m for m in ('torch', 'pandas', 'matplotlib') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout.splitlines()[-1] == "0 []"

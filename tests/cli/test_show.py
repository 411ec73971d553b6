"""``mmbench show``: lists and descriptions, fast and without heavy imports."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from mmbench import content
from mmbench.cli.main import main
from mmbench.core import registry
from mmbench.reports import catalogue

BUILD = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "reports" / "records.py")))
SUITE = """
name = "street"
version = 2
title = "Street scenes"
task = "segmentation"
modalities = ["rgb", "thermal"]
metrics = ["miou", "iou"]
primary = "miou"
tags = ["real"]
licence = "CC BY-NC 4.0"
citation = "Doe 2024"
source = { kind = "folders", root = ["street-data"], params = { classes = ["road", "car"] } }

[parameters.light]
default = "all"
choices = ["all", "day"]
help = "Which pictures."
"""
CARD = 'fusion = "concat"\nmodalities = ["rgb", "thermal"]\n[training]\nsteps = 10\n'


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """One suite with one baseline in the place of those that ship, in an empty working directory."""
    (tmp_path / "mmbench").mkdir()
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "street.toml").write_text(SUITE)
    card = tmp_path / "baselines" / "street" / "concat" / "model.toml"
    card.parent.mkdir(parents=True)
    card.write_text(CARD)
    monkeypatch.setattr(content, "_PACKAGE", tmp_path / "mmbench")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("MMBENCH_DATA", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def shown(capsys, *arguments):
    assert main(["show", *arguments]) == 0
    return capsys.readouterr().out


def as_json(capsys, *arguments):
    return json.loads(shown(capsys, *arguments, "--json"))


def test_suites(shipped, capsys):
    text = shown(capsys, "suites")
    for part in ("street@2  Street scenes", "rgb+thermal, scored by miou and 1 more; data not found; CC BY-NC 4.0"):
        assert part in text
    assert "--data-root SUITE=PATH" in text
    assert max(map(len, text.splitlines())) <= 80


def test_suites_say_whether_the_data_is_there(shipped, capsys, monkeypatch):
    monkeypatch.setenv("MMBENCH_DATA", str(shipped / "data"))
    assert as_json(capsys, "suites")[0]["data_found"] is False
    (shipped / "data" / "street-data").mkdir(parents=True)
    (entry,) = as_json(capsys, "suites")
    assert entry["data_found"] is True
    assert entry["data"] == f"found in {shipped / 'data' / 'street-data'}"
    assert entry["metrics"] == ["miou", "iou"]


def test_models_with_their_cards(shipped, capsys):
    text = shown(capsys, "models")
    assert "baseline:concat  (suite street)" in text
    assert "modalities: rgb, thermal" in text
    (entry,) = as_json(capsys, "models")
    assert entry["card"]["training"] == {"steps": 10}


def test_no_models_is_said(shipped, capsys):
    (shipped / "baselines" / "street" / "concat" / "model.toml").unlink()
    assert shown(capsys, "models") == "No baselines are installed.\n"


@pytest.mark.parametrize("what", sorted(catalogue.PLUGINS))
def test_plugins_are_those_of_the_registry(what, capsys):
    names = [entry["name"] for entry in as_json(capsys, what)]
    assert names == sorted(registry.REGISTRIES[catalogue.PLUGINS[what]].entries())
    lines = shown(capsys, what).splitlines()
    assert [line.partition("@")[0].partition(" ")[0] for line in lines if not line.startswith(" ")] == names


def test_fusions_say_what_they_join(capsys):
    """The equation, the level and whether it is additive, from the files alone: torch is not imported."""
    lines = shown(capsys, "fusions").splitlines()
    assert lines[lines.index("feat_linear  (joins features, additive)") + 1].startswith("    y = sum_m a_m x_m")
    assert "hybrid  (joins features and logits)" in lines
    assert "early  (joins inputs)" in lines
    found = {entry["name"]: entry["options"] for entry in as_json(capsys, "fusions")}
    assert found["late"] == {"level": "logits", "additive": True}
    assert found["gmu"] == {"level": "features", "additive": False}


def test_a_missing_extra_is_said(capsys, monkeypatch):
    monkeypatch.setitem(registry._EXTRA_MODULE, "torch", "no_such_module")
    assert "concat  (joins features)  (needs mmbench[torch])" in shown(capsys, "fusions")
    found = {entry["name"]: entry for entry in as_json(capsys, "fusions")}
    assert (found["concat"]["needs"], found["concat"]["missing"]) == ("torch", "torch")


def test_one_suite(shipped, capsys):
    text = shown(capsys, "suite", "street[light=day]")
    for part in ("street@2[light=day]", "2: road, car", "CC BY-NC 4.0", "Doe 2024", "--set light=day   (of all, day)"):
        assert part in text
    assert "mmbench run --suite 'street[light=day]' --model baseline:concat --data-root street=PATH" in " ".join(
        text.split()
    )
    facts = as_json(capsys, "suite", "street")
    assert facts["parameters_chosen"] == {"light": "all"}
    assert facts["classes"] == ["road", "car"]
    assert facts["source"]["root"] == ["street-data"]


def test_one_suite_by_file(shipped, capsys):
    file = shipped / "suites" / "street.toml"
    assert as_json(capsys, "suite", str(file))["next"].startswith(f"mmbench run --suite {file} --model ")


def test_a_generated_suite_knows_its_classes_and_needs_no_root(capsys):
    facts = as_json(capsys, "suite", "seg")
    assert facts["data_found"] is True
    assert len(facts["classes"]) == 5
    assert "--data-root" not in facts["next"]


@pytest.fixture
def stored(shipped):
    """Two runs under ``results``, one of them with failures; their records are enough."""
    records = [BUILD.run("whole", 0.82), BUILD.partial("broken\x1b[31m", provenance={"versions": {"numpy": "2.4"}})]
    for record in records:
        folder = Path("results") / record.id.replace("\x1b[31m", "")
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(record.model_dump(mode="json")))
    return records


def test_one_run_by_the_end_of_its_name(stored, capsys):
    text = shown(capsys, "run", "whole-aaaaaa")
    for part in ("whole (baseline:whole)", "0.820 [.800, .840]", "0.50 [.44, .56]", "rgb 0.600, depth 0.640", "123k"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80
    assert "Failed samples" not in text


def test_the_failures_and_the_provenance_of_a_run(stored, capsys):
    text = shown(capsys, "run", "broken-aaaaaa")
    assert "Failed samples (3)" in text
    assert "i0: The file x.png is missing." in text
    assert "versions.numpy  2.4" in text
    assert "1021/1024 scored" in text
    assert "\x1b" not in text


def test_a_run_as_json_is_its_record(stored, capsys):
    assert as_json(capsys, "run", "whole-aaaaaa") == stored[0].model_dump(mode="json")


def test_a_run_in_another_folder(stored, capsys):
    Path("results").rename("elsewhere")
    assert "whole" in shown(capsys, "run", "whole-aaaaaa", "--results", "elsewhere")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["suite"], 2, "mmbench show suite expects a name, as in: mmbench show suite seg."),
        (["run"], 2, "mmbench show run expects a name"),
        (["suites", "street"], 2, "mmbench show suites lists all of them and takes no name; found 'street'"),
        (["metric"], 2, "There is no list to show named 'metric'; did you mean 'metrics'"),
        (["suite", "stret"], 2, "There is no suite named 'stret'; did you mean 'street'?"),
        (["suite", "street[light=night]"], 2, "has no light='night'; expected one of: all, day."),
        (["suite", "none.toml"], 2, "The suite file none.toml cannot be read"),
        (["run", "nothing"], 2, "There is no run 'nothing'"),
        ([], 2, "Missing argument"),
    ],
)
def test_mistakes_are_one_sentence_with_their_code(shipped, capsys, arguments, code, sentence):
    assert main(["show", *arguments]) == code
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_broken_card_is_named(shipped, capsys):
    (shipped / "baselines" / "street" / "concat" / "model.toml").write_text("x = ")
    assert main(["show", "models"]) == 2
    assert "model.toml cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["show", "suites"]])
def test_it_imports_nothing_heavy(arguments):
    """That is what makes it start fast; tests/benchmarks measures how fast."""
    heavy = "('torch', 'pandas', 'numpy', 'scipy', 'matplotlib', 'transformers')"
    code = (
        "import sys; from mmbench.cli.main import main\n"
        f"code = main({arguments!r})\n"
        f"print(code, [m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "0 []\n"


def test_samples_of_a_suite_are_drawn(tmp_path, capsys):
    """As many rows as asked for; the path is printed."""
    heights = []
    for count in ("1", "3"):
        picture = tmp_path / "deep" / f"{count}.png"
        text = shown(capsys, "suite", "vqa-av[tier=smoke]", "--samples", count, "-o", str(picture))
        assert text == f"Samples of vqa-av[tier=smoke]: {picture}\n"
        with Image.open(picture) as image:
            heights.append(image.height)
    assert heights[1] > 2.5 * heights[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["suite", "vqa", "--samples", "4"], "needs -o with a name that ends in .png or .jpg; there is none."),
        (["suite", "vqa", "-o", "x.pdf"], "found 'x.pdf'"),
        (["suites", "-o", "x.png"], "--samples and -o draw a suite"),
        (["suite", "-o", "x.png"], "--samples and -o draw a suite"),
        (["suite", "vqa[tier=smoke]", "--samples", "1", "-o", "/proc/none/x.png"], "cannot be written"),
    ],
)
def test_mistakes_about_samples(capsys, arguments, sentence):
    assert main(["show", *arguments]) == 2
    assert sentence in capsys.readouterr().err

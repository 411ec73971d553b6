"""A real outside package, installed by pip, adds one plug-in of each kind; the command line uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "plugin_package"
SUITE = """
name = "toy"
version = 1
title = "Halves"
task = "segmentation"
modalities = ["rgb"]
metrics = ["miou", "toy_target_share"]
primary = "miou"
source = { kind = "toy-halves" }
"""
ADDED = {
    "sources": "toy-halves",
    "metrics": "toy_target_share",
    "fusions": "toy-first",
    "adapters": "toy",
    "reports": "toy-names",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the package installed, without network and without touching this environment."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    options = ["--disable-pip-version-check", "--no-cache-dir", "--target", str(target)]
    done = subprocess.run([*pip, *options, str(PACKAGE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def mmbench(site, *arguments, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"}
    command = [sys.executable, "-m", "mmbench.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=cwd)


@pytest.mark.parametrize(("what", "name"), ADDED.items())
def test_show_lists_it_beside_the_own_ones(site, what, name):
    found = {entry["name"]: entry for entry in json.loads(mmbench(site, "show", what, "--json").stdout)}
    assert found[name]["module"].startswith("mmbench_toy.")
    assert found[name]["summary"]
    assert any(entry["module"].startswith("mmbench.") for entry in found.values())


def test_without_the_package_there_is_no_trace_of_it(tmp_path):
    assert "toy" not in mmbench(tmp_path, "show", "sources").stdout


def test_listing_imports_neither_the_package_nor_torch(site):
    code = (
        "import sys; from mmbench.core.registry import REGISTRIES\n"
        "[r.entries() for r in REGISTRIES.values()]\n"
        "print('torch' in sys.modules, [m for m in sys.modules if m.startswith('mmbench_toy')])"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.strip() == "False []"


def test_a_run_with_its_source_metric_and_adapter_ends_in_its_report(site, tmp_path):
    (tmp_path / "toy.toml").write_text(SUITE)
    models = ["--model", "toy:300", "--model", "toy:128"]
    run = mmbench(site, "run", "--suite", "toy.toml", *models, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    names = mmbench(site, "leaderboard", "--format", "toy-names", cwd=tmp_path)
    assert (names.returncode, names.stdout) == (0, "threshold-128\nthreshold-300\n")
    lines = json.loads(mmbench(site, "leaderboard", "--json", cwd=tmp_path).stdout)["lines"]
    values = {(line["model"], line["metric"], line["version"]): line["value"] for line in lines}
    # 4 of 8 pictures have a bright half: a quarter of the pixels.
    assert values["threshold-128", "toy_target_share", 3] == 0.25
    assert values["threshold-128", "miou", 1] == 1.0
    assert values["threshold-300", "miou", 1] == 0.375


def test_its_fusion_is_built_by_name(site):
    pytest.importorskip("torch")
    code = "from mmbench.fusion.base import build_fusion; print(type(build_fusion('toy-first', ['a'], 4, {})).__name__)"
    environment = {**os.environ, "PYTHONPATH": str(site)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.strip() == "First"


def declare(folder, value, **files):
    """A folder that looks like an installed package with one entry point."""
    info = folder / "broken_plugins-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugins\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mmbench.plugins]\nx = {value}\n")
    for name, text in files.items():
        file = folder / f"{name.replace('.', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize(
    ("value", "files", "sentences"),
    [
        ("nowhere_at_all", {}, ["'broken-plugins' has no module 'nowhere_at_all'"]),
        ("boom.plugins", {"boom.__init__": "1 / 0"}, ["'broken-plugins' could not be imported", "ZeroDivisionError"]),
        (
            "taken",
            {"taken": 'from mmbench.core.registry import source\n@source("folders")\nclass A: ...\n'},
            ["Two files register the source 'folders'", "folders.py", "taken.py"],
        ),
        ("syntax", {"syntax": '@source("x")\nclass A: def\n'}, ["syntax.py", "cannot be listed"]),
    ],
)
def test_a_broken_package_is_named_in_one_sentence(tmp_path, value, files, sentences):
    declare(tmp_path, value, **files)
    done = mmbench(tmp_path, "show", "sources")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert all(sentence in done.stderr for sentence in sentences), done.stderr


def test_a_plugin_that_fails_on_import_is_listed_and_named_when_used(tmp_path):
    text = 'from mmbench.core.registry import report\n@report("boom")\ndef f(): ...\nraise RuntimeError("no licence")\n'
    declare(tmp_path, "late", late=text)
    assert "boom" in mmbench(tmp_path, "show", "reports").stdout
    done = mmbench(tmp_path, "leaderboard", "--format", "boom")
    assert done.returncode == 2
    assert "The report 'boom' of" in done.stderr
    assert "late.py could not be imported (RuntimeError: no licence)" in done.stderr

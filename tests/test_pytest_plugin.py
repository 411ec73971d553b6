"""The pytest plugin, in sessions of its own: what is measured, what fails a test, and what is never a silent pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SUITE = """
name = "tiny"
version = 1
title = "Tiny images"
task = "segmentation"
modalities = ["rgb"]
metrics = ["miou", "pixel_accuracy"]
primary = "miou"
[source]
kind = "folders"
[source.params]
classes = ["a", "b"]
id = "{number}"
[source.params.modalities.rgb]
path = "rgb/{number}.png"
decode = "image"
[source.params.label]
path = "labels/{number}.png"
[source.params.splits.test]
folder = "."
"""
# A model whose threshold stands in a file, so that a test can damage it.
HEADER = """
from pathlib import Path

import numpy as np
import pytest

def threshold(batch):
    level = float(Path("level.txt").read_text())
    return {i: (np.asarray(x)[..., 0] > level).astype(int) for i, x in zip(batch.ids, batch.inputs["rgb"])}

threshold.modalities = ("rgb",)
SUITE = dict(suite="tiny.toml", data_root="data", draws=100)
gated = pytest.mark.mmbench_gate(reference="references")
"""
GATED = """
    @gated
    def test_gate(mmbench_run):
        mmbench_run(model=threshold, **SUITE)
"""


class Project:
    """A folder with a suite, data, a level, and test files that a pytest of its own runs."""

    def __init__(self, folder: Path, *, draw: bool = True) -> None:
        self.folder = folder
        if draw:
            self.draw()

    def draw(self) -> None:
        folder = self.folder
        (folder / "tiny.toml").write_text(SUITE)
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
        self.level(128)
        random = np.random.default_rng(0)
        for kind in ("rgb", "labels"):
            (folder / "data" / kind).mkdir(parents=True)
        for index in range(60):
            labels = random.integers(0, 2, (8, 8)).astype(np.uint8)
            grey = np.clip(80 + 100 * labels + random.normal(0, 30, (8, 8)), 0, 255).astype(np.uint8)
            Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(folder / "data" / "rgb" / f"{index:03d}.png")
            Image.fromarray(labels).save(folder / "data" / "labels" / f"{index:03d}.png")

    def level(self, level: float) -> None:
        (self.folder / "level.txt").write_text(str(level))

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Only our plug-in and those named: the outer session must not leak in, nor ours be loaded twice.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "MMBENCH", "GITHUB", "CI_"))}
        more = {
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "250",
        }
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=kept | more, capture_output=True, text=True
        )

    def pytest(self, body: str, *arguments: str) -> tuple[int, str]:
        (self.folder / "test_it.py").write_text(HEADER + textwrap.dedent(body))
        options = ["-p", "mmbench.pytest_plugin", "-p", "no:cacheprovider", "-q", *arguments]
        done = self.python("-m", "pytest", *options, "test_it.py")
        return done.returncode, done.stdout + done.stderr

    def accept(self) -> None:
        """Measures the model as it is and keeps it as the reference, by the fixture itself."""
        keep = """
            def test_keep(mmbench_run):
                from datetime import date
                from pathlib import Path
                from mmbench.gate.references import accept
                accept([mmbench_run(model=threshold, **SUITE)], Path("references"), date(2026, 1, 1))
        """
        code, text = self.pytest(keep)
        assert code == 0, text


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def accepted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = Project(tmp_path_factory.mktemp("accepted"))
    found.accept()
    return found.folder


@pytest.fixture
def accepted(accepted_once: Path, tmp_path: Path) -> Project:
    """With the model's reference kept."""
    shutil.copytree(accepted_once, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path, draw=False)


def test_a_run_has_estimates_and_a_locator_measures_the_same_as_the_object(project: Project) -> None:
    """A function, an object with predict, and a python: locator of the same code."""
    (project.folder / "mine.py").write_text(
        "import numpy as np\n"
        "class Mine:\n"
        "    modalities = ('rgb',)\n"
        "    def predict(self, batch):\n"
        "        pairs = zip(batch.ids, batch.inputs['rgb'])\n"
        "        return {i: (np.asarray(x)[..., 0] > 128).astype(int) for i, x in pairs}\n"
    )
    body = """
        def test_run(mmbench_run):
            import mine
            runs = [mmbench_run(model=m, **SUITE) for m in (threshold, mine.Mine(), "python:mine.py:Mine")]
            found = [run.record.estimate("miou") for run in runs]
            assert 0.5 < found[0].low < found[0].value < found[0].high < 1
            assert found[0] == found[1] == found[2]
            assert [run.record.model.name for run in runs] == ["threshold", "Mine", "Mine"]
            some = mmbench_run(model=threshold, name="other", limit=20, **SUITE)
            assert (some.record.counts.scored, some.record.model.name) == (20, "other")
    """
    code, text = project.pytest(body)
    assert code == 0, text


def test_a_torch_module_is_measured(project: Project) -> None:
    pytest.importorskip("torch")
    body = """
        def test_module(mmbench_run):
            import torch
            class Net(torch.nn.Module):
                modalities = ("rgb",)
                def forward(self, rgb):
                    grey = rgb[:, :1]
                    return torch.cat([0.5 - grey, grey - 0.5], dim=1)
            run = mmbench_run(model=Net(), device="cpu", **SUITE)
            assert run.record.estimate("miou").value > 0.5
    """
    code, text = project.pytest(body)
    assert code == 0, text


def test_unchanged_passes_and_says_so(accepted: Project) -> None:
    code, text = accepted.pytest(GATED, "--junitxml=out.xml")
    assert code == 0, text
    assert re.search(r"test_it\.py::test_gate: PASS: 2 pass \(exit code 0\)", text)
    properties = ElementTree.fromstring((accepted.folder / "out.xml").read_text()).iter("property")  # noqa: S314
    assert [(p.get("name"), p.get("value")) for p in properties] == [("mmbench_gate", "PASS: 2 pass (exit code 0)")]


def test_a_regression_fails_the_test_with_the_gates_sentence(accepted: Project) -> None:
    accepted.level(170)
    code, text = accepted.pytest(GATED)
    assert code == 1
    assert "mmbench gate: REGRESS: 2 regress (exit code 1)" in text
    assert re.search(r"REGRESS miou \(threshold on tiny@1\): 0\.\d+ -> 0\.\d+, worse by \d+\.\d+pt, at least", text)
    assert "Traceback" not in text


def test_an_inconclusive_gate_fails_by_policy(accepted: Project) -> None:
    """Warned of on a pull request, failed on a release."""
    accepted.level(132)
    (accepted.folder / "mmbench.toml").write_text('[[gate.metric]]\nselect = "miou"\nmargin = "0.01pt"\n')
    code, text = accepted.pytest(GATED)
    assert (code, "INCONCLUSIVE: 1 inconclusive (exit code 0)" in text) == (0, True), text
    release = GATED.replace("@gated", '@pytest.mark.mmbench_gate(reference="references", context="release")')
    code, text = accepted.pytest(release)
    assert (code, "groups would decide" in text) == (1, True), text


def test_what_cannot_be_gated_is_an_error_before_anything_is_measured(accepted: Project) -> None:
    wrong = {
        'reference="nowhere"': "nowhere does not exist",
        '"references"': "expects reference=FOLDER",
        'refrence="references"': "expects reference=FOLDER",
        'reference="references", config="nothing.toml"': "cannot be read",
        'reference="references", context="relaese"': "known: pr, release",
    }
    tests = [
        f"@pytest.mark.mmbench_gate({arguments})\ndef test_{number}(mmbench_run):\n    raise AssertionError('body')\n"
        for number, arguments in enumerate(wrong)
    ]
    code, text = accepted.pytest("\n".join(tests))
    assert code == 1
    assert "5 errors" in text
    assert "AssertionError" not in text
    sentences = [line for line in text.splitlines() if line.startswith("mmbench gate: ")]
    assert all(says in sentence for says, sentence in zip(wrong.values(), sentences, strict=True))


def test_a_marked_test_that_measures_nothing_or_the_unknown_fails(accepted: Project) -> None:
    body = """
        @gated
        def test_nothing():
            pass

        @gated
        def test_other_subset(mmbench_run):
            mmbench_run(model=threshold, limit=20, **SUITE)

        @gated
        def test_own_failure_stays(mmbench_run):
            mmbench_run(model=threshold, **SUITE)
            assert "own" == "failure"

        @gated
        def test_skipped(mmbench_run):
            pytest.skip("no data today")
    """
    code, text = accepted.pytest(body)
    assert code == 1
    assert "3 failed, 1 skipped" in text
    assert "The test measured nothing" in text
    assert "cannot be compared" in text
    assert "'own' == 'failure'" in text


def test_one_reference_folder_serves_tests_of_several_models(accepted: Project) -> None:
    """Each is gated against its own; a model without a reference among several is refused."""
    body = """
        def test_keep(mmbench_run):
            from datetime import date
            from pathlib import Path
            from mmbench.gate.references import accept
            for name in ("a", "b"):
                accept([mmbench_run(model=threshold, name=name, **SUITE)], Path("several"), date(2026, 1, 1))

        @pytest.mark.mmbench_gate(reference="several")
        @pytest.mark.parametrize("name", ["a", "b", "c"])
        def test_gate(mmbench_run, name):
            mmbench_run(model=threshold, name=name, **SUITE)
    """
    code, text = accepted.pytest(body)
    assert code == 1
    assert "1 failed, 3 passed" in text
    assert "several holds no run of c on tiny@1" in text


def test_samples_that_fail_fail_the_test(project: Project) -> None:
    (project.folder / "data" / "rgb" / "003.png").write_bytes(b"no picture")
    code, text = project.pytest("def test_run(mmbench_run):\n    mmbench_run(model=threshold, **SUITE)\n")
    assert code == 1
    assert "1 of 60 samples" in text


def test_it_lives_beside_pytest_benchmark(accepted: Project) -> None:
    """Both fixtures in one session and in one test; the timing of the one does not disturb the other's gate."""
    pytest.importorskip("pytest_benchmark")
    body = """
        @gated
        def test_both(mmbench_run, benchmark):
            run = benchmark.pedantic(lambda: mmbench_run(model=threshold, **SUITE), rounds=2)
            assert run.record.status == "ok"

        def test_time(benchmark):
            benchmark.pedantic(sum, args=([1, 2],), rounds=2)
    """
    code, text = accepted.pytest(body, "-p", "pytest_benchmark.plugin", "--benchmark-json=times.json")
    assert code == 0, text
    assert "test_it.py::test_both: PASS" in text
    assert (accepted.folder / "times.json").stat().st_size > 0


def test_its_import_is_light(project: Project) -> None:
    """What pytest imports at its start: none of the heavy packages, and nothing of ours beyond the errors."""
    code = (
        "import sys, mmbench.pytest_plugin\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('mmbench', 'torch', 'numpy', 'scipy', 'pandas', 'pydantic', 'typer', 'PIL')))"
    )
    done = project.python("-c", code)
    assert done.stdout.strip() == "['mmbench', 'mmbench.core', 'mmbench.core.errors', 'mmbench.pytest_plugin']"


def test_pytest_finds_it_by_its_entry_point() -> None:
    file = ROOT / "pyproject.toml"
    if not file.is_file():
        pytest.skip("the project file does not come with an installed package")
    points = tomllib.loads(file.read_text())["project"]["entry-points"]["pytest11"]
    assert points == {"mmbench": "mmbench.pytest_plugin"}

"""The package works as a wheel, from the sdist and as an editable install; the light verbs work without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "torchmetrics")
pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs the checkout to build from")


def _run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MMBENCH"))}
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _environment(folder: Path, without: tuple[str, ...] = ()) -> Path:
    """A virtual environment that sees this one's packages, but neither mmbench nor ``without``; returns its python."""
    _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    site = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    packages = folder / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if (
            not entry.name.lower().startswith(("mmbench", "_editable_impl_mmbench", *without))
            and entry.suffix != ".pth"
        ):
            (packages / entry.name).symlink_to(entry)
    (site / "packages.pth").write_text(f"{packages}\n")
    return python


def _install(python: Path, *what: str | Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-build-isolation"]
    _run(*pip, *what, cwd=ROOT)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and with the wheel that was built from the unpacked sdist."""
    out = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


@pytest.fixture(scope="module")
def wheel_python(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = _environment(tmp_path_factory.mktemp("wheel") / "env")
    _install(python, *distributions.glob("*.whl"))
    return python


def _content(python: Path, cwd: Path) -> list[str]:
    code = "from mmbench import content as c; print(c.__file__); print(c.folder('suites')); print(*c.suite_files())"
    return _run(python, "-c", code, cwd=cwd).splitlines()


def test_wheel_from_sdist_carries_its_content_and_runs_outside_the_checkout(wheel_python: Path, tmp_path: Path) -> None:
    module, suites, names = _content(wheel_python, tmp_path)
    assert Path(suites) == Path(module).parent / "suites"
    assert "seg" in names.split()
    tool = wheel_python.parent / "mmbench"
    _run(tool, "run", "--suite", "seg", "--model", "baseline:concat", "--tier", "smoke", cwd=tmp_path)
    assert "concat" in _run(tool, "leaderboard", "results", cwd=tmp_path)


def test_wheel_built_directly_has_the_same_files(distributions: Path, tmp_path: Path) -> None:
    _run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    listing = "import sys, zipfile; print(*sorted(zipfile.ZipFile(sys.argv[1]).namelist()), sep='\\n')"
    direct, through = (
        _run(sys.executable, "-c", listing, next(folder.glob("*.whl")), cwd=tmp_path)
        for folder in (tmp_path, distributions)
    )
    assert direct == through


def test_editable_install_finds_the_content_beside_pyproject(tmp_path: Path) -> None:
    python = _environment(tmp_path / "env")
    _install(python, "-e", ROOT)
    _, suites, names = _content(python, tmp_path)
    assert Path(suites) == ROOT / "suites"
    assert "seg" in names.split()


def test_without_torch_the_light_verbs_work(distributions: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path / "env", without=HEAVY)
    _install(python, *distributions.glob("*.whl"))
    tool = python.parent / "mmbench"
    assert "leaderboard" in _run(tool, "--help", cwd=tmp_path)
    assert "seg" in _run(tool, "show", "suites", cwd=tmp_path)
    assert "mmbench[torch]" in _run(tool, "show", "fusions", cwd=tmp_path)
    reference = _run(
        python, "-c", "from mmbench.content import folder; print(folder('results/reference'))", cwd=tmp_path
    )
    assert "concat" in _run(tool, "leaderboard", reference.strip(), cwd=tmp_path)
    missing = subprocess.run(
        [tool, "run", "--suite", "seg", "--model", "baseline:concat"], cwd=tmp_path, capture_output=True, text=True
    )
    assert missing.returncode == 2
    assert "pip install 'mmbench[torch]'" in missing.stderr

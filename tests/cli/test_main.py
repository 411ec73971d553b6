"""The top-level handler: every failure is one sentence and an exit code; start-up is light."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mmbench.cli import main as entry
from mmbench.core.errors import ExitCode, Interrupted, LoadError, MmbenchError, NotComparable, SampleError, UsageError


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def app(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(entry, "app", app)


@pytest.mark.parametrize("kind", [UsageError, LoadError, NotComparable, SampleError, Interrupted])
def test_each_error_class_owns_its_exit_code(
    kind: type[MmbenchError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(monkeypatch, kind("Expected this, found that."))
    assert entry.main([]) == kind.exit_code
    assert capsys.readouterr().err == "mmbench: Expected this, found that.\n"


def test_an_internal_error_is_70_and_says_so_never_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(monkeypatch, ZeroDivisionError("division by zero"))
    assert entry.main([]) == ExitCode.INTERNAL
    err = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _raising(monkeypatch, LoadError("No."))
    assert entry.main(["--debug"]) == ExitCode.LOAD_FAILED
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    _raising(monkeypatch, KeyboardInterrupt())
    assert entry.main([]) == ExitCode.INTERRUPTED


def test_control_characters_of_a_message_do_not_reach_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(monkeypatch, LoadError("The file '\x1b[2Jx' is missing."))
    entry.main([])
    assert capsys.readouterr().err == "mmbench: The file '\\x1b[2Jx' is missing.\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["train", "--help"], ["gate", "--help"], ["show", "suites"]]
)
def test_light_commands_import_neither_torch_nor_pandas(arguments: list[str]) -> None:
    heavy = {"torch", "pandas", "transformers", "scipy", "matplotlib"}
    code = (
        f"import sys; from mmbench.cli.main import main; code = main({arguments!r}); "
        f"found = {heavy!r} & set(sys.modules); sys.exit(code or (f'imported {{found}}' if found else 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

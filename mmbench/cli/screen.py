"""The screen that a verb writes to: how wide it is, whether it shows colour, which characters it can show."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import typer

from mmbench.core.errors import UsageError


def width() -> int:
    """Characters per line; 80 where there is no terminal."""
    return shutil.get_terminal_size((80, 24)).columns


def colour() -> bool:
    """Whether terminal codes are welcome: on a terminal, unless NO_COLOR is set or the terminal is a dumb one."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def write(text: str) -> None:
    """Prints text; a character that the output's encoding lacks is shown as its code."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False)


def save(file: Path, text: str) -> None:
    """Writes a file that the user named and says so; raises UsageError when it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another file.") from error
    typer.echo(f"Wrote {file}.", err=True)

"""The screen that a verb writes to: how wide it is, whether it shows colour, which characters it can show."""

from __future__ import annotations

import os
import shutil
import sys

import typer


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

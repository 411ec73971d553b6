"""The entry point: parses, runs one verb, turns every failure into one sentence and an exit code.

Each verb is one module of this folder. A verb's module imports typer and the standard library at its top and everything
else inside its function, so that ``mmbench --help`` is fast and needs neither torch nor pandas.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from mmbench import __version__
from mmbench.cli.check import check
from mmbench.cli.compare import compare
from mmbench.cli.doctor import doctor
from mmbench.cli.gate import gate
from mmbench.cli.init import init
from mmbench.cli.leaderboard import leaderboard
from mmbench.cli.run import run
from mmbench.cli.score import score
from mmbench.cli.selftest import selftest
from mmbench.cli.show import show
from mmbench.cli.study import study
from mmbench.cli.train import train
from mmbench.core.errors import ExitCode, MmbenchError
from mmbench.reports.printable import printable

app = typer.Typer(
    name="mmbench",
    help="Measure multimodal fusion models: numbers with intervals, known ceilings, comparable leaderboards.",
    epilog="Start with: mmbench run --suite seg --model baseline:concat",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mmbench {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of a failure."),
) -> None:
    """Measure multimodal fusion models: numbers with intervals, known ceilings, comparable leaderboards."""


app.command()(run)
app.command()(score)
app.command()(leaderboard)
app.command()(compare)
app.add_typer(gate, name="gate")
app.command()(train)
app.command()(study)
app.command()(init)
app.command()(show)
app.command()(check)
app.command()(selftest)
app.command()(doctor)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code (``core.errors.ExitCode``)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        result = app(arguments, standalone_mode=False, obj=arguments)  # obj: what was typed, for the record
        return int(result or ExitCode.OK)
    except MmbenchError as error:
        return _fail(str(error), error.exit_code, arguments)
    except TyperException as error:
        return _fail(_sentence(error), ExitCode.USAGE, arguments)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("Stopped.", ExitCode.INTERRUPTED, arguments)
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.OK
    except Exception as error:  # noqa: BLE001  the last line of defence: our bug must not look like a regression (1)
        what = f"{type(error).__name__}: {error}".partition("\n")[0]
        return _fail(f"Internal error, a bug of mmbench ({what}); repeat with --debug and report it.", 70, arguments)


def _fail(message: str, code: int, arguments: Sequence[str]) -> int:
    if "--debug" in arguments:
        import traceback

        traceback.print_exc()
    typer.echo(f"mmbench: {printable(message)}", err=True)
    return int(code)


def _sentence(error: TyperException) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return f"{message.rstrip('.')}; see mmbench --help."


if __name__ == "__main__":
    sys.exit(main())

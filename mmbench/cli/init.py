"""``mmbench init``: writes a suite file for the user's own data, and a contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.core.errors import ExitCode, MmbenchError, UsageError

if TYPE_CHECKING:
    from mmbench.core.source import Source
    from mmbench.core.suite import SuiteSpec
    from mmbench.sources.discover.proposal import Proposal

_SHOWN = 6

Data = Annotated[Path, typer.Option(help="Folder like rgb/ depth/ labels/, or a manifest (.csv, .jsonl).")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The suite file to write; else NAME.toml here.")]
Name = Annotated[str | None, typer.Option(help="The suite's name; else the folder's.")]
Sheet = Annotated[Path | None, typer.Option(help="The contact sheet to write; else a PNG beside the suite file.")]
Label = Annotated[str | None, typer.Option(help="The folder or column of the labels, when its name does not tell.")]
Seed = Annotated[int, typer.Option(min=0, help="Draws the split when the data has none.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]


def init(
    data: Data,
    output: Output = None,
    name: Name = None,
    sheet: Sheet = None,
    label: Label = None,
    seed: Seed = 0,
    force: Force = False,
) -> int:
    """Write a suite file for your own data, with a contact sheet to check what was guessed."""
    from mmbench.content import read_suite
    from mmbench.reports.printable import printable
    from mmbench.sources.discover.names import suite_name
    from mmbench.sources.discover.proposal import propose

    chosen = suite_name(name or (data.stem if data.is_file() else data.resolve().name))
    file = output or Path(f"{chosen}.toml")
    if file.suffix != ".toml":
        raise UsageError(f"The suite file must end in .toml, not {file.name!r}; change -o.")
    proposal = propose(data, chosen, file.stem, seed, label)
    picture = sheet or file.with_suffix(".png")
    if picture.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"The contact sheet must end in .png or .jpg, not {picture.name!r}; change --sheet.")
    written = _write(proposal, file, picture, force)
    try:
        spec = read_suite(file)
        counts = _draw(spec, picture)
    except MmbenchError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    for line in (*proposal.notes, *counts):
        typer.echo(printable(line))
    typer.echo(f"Wrote {file} and {picture}: look at both, and correct the file where a guess is wrong.")
    for line in _next(spec, file):
        typer.echo(line)
    return ExitCode.OK


def _write(proposal: Proposal, file: Path, picture: Path, force: bool) -> list[Path]:
    texts = {file: proposal.toml}
    texts |= {file.parent / name: "".join(f"{entry}\n" for entry in ids) for name, ids in proposal.lists.items()}
    there = [str(path) for path in (*texts, picture) if path.exists()]
    if there and not force:
        raise UsageError(f"{there[0]} exists; choose another name with -o, or overwrite it with --force.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{error.filename or file} cannot be written ({error.strerror}); choose another -o."
        ) from error
    except UnicodeEncodeError as error:
        raise UsageError("A file name of the data is not valid UTF-8; rename it.") from error
    return list(texts)


def _draw(spec: SuiteSpec, picture: Path) -> list[str]:
    """Opens every split as a run would, draws the contact sheet; a line per split, and one on what cannot be read."""
    from mmbench.core.errors import SampleError
    from mmbench.core.source import NotedSource
    from mmbench.reports.sheet import contact_sheet
    from mmbench.sources.discover.looking import evenly
    from mmbench.sources.opening import open_source

    lines, source = [], None
    for split in dict.fromkeys((spec.train_split, spec.val_split, spec.split)):
        if split in spec.source.params["splits"]:
            source = open_source(spec, {}, split)
            lines += [f"{split}: {len(source.ids)} samples", *(source.notes if isinstance(source, NotedSource) else ())]
    if source is None:
        raise UsageError("The suite has no split that could be opened.")
    samples = []
    for sample_id in evenly(source.ids, _SHOWN):
        try:
            samples.append(source.load(sample_id))
        except SampleError as error:
            lines.append(f"Not shown: {error}")
    if not samples:
        raise UsageError(lines[-1].removeprefix("Not shown: "))
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet(samples, source.modalities, source.classes, source.ignore).save(picture)
    except OSError as error:
        raise UsageError(f"{picture} cannot be written ({error.strerror or error}); choose another --sheet.") from error
    return [*lines, _classes(source)]


def _classes(source: Source) -> str:
    ignored = "" if source.ignore is None else f"; label {source.ignore} is not scored"
    return f"{len(source.classes)} classes{ignored}"


def _next(spec: SuiteSpec, file: Path) -> list[str]:
    import shlex

    suite = shlex.quote(str(file))
    fusion = "concat" if len(spec.modalities) > 1 else f"only:{spec.modalities[0]}"
    train = f"mmbench train --suite {suite} --fusion {fusion} --seed 0 -o my.ckpt"
    trains = spec.train_split in spec.source.params["splits"]
    return ["Next:", *([f"  {train}"] if trains else []), f"  mmbench run --suite {suite} --model my.ckpt"]

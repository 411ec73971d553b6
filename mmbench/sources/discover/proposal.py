"""Proposes a suite for a user's data: what ``mmbench init`` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmbench.core.errors import LoadError
from mmbench.sources.discover import lists
from mmbench.sources.discover.layout import Layout, find_layout
from mmbench.sources.discover.looking import look_at_input, look_at_labels
from mmbench.sources.discover.names import suite_name
from mmbench.sources.discover.tabular import find_manifest, propose_manifest
from mmbench.sources.discover.writing import toml_text

METRICS = ("miou", "iou", "pixel_accuracy", "mean_accuracy", "fw_iou", "macro_f1", "macro_precision", "macro_recall")
_CLASSES = "The names of the classes, in the order of the labels; rename them as you like."
_INTRO = "Written by mmbench init; check what was guessed, above all classes, splits, scale and unit."


@dataclass(frozen=True, slots=True)
class Proposal:
    """A suite that is not written yet: the text of the TOML, the list files beside it, and what was found."""

    name: str
    toml: str
    lists: Mapping[str, tuple[str, ...]]
    modalities: tuple[str, ...]
    notes: tuple[str, ...]


def propose(data: Path, name: str | None, stem: str, seed: int = 0, label: str | None = None) -> Proposal:
    """Looks at ``data`` (a folder of folders, a folder with a manifest, or a manifest) and proposes a suite.

    ``stem`` begins the names of the list files, ``seed`` draws the split when there is none, ``label`` is the folder
    or column of the labels. Reads names, some pictures and the labels, writes nothing. Raises LoadError when
    ``data`` is not there, UsageError with what was found and what was expected.
    """
    if not data.exists():
        raise LoadError(f"{data} does not exist; give the folder of your data with --data.")
    manifest = find_manifest(data)
    root = (data.parent if data.is_file() else data).resolve()
    if manifest is not None:
        params, splits, comments, notes = propose_manifest(root, manifest, stem, seed, label)
        kind = "manifest"
    else:
        params, splits, comments, notes = _propose_folders(root, find_layout(root, label), stem, seed)
        kind = "folders"
    chosen = suite_name(name or root.name)
    modalities = list(params["modalities"])
    content = {
        "name": chosen,
        "version": 1,
        "title": f"{root.name}: {' + '.join(modalities)}, {len(params['classes'])} classes",
        "task": "segmentation",
        "modalities": modalities,
        "metrics": list(METRICS),
        "primary": "miou",
        **splits.roles,
        "licence": "",
        "source": {"kind": kind, "root": [str(root)], "params": params},
    }
    text = toml_text(content, {"name": _INTRO, "source.params.classes": _CLASSES, **comments})
    return Proposal(chosen, text, splits.lists, tuple(modalities), tuple(notes))


def _propose_folders(
    root: Path, layout: Layout, stem: str, seed: int
) -> tuple[dict[str, Any], lists.Splits, dict[str, str], list[str]]:
    keys = layout.keys
    label, classes, size = look_at_labels(root, [layout.label.files[key] for key in keys])
    splits = _splits(root, layout, stem, seed)
    grouped = all("/" in sample_id for _, sample_id in keys)
    modalities: dict[str, Any] = {}
    comments: dict[str, str] = {}
    for name, role in layout.modalities.items():
        decoded, comment = look_at_input(root, name, [role.files[key] for key in keys], size)
        modalities[name] = {"path": _grouped(role.pattern, grouped), **decoded}
        comments[f"source.params.modalities.{name}"] = comment
    params: dict[str, Any] = {"classes": classes}
    # Two split folders may use the same names, and a sample must be told from another by its id.
    split = "{split}/" if keys[0][0] else ""
    if grouped:
        params |= {"id": f"{split}{{scene}}/{{frame}}", "group": f"{split}{{scene}}"}
        comments["source.params.group"] = "Samples of one scene are not independent: intervals resample scenes."
    elif split:
        params["id"] = "{split}/{id}"
    notes = [*layout.notes, f"{len(keys)} samples with {', '.join(modalities)} and labels; {splits.note}"]
    counts = {role.name: len(role.files) for role in (*layout.modalities.values(), layout.label)}
    if any(count > len(keys) for count in counts.values()):
        params["missing"] = "skip"
        comments["source.params.missing"] = "Some files have no partner; a sample that lacks a file is left out."
        notes.append("files: " + ", ".join(f"{count} in {name}/" for name, count in counts.items()))
    params |= {"modalities": modalities, "label": {"path": _grouped(layout.label.pattern, grouped), **label}}
    params["splits"] = {split: _grouped_entry(dict(table), grouped) for split, table in splits.tables.items()}
    comments["source.params.splits.train"] = splits.note[0].upper() + splits.note[1:] + "."
    return params, splits, comments, notes


def _splits(root: Path, layout: Layout, stem: str, seed: int) -> lists.Splits:
    folders = Counter(split for split, _ in layout.keys)
    if set(folders) != {""}:
        return lists.from_values(folders, "folders")
    ids = [sample_id for _, sample_id in layout.keys]
    groups = [sample_id.split("/")[0] if "/" in sample_id else sample_id for sample_id in ids]
    return lists.from_lists(root, set(ids)) or lists.drawn(ids, groups, stem, seed)


def _grouped(pattern: str, grouped: bool) -> str:
    """With samples in subfolders the first folder is the scene, the unit of resampling."""
    return pattern.replace("{id:**}", "{scene}/{frame:**}") if grouped else pattern


def _grouped_entry(table: dict[str, Any], grouped: bool) -> dict[str, Any]:
    if grouped and "list" in table:
        table["entry"] = table.get("entry", "{id:**}").replace("{id:**}", "{scene}/{frame:**}")
    return table

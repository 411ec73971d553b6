"""What folders, lists and columns are commonly called."""

from __future__ import annotations

import re

SPLITS = {
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "tst", "eval"),
}
RGB = ("rgb", "image", "images", "img", "imgs", "color", "colour", "jpegimages", "leftimg8bit")
_LABELS = ("label", "annotation", "annot", "mask", "gt", "groundtruth", "semantic", "seg", "target")
IDS = ("id", "sample_id", "name", "sample", "image_id", "frame")
SPLIT_COLUMNS = ("split", "subset", "partition", "fold", "set")
GROUPS = ("group", "scene", "video", "sequence", "patient", "subject", "site")


def split_of(name: str) -> str | None:
    """``train``, ``val`` or ``test`` when a folder or list is called so, in any of the usual ways."""
    return next((split for split, names in SPLITS.items() if name.lower() in names), None)


def is_label(name: str) -> bool:
    """Whether a folder or column is called as labels are."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return any(word.startswith(_LABELS) for word in words) or "ground_truth" in name.lower()


def modality_name(folder: str) -> str:
    """The argument that models receive: lower case, digits and ``_``; ``rgb`` for what is called images."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_") or "input"
    if name in RGB:
        return "rgb"
    return f"input_{name}" if name[0].isdigit() or name == "label" else name


def suite_name(text: str) -> str:
    """A name that a suite may have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "my-data"

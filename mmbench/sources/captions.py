"""The source ``captions``: images and their reference captions, from files of COCO, Karpathy, nocaps and Flickr30k."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from mmbench.core.errors import LoadError
from mmbench.core.registry import source
from mmbench.core.source import SourceRequest
from mmbench.sources.annotated import AnnotatedItem, AnnotatedSource
from mmbench.sources.annotation_file import located, stamp_of
from mmbench.sources.decoding import Table
from mmbench.sources.json_file import read_json
from mmbench.sources.opened import data_root, validated


class CaptionParams(Table):
    """``[source.params]``: the annotation file and the folder of the pictures, under the root.

    ``{name}`` in a path stands for a parameter of the suite, ``{split}`` for the split. Formats: ``coco`` (lists
    ``images`` and ``annotations``; nocaps too, whose ``domain`` becomes a slice), ``karpathy`` (``dataset_*.json``,
    whose ``split`` is taken), ``token`` (``name.jpg#0<TAB>caption``, Flickr30k).
    """

    annotations: str
    format: Literal["coco", "karpathy", "token"] = "coco"
    pictures: str = ""


@source("captions")
class CaptionSource:
    """Images with reference captions, read from the official annotation files."""

    @classmethod
    def open(cls, request: SourceRequest) -> AnnotatedSource:
        """Reads the annotations; raises LoadError when the file is missing or malformed, or has no caption at all."""
        params = validated(CaptionParams, request.spec)
        root = data_root(request)
        file = located(root, params.annotations, request)
        # An image without a caption cannot be scored and is no sample, as in the official scripts.
        items = tuple(item for item in _READERS[params.format](file, request.split) if item.target)
        _check_unique(items, file)
        if not items:
            raise LoadError(f"The annotations {str(file)!r} hold no caption of the split {request.split!r}.")
        return AnnotatedSource(root, items, stamp_of(file), params.pictures)


def _coco(file: Path, split: str) -> Iterable[AnnotatedItem]:  # noqa: ARG001  one file per split
    content = read_json(file)
    captions: dict[Any, list[str]] = {}
    for entry in _entries(content, "annotations", file):
        captions.setdefault(_field(entry, "image_id", (int, str), file), []).append(
            _field(entry, "caption", (str,), file)
        )
    known = set()
    for image in _entries(content, "images", file):
        number = _field(image, "id", (int, str), file)
        known.add(number)
        tags = {"domain": image["domain"]} if isinstance(image.get("domain"), str) else {}
        yield _item(str(number), captions.get(number, []), str(image.get("file_name", "")), tags)
    lonely = next((number for number in captions if number not in known), None)
    if lonely is not None:
        raise LoadError(f"The annotations {str(file)!r} have a caption of image {lonely!r}, which is not in 'images'.")


def _karpathy(file: Path, split: str) -> Iterable[AnnotatedItem]:
    for image in _entries(read_json(file), "images", file):
        if _field(image, "split", (str,), file) != split:
            continue
        sentences = [_field(s, "raw", (str,), file) for s in _entries(image, "sentences", file)]
        name = _field(image, "filename", (str,), file)
        number = _field(image, "cocoid", (int, str), file) if "cocoid" in image else Path(name).stem
        yield _item(str(number), sentences, f"{image.get('filepath', '')}/{name}".lstrip("/"), {})


def _token(file: Path, split: str) -> Iterable[AnnotatedItem]:  # noqa: ARG001  the file has no splits
    captions: dict[str, list[str]] = {}
    try:
        # Not splitlines: a caption may hold a separator that ends no line of a file (U+2028).
        with file.open(encoding="utf-8") as stream:
            lines = [line.removesuffix("\n") for line in stream]
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"The annotations {str(file)!r} cannot be read ({error}).") from error
    for number, line in enumerate(lines, 1):
        place, tab, caption = line.partition("\t")
        name, hash_, _ = place.rpartition("#")
        if not (tab and hash_ and name):
            raise LoadError(f"Line {number} of {str(file)!r} is not 'name.jpg#0<TAB>caption'.")
        captions.setdefault(name, []).append(caption)
    for name, texts in captions.items():
        yield _item(Path(name).stem, texts, name, {})


_READERS: Mapping[str, Callable[[Path, str], Iterable[AnnotatedItem]]] = {
    "coco": _coco,
    "karpathy": _karpathy,
    "token": _token,
}


def _check_unique(items: Sequence[AnnotatedItem], file: Path) -> None:
    if len({item.id for item in items}) < len(items):
        ((twice, _),) = Counter(item.id for item in items).most_common(1)
        raise LoadError(f"The annotations {str(file)!r} hold image {twice!r} twice; ids must be unique.")


def _item(sample_id: str, captions: list[str], image: str, tags: dict[str, str]) -> AnnotatedItem:
    return AnnotatedItem(sample_id, tuple(captions), image, tags=tags)


def _entries(content: Any, key: str, file: Path) -> list[dict[str, Any]]:
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise LoadError(f"The annotations {str(file)!r} have no list {key!r} of objects.")
    return found


def _field(entry: dict[str, Any], key: str, types: tuple[type, ...], file: Path) -> Any:
    value = entry.get(key)
    if not isinstance(value, types) or isinstance(value, bool):
        shown = next((f" {entry[k]!r}" for k in ("id", "image_id", "filename") if k in entry), "")
        raise LoadError(f"The entry{shown} of {str(file)!r} has no proper {key!r} (found {value!r}).")
    return value

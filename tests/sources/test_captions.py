"""Reference captions in the official layouts, and the sentence that each malformed file ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mmbench.core.errors import LoadError, UsageError
from mmbench.sources.annotated import AnnotatedSource

Open = Callable[..., AnnotatedSource]


def coco() -> dict[str, Any]:
    """Two images with captions, one without."""
    return {
        "images": [{"id": 9, "file_name": "nine.png"}, {"id": 4, "file_name": "four.png"}, {"id": 5}],
        "annotations": [
            {"id": 1, "image_id": 4, "caption": "A dog ."},
            {"id": 2, "image_id": 9, "caption": "A cat."},
            {"id": 3, "image_id": 4, "caption": ""},
        ],
    }


def karpathy() -> dict[str, Any]:
    """A file of COCO has ``cocoid``, one of Flickr30k has not."""
    sentences = [{"raw": "A dog .", "tokens": ["a", "dog"]}, {"raw": "Dogs", "tokens": ["dogs"]}]
    return {
        "images": [
            {"cocoid": 7, "split": "test", "filepath": "val2014", "filename": "7.png", "sentences": sentences},
            {"cocoid": 8, "split": "val", "filepath": "val2014", "filename": "8.png", "sentences": sentences},
            {"split": "test", "filename": "1000.png", "sentences": sentences[:1]},
        ]
    }


@pytest.fixture
def opened(data, open_annotated: Open) -> Open:
    """Writes ``content`` (a text as it is) and opens it."""

    def build(content: Any, form: str = "coco", split: str = "test", pictures: str = "") -> AnnotatedSource:
        data.text("a.json", content if isinstance(content, str) else json.dumps(content))
        params = {"annotations": "a.json", "format": form, "pictures": pictures}
        return open_annotated("captions", "captioning", params, split=split)

    return build


def test_coco_layout(opened: Open, data) -> None:
    """In the order of the images; an image without a caption is no sample; an empty caption is a reference."""
    data.rgb("pictures/nine.png")
    source = opened(coco(), pictures="pictures")
    assert source.ids == ("9", "4")
    assert source.without_inputs("4").target == ("A dog .", "")
    sample = source.load("9")
    assert (sample.target, sample.group, sample.tags) == (("A cat.",), None, {})
    assert set(sample.inputs) == {"image"}


def test_nocaps_domains_are_slices(opened: Open) -> None:
    """Its images have a domain; ids may be texts."""
    content = coco()
    content["images"][0] |= {"domain": "near-domain"}
    content["images"][2] |= {"id": "x"}
    content["annotations"].append({"image_id": "x", "caption": "A fox"})
    source = opened(content)
    assert source.without_inputs("9").tags == {"domain": "near-domain"}
    assert source.stratum("9") == "domain=near-domain"
    assert source.without_inputs("x").tags == {}


def test_karpathy_layout(opened: Open, data) -> None:
    """One split of the file; the id is COCO's, else the name of the picture without its suffix."""
    data.rgb("val2014/7.png")
    source = opened(karpathy(), "karpathy")
    assert source.ids == ("7", "1000")
    assert source.load("7").target == ("A dog .", "Dogs")
    assert opened(karpathy(), "karpathy", split="val").ids == ("8",)


def test_token_layout(opened: Open) -> None:
    """A line a caption; only line breaks end a line; a caption may hold a tab or a number sign."""
    lines = ("1.jpg#0\tA dog .", "2.jpg#0\tA #1 cat\u2028on\x0ba\tmat", "1.jpg#1\tDogs")
    for end in ("\n", "\r\n"):
        source = opened(end.join((*lines, "")), "token")
        assert source.ids == ("1", "2")
        assert source.without_inputs("1").target == ("A dog .", "Dogs")
        assert source.without_inputs("2").target == ("A #1 cat\u2028on\x0ba\tmat",)


def without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}


def changed(key: str, place: int, **fields: Any) -> dict[str, Any]:
    content = coco()
    content[key][place] = {k: v for k, v in (content[key][place] | fields).items() if v is not ...}
    return content


SPLIT = karpathy()["images"]
MALFORMED: dict[str, tuple[Any, str, str]] = {
    "no object": ([], "coco", "no list 'annotations'"),
    "no images": (without(coco(), "images"), "coco", "no list 'images'"),
    "no annotations": (without(coco(), "annotations"), "coco", "no list 'annotations'"),
    "annotations no list": (coco() | {"annotations": {}}, "coco", "no list 'annotations'"),
    "annotation no object": (coco() | {"annotations": [7]}, "coco", "no list 'annotations' of objects"),
    "no caption": (changed("annotations", 1, caption=...), "coco", r"entry 2 of .* no proper 'caption'"),
    "caption no text": (changed("annotations", 1, caption=3), "coco", r"entry 2 of .*'caption' \(found 3\)"),
    "image_id true": (changed("annotations", 1, image_id=True), "coco", r"entry 2 of .* no proper 'image_id'"),
    "image without id": (changed("images", 0, id=...), "coco", "no proper 'id'"),
    "image twice": (coco() | {"images": [*coco()["images"], {"id": 4}]}, "coco", "hold image '4' twice"),
    "image twice as number and text": (
        {"images": [{"id": 4}, {"id": "4"}], "annotations": [{"image_id": i, "caption": "a"} for i in (4, "4")]},
        "coco",
        "hold image '4' twice",
    ),
    "unknown image": (
        changed("annotations", 1, image_id=77),
        "coco",
        "a caption of image 77, which is not in 'images'",
    ),
    "no captions at all": (coco() | {"annotations": []}, "coco", "no caption of the split 'test'"),
    "empty split": ({"images": SPLIT[1:2]}, "karpathy", "no caption of the split 'test'"),
    "no sentences": ({"images": [without(SPLIT[0], "sentences")]}, "karpathy", "no list 'sentences'"),
    "no split": ({"images": [without(SPLIT[0], "split")]}, "karpathy", r"'7\.png' of .* no proper 'split'"),
    "sentence without raw": ({"images": [SPLIT[0] | {"sentences": [{}]}]}, "karpathy", "no proper 'raw'"),
    "cocoid twice": ({"images": [SPLIT[0], SPLIT[0]]}, "karpathy", "hold image '7' twice"),
    "cocoid no id": ({"images": [SPLIT[0] | {"cocoid": None}]}, "karpathy", "no proper 'cocoid'"),
    "no tab": ("1.jpg#0\tA dog\n1.jpg#1 Dogs\n", "token", "Line 2 of"),
    "no number": ("1.jpg\tA dog\n", "token", "Line 1 of .* is not 'name"),
    "no name": ("#0\tA dog\n", "token", "Line 1 of"),
    "blank line": ("1.jpg#0\tA dog\n\n1.jpg#1\tDogs\n", "token", "Line 2 of"),
    "two suffixes": ("1.jpg#0\tA dog\n1.png#0\tDogs\n", "token", "hold image '1' twice"),
    "empty file": ("", "token", "no caption of the split"),
    "truncated": (json.dumps(coco(), indent=1)[:150], "coco", r"not JSON at line \d+, column \d+"),
}


@pytest.mark.parametrize(("content", "form", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_annotations_are_explained(opened: Open, content: Any, form: str, message: str) -> None:
    """One sentence with the file and the id, the line or the key."""
    with pytest.raises(LoadError, match=message) as caught:
        opened(content, form)
    assert "a.json" in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_not_utf8(opened: Open, data, open_annotated: Open) -> None:
    (data.root / "a.token").write_bytes(b"1.jpg#0\t\xff\n")
    with pytest.raises(LoadError, match="cannot be read"):
        open_annotated("captions", "captioning", {"annotations": "a.token", "format": "token"})


def test_wrong_parameters(open_annotated: Open) -> None:
    with pytest.raises(UsageError, match="formatt"):
        open_annotated("captions", "captioning", {"annotations": "a.json", "formatt": "coco"})
    with pytest.raises(LoadError, match="names no data root"):
        open_annotated("captions", "captioning", {"annotations": "a.json"}, root=None)

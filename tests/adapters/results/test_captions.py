"""Captions of a result file, and the sentence that each malformed one ends with."""

from __future__ import annotations

from typing import Any

import pytest

from mmbench.adapters.results.captions import read
from mmbench.core.errors import LoadError
from mmbench.core.prediction import Text


def test_captions_by_image(suite, samples, written) -> None:
    """Ids are texts to us, numbers or texts in the file; a caption is kept as it stands; other keys are not read."""
    file = written([{"image_id": 9, "caption": " A dog .\n", "id": 1}, {"image_id": "n4", "caption": ""}])
    found = read(file, suite("captioning"), samples("9", "n4"))
    assert found == {"9": Text("9", " A dog .\n"), "n4": Text("n4", "")}


GOOD = {"image_id": 1, "caption": "a"}
MALFORMED: dict[str, tuple[Any, str]] = {
    "an object": ({"1": "a"}, "must be a list of objects with 'image_id' and 'caption'"),
    "entry no object": ([GOOD, 7], r"Entry 1 \(from 0\) .* is 7; expected an object"),
    "no caption": ([{"image_id": 1}], r"Entry 0 .*'image_id' and a text 'caption'"),
    "no image_id": ([{"caption": "a"}], r"Entry 0 .* is \{'caption': 'a'\}"),
    "caption a list": ([{"image_id": 1, "caption": ["a"]}], "a text 'caption'"),
    "caption null": ([{"image_id": 1, "caption": None}], "a text 'caption'"),
    "image_id true": ([{"image_id": True, "caption": "a"}], "Entry 0"),
    "image_id a fraction": ([{"image_id": 1.5, "caption": "a"}], "Entry 0"),
    "twice": ([GOOD, {"image_id": 2, "caption": "b"}, GOOD], "name image '1' twice"),
    "twice as number and text": ([GOOD, {"image_id": "1", "caption": "b"}], "name image '1' twice"),
    "truncated": ('[{"image_id": 1,\n"caption": "a"}, {"image_id"', "not JSON at line 2, column 29"),
    "empty file": ("", "not JSON at line 1, column 1"),
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_results_are_explained(suite, samples, written, content: Any, message: str) -> None:
    """One sentence with the file and the entry, the id or the line."""
    with pytest.raises(LoadError, match=message) as caught:
        read(written(content), suite("captioning"), samples("1", "2"))
    assert "results.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_entry_is_cut(suite, samples, written) -> None:
    """The sentence stays a sentence, whatever the file holds."""
    with pytest.raises(LoadError) as caught:
        read(written([["x" * 100_000]]), suite("captioning"), samples("1"))
    assert len(str(caught.value)) < 500

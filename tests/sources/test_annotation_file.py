"""Where annotations lie: placeholders, and paths that stay under the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.source import SourceRequest
from mmbench.core.suite import SuiteSpec
from mmbench.sources.annotation_file import filled, located, stamp_of

SPEC = SuiteSpec.model_validate(
    {
        "name": "toy",
        "version": 1,
        "title": "Toy",
        "task": "captioning",
        "modalities": ["image"],
        "metrics": ["cider"],
        "primary": "cider",
        "source": {"kind": "captions"},
    }
)


@pytest.fixture
def request_(tmp_path: Path) -> SourceRequest:
    return SourceRequest(SPEC, {"set": "val2014"}, tmp_path, "val")


def test_parameters_and_split_are_filled_in(request_: SourceRequest, tmp_path: Path) -> None:
    file = tmp_path / "val" / "captions_val2014.json"
    file.parent.mkdir()
    file.write_text("{}")
    assert located(tmp_path, "{split}/captions_{set}.json", request_) == file
    assert located(tmp_path, "val/captions_val2014.json", request_) == file


def test_names_are_formatted(request_: SourceRequest) -> None:
    """An image's id is filled up with zeros, be it a number or a text."""
    assert filled("{split}/{image:0>4}.jpg", request_, image=12) == "val/0012.jpg"
    assert filled("{split}/{image:0>4}.jpg", request_, image="n1") == "val/00n1.jpg"


@pytest.mark.parametrize("pattern", ["{year}.json", "{}.json", "{0}.json", "{split", "{split.x}", "{split[x]}"])
def test_unknown_placeholder(request_: SourceRequest, tmp_path: Path, pattern: str) -> None:
    """The mistake is the suite's: it is named with the pattern."""
    with pytest.raises(UsageError, match=r"'toy', source\.params: .* is no path") as caught:
        located(tmp_path, pattern, request_)
    assert repr(pattern) in str(caught.value)


def test_a_number_format_for_a_text(request_: SourceRequest) -> None:
    with pytest.raises(UsageError, match="is no path"):
        filled("{image:012d}.jpg", request_, image="n1")


@pytest.mark.parametrize(
    "pattern", ["../captions.json", "a/../../captions.json", "/etc/hostname", "link/captions.json"]
)
def test_path_that_leaves_the_root(
    request_: SourceRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, pattern: str
) -> None:
    """Not even where there is such a file."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "captions.json").write_text("{}")
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(LoadError, match=r"under the (data )?root"):
        located(tmp_path, pattern, request_)


@pytest.mark.parametrize("pattern", ["captions.json", "folder"])
def test_missing_file(request_: SourceRequest, tmp_path: Path, pattern: str) -> None:
    """The sentence says which suite, which file, where, and both ways out; a folder is no file."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(LoadError, match=f"'toy' needs the annotations '{pattern}' under .*--annotations FILE"):
        located(tmp_path, pattern, request_)


def test_stamp_sees_every_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1")
    second.write_text("1")
    before = stamp_of(first, second)
    second.write_text("12")
    assert stamp_of(first) == before.partition(";")[0]
    assert stamp_of(first, second) != before

"""Split lists in the forms that data sets come with."""

import pytest

from mmbench.core.errors import LoadError
from mmbench.sources.listing import find_list, read_list


def entries(tmp_path, text, name="train.txt", key=None, column=None, zero_pad=0):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(tmp_path / name, name, key, column, zero_pad)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("a\nb\n", {}, ["a", "b"]),
        ("a b\r\n\r\n# no\n c \n", {}, ["a b", "c"]),
        (b"\xef\xbb\xbfa\n", {}, ["a"]),
        ("/x/a.png /y/a.png\n", {"column": 1}, ["/y/a.png"]),
        ("1\n22\nx\n", {"zero_pad": 3}, ["001", "022", "x"]),
        ("[1, b]", {"name": "s.json"}, ["1", "b"]),
        ("train: [2, 5]\ntest: [1]\n", {"name": "s.yaml", "key": "train", "zero_pad": 3}, ["002", "005"]),
    ],
)
def test_forms(tmp_path, text, options, expected):
    assert entries(tmp_path, text, **options) == expected


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("\n# nothing\n", {}, "empty"),
        ("a b\nc\n", {"column": 1}, "Line 2 .* no column 1"),
        (b"\xff\xfe\x00", {}, "UTF-8"),
        ("train: [1]", {"name": "s.yaml", "key": "test"}, "no key 'test'; it has: train"),
        ("- [1, 2]", {"name": "s.yaml"}, "no list of ids"),
        ("a: {b: 1}", {"name": "s.yaml"}, "no list of ids"),
        ("a: [", {"name": "s.yaml"}, "neither YAML nor JSON"),
        ("!!python/object/apply:os.system ['true']", {"name": "s.yaml"}, "neither YAML nor JSON"),
    ],
)
def test_a_malformed_list_is_one_sentence_with_its_name(tmp_path, text, options, says):
    with pytest.raises(LoadError, match=says) as caught:
        entries(tmp_path, text, **options)
    assert options.get("name", "train.txt") in str(caught.value)


def test_a_list_is_under_the_root_or_an_absolute_path_of_the_suite_file(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "mine.txt").write_text("a")
    assert find_list(root.resolve(), str(tmp_path / "mine.txt")).read_text() == "a"
    with pytest.raises(LoadError, match=r"\.\."):
        find_list(root.resolve(), "../mine.txt")
    with pytest.raises(LoadError, match=r"'train\.txt' is missing"):
        find_list(root.resolve(), "train.txt")


def test_a_root_one_folder_too_deep_is_explained(tmp_path):
    """CamVid/train.txt under a root that is CamVid itself."""
    (tmp_path / "CamVid").mkdir()
    with pytest.raises(LoadError, match="give the folder that holds 'CamVid'"):
        find_list((tmp_path / "CamVid").resolve(), "CamVid/train.txt")

"""From a result file to predictions: which reader, whose samples, and the identity of the file."""

from __future__ import annotations

import typing

import pytest

from mmbench.adapters.results.reading import has_result_files, read_results
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.prediction import Text
from mmbench.core.suite import Task

CAPTIONS = [{"image_id": 1, "caption": "a"}, {"image_id": 2, "caption": "b"}]


def test_the_task_says_what_is_read(suite, samples, written) -> None:
    """The name of a system is that of its file without the suffix."""
    found = read_results(written(CAPTIONS), suite("captioning"), samples("2", "1", "3"))
    assert found.predictions == {"1": Text("1", "a"), "2": Text("2", "b")}
    assert (found.name, found.path.name) == ("results", "results.json")
    answers = read_results(written([{"question_id": 1, "answer": "c"}]), suite("vqa"), samples("1"))
    assert answers.predictions == {"1": Text("1", "c")}


def test_tasks_with_result_files() -> None:
    with_files = {task for task in typing.get_args(Task) if has_result_files(task)}
    assert with_files == {"captioning", "vqa", "classification", "detection", "instance-segmentation", "keypoints"}


def test_digest_is_of_the_bytes(suite, samples, written) -> None:
    """The same bytes have the same digest, a changed letter another one."""
    digests = [
        read_results(written(content), suite("captioning"), samples("1", "2")).digest
        for content in (CAPTIONS, CAPTIONS, [CAPTIONS[0], CAPTIONS[1] | {"caption": "c"}])
    ]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 16


@pytest.mark.parametrize(
    ("ids", "message"),
    [(("1",), r"name '2', which suite 'toy' does not have"), (("3",), r"name '1' and 1 more, which suite 'toy'")],
)
def test_unknown_ids(suite, samples, written, ids: tuple[str, ...], message: str) -> None:
    """The first one is named, the others are counted."""
    with pytest.raises(LoadError, match=message):
        read_results(written(CAPTIONS), suite("captioning"), samples(*ids))


def test_nothing_is_predicted(suite, samples, written) -> None:
    with pytest.raises(LoadError, match="hold no prediction"):
        read_results(written([]), suite("captioning"), samples("1"))


def test_no_such_file(suite, samples, tmp_path) -> None:
    """A folder is no result file."""
    for path in (tmp_path / "gone.json", tmp_path):
        with pytest.raises(LoadError, match=f"no result file '{path}'; check --predictions"):
            read_results(path, suite("captioning"), samples("1"))


def test_a_task_without_result_files(suite, samples, written) -> None:
    with pytest.raises(UsageError, match="'toy' is of task segmentation, whose predictions are a folder"):
        read_results(written(CAPTIONS), suite("segmentation"), samples("1"))

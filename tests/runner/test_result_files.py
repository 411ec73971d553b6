"""Result files as runs: which samples count, what the key says of them, and records like those of any run."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.core.errors import LoadError, NothingMeasured, SampleError, UsageError
from mmbench.core.record import NOT_EXECUTED
from mmbench.metrics.captions import caption_scores
from mmbench.metrics.rows import Rows
from mmbench.reports.leaderboard import leaderboard
from mmbench.reports.summary import summary
from mmbench.runner.result_files import ScoreOptions, score_files
from mmbench.runner.suites import OpenedSuite, SuiteChoice, open_suite
from mmbench.store import StoredRun, find_runs, load_record, load_rows

REFERENCES = {
    1: ("A man rides a wave.", "a surfer on a wave"),
    2: ("Two dogs play in the grass.", "dogs with a ball"),
    3: ("A plate of food on a table.",),
    4: ("A train at the station.", "a red train"),
}
CAPTIONS = {1: "a man on a wave", 2: "two dogs in the grass", 3: "a plate on a table", 4: "a red bus"}
ANSWERS = [{"answer": "red"}] * 10


def clock() -> datetime:
    return datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def captions(tmp_path: Path) -> Callable[..., OpenedSuite]:
    """The suite of COCO captions over four images, or another reference of it."""

    def build(text: str = "caption-coco") -> OpenedSuite:
        content = {
            "images": [{"id": i} for i in REFERENCES],
            "annotations": [{"image_id": i, "caption": c} for i, texts in REFERENCES.items() for c in texts],
        }
        file = tmp_path / "captions.json"
        file.write_text(json.dumps(content))
        return open_suite(text, SuiteChoice(annotations=file))

    return build


@pytest.fixture
def score(tmp_path: Path) -> Callable[..., list[StoredRun]]:
    """Writes one result file per list of entries, named by its keyword, and scores them."""

    def run(suite: OpenedSuite, common_ids: bool = False, **files: Any) -> list[StoredRun]:
        paths = []
        for name, content in files.items():
            paths.append(tmp_path / f"{name}.json")
            paths[-1].write_text(json.dumps(content))
        return score_files(suite, paths, ScoreOptions(tmp_path / "runs", 100, common_ids, ("mmbench", "score")), clock)

    return run


def results(*images: int, **changed: str) -> list[dict[str, Any]]:
    """In falling order: results need no order."""
    return [{"image_id": i, "caption": changed.get(f"c{i}", CAPTIONS[i])} for i in sorted(images, reverse=True)]


def vizwiz(tmp_path: Path) -> OpenedSuite:
    """Four questions, of which two can be answered."""
    content = [
        {"image": f"v{i}", "question": "?", "answer_type": "other", "answerable": i % 2, "answers": ANSWERS}
        for i in range(4)
    ]
    (tmp_path / "vizwiz.json").write_text(json.dumps(content))
    return open_suite("vqa-vizwiz-answerability", SuiteChoice(annotations=tmp_path / "vizwiz.json"))


def rows_of(run: StoredRun) -> Rows:
    return load_rows(run.folder, run.record)


def test_a_whole_file(captions, score) -> None:
    """The record of a file that names every image, with the figures of the pure functions."""
    (run,) = score(captions(), system=results(1, 2, 3, 4))
    record = run.record
    expected = caption_scores(list(REFERENCES.values()), list(CAPTIONS.values()))
    found = {e.metric: e.value for e in record.estimates}
    assert found == pytest.approx({"cider": expected["cider"], "rouge_l": expected["rouge_l"]} | bleu(expected))
    assert record.counts.model_dump() == {"planned": 4, "scored": 4, "failed": 0, "available": 4}
    assert (record.status, record.failures, record.model.name) == ("ok", (), "system")
    assert (record.execution, record.cost.ms_per_item) == (NOT_EXECUTED, None)
    assert record.key.subset == ""
    assert record.provenance["argv"] == ["mmbench", "score"]
    assert rows_of(run).ids == ("1", "2", "3", "4")


def bleu(scores: dict[str, float]) -> dict[str, float]:
    return {f"bleu{n}": scores[f"bleu_{n}"] for n in range(1, 5)}


def test_ids_that_are_named_only_partly(captions, score) -> None:
    """As in the official scripts, what is named is scored; the record says of how many, the key of which ones."""
    whole, part = score(captions(), whole=results(1, 2, 3, 4), part=results(1, 3))
    assert part.record.counts.model_dump() == {"planned": 2, "scored": 2, "failed": 0, "available": 4}
    assert part.record.status == "ok"
    assert "2 of 4 samples" in next(summary(part.record))
    assert "n=4" in next(summary(whole.record))
    expected = caption_scores([REFERENCES[1], REFERENCES[3]], [CAPTIONS[1], CAPTIONS[3]])
    assert part.record.estimate("cider").value == pytest.approx(expected["cider"], abs=1e-12)
    assert part.record.key.subset == whole.record.key.subset == ""
    assert part.record.key.ids != whole.record.key.ids
    assert part.record.key.column("cider") != whole.record.key.column("cider")


def test_unequal_samples_do_not_share_a_column(captions, score) -> None:
    """Two files of the same two images stand together, the one of others alone, and it is said why."""
    runs = score(captions(), a=results(1, 3), b=results(1, 3, c1="a wave"), c=results(1, 2))
    folders = {run.record.id: run.folder for run in runs}
    board = leaderboard([run.record for run in runs], lambda record: load_rows(folders[record.id], record))
    assert [sorted(row.record.model.name for row in table.rows) for table in board.tables] == [["a", "b"], ["c"]]
    columns = [{column.digest for column in table.columns} for table in board.tables]
    assert not columns[0] & columns[1]
    (refusal,) = board.refused
    assert "ids" in str(refusal)


def test_common_ids(captions, score) -> None:
    """What every file names is scored, in one column whose key says so, with other frequencies than the whole."""
    runs = score(captions(), common_ids=True, a=results(1, 2, 3), b=results(3, 2, 4, c3="food"))
    first, second = (run.record for run in runs)
    assert first.key == second.key
    assert first.key.subset == "common-ids=2"
    assert [rows_of(run).ids for run in runs] == [("2", "3"), ("2", "3")]
    assert first.counts.model_dump() == {"planned": 2, "scored": 2, "failed": 0, "available": 4}
    expected = caption_scores([REFERENCES[2], REFERENCES[3]], [CAPTIONS[2], "food"])
    assert second.estimate("cider").value == pytest.approx(expected["cider"], abs=1e-12)
    (own,) = score(captions(), a=results(2, 3))
    assert own.record.key.column("cider") != first.key.column("cider")


def test_common_ids_of_files_without_a_common_sample(captions, score, tmp_path: Path) -> None:
    with pytest.raises(NothingMeasured, match="no sample in common"):
        score(captions(), common_ids=True, a=results(1, 2), b=results(3))
    assert not (tmp_path / "runs").exists()


def test_a_result_that_cannot_be_scored_is_counted_and_not_scored(score, tmp_path: Path) -> None:
    """It changes no number: the others have those of a file without it; the record is partial and says why."""
    sure = [{"image": f"v{i}", "answerable": c} for i, c in enumerate((0.1, 0.8, 0.6))]
    broken = {"image": "v3", "answerable": float("nan")}
    with_it, without = score(vizwiz(tmp_path), a=[*sure, broken], b=sure)
    record = with_it.record
    assert record.counts.model_dump() == {"planned": 4, "scored": 3, "failed": 1, "available": 4}
    assert record.status == "partial"
    ((failed, reason),) = [(failure.id, failure.reason) for failure in record.failures]
    assert failed == "v3"
    assert "no finite confidence" in reason
    assert rows_of(with_it).ids == ("v0", "v1", "v2")
    values = [[e.value for e in run.record.estimates if not e.tag] for run in (with_it, without)]
    assert values[0] == values[1]
    assert "1 of 4 samples failed" in "".join(summary(record))


def test_nothing_can_be_scored(score, tmp_path: Path) -> None:
    broken = [{"image": f"v{i}", "answerable": float("inf")} for i in range(2)]
    with pytest.raises(SampleError, match=r"None of the 2 results of .*a\.json can be scored: .*'v0'"):
        score(vizwiz(tmp_path), a=broken)


def test_the_image_is_the_unit_of_resampling(score, tmp_path: Path) -> None:
    """Two questions about one image are one group, and types of answers are slices."""
    plain = {"question_type": "what", "answers": ANSWERS}
    content = {
        "annotations": [
            plain | {"question_id": q, "image_id": image, "answer_type": kind}
            for q, image, kind in ((1, 7, "other"), (2, 7, "number"), (3, 8, "other"))
        ]
    }
    (tmp_path / "vqa.json").write_text(json.dumps(content))
    suite = open_suite("vqa-v2", SuiteChoice(annotations=tmp_path / "vqa.json"))
    answers = ((1, "red"), (2, "blue"), (3, "Red."))  # the last is wrong: unanimous answers are not normalised
    (run,) = score(suite, a=[{"question_id": q, "answer": text} for q, text in answers])
    overall = run.record.estimate("vqa_accuracy")
    assert (overall.value, overall.n, overall.groups) == (pytest.approx(1 / 3), 3, 2)
    assert run.record.estimate("vqa_accuracy", tag="answer_type", value="number").value == 0
    assert rows_of(run).groups == ("7", "7", "8")


def test_a_subset_in_the_reference_holds(captions, score) -> None:
    """Only its samples are scored, and the key names it; one that holds everything is no subset."""
    (part,) = score(captions("caption-coco#n=2,seed=1"), a=results(1, 2, 3, 4))
    assert part.record.counts.model_dump() == {"planned": 2, "scored": 2, "failed": 0, "available": 2}
    assert part.record.key.subset == "n=2,seed=1"
    (whole,) = score(captions("caption-coco#n=4,seed=1"), a=results(1, 2, 3, 4))
    assert (whole.record.key.subset, whole.record.counts.scored) == ("", 4)
    chosen = set(map(int, rows_of(part).ids))
    with pytest.raises(NothingMeasured, match="name no sample of the subset"):
        score(captions("caption-coco#n=2,seed=1"), a=results(*(set(CAPTIONS) - chosen)))


def test_records_are_loaded_again_and_ranked(captions, score, tmp_path: Path) -> None:
    """What lies on disk is a run like any other: found, read, checked against its rows, ranked best first."""
    made = score(captions(), good=results(1, 2, 3, 4), bad=results(1, 2, 3, 4, c1="x", c2="y", c3="z", c4="w"))
    found = find_runs([tmp_path / "runs"])
    assert {run.record.id for run in found} == {run.record.id for run in made}
    for run in made:
        assert load_record(run.folder) == run.record
        assert run.record.id == run.folder.name
        assert rows_of(run).values["captions"].shape == (4, 13)
    folders = {run.record.id: run.folder for run in found}
    (table,) = leaderboard([r.record for r in found], lambda record: load_rows(folders[record.id], record)).tables
    assert [row.record.model.name for row in table.rows] == ["good", "bad"]
    ranks = [next(cell.rank for cell in row.cells if cell.rank) for row in table.rows]
    assert ranks[0][0] == 1
    assert all(low <= high for low, high in ranks)


def test_the_same_file_twice_in_one_second(captions, score) -> None:
    """Each scoring has a folder of its own, and the same numbers to the last digit."""
    first, second = (score(captions(), a=results(1, 2))[0] for _ in range(2))
    assert first.folder != second.folder
    assert first.record.estimates == second.record.estimates
    assert first.record.key == second.record.key
    np.testing.assert_array_equal(rows_of(first).values["captions"], rows_of(second).values["captions"])


def test_images_without_detections_are_scored(score, tmp_path: Path) -> None:
    """As by the official scorer: what a detector leaves out it did not find. Objects are ragged rows."""
    box = {"category_id": 1, "bbox": [0, 0, 40, 40]}
    content = {
        "images": [{"id": i, "height": 50, "width": 50} for i in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [box | {"id": i, "image_id": i, "area": 1600} for i in (1, 2)],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    suite = open_suite("det-coco", SuiteChoice(annotations=tmp_path / "boxes.json"))
    (run,) = score(suite, a=[box | {"image_id": 1, "score": 0.9}])
    assert run.record.counts.model_dump() == {"planned": 2, "scored": 2, "failed": 0, "available": 2}
    assert run.record.estimate("ar_100").value == 0.5
    assert run.record.estimate("ap_small_100").value is None
    assert run.record.estimate("class_ap_100", label="cat").value == run.record.estimate("ap_100").value
    assert len(rows_of(run).values["coco_boxes"]) == 2


def test_a_broken_file_stores_nothing(captions, score, tmp_path: Path) -> None:
    """All files are read before any is scored."""
    with pytest.raises(LoadError, match="name '9', which suite 'caption-coco' does not have"):
        score(captions(), a=results(1), b=[{"image_id": 9, "caption": "a"}])
    assert not (tmp_path / "runs").exists()


def test_a_source_that_cannot_do_without_inputs(opened, score) -> None:
    with pytest.raises(UsageError, match="'toy' has no result files"):
        score(opened(), a=[])

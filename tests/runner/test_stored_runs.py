"""``predictions:FILE`` in a run gives what ``mmbench score`` gives: rows, key, estimates and counts."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.cli.main import main
from mmbench.core.errors import LoadError, NothingMeasured, UsageError
from mmbench.core.record import NOT_EXECUTED
from mmbench.core.sample import Batch
from mmbench.runner.measure import RunOptions, measure, now, prepare
from mmbench.runner.model_check import check_model, exit_code
from mmbench.runner.result_files import ScoreOptions, score_files
from mmbench.runner.suites import OpenedSuite, SuiteChoice, open_suite
from mmbench.selftest.scores import DATA, FILES
from mmbench.store import StoredRun, load_rows

TEN = [{"answer": "red"}] * 10
JOINTS = [number for i in range(17) for number in (10 + 2 * i, 8 + i, 2)]
PERSON = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "num_keypoints": 17, "keypoints": JOINTS}
# Suite -> annotations and results, in the official layouts of which no shipped file exists.
SMALL: dict[str, tuple[Any, Any]] = {
    "vqa-textvqa": (
        {"data": [{"question_id": i, "image_id": "a", "question": "?", "answers": ["stop"] * 10} for i in (7, 8)]},
        [{"question_id": 8, "answer": "stop"}, {"question_id": 7, "answer": "go"}],
    ),
    "vqa-okvqa": (
        {"annotations": [{"question_id": i, "image_id": 3, "answer_type": "other", "answers": TEN} for i in (7, 8)]},
        [{"question_id": 8, "answer": "red"}, {"question_id": 7, "answer": "go"}],
    ),
    "vqa-gqa": (
        {
            f"0{i}": {
                "imageId": "n1",
                "question": "?",
                "answer": "yes",
                "isBalanced": True,
                "types": {"structural": "verify"},
            }
            for i in range(3)
        },
        [{"questionId": "02", "prediction": "yes"}, {"questionId": "00", "prediction": "no"}],
    ),
    "vqa-vizwiz": (
        [
            {"image": f"v{i}.jpg", "question": "?", "answer_type": "other", "answerable": 1, "answers": TEN}
            for i in range(3)
        ],
        [{"image": f"v{i}.jpg", "answer": text} for i, text in ((2, "red"), (0, "blue"))],
    ),
    "vqa-vizwiz-answerability": (
        [{"image": f"v{i}", "question": "?", "answerable": i % 2, "answers": TEN} for i in range(4)],
        [{"image": f"v{i}", "answerable": i / 5} for i in (3, 2, 1, 0)],
    ),
    "det-coco-keypoints": (
        {
            "images": [{"id": 1, "height": 50, "width": 50}, {"id": 2, "height": 50, "width": 50}],
            "categories": [{"id": 1, "name": "person", "keypoints": [f"k{i}" for i in range(17)]}],
            "annotations": [PERSON | {"bbox": [10, 8, 34, 18], "area": 612}],
        },
        [{"image_id": 1, "category_id": 1, "keypoints": JOINTS, "score": 0.9}],
    ),
}


def run(suite: OpenedSuite, file: Path, folder: Path) -> StoredRun:
    options = RunOptions(results=folder, draws=100, batch_size=3)
    return measure(prepare(suite, f"predictions:{file}", options), options, lambda _: None)


def assert_equal(suite: OpenedSuite, file: Path, folder: Path) -> StoredRun:
    """Runs and scores the file, and compares all but times and ids."""
    (scored,) = score_files(suite, [file], ScoreOptions(folder / "scored", 100), now)
    found = run(suite, file, folder / "run")
    for name in ("model", "key", "estimates", "bounds", "counts", "status", "failures", "execution"):
        assert getattr(found.record, name) == getattr(scored.record, name), name
    assert found.record.cost.ms_per_item is None
    assert found.record.rows == scored.record.rows  # the file's digest
    return found


@pytest.mark.parametrize("suite", FILES)
def test_official_files_give_the_rows_of_score(suite: str, tmp_path: Path) -> None:
    """Captions, answers, boxes and masks."""
    annotations, results = FILES[suite]
    assert_equal(open_suite(suite, SuiteChoice(annotations=DATA / annotations)), DATA / results, tmp_path)


@pytest.mark.parametrize("suite", SMALL)
def test_other_official_layouts_give_the_rows_of_score(suite: str, tmp_path: Path) -> None:
    """Questions, one of them not answered; whether there is an answer; key points."""
    files = [tmp_path / name for name in ("truth.json", "results.json")]
    for file, content in zip(files, SMALL[suite], strict=True):
        file.write_text(json.dumps(content))
    assert_equal(open_suite(suite, SuiteChoice(annotations=files[0])), files[1], tmp_path)


@pytest.mark.parametrize(
    ("suite", "folder", "annotations", "results"),
    [
        ("caption-coco", "coco_captions", "", "results/captions_val2014_magic_results.json"),
        ("det-coco", "coco_instances", "instances_val2014_100", "results/instances_val2014_fakebbox100_results.json"),
    ],
)
def test_real_files_give_the_rows_of_score(
    suite: str, folder: str, annotations: str, results: str, tmp_path: Path, data_root: Callable[[str], Path]
) -> None:
    """A captioning system of the literature, which leaves out 18 images, and the demo of COCO."""
    root = data_root(folder)
    file = root / "annotations" / f"{annotations}.json" if annotations else None
    assert_equal(open_suite(suite, SuiteChoice(roots={"": root}, annotations=file)), root / results, tmp_path)


def captions() -> OpenedSuite:
    return open_suite("caption-coco", SuiteChoice(annotations=DATA / "captions.json"))


def ids_of(suite: OpenedSuite) -> list[str]:
    return list(suite.source.ids)


def test_captions_by_id_are_those_of_the_official_file(tmp_path: Path) -> None:
    """JSON ``{id: caption}`` and CSV give the rows of the official list; commas and line ends are kept in CSV."""
    suite = captions()
    texts = {i: f"a cat, and a dog\n{n}" for n, i in enumerate(ids_of(suite))}
    official, by_id, table = (tmp_path / name for name in ("list.json", "by_id.json", "table.csv"))
    official.write_text(json.dumps([{"image_id": int(i), "caption": text} for i, text in texts.items()]))
    by_id.write_text(json.dumps(texts))
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "caption"], *texts.items()])
    rows = [load_rows((one := run(suite, file, tmp_path)).folder, one.record) for file in (official, by_id, table)]
    for other in rows[1:]:
        assert other.ids == rows[0].ids
        np.testing.assert_array_equal(other.values["captions"], rows[0].values["captions"])


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", '{"1": "x", "1": "y"}', "holds the key '1' twice"),
        ("a.json", '{"1": 3}', r"hold 3 for '1'; expected a text \(caption\)"),
        ("a.json", '{"nobody": "x"}', "name 'nobody', which suite 'caption-coco' does not have"),
        ("a.json", "{}", "hold no prediction"),
        ("a.json", '[{"image_id": 1, "caption": "x"}, {"image_id": 1, "caption": "x"}]', "name image '1' twice"),
        ("a.csv", "id,caption\n1,x\n1,y\n", "name sample '1' twice"),
        ("a.csv", "id,answer\n1,x\n", "has the columns id, answer; expected id and caption"),
        ("a.csv", "id,caption\n1\n", "Line 2 of .* has 1 fields; expected 2"),
        ("a.csv", "1,a cat\n", "begins with '1, a cat'; expected id"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(name: str, content: str, sentence: str, tmp_path: Path) -> None:
    """The same of a run and of score; nothing is stored."""
    file = tmp_path / name
    file.write_text(content)
    suite = captions()
    for attempt in (lambda: run(suite, file, tmp_path / "runs"), lambda: score_files(suite, [file], SCORE, now)):
        with pytest.raises(LoadError, match=sentence) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


SCORE = ScoreOptions(Path("never"), 100)


def test_only_named_samples_are_measured(tmp_path: Path) -> None:
    suite = captions()
    first = ids_of(suite)[0]
    file = tmp_path / "one.json"
    file.write_text(json.dumps({first: "a cat"}))
    found = assert_equal(suite, file, tmp_path)
    counts = found.record.counts
    assert (counts.planned, counts.scored, counts.available) == (1, 1, len(ids_of(suite)))
    assert found.record.execution == NOT_EXECUTED


def test_a_subset_that_the_file_does_not_name_is_nothing(tmp_path: Path) -> None:
    """One image of a subset of one: measured where the file names it, refused where it names another."""
    part = open_suite("caption-coco#n=1,seed=0", SuiteChoice(annotations=DATA / "captions.json"))
    (chosen,) = prepare(part, f"predictions:{DATA / 'captions_results.json'}", RunOptions()).plan.ids
    file = tmp_path / "one.json"
    file.write_text(json.dumps({chosen: "a cat"}))
    assert_equal(part, file, tmp_path)
    file.write_text(json.dumps({next(i for i in ids_of(captions()) if i != chosen): "a cat"}))
    with pytest.raises(NothingMeasured, match="name no sample of the subset; leave out its limit"):
        run(part, file, tmp_path)


def test_changed_inputs_and_stored_answers_contradict(tmp_path: Path) -> None:
    choice = SuiteChoice(annotations=DATA / "captions.json", conditions=("noise:image=3",))
    with pytest.raises(UsageError, match="Stored predictions do not change with their inputs; leave out --condition"):
        run(open_suite("caption-coco", choice), DATA / "captions_results.json", tmp_path)


def test_a_file_is_checked_as_a_model(tmp_path: Path) -> None:
    """Eight samples without their pictures; every finding is fine."""
    prepared = prepare(captions(), f"predictions:{DATA / 'captions_results.json'}", RunOptions(batch_size=8))
    findings = check_model(prepared)
    assert exit_code(findings) == 0
    assert {"answers", "the same batch again"} <= {finding.name for finding in findings}


SCORES = {
    "scores.csv": lambda ids, classes, scores: "\n".join(
        [
            ",".join(["id", *classes[::-1]]),
            *(",".join([i, *map(repr, row[::-1])]) for i, row in zip(ids, scores, strict=True)),
        ]
    ),
    "scores.json": lambda ids, _classes, scores: json.dumps(dict(zip(ids, scores, strict=True))),
    "named.json": lambda ids, classes, scores: json.dumps(
        {i: dict(zip(classes, row, strict=True)) for i, row in zip(ids, scores, strict=True)}
    ),
}


def test_class_scores_in_every_form_are_those_of_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The oracle's answers, stored and read again, give its rows, in its own column, from the command line."""
    suite = open_suite("cls-it", SuiteChoice({"tier": "smoke"}, limit=12))
    flags = ["--suite", "cls-it", "--tier", "smoke", "--limit", "12", "--draws", "100", "-o", str(tmp_path / "runs")]
    options = RunOptions(results=tmp_path / "oracle", draws=100)
    oracle = measure(prepare(suite, "oracle:joint", options), options, lambda _: None)
    model = prepare(suite, "oracle:joint", options)
    ids, classes = list(model.plan.ids), list(suite.source.classes)
    samples = [suite.source.load(i) for i in ids]
    answers = model.model.predict(Batch.of(samples, suite.spec.modalities, spatial=False))
    table = np.stack([one.scores for one in answers])
    scores = [[float(x) for x in row] for row in table]
    for name, write in SCORES.items():
        (tmp_path / name).write_text(write(ids, classes, scores))
    np.savez(tmp_path / "arrays.npz", ids=np.array(ids), scores=table)
    np.save(tmp_path / "array.npy", table)
    (tmp_path / "array.txt").write_text("\n".join(ids) + "\n")
    files = [*SCORES, "arrays.npz", "array.npy"]
    models = [flag for name in files for flag in ("--model", f"predictions:{tmp_path / name}")]
    assert main(["run", *flags, *models, "--json"]) == 0
    found = [one["record"] for one in json.loads(capsys.readouterr().out)["runs"]]
    assert len(found) == len(files)
    for record in found:
        assert record["key"] == oracle.record.key.model_dump(mode="json")
        values = [(e["metric"], e["slice"], e["value"]) for e in record["estimates"]]
        assert values == [(e.metric, e.slice, e.value) for e in oracle.record.estimates]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "id,cup\n", "has the columns id, cup; expected id and the classes of the suite"),
        ("a.json", '{"x": [1]}', r"hold \[1\] for 'x'; expected the scores of the \d+ classes"),
        ("a.json", "[1]", "must be an object with the scores by sample id"),
        ("a.npy", "no array", "needs its ids, one per line, in .*a.txt"),
        ("a.npz", "no archive", r"expected arrays ids \[N\] and scores \[N,C\]"),
    ],
)
def test_broken_class_scores_are_one_sentence(name: str, content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    suite = open_suite("cls-it", SuiteChoice({"tier": "smoke"}, limit=12))
    with pytest.raises(LoadError, match=sentence):
        run(suite, tmp_path / name, tmp_path)

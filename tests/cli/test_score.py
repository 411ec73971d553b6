"""``mmbench score`` on real results: the published and official figures, to the digit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbench.cli.main import main

Root = Callable[[str], Path]
NAMES = ("bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider")
# pycocoevalcap 1.2 on these files: images, BLEU 1-4, ROUGE-L, CIDEr.
CAPTIONS = {
    "magic": (4982, 0.568203, 0.357640, 0.214166, 0.128778, 0.398795, 0.492887),
    "vinvlbase": (5000, 0.780589, 0.627228, 0.491017, 0.381838, 0.592520, 1.292582),
    "clipre": (4982, 0.394922, 0.196145, 0.096054, 0.049007, 0.289658, 0.136178),
    "contrastive": (5000, 0.394511, 0.151917, 0.067960, 0.029763, 0.307604, 0.076507),
    "topk1": (5000, 0.338468, 0.139848, 0.054480, 0.024305, 0.256915, 0.038833),
}
# Official vqaEval.py on minival: overall, yes/no, number, other.
ANSWERS = {
    "qtypeprior": (32.9943, 63.9871, 27.1065, 8.9909),
    "prefix4prior": (34.1205, 62.2260, 27.6662, 13.4199),
    "human1": (87.2229, 96.9969, 87.3033, 77.8001),
}
FIGURES = ("ap_100", "ap50_100", "ap75_100", "ap_small_100", "ap_medium_100", "ap_large_100")
FIGURES += ("ar_1", "ar_10", "ar_100", "ar_small_100", "ar_medium_100", "ar_large_100")
# faster_coco_eval's and pycocotools' own tests of the 100 fake results.
OBJECTS = {
    ("det-coco", "bbox", ""): (
        *(0.504581, 0.696973, 0.572982, 0.585626, 0.519400, 0.501398),
        *(0.386813, 0.593680, 0.595353, 0.639811, 0.566421, 0.564291),
    ),
    ("det-coco-segm", "segm", "segm_"): (
        *(0.319545, 0.562288, 0.298927, 0.387374, 0.310183, 0.326934),
        *(0.268230, 0.415449, 0.416839, 0.469450, 0.376759, 0.381472),
    ),
}


def scored(tmp_path: Path, *arguments: str) -> list[dict]:
    assert main(["score", *arguments, "--draws", "100", "-o", str(tmp_path)]) == 0
    return [json.loads(file.read_text()) for file in sorted(tmp_path.glob("*/record.json"))]


def value(record: dict, metric: str, part: str = "") -> float:
    (found,) = (e for e in record["estimates"] if (e["metric"], e["slice"], e["label"]) == (metric, part, ""))
    assert found["low"] <= found["high"]
    return found["value"]


@pytest.mark.parametrize("system", CAPTIONS)
def test_captions_of_real_systems(system: str, tmp_path: Path, data_root: Root, capsys) -> None:
    root = data_root("coco_captions")
    results = root / "results" / f"captions_val2014_{system}_results.json"
    (record,) = scored(tmp_path, "--suite", "caption-coco", "--data-root", str(root), "-p", str(results))
    images, *figures = CAPTIONS[system]
    assert record["counts"]["scored"] == images
    assert [value(record, name) for name in NAMES] == pytest.approx(figures, abs=5.1e-7)
    assert (f"{images:,} of 5,000 samples" in capsys.readouterr().out) == (images < 5000)


@pytest.mark.parametrize("system", ANSWERS)
def test_answers_of_real_people_and_priors(system: str, tmp_path: Path, data_root: Root) -> None:
    root = data_root("vqa_v2")
    results = root / "Results" / f"v2_OpenEnded_mscoco_train2014_minival_{system}_results.json"
    flags = ["--suite", "vqa-v2", "--set", "set=train2014_minival", "--data-root", str(root)]
    (record,) = scored(tmp_path, *flags, "-p", str(results))
    found = [value(record, "vqa_accuracy", part) for part in ("", "yes/no", "number", "other")]
    assert [100 * one for one in found] == pytest.approx(ANSWERS[system], abs=5.1e-5)
    (overall,) = (e for e in record["estimates"] if not e["slice"])
    assert (overall["n"], overall["groups"]) == (8977, 8260)  # the image is the unit of resampling


@pytest.mark.parametrize(("suite", "kind", "prefix"), OBJECTS)
def test_objects_of_the_official_demo(suite: str, kind: str, prefix: str, tmp_path: Path, data_root: Root) -> None:
    root = data_root("coco_instances")
    annotations = root / "annotations" / "instances_val2014_100.json"
    results = root / "results" / f"instances_val2014_fake{kind}100_results.json"
    (record,) = scored(tmp_path, "--suite", suite, "--annotations", str(annotations), "-p", str(results))
    found = [value(record, f"{prefix}{name}") for name in FIGURES]
    assert found == pytest.approx(OBJECTS[suite, kind, prefix], abs=1e-6)


def test_unequal_sets_of_images_stand_in_columns_of_their_own(tmp_path: Path, data_root: Root, capsys) -> None:
    """magic covers 4,982 images, vinvlbase all: with --common-ids they are measured on the same ones."""
    root = data_root("coco_captions")
    files = [root / "results" / f"captions_val2014_{system}_results.json" for system in ("magic", "vinvlbase")]
    flags = ["--suite", "caption-coco", "--data-root", str(root), "-p", str(files[0]), "-p", str(files[1])]
    first, second = scored(tmp_path / "own", *flags)
    assert first["key"]["ids"] != second["key"]["ids"]
    assert "not shown in one column" in capsys.readouterr().out or first["key"]["data"] != second["key"]["data"]
    first, second = scored(tmp_path / "common", *flags, "--common-ids", "--csv", str(tmp_path / "board.csv"))
    assert first["key"] == second["key"]
    assert first["key"]["subset"] == "common-ids=4982"
    assert "captions_val2014_magic_results" in (tmp_path / "board.csv").read_text()


def test_it_needs_no_torch_and_no_pandas(tmp_path: Path) -> None:
    """The light install scores result files."""
    from mmbench.selftest.scores import DATA

    arguments = ["score", "--suite", "caption-coco", "--annotations", str(DATA / "captions.json")]
    arguments += ["-p", str(DATA / "captions_results.json"), "-o", str(tmp_path)]
    heavy = "('torch', 'pandas', 'matplotlib', 'transformers', 'torchmetrics')"
    code = (
        f"import sys; from mmbench.cli.main import main\ncode = main({arguments!r})\n"
        f"print(code, [m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "0 []\n"


def test_json_is_all_that_is_printed(tmp_path: Path, capsys) -> None:
    from mmbench.selftest.scores import DATA

    arguments = ["score", "--suite", "vqa-v2", "--annotations", str(DATA / "vqa.json")]
    assert main([*arguments, "-p", str(DATA / "vqa_results.json"), "-o", str(tmp_path), "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert value(run["record"], "vqa_accuracy") == pytest.approx(0.72, abs=1e-12)

"""Caption scores: official and published figures, and the laws of rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import NothingMeasured, SampleError, UsageError
from mmbench.metrics.bleu import bleu
from mmbench.metrics.captions import CaptionRows, caption_rows, caption_scores
from mmbench.metrics.cider import document_frequencies
from mmbench.text.ptb import tokenize_lines

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "dd", "e"]), max_size=7).map(" ".join)
IMAGES = st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=4))
CORPORA = st.lists(IMAGES, min_size=1, max_size=5)
Corpus = list[tuple[str, list[str]]]

NAMES = {f"Bleu_{n}": f"bleu_{n}" for n in (1, 2, 3, 4)} | {"ROUGE_L": "rouge_l", "CIDEr": "cider"}
# pycocoevalcap 1.2 on the real result files, as listed with the data: Bleu_1..4, ROUGE_L, CIDEr.
COMPUTED = {
    "magic": [0.568203, 0.357640, 0.214166, 0.128778, 0.398795, 0.492887],
    "vinvlbase": [0.780589, 0.627228, 0.491017, 0.381838, 0.592520, 1.292582],
    "clipre": [0.394922, 0.196145, 0.096054, 0.049007, 0.289658, 0.136178],
    "contrastive": [0.394511, 0.151917, 0.067960, 0.029763, 0.307604, 0.076507],
    "topk1": [0.338468, 0.139848, 0.054480, 0.024305, 0.256915, 0.038833],
}


def rows_of(corpus: Corpus, **options: Any) -> CaptionRows:
    return caption_rows([texts for _, texts in corpus], [candidate for candidate, _ in corpus], **options)


def tables(rows: CaptionRows) -> np.ndarray:
    """float64 [n,12] of all rows."""
    return np.column_stack([rows.bleu, rows.rouge_l, rows.cider])


def captions(root: Path, system: str) -> tuple[list[list[str]], list[str]]:
    """Raw references and captions of the images that a result file names."""
    annotations = json.loads((root / "annotations/captions_val2014_karpathy_test.json").read_text(encoding="utf-8"))
    texts: dict[int, list[str]] = {}
    for entry in annotations["annotations"]:
        texts.setdefault(entry["image_id"], []).append(entry["caption"])
    results = json.loads((root / f"results/captions_val2014_{system}_results.json").read_text(encoding="utf-8"))
    return [texts[result["image_id"]] for result in results], [result["caption"] for result in results]


def as_lines(references: list[list[str]]) -> list[list[str]]:
    lines = iter(tokenize_lines([text for texts in references for text in texts]))
    return [[next(lines) for _ in texts] for texts in references]


@pytest.mark.parametrize("name", ["captions_coco_small", "captions_tricky"])
def test_official_figures(parity: Callable[[str], Path], name: str) -> None:
    """Tokens, corpus and per-image figures of the official scorer, on real and on odd captions."""
    official = json.loads(parity(f"{name}.json").read_text(encoding="utf-8"))
    references = [image["refs"] for image in official["images"]]
    candidates = [image["cand"] for image in official["images"]]
    assert as_lines(references) == official["tokenized"]["refs"]
    assert tokenize_lines(candidates) == official["tokenized"]["cands"]
    scores = caption_scores(references, candidates)
    assert scores == pytest.approx({ours: official["corpus"][theirs] for theirs, ours in NAMES.items()}, abs=1e-12)
    per_image(caption_rows(as_lines(references), tokenize_lines(candidates)), official["per_image"])


def per_image(rows: CaptionRows, official: dict[str, list[float]]) -> None:
    columns = [*bleu(rows.bleu.astype(np.float64)).T, rows.rouge_l, rows.cider]
    for theirs, column in zip(NAMES, columns, strict=True):
        assert column[: len(official[theirs])] == pytest.approx(official[theirs], abs=1e-12)


@pytest.mark.parametrize("system", sorted(COMPUTED))
def test_result_files(data_root: Callable[[str], Path], system: str) -> None:
    """Real systems on 5,000 images, to the digits printed."""
    scores = caption_scores(*captions(data_root("coco_captions"), system))
    assert list(scores.values()) == pytest.approx(COMPUTED[system], abs=5.1e-7)


def test_full_figures(data_root: Callable[[str], Path], parity: Callable[[str], Path]) -> None:
    """The same files, to 12 digits, with the first 50 images of each."""
    files = json.loads(parity("captions_coco_full_scores.json").read_text(encoding="utf-8"))["files"]
    assert len(files) == 4
    for name, official in files.items():
        system = name.removeprefix("captions_val2014_").removesuffix("_results.json")
        references, candidates = captions(data_root("coco_captions"), system)
        expected = {ours: official["corpus"][theirs] for theirs, ours in NAMES.items()}
        assert caption_scores(references, candidates) == pytest.approx(expected, abs=1e-12)
        rows = caption_rows(as_lines(references), tokenize_lines(candidates))
        per_image(rows, official["per_image_first"])


def test_published_counts(data_root: Callable[[str], Path]) -> None:
    """The n-gram counts that the authors of MAGIC printed."""
    references, candidates = captions(data_root("coco_captions"), "magic")
    sums = caption_rows(as_lines(references), tokenize_lines(candidates)).bleu.sum(axis=0)
    assert sums.tolist() == [47153, 42171, 37189, 32207, 26801, 9496, 2857, 902, 47153, 47168]


@given(CORPORA, CORPORA)
def test_merging(first: Corpus, second: Corpus) -> None:
    """With stated frequencies the rows of two runs are the rows of both, one after the other."""
    frequencies = document_frequencies([texts for _, texts in first])
    parts = [tables(rows_of(part, frequencies=frequencies)) for part in (first, second)]
    assert tables(rows_of(first + second, frequencies=frequencies)) == pytest.approx(np.concatenate(parts), abs=1e-12)


@given(CORPORA, st.randoms())
def test_order_of_images(corpus: Corpus, random: Any) -> None:
    """Images in another order: the same rows in that order, also with the document frequencies of the corpus."""
    order = list(range(len(corpus)))
    random.shuffle(order)
    shuffled = tables(rows_of([corpus[i] for i in order]))
    assert shuffled == pytest.approx(tables(rows_of(corpus))[order], abs=1e-12)


@given(CORPORA, st.data())
def test_weights_repeat(corpus: Corpus, data: st.DataObject) -> None:
    """BLEU of weighted rows is BLEU of a corpus in which images are repeated so often."""
    weights = data.draw(st.lists(st.integers(1, 3), min_size=len(corpus), max_size=len(corpus)))
    repeated = [image for image, weight in zip(corpus, weights, strict=True) for _ in range(weight)]
    weighted = np.array(weights, dtype=float) @ rows_of(corpus).bleu
    assert bleu(weighted).tolist() == bleu(rows_of(repeated).bleu.sum(axis=0).astype(float)).tolist()


@given(CORPORA, TEXTS, st.data())
def test_another_reference(corpus: Corpus, text: str, data: st.DataObject) -> None:
    """With stated frequencies one more reference changes its own image's rows at most, and lowers neither the correct
    n-grams nor ROUGE-L."""
    frequencies = document_frequencies([texts for _, texts in corpus])
    place = data.draw(st.integers(0, len(corpus) - 1))
    more = [(c, [*texts, text]) if i == place else (c, texts) for i, (c, texts) in enumerate(corpus)]
    before, after = rows_of(corpus, frequencies=frequencies), rows_of(more, frequencies=frequencies)
    others = [i for i in range(len(corpus)) if i != place]
    assert tables(after)[others] == pytest.approx(tables(before)[others], abs=1e-12)
    assert (after.bleu[:, 4:8] >= before.bleu[:, 4:8]).all()
    assert (after.rouge_l >= before.rouge_l - 1e-12).all()


def test_raw_captions() -> None:
    """Case and punctuation do not count; scores come by name."""
    scores = caption_scores([["A dog sat."], ["The cat, it ran!"]], ["a dog sat", "the cat it ran"])
    assert scores == pytest.approx(
        dict.fromkeys(["bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l"], 1) | {"cider": 8.75}
    )


@pytest.mark.parametrize(
    ("references", "candidates", "error", "message"),
    [
        ([["a"]], ["a", "b"], UsageError, "2 and 1"),
        ([["a"]], "a", UsageError, "captions are one text"),
        (["a"], ["a"], UsageError, "caption 0 are one text"),
        ([["a"], []], ["a", "b"], SampleError, "Caption 1 has no reference"),
        ([], [], NothingMeasured, "no caption"),
    ],
)
def test_mistakes(references: Any, candidates: Any, error: type[Exception], message: str) -> None:
    """A list that does not fit is named."""
    for score in (caption_rows, caption_scores):
        with pytest.raises(error, match=message):
            score(references, candidates)

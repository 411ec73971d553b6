"""Caption scores against pycocoevalcap: ratios of medians in one interleaved run, no wall-clock gate.

The real captions are needed; the peer (with Java) only for the ratios.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbench.metrics.bleu import bleu
from mmbench.metrics.captions import caption_rows, caption_scores
from mmbench.text import ptb
from mmbench.text.ptb import tokenize, tokenize_many

# Words off the trivial path of the tokenizer, put into every tenth caption.
ODD = ["it's", "(a sign)", '"stop"', "10:30 a.m.", "St. John", "#1", "1/2", "$5", "R&B", "N.Y.", "no. 5", "& co", "'n'"]
HOSTILE = ["a.+", "a..b.", "1,a,", "a@.", "www.+", "<!a", "<a b='", "1 1/2 ", "X. The ", "l'", "\xad", "犬", "&lt;a"]


@pytest.fixture
def captions(data_root: Callable[[str], Path]) -> tuple[list[list[str]], list[str]]:
    """Raw references and captions of the 5,000 images of the Karpathy test split."""
    root = data_root("coco_captions")
    annotations = json.loads((root / "annotations/captions_val2014_karpathy_test.json").read_text(encoding="utf-8"))
    texts: dict[int, list[str]] = {}
    for entry in annotations["annotations"]:
        texts.setdefault(entry["image_id"], []).append(entry["caption"])
    results = json.loads((root / "results/captions_val2014_vinvlbase_results.json").read_text(encoding="utf-8"))
    return [texts[result["image_id"]] for result in results], [result["caption"] for result in results]


def varied(captions: tuple[list[list[str]], list[str]], images: int) -> tuple[list[list[str]], list[str]]:
    """So many images with 5 references, made of real captions with three words exchanged in each."""
    references, candidates = captions
    vocabulary = sorted({word for texts in references for text in texts for word in text.split()})
    draw = random.Random(0)

    def vary(text: str) -> str:
        words = text.split()
        for _ in range(3):
            words[draw.randrange(len(words))] = draw.choice(vocabulary)
        if draw.random() < 0.1:
            words.insert(draw.randrange(len(words)), draw.choice(ODD))
        return " ".join(words)

    sources = [i % len(candidates) for i in range(images)]
    return [[vary(text) for text in references[i][:5]] for i in sources], [vary(candidates[i]) for i in sources]


def forget() -> None:
    """Each round begins as a new process does."""
    ptb._PIECES.clear()


def medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each call, in turns; each first forgets what our tokenizer remembers."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            forget()
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def peer_scores(references: list[list[str]], candidates: list[str]) -> dict[str, float]:
    """pycocoevalcap's tokenizer, BLEU, ROUGE-L and CIDEr."""
    tokenizer = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer").PTBTokenizer()
    texts = tokenizer.tokenize({i: [{"caption": t} for t in found] for i, found in enumerate(references)})
    own = tokenizer.tokenize({i: [{"caption": text}] for i, text in enumerate(candidates)})
    scores = pytest.importorskip("pycocoevalcap.bleu.bleu").Bleu(4).compute_score(texts, own, verbose=0)[0]
    rouge, _ = pytest.importorskip("pycocoevalcap.rouge.rouge").Rouge().compute_score(texts, own)
    cider, _ = pytest.importorskip("pycocoevalcap.cider.cider").Cider().compute_score(texts, own)
    return {f"bleu_{n + 1}": score for n, score in enumerate(scores)} | {"rouge_l": rouge, "cider": cider}


def test_tokenizer(benchmark, captions: tuple[list[list[str]], list[str]]) -> None:
    """30,000 real captions, nothing remembered."""
    references, candidates = captions
    texts = [text for found in references for text in found] + candidates
    found = benchmark.pedantic(lambda: tokenize_many(texts), setup=forget, rounds=5)
    benchmark.extra_info.update(captions=len(texts), remembered=len(ptb._PIECES))
    assert len(found) == 30_010


def test_scores(benchmark, captions: tuple[list[list[str]], list[str]]) -> None:
    """5,000 real images from raw captions to six figures."""
    scores = benchmark.pedantic(lambda: caption_scores(*captions), setup=forget, rounds=3)
    assert scores["cider"] == pytest.approx(1.292582, abs=1e-6)


def test_against_the_peer(captions: tuple[list[list[str]], list[str]]) -> None:
    """The same figures as pycocoevalcap in the same run; how many times as fast is printed with -s."""
    pytest.importorskip("pycocoevalcap")
    assert caption_scores(*captions) == pytest.approx(peer_scores(*captions), abs=1e-9)
    calls = {"mmbench": lambda: caption_scores(*captions), "pycocoevalcap": lambda: peer_scores(*captions)}
    seconds = medians(calls, rounds=3)
    print(f"5,000 images: {seconds}, {seconds['pycocoevalcap'] / seconds['mmbench']:.1f} times as fast")


@pytest.mark.slow
def test_many_images(benchmark, captions: tuple[list[list[str]], list[str]]) -> None:
    """40,504 images with 5 references, the size of val2014, with the highest memory of the process."""
    many = varied(captions, 40_504)
    scores = benchmark.pedantic(lambda: caption_scores(*many), setup=forget, rounds=1)
    benchmark.extra_info["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(benchmark.extra_info)
    assert scores["bleu_1"] > scores["bleu_4"] > 0


def test_thousand_draws(benchmark, captions: tuple[list[list[str]], list[str]]) -> None:
    """BLEU 1 to 4 and CIDEr of 1,000 bootstrap draws after one scoring."""
    references, candidates = captions
    rows = caption_rows([tokenize_many(texts) for texts in references], tokenize_many(candidates))
    images = len(candidates)
    weights = np.random.default_rng(0).multinomial(images, [1 / images] * images, size=1000).astype(np.float64)
    table = rows.bleu.astype(np.float64)
    scores, means = benchmark(lambda: (bleu(weights @ table), weights @ rows.cider / images))
    low, high = np.quantile(means, [0.025, 0.975])
    assert scores.shape == (1000, 4)
    assert low < rows.cider.mean() < high


@pytest.mark.parametrize("seed", HOSTILE)
def test_hostile(seed: str) -> None:
    """Four times the text takes some four times as long, not sixteen; seconds are of this process alone."""
    seconds = []
    for size in (25_000, 100_000):
        text = seed * (size // len(seed))
        start = time.process_time()
        tokenize(text)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 10 * seconds[0] + 0.1

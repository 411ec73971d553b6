"""VQA accuracy of as many questions as the validation set holds, against the rule done step by step; no gate."""

from __future__ import annotations

import json
import os
import random
import runpy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbench.metrics.vqa_accuracy import textvqa_accuracy, vizwiz_accuracy, vqa_accuracy

LITERAL = runpy.run_path(str(Path(__file__).parents[1] / "text" / "literal_vqa.py"))

QUESTIONS = 214_354
# The step-by-step rule is timed on every 50th question and scaled up: it keeps no memory, so its cost is the same.
STRIDE = 50

RULES = {"vqa": vqa_accuracy, "textvqa": textvqa_accuracy, "vizwiz": vizwiz_accuracy}


def real_answers() -> list[list[str]]:
    """The ten answers of each question of the minival part, or made ones where the real data is not there."""
    folder = Path(os.environ.get("MMBENCH_DATA", ""), "vqa_v2", "Annotations")
    path = folder / "v2_mscoco_train2014_minival_annotations.json"
    if "MMBENCH_DATA" in os.environ and path.exists():
        annotations = json.loads(path.read_text(encoding="utf-8"))["annotations"]
        return [[answer["answer"] for answer in annotation["answers"]] for annotation in annotations]
    chance = random.Random(0)
    words = [f"{colour} {thing}" for colour in ("red", "the blue", "two") for thing in map(str, range(2000))]
    return [chance.choices([*chance.sample(words, 3), "yes"], (1, 1, 1, 7), k=10) for _ in range(9000)]


def made_questions(seed: int) -> tuple[list[str], list[list[str]]]:
    """214,354 answers and ten answers each: real tens, in one of ten with three made ones; no text shared in memory."""
    chance = random.Random(seed)
    tens = real_answers()
    words = [answer for ten in tens for answer in ten]
    answers, truths = [], []
    for _ in range(QUESTIONS):
        ten = chance.choice(tens)
        if chance.random() < 0.1:
            ten = ten[:7] + [f"{chance.choice(words)} {chance.choice(words)}" for _ in range(3)]
        truths.append([own_copy(text) for text in ten])
        answers.append(own_copy(chance.choice(ten if chance.random() < 0.7 else words)))
    return answers, truths


def own_copy(text: str) -> str:
    """An equal text that is another object, as JSON parsing gives them."""
    return text.encode().decode()


def cpu_seconds(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each call; the calls take turns, so that a busy neighbour meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(found) for name, found in times.items()}


@pytest.mark.parametrize("rule", RULES)
def test_accuracy(benchmark, rule: str) -> None:
    """Same scores as the rule step by step; questions a second and the ratio are recorded and printed with -s."""
    answers, truths = made_questions(seed=0)
    some = slice(None, None, STRIDE)
    calls: dict[str, Callable[[], object]] = {
        "mmbench": lambda: RULES[rule](answers, truths),
        "literal": lambda: list(map(LITERAL[rule], answers[some], truths[some])),
    }
    # Only the first call meets texts whose hash is not known, as they come from a file.
    start = time.process_time()
    calls["mmbench"]()
    first = time.process_time() - start
    found = benchmark.pedantic(calls["mmbench"], rounds=1 if benchmark.disabled else 5)
    np.testing.assert_allclose(found[some], calls["literal"](), rtol=0, atol=1e-12)
    seconds = cpu_seconds(calls, rounds=1 if benchmark.disabled else 7)
    literal = seconds["literal"] * QUESTIONS / len(answers[some])
    benchmark.extra_info.update(
        {
            "CPU seconds": round(seconds["mmbench"], 3),
            "CPU seconds, first call": round(first, 3),
            "questions/s": round(QUESTIONS / seconds["mmbench"]),
            f"literal rule, CPU seconds (from every {STRIDE}th)": round(literal, 1),
            "times as fast": round(literal / seconds["mmbench"], 1),
        }
    )
    print(f"{rule}: {benchmark.extra_info}")

"""The official VQA rule step by step from its description, slow and without memory; for tests and the benchmark.

Only the table of contractions is the package's; the parity file and test_vqa_normalize.py check it.
"""

from __future__ import annotations

import re

from mmbench.text.vqa_contractions import CONTRACTIONS

MARKS = [";", "/", "[", "]", '"', "{", "}", "(", ")", "=", "+", "\\", "_", "-", ">", "<", "@", "`", ",", "?", "!"]
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def trim(text: str) -> str:
    for space in "\n\t":
        text = text.replace(space, " ")
    return text.strip()


def without_marks(text: str) -> str:
    left = text
    for mark in MARKS:
        touches_space = mark + " " in text or " " + mark in text
        if touches_space or re.search(r"(\d)(\,)(\d)", text) is not None:
            left = left.replace(mark, "")
        else:
            left = left.replace(mark, " ")
    return re.sub(r"(?!<=\d)(\.)(?!\d)", "", left, count=32)


def words(text: str) -> str:
    kept = []
    for word in text.lower().split():
        if word == "none":
            kept.append("0")
        elif word in DIGITS:
            kept.append(str(DIGITS.index(word)))
        elif word not in ("a", "an", "the"):
            kept.append(CONTRACTIONS.get(word, word))
    return " ".join(kept)


def normalize(text: str) -> str:
    return words(without_marks(trim(text)))


def normalize_textvqa(text: str) -> str:
    text = text.lower()
    for mark in (",", "?"):
        text = text.replace(mark, "")
    return words(without_marks(trim(text.replace("'s", " 's").strip())))


def leave_one_out(answer: str, annotators: list[dict]) -> float:
    accuracies = []
    for left_out in annotators:
        others = [other for other in annotators if other != left_out]
        matching = [other for other in others if other["answer"] == answer]
        accuracies.append(min(1, float(len(matching)) / 3))
    return float(sum(accuracies)) / len(accuracies)


def vqa(answer: str, given: list[str]) -> float:
    annotators = [{"answer": trim(text), "answer_confidence": "yes", "answer_id": i} for i, text in enumerate(given)]
    answer = trim(answer)
    if len({annotator["answer"] for annotator in annotators}) > 1:
        for annotator in annotators:
            annotator["answer"] = normalize(annotator["answer"])
        answer = normalize(answer)
    return leave_one_out(answer, annotators)


def textvqa(answer: str, given: list[str]) -> float:
    annotators = [{"answer": normalize_textvqa(text), "answer_id": i} for i, text in enumerate(given)]
    return leave_one_out(normalize_textvqa(answer), annotators)


def vizwiz(answer: str, given: list[str]) -> float:
    return leave_one_out(normalize(answer), [{"answer": text, "answer_id": i} for i, text in enumerate(given)])

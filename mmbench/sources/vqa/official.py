"""Annotated questions in the official layouts of VQA, OK-VQA, TextVQA, VizWiz and GQA."""

from __future__ import annotations

from pathlib import Path

from mmbench.core.errors import LoadError
from mmbench.sources.json_file import collector_paused, read_json
from mmbench.sources.vqa.entries import Entry, EntryFile
from mmbench.sources.vqa.questions import VqaQuestion, unique_questions


@collector_paused()
def read_vqa(annotations: Path, questions: Path | None = None) -> tuple[VqaQuestion, ...]:
    """Questions of VQA (v1, v2) or OK-VQA: ``..._annotations.json``, and the texts of ``..._questions.json`` if given.

    TextVQA and VizWiz rewritten in this layout are read too (image ids are texts there). Raises LoadError on malformed
    JSON (line and column), a missing field or answers, an id that occurs twice, or one that only one file holds.
    """
    texts = _question_texts(questions) if questions else {}
    file = EntryFile(str(annotations))
    entries = file.entries(read_json(annotations), "annotations")
    found = unique_questions((_vqa_question(file, entry, texts) for entry in entries), file.shown)
    if questions:
        _check_same(list(texts), [question.id for question in found], str(questions), file.shown)
    return found


@collector_paused()
def read_textvqa(path: Path) -> tuple[VqaQuestion, ...]:
    """Questions of ``TextVQA_0.5.1_<split>.json``: a list ``data``, the answers plain texts; raises as ``read_vqa``."""
    file = EntryFile(str(path))
    entries = file.entries(read_json(path), "data")
    return unique_questions((_textvqa_question(file, entry) for entry in entries), file.shown)


@collector_paused()
def read_vizwiz(path: Path) -> tuple[VqaQuestion, ...]:
    """Questions of VizWiz ``<split>.json``, a list; the image is also the question's id; raises as ``read_vqa``."""
    file = EntryFile(str(path))
    entries = file.entries(read_json(path), None)
    return unique_questions((_vizwiz_question(file, entry) for entry in entries), file.shown)


@collector_paused()
def read_gqa(path: Path, balanced: bool = True) -> tuple[VqaQuestion, ...]:
    """Questions of GQA ``<split>_questions.json``, an object by id; raises as ``read_vqa``.

    With ``balanced`` only those that GQA's ``eval.py`` scores (``isBalanced``). The question type is the structural
    one, the answer type "open" for queries and "binary" for the rest, as there.
    """
    file = EntryFile(str(path))
    by_id = file.entry(read_json(path, unique_keys=True), "The content")
    entries = (
        file.entry(entry, f"Question {question_id!r}") | {"questionId": question_id}
        for question_id, entry in by_id.items()
    )
    chosen = (entry for entry in entries if not balanced or file.flag(entry, "isBalanced"))
    return unique_questions((_gqa_question(file, entry) for entry in chosen), file.shown)


def _question_texts(path: Path) -> dict[str, str]:
    file = EntryFile(str(path))
    texts: dict[str, str] = {}
    for entry in file.entries(read_json(path), "questions"):
        question_id = file.identity(entry, "question_id")
        if question_id in texts:
            raise LoadError(f"The file {file.shown!r} holds question {question_id!r} twice; ids must be unique.")
        texts[question_id] = file.text(entry, "question")
    return texts


def _vqa_question(file: EntryFile, entry: Entry, texts: dict[str, str]) -> VqaQuestion:
    question_id = file.identity(entry, "question_id")
    return VqaQuestion(
        id=question_id,
        image=file.identity(entry, "image_id"),
        text=texts.get(question_id, ""),
        question_type=file.optional_text(entry, "question_type"),
        answer_type=file.optional_text(entry, "answer_type"),
        answers=file.answers(entry),
    )


def _textvqa_question(file: EntryFile, entry: Entry) -> VqaQuestion:
    return VqaQuestion(
        id=file.identity(entry, "question_id"),
        image=file.identity(entry, "image_id"),
        text=file.text(entry, "question"),
        question_type="",
        answer_type="",
        answers=file.answers(entry),
    )


def _vizwiz_question(file: EntryFile, entry: Entry) -> VqaQuestion:
    image = file.identity(entry, "image")
    label = file.number(entry, "answerable")
    if label not in (0, 1):
        raise LoadError(f"The entry with image {image!r} of {file.shown!r} has {label:g} as 'answerable', not 0 or 1.")
    return VqaQuestion(
        id=image,
        image=image,
        text=file.text(entry, "question"),
        question_type="",
        answer_type=file.optional_text(entry, "answer_type"),
        answers=file.answers(entry),
        answerable=bool(label),
    )


def _gqa_question(file: EntryFile, entry: Entry) -> VqaQuestion:
    types = entry.get("types")
    kind = file.optional_text(types, "structural") if isinstance(types, dict) else ""
    return VqaQuestion(
        id=file.identity(entry, "questionId"),
        image=file.identity(entry, "imageId"),
        text=file.text(entry, "question"),
        question_type=kind,
        answer_type={"": "", "query": "open"}.get(kind, "binary"),
        answers=(file.text(entry, "answer"),),
    )


def _check_same(asked: list[str], annotated: list[str], questions: str, annotations: str) -> None:
    lonely = set(asked) ^ set(annotated)
    if not lonely:
        return
    first = next(question_id for question_id in (*asked, *annotated) if question_id in lonely)
    holder, other = (questions, annotations) if first in asked else (annotations, questions)
    raise LoadError(f"Question {first!r} is in {holder!r} but not in {other!r}; take the two files of one split.")

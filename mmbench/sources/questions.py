"""The source ``vqa``: questions about images, in the files of VQA v1/v2, OK-VQA, TextVQA, VizWiz and GQA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from mmbench.core.errors import LoadError
from mmbench.core.registry import source
from mmbench.core.source import SourceRequest
from mmbench.sources.annotated import AnnotatedItem, AnnotatedSource
from mmbench.sources.annotation_file import filled, located, stamp_of
from mmbench.sources.decoding import Table
from mmbench.sources.opened import data_root, validated
from mmbench.sources.vqa.official import read_gqa, read_textvqa, read_vizwiz, read_vqa
from mmbench.sources.vqa.questions import VqaQuestion


class QuestionParams(Table):
    """``[source.params]``: the files under the root and where an image is.

    ``annotations``, ``questions`` (only of the format ``vqa``, and only needed where a model is asked) and ``image``
    are paths; ``{name}`` stands for a parameter of the suite, ``{split}`` for the split, ``{image}`` in ``image`` for
    the image's id (``{image:0>12}`` fills it up with zeros). ``answerable``: the target is VizWiz's label, not the
    answers. ``slices``: the tags that the questions get.
    """

    annotations: str
    questions: str | None = None
    format: Literal["vqa", "textvqa", "vizwiz", "gqa"] = "vqa"
    image: str = ""
    answerable: bool = False
    slices: tuple[Literal["answer_type", "question_type"], ...] = ("answer_type",)


@source("vqa")
class QuestionSource:
    """Questions about images with annotators' answers; the image is the unit of resampling."""

    @classmethod
    def open(cls, request: SourceRequest) -> AnnotatedSource:
        """Reads the files; raises LoadError when one is missing or malformed."""
        params = validated(QuestionParams, request.spec)
        root = data_root(request)
        file = located(root, params.annotations, request)
        texts = _questions_file(params, root, request)
        found = read_vqa(file, texts) if params.format == "vqa" else _READERS[params.format](file)
        items = tuple(_item(question, params, request, file) for question in found)
        return AnnotatedSource(root, items, stamp_of(file))


_READERS: Mapping[str, Callable[[Path], Sequence[VqaQuestion]]] = {
    "textvqa": read_textvqa,
    "vizwiz": read_vizwiz,
    "gqa": read_gqa,
}


def _questions_file(params: QuestionParams, root: Path, request: SourceRequest) -> Path | None:
    """None where there is no such file: results can be scored without the questions' texts."""
    if params.questions is None:
        return None
    try:
        return located(root, params.questions, request)
    except LoadError:
        return None


def _item(question: VqaQuestion, params: QuestionParams, request: SourceRequest, file: Path) -> AnnotatedItem:
    if params.answerable and question.answerable is None:
        raise LoadError(f"Question {question.id!r} of {str(file)!r} has no 'answerable'; take VizWiz's own file.")
    tags: dict[str, str] = {name: getattr(question, name) for name in params.slices}
    image = filled(params.image, request, image=question.image) if params.image else ""
    target = int(bool(question.answerable)) if params.answerable else question.answers
    kept = {name: value for name, value in tags.items() if value}
    # Without the questions' texts a sample has none, which is not the same as an empty question.
    return AnnotatedItem(question.id, target, image, question.text or None, question.image, kept)

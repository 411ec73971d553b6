"""Answers in the formats of VQA, OK-VQA, TextVQA, VizWiz (answers, or whether there is one) and GQA."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmbench.core.prediction import Prediction, Text
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec
from mmbench.sources.vqa.results import (
    read_gqa_results,
    read_vizwiz_answerability,
    read_vizwiz_results,
    read_vqa_results,
)

_READERS = {
    "vqa": read_vqa_results,
    "textvqa": read_vqa_results,
    "vizwiz": read_vizwiz_results,
    "gqa": read_gqa_results,
}


def read(path: Path, spec: SuiteSpec, source: Source) -> Mapping[str, Prediction]:  # noqa: ARG001
    """An answer, or the confidence that there is one, by question; raises LoadError as the readers of VQA files do."""
    params = spec.source.params
    if params.get("answerable"):
        return {key: Text(key, "", value) for key, value in read_vizwiz_answerability(path).items()}
    return {key: Text(key, answer) for key, answer in _READERS[params.get("format", "vqa")](path).items()}

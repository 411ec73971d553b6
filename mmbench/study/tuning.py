"""Random trials of tuning: their scores on disk, and what they say."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.core.errors import LoadError
from mmbench.study.settings import Settings, trials


@dataclass(frozen=True, slots=True)
class Tuned:
    """The settings that validated best, and the scores of all trials, None for one that failed.

    The defaults, and no scores, without tuning; the defaults as well where every trial failed.
    """

    settings: Settings = field(default_factory=Settings)
    scores: tuple[float | None, ...] = ()


def best(scores: tuple[float | None, ...]) -> Tuned:
    """The first of the best trials."""
    tried = list(trials(len(scores)))
    found = [score for score in scores if score is not None]
    return Tuned(tried[scores.index(max(found))] if found else Settings(), scores)


def read_score(file: Path) -> float | None:
    """The validation score of a trial, None if it was not done; raises LoadError when the file is damaged."""
    if not file.is_file():
        return None
    try:
        return float(json.loads(file.read_text(encoding="utf-8"))["validation"])
    except (ValueError, KeyError, TypeError) as error:
        raise LoadError(f"The trial {file} is damaged; delete it and study again.") from error


def write_score(file: Path, score: float) -> None:
    """Stores the validation score of a trial, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_text(json.dumps({"validation": score}), encoding="utf-8")
    part.replace(file)

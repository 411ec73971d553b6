"""Scores the files in ``data`` through the suites, and compares with what the official scorers gave for them.

The golden numbers come from pycocoevalcap 1.2 with its Java tokenizer (captions), from the rule of vqaEval.py worked
out by hand (answers), and from pycocotools 2.0.11 (boxes and masks).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmbench.runner.measure import now
from mmbench.runner.result_files import ScoreOptions, score_files
from mmbench.runner.suites import SuiteChoice, open_suite

DATA = Path(__file__).resolve().parent / "data"
TOLERANCE = 1e-9
# Suite -> annotations and results.
FILES = {
    "caption-coco": ("captions.json", "captions_results.json"),
    "vqa-v2": ("vqa.json", "vqa_results.json"),
    "det-coco": ("instances.json", "boxes_results.json"),
    "det-coco-segm": ("instances.json", "masks_results.json"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One number: what the official scorer gives, and what this install gives (None: undefined)."""

    suite: str
    metric: str
    expected: float
    found: float | None

    @property
    def right(self) -> bool:
        """Whether the two agree to 1e-9."""
        return self.found is not None and abs(self.found - self.expected) <= TOLERANCE


def check_scores() -> Iterator[Check]:
    """Every golden number with what this install gives."""
    golden = json.loads((DATA / "golden.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for suite, (annotations, results) in FILES.items():
            found = _scored(suite, annotations, results, Path(folder))
            for metric, expected in golden[suite].items():
                yield Check(suite, metric, expected, found.get(metric))


def _scored(suite: str, annotations: str, results: str, folder: Path) -> dict[str, float | None]:
    opened = open_suite(suite, SuiteChoice(annotations=DATA / annotations))
    options = ScoreOptions(results=folder, draws=100, argv=("mmbench", "selftest", "scores"))
    (run,) = score_files(opened, [DATA / results], options, now)
    return {e.metric: e.value for e in run.record.estimates if not (e.label or e.tag)}

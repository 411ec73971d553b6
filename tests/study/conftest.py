"""What the tests of studies share: made trainings that are right on made samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.core.errors import UsageError
from mmbench.core.key import ComparabilityKey, digest_of
from mmbench.core.metric import TaskContext
from mmbench.core.record import Cost, Counts, Execution, ModelRecord, RowsFile, RunRecord
from mmbench.metrics.classification import label_rows
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import estimates
from mmbench.stats.jackknife import Jackknife, leave_one_out
from mmbench.study import table as tables
from mmbench.study.bench import Place
from mmbench.study.cells import Finished
from mmbench.study.design import Cell, Control, Strategy
from mmbench.study.facts import CellFacts
from mmbench.study.forecast import Expected
from mmbench.study.settings import Settings
from mmbench.study.sizing import Size

MODALITIES = ("image", "text")


def shares(right: np.ndarray) -> tuple[Jackknife, ...]:
    """Trainings [K,n] that are right (1) or wrong (0) on n samples, as jackknives of their accuracy."""
    found = []
    for row in right.astype(np.float64):
        sums = leave_one_out(np.stack([row, np.ones(len(row))], axis=1))
        found.append(Jackknife(float(row.mean()), sums[:, 0] / sums[:, 1]))
    return tuple(found)


def drawn(rates: list[float], samples: int, seed: int) -> np.ndarray:
    """bool [K,n]: trainings that are right at these rates, on samples some of which are hard for all of them."""
    random = np.random.default_rng(seed)
    hard = random.uniform(size=samples)
    own = random.uniform(size=(len(rates), samples))
    return 0.5 * hard + 0.5 * own < np.array([_threshold(rate) for rate in rates])[:, None]


def _threshold(rate: float) -> float:
    """Where the mean of two uniforms is below with this probability."""
    return float(np.sqrt(rate / 2) if rate <= 0.5 else 1 - np.sqrt((1 - rate) / 2))


def measured(
    name: str,
    right: np.ndarray,
    *,
    control: Control = "",
    validation: float = 0.5,
    by_labels: tuple[tuple[int, float], ...] = (),
) -> tables.Measured:
    """A strategy whose trainings were right on these samples."""
    strategy = Strategy(name, name, MODALITIES, control)
    return tables.Measured(strategy, shares(right), validation, tables.Cost(100, 1000, 0.5), by_labels)


SAMPLES = 120
RATES = {"concat": 0.8, "feat_linear": 0.5, "gmu": 0.78, "only:image": 0.4, "only:text": 0.3}


@dataclass
class FakeBench:
    """Nothing is trained: a cell is right at the rate of its strategy.

    ``broken`` strategies fail in every cell, ``divergent`` ones in every trial but that of the defaults.
    """

    place: Place = field(default_factory=lambda: Place("toy@1", "frozen", MODALITIES, True, True))
    broken: tuple[str, ...] = ()
    divergent: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    stop_at: int = -1
    trained: list[Cell] = field(default_factory=list)
    prepared: int = 0

    def refusal(self, strategy: Strategy) -> str:
        return f"{strategy.name} does not serve toys." if strategy.name in self.refused else ""

    def size(self, strategy: Strategy, settings: Settings) -> Size:
        return Size(10, 10)

    def key(self, cell: Cell, settings: Settings) -> str:
        return digest_of([cell.strategy.name, cell.seed, cell.share, settings.rate])

    def encoders(self) -> int:
        return 1

    def expected(self, lines: Sequence[Strategy], always: bool = False) -> Expected:
        return Expected({line.name: 2.0 for line in lines}, 60.0)

    def prepare(self) -> None:
        self.prepared += 1

    def validated(self, cell: Cell, settings: Settings, folder: Path) -> float:
        self.trained.append(cell)
        if cell.strategy.name in self.divergent and settings.rate is not None:
            raise UsageError("The loss became nan; lower --lr.")
        return 0.5 if settings.rate is None else 0.5 + settings.rate

    def measured(
        self, cell: Cell, settings: Settings, folder: Path, earlier: Sequence[Finished]
    ) -> tuple[RunRecord, Rows]:
        if len(self.trained) == self.stop_at:
            self.stop_at = -1
            raise KeyboardInterrupt
        self.trained.append(cell)
        if cell.strategy.name in self.broken:
            raise UsageError("The loss became nan; lower --lr.")
        rate = RATES.get(cell.strategy.name, 0.35) * (0.6 + 0.4 * cell.share / 100)
        right = drawn([rate] * (cell.seed + 1), SAMPLES, seed=7)[cell.seed]
        return _record(cell, right, self.key(cell, settings))


def _record(cell: Cell, right: np.ndarray, key: str) -> tuple[RunRecord, Rows]:
    facts = CellFacts(
        cell=key, strategy=cell.strategy.name, control=cell.strategy.control, fusion=cell.strategy.fusion, options={},
        track=cell.track, seed=cell.seed, share=cell.share, labels=10 * cell.share, split="s", encoders={}, recipe={},
        fusion_parameters=10, validation=float(right.mean()), best_after=1, items_seen=32, train_seconds=0.1,
    )  # fmt: skip
    names = tuple(f"i{n}" for n in range(SAMPLES))
    table = label_rows(np.where(right, 1, 0), np.ones(SAMPLES, dtype=np.int64), 2)
    rows = Rows(names, names, ({},) * SAMPLES, {"class_labels": table})
    found = estimates(rows, ["accuracy"], TaskContext(("a", "b"), None), draws=100)
    model = ModelRecord(
        name=cell.strategy.name, locator="toy", task="classification", modalities=MODALITIES, digest=key,
        parameters=100, training=facts.as_training(),
    )  # fmt: skip
    comparable = ComparabilityKey(
        suite="toy", version=1, parameters={}, split="test", subset="", ids="i", data="d", condition="clean",
        inference={}, metrics={"accuracy": found[0].version},
    )  # fmt: skip
    record = RunRecord(
        id="", suite="toy@1", title="Toy", task="classification", primary="accuracy", classes=("a", "b"), model=model,
        status="ok", counts=Counts(planned=SAMPLES, scored=SAMPLES, failed=0), estimates=tuple(found),
        rows=RowsFile(file="", sha256=""), key=comparable,
        execution=Execution(batch_size=32, device="cpu", precision="fp32", threads=1),
        provenance=facts.as_provenance(),
        cost=Cost(ms_per_item=0.5, peak_rss_mib=1.0, seconds=0.1),
    )  # fmt: skip
    return record, rows


@pytest.fixture
def made() -> SimpleNamespace:
    """``drawn(rates, samples, seed)``, ``measured(name, right, ...)`` and ``FakeBench``."""
    return SimpleNamespace(drawn=drawn, measured=measured, FakeBench=FakeBench)

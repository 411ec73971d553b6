"""The bench on which the reference models are studied."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import torch

from mmbench.core.errors import UsageError
from mmbench.core.key import digest_of
from mmbench.core.record import Execution, ModelRecord, RunRecord
from mmbench.metrics.rows import Rows
from mmbench.models.assembled import FusionModel
from mmbench.models.checkpoint import weights_digest
from mmbench.models.data import collate
from mmbench.study import timing
from mmbench.study.bench import Place
from mmbench.study.blueprint import empty, fusion_parameters, places_of
from mmbench.study.cells import WEIGHTS, Finished
from mmbench.study.design import WHOLE, Cell, Strategy
from mmbench.study.facts import CellFacts
from mmbench.study.fitting import Fit, Fitter, save_weights
from mmbench.study.forecast import Expected
from mmbench.study.measuring import Trained
from mmbench.study.settings import Settings
from mmbench.study.sizing import Size

# Steps from which on a training takes much longer than to find out how long it takes.
_WORTH_TIMING = 100
# Bytes of one layer's output in a training step, on a CPU.
_LARGEST = 1 << 30
# Time is measured on so many items at once, the middle of so many repeats.
_TIMED, _REPEATS = 16, 3


@dataclass(frozen=True, slots=True)
class TorchBench:
    """Implements ``bench.Bench``; ``argv`` is what the user typed, for the records."""

    fitter: Fitter
    argv: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """What is studied."""
        return self.fitter.material.place

    def refusal(self, strategy: Strategy) -> str:
        """Why the strategy does not serve this suite; "" if it does."""
        try:
            model = empty(self.fitter.config(strategy, Settings()))
        except UsageError as error:
            return str(error)
        if strategy.control == "wide" and (reason := self._too_wide(model)):
            return reason
        if model.fusion.level == "inputs" and self.place.track == "frozen":
            return f"{strategy.name} joins inputs, of which there are no frozen features; use --track finetune."
        return ""

    def size(self, strategy: Strategy, settings: Settings) -> Size:
        """How large its fusion is, and how large it would be by itself."""
        return self.fitter.size(strategy, settings)

    def key(self, cell: Cell, settings: Settings) -> str:
        """Digest of all that the cell's bytes depend on."""
        return self.fitter.key(cell, settings)

    def encoders(self) -> int:
        """How many are still to be trained."""
        return sum(not stage.cached for stage in self.fitter.material.stages)

    def expected(self, lines: Sequence[Strategy], always: bool = False) -> Expected:
        """From a few steps of each; where trainings are as short as that, only if it is ``always`` wanted."""
        if not always and self.fitter.material.plan.recipe.steps < _WORTH_TIMING:
            return Expected()
        return timing.expected(self.fitter, lines)

    def prepare(self) -> None:
        """Trains encoders and encodes what is kept of them, and reads the truths of the test split."""
        self.fitter.material.prepare()

    def validated(self, cell: Cell, settings: Settings, folder: Path) -> float:
        """Trains, and gives the best validation score; the test split is not read."""
        state_file = folder / f"trial-{self.key(cell, settings)}.training"
        return self.fitter.fitted(cell, settings, state_file).score

    def measured(
        self, cell: Cell, settings: Settings, folder: Path, earlier: Sequence[Finished]
    ) -> tuple[RunRecord, Rows]:
        """Trains, keeps the weights in ``folder`` (frozen encoders left out), and measures once on the test split."""
        start = time.perf_counter()
        if cell.strategy.control == "ensemble":
            fit = self.fitter.ensemble(cell, earlier)
        else:
            fit = self.fitter.fitted(cell, settings, folder / "cell.training")
        facts = self._facts(cell, settings, fit, time.perf_counter() - start)
        save_weights(folder / WEIGHTS, fit.model, cell.track == "frozen")
        material = self.fitter.material
        answers = list(material.test_predictions(fit.model))
        milliseconds = self._timed(fit.model)
        record = _model_record(cell, fit.model, facts)
        trained = Trained(record, self._execution(), milliseconds, time.perf_counter() - start)
        made, rows = material.test.record(answers, trained, self.argv, datetime.now(UTC), self.fitter.draws)
        return made.model_copy(update={"provenance": {**made.provenance, **facts.as_provenance()}}), rows

    def _too_wide(self, model: FusionModel) -> str:
        """Where encoders count, on maps: as many parameters in an MLP at every place take gigabytes and hours."""
        plan, config = self.fitter.material.plan, model.config
        places, hidden = places_of(config), int(config.fusion_options["hidden"])
        size = 4 * plan.recipe.batch_size * places * hidden
        if plan.device.type != "cpu" or size <= _LARGEST:
            return ""
        return (
            f"{hidden:,} hidden units at each of {places:,} places would take {size / 1e9:.1f} GB in every layer and "
            "step; use a larger --stride, a smaller --batch-size, or a GPU."
        )

    def _execution(self) -> Execution:
        plan = self.fitter.material.plan
        threads, batch = torch.get_num_threads(), plan.recipe.batch_size
        return Execution(batch_size=batch, device=str(plan.device), precision="fp32", threads=threads)

    def _facts(self, cell: Cell, settings: Settings, fit: Fit, seconds: float) -> CellFacts:
        material, recipe = self.fitter.material, self.fitter.recipe(cell, settings)
        digests = material.encoder_digests
        return CellFacts(
            cell=self.key(cell, settings),
            strategy=cell.strategy.name,
            control=cell.strategy.control,
            fusion=cell.strategy.fusion,
            options=dict(fit.model.config.fusion_options),
            track=cell.track,
            seed=cell.seed,
            share=cell.share,
            origin=cell.origin,
            labels=fit.labels,
            split=material.split_stamp,
            encoders={m: digests[m] for m in cell.strategy.modalities if m in digests},
            recipe=recipe.model_dump(mode="json"),
            fusion_parameters=fusion_parameters(fit.model),
            validation=fit.score,
            best_after=fit.steps,
            items_seen=recipe.steps * recipe.batch_size if fit.steps else 0,
            train_seconds=seconds,
        )

    @torch.inference_mode()
    def _timed(self, model: FusionModel) -> float:
        """Milliseconds per item from inputs to answer, encoders included."""
        material = self.fitter.material
        items = material.items("test", model.modalities)
        group = [items.load(i) for i in material.test.ids[:_TIMED]]
        batch = collate(group, items.modalities, items.task).to(material.plan.device)
        times = [_seconds(model, batch.inputs, batch.present) for _ in range(1 + _REPEATS)]
        return 1000 * median(times[1:]) / len(group)  # the first one warms up


def _seconds(model: FusionModel, inputs: object, present: object) -> float:
    start = time.perf_counter()
    model.outputs(inputs, present)  # type: ignore[arg-type]
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _model_record(cell: Cell, model: FusionModel, facts: CellFacts) -> ModelRecord:
    share = f" {cell.share} labels" if cell.origin else f" {cell.share}%" if cell.share < WHOLE else ""
    return ModelRecord(
        name=f"{cell.strategy.name}{share} s{cell.seed}",
        locator=f"study:{cell.strategy.name}",
        task=model.task,
        modalities=model.modalities,
        digest=weights_digest(model.state_dict()),
        parameters=sum(p.numel() for p in model.parameters()),
        accepts_missing=model.accepts_missing,
        training={**facts.as_training(), "architecture": digest_of(model.config.model_dump(mode="json"))},
    )

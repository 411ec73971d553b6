"""Trains one cell: the model of a strategy, on the material that all cells share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from mmbench.core.errors import UsageError
from mmbench.core.key import digest_of
from mmbench.models.assembled import FusionModel
from mmbench.models.building import built
from mmbench.models.checkpoint import StateDict, read_checkpoint, save_checkpoint
from mmbench.models.config import ModelConfig
from mmbench.models.recipe import Recipe
from mmbench.study.blueprint import Blueprint
from mmbench.study.cells import WEIGHTS, Finished
from mmbench.study.design import ONLY, Cell, Strategy
from mmbench.study.material import Material
from mmbench.study.settings import Settings
from mmbench.study.sizing import Size
from mmbench.study.trainer import Job, trained, validated

# Rises when the same cell no longer gives the same bytes: what was stored before is then not taken up.
_VERSION = 1
_ENCODERS = "encoders."


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A trained model, its best validation score and after how many steps, the number of training samples."""

    model: FusionModel
    score: float
    steps: int
    labels: int


@dataclass(frozen=True, slots=True)
class Fitter:
    """``matched``: see ``blueprint.Blueprint``; ``draws`` are those of the intervals in a cell's record.

    ``pretrained``: the cells of another suite, by strategy and seed, whose bridges and fusion a model takes and keeps;
    its heads alone are trained, and late fusions of their logits.
    """

    material: Material
    matched: bool = False
    draws: int = 1000
    pretrained: Mapping[tuple[str, int], Finished] | None = None
    _configs: dict[tuple[str, Settings], ModelConfig] = field(default_factory=dict, repr=False)

    def config(self, strategy: Strategy, settings: Settings) -> ModelConfig:
        """The model's configuration; raises UsageError when the strategy does not serve the suite."""
        known = (strategy.name, settings)
        if known not in self._configs:
            self._configs[known] = self._blueprint.config(strategy, settings)
        return self._configs[known]

    def size(self, strategy: Strategy, settings: Settings) -> Size:
        """How large its fusion is, and how large it would be by itself."""
        return self._blueprint.size(strategy, settings)

    @property
    def _blueprint(self) -> Blueprint:
        material = self.material
        return Blueprint(material.whole, material.options, material.place.track, self.matched)

    def recipe(self, cell: Cell, settings: Settings) -> Recipe:
        """The suite's own, with what tuning chose; the seed rules the order of the data and what is hidden."""
        chosen = {"rate": settings.rate, "weight_decay": settings.decay, "modality_dropout": settings.dropout}
        update = {name: value for name, value in chosen.items() if value is not None}
        return self.material.plan.recipe.model_copy(update={**update, "seed": cell.seed})

    def key(self, cell: Cell, settings: Settings) -> str:
        """Digest of all that the cell's bytes depend on: data, encoders, model, recipe, numerics."""
        material, place = self.material, self.material.place
        device = material.plan.device
        threads = torch.get_num_threads() if device.type == "cpu" else 0
        return digest_of(
            [
                _VERSION,
                [material.stamp, material.encoder_recipe, material.whole.model_dump(mode="json")],
                [place.suite, place.track, asdict(cell.strategy), cell.seed, cell.share],
                self.config(cell.strategy, settings).model_dump(mode="json"),
                self.recipe(cell, settings).model_dump(mode="json"),
                [self.draws, torch.__version__, device.type, threads],
                [] if self.pretrained is None else [self._origin(cell).facts.cell],
            ]
        )

    def fitted(self, cell: Cell, settings: Settings, state_file: Path) -> Fit:
        """Trains the cell's model; an unfinished training in ``state_file`` is continued."""
        material, modalities = self.material, cell.strategy.modalities
        recipe = self.recipe(cell, settings)
        model = built(self.config(cell.strategy, settings), cell.seed, "model", material.plan.device)
        frozen = material.equip(model, cell.seed) + self._pretrained(model, cell)
        alone = cell.strategy.control != "shuffled"
        train = material.train(cell.share, cell.seed, modalities, alone)
        job = Job(
            model=model,
            train=train,
            val=material.val(modalities, cell.seed, alone),
            judged=material.judged,
            recipe=recipe,
            penalty=material.penalty(recipe),
            key=self.key(cell, settings),
            state_file=None if material.place.track == "frozen" else state_file,
            frozen=frozen,
        )
        best = trained(job, material.report)
        return Fit(model.eval(), best.score, best.steps, len(train.ids))

    def _pretrained(self, model: FusionModel, cell: Cell) -> tuple[nn.Module, ...]:
        """Gives a model the bridges and the fusion of the cell that it goes on from; returns what stays as it is."""
        if self.pretrained is None:
            return ()
        weights, _ = read_checkpoint(self._origin(cell).run.folder / WEIGHTS)
        kept = ("bridges.",) if model.fusion.level == "logits" else ("bridges.", "fusion.")
        own = {name: value for name, value in weights.items() if name.startswith(kept)}
        model.load_state_dict({**model.state_dict(), **own})
        return (model.bridges,) if model.fusion.level == "logits" else (model.bridges, model.fusion)

    def _origin(self, cell: Cell) -> Finished:
        found = (self.pretrained or {}).get((cell.strategy.name, cell.seed))
        if found is None:
            raise UsageError(f"{cell.strategy.name} of seed {cell.seed} was not trained on {cell.origin}.")
        return found

    def ensemble(self, cell: Cell, earlier: Sequence[Finished]) -> Fit:
        """The mean of the scores of the models of one modality each, of the same seed; nothing is trained.

        Raises UsageError when one of them is missing.
        """
        material, modalities = self.material, cell.strategy.modalities
        alike = [one for one in earlier if (one.facts.seed, one.facts.share) == (cell.seed, cell.share)]
        members = {one.facts.strategy: one for one in alike}
        missing = [m for m in modalities if ONLY + m not in members]
        if missing:
            raise UsageError(f"the ensemble needs {ONLY}{missing[0]} of seed {cell.seed}, which was not trained.")
        model = built(self.config(cell.strategy, Settings()), cell.seed, "model", material.plan.device)
        state: StateDict = {}
        for m in modalities:
            weights, _ = read_checkpoint(members[ONLY + m].run.folder / WEIGHTS)
            state |= {name.replace("heads.fused.", f"heads.{m}."): value for name, value in weights.items()}
        model.load_state_dict({**model.state_dict(), **state})
        material.equip(model, cell.seed)
        score = validated(model, material.val(modalities, cell.seed, alone=True), material.judged)
        return Fit(model.eval(), score, 0, members[ONLY + modalities[0]].facts.labels)


def save_weights(file: Path, model: FusionModel, frozen: bool) -> None:
    """Writes the weights; without the encoders where these are ``frozen``, as all cells share them."""
    state = model.state_dict()
    kept = {name: value for name, value in state.items() if not (frozen and name.startswith(_ENCODERS))}
    save_checkpoint(file, kept, {"config": model.config.model_dump(mode="json")})

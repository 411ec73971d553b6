"""What the record of a cell says of its training, beside what every record says."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mmbench.content import explain
from mmbench.core.errors import LoadError
from mmbench.core.record import RunRecord
from mmbench.study.design import Control, Track

# Under this name the facts stand in ``ModelRecord.training`` and ``RunRecord.provenance``.
_KEY = "study"
# By the other facts ``compare`` and ``gate`` know that trainings are seeds of one model.
_OWN = ("cell", "train_seconds")

Finite = Annotated[float, Field(allow_inf_nan=False)]


class CellFacts(BaseModel):
    """One training of a study.

    ``cell`` is the key of all that it depends on, ``labels`` the number of training samples, ``origin`` the
    suite that all but the head was trained on ("": the same one), ``split`` the digest of
    which samples were trained and validated on, ``encoders`` the digests of the encoders' weights by modality (as they
    were at the start), ``recipe`` how it was trained. ``validation`` is the best validation score, which chose the
    weights after ``best_after`` steps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cell: str
    strategy: str
    control: Control
    fusion: str
    options: dict[str, Any]
    track: Track
    seed: int
    share: int
    origin: str = ""
    labels: int
    split: str
    encoders: dict[str, str]
    recipe: dict[str, Any]
    fusion_parameters: int
    validation: Finite
    best_after: int
    items_seen: int
    train_seconds: Finite

    def as_training(self) -> dict[str, Any]:
        """What seeds of one strategy have in common, and the seed: as it stands in a record's training."""
        return {"seed": self.seed, _KEY: self.model_dump(mode="json", exclude=set(_OWN))}

    def as_provenance(self) -> dict[str, Any]:
        """What is this training's alone."""
        return {_KEY: self.model_dump(mode="json", include=set(_OWN))}


def facts_of(record: RunRecord) -> CellFacts:
    """The facts in a record; raises LoadError when it is not that of a cell."""
    parts = [part.get(_KEY) for part in (record.model.training, record.provenance)]
    told = {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}
    try:
        return CellFacts.model_validate(told)
    except ValidationError as error:
        raise LoadError(
            f"The record {record.id} is not one of this version's studies ({explain(error)}); study again into another "
            "folder."
        ) from error

"""What a module was asked for in one forward pass, and how its answer is described when it does not fit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from mmbench.adapters.outputs import describe
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import ModelRequest
from mmbench.core.parts import of_part


@dataclass(frozen=True, slots=True)
class Asked:
    """``ids`` of the items; ``sizes`` (height, width) of the predictions where they have one; ``name`` of the module.

    ``answers`` are those that logits of question answering stand for.
    """

    ids: list[str]
    name: str
    request: ModelRequest
    sizes: list[tuple[int, int]] = field(default_factory=list)
    answers: tuple[str, ...] = ()

    def of(self, task: str) -> Asked:
        """The part of a joint suite; ``answers`` are the model's own, else those of the part."""
        request = self.request
        part = replace(
            request,
            spec=request.spec.model_copy(update={"task": task}),
            classes=of_part(request.classes, task),
            options=replace(request.options, output=None),
        )
        own = self.answers if self.answers != request.classes else part.classes
        return replace(self, request=part, answers=own)

    def unfit(self, returned: object, expected: str) -> LoadError:
        """What to raise when the answer is not what the task asks for."""
        return LoadError(f"{self.name} returned {describe(returned)}; expected {expected} for {len(self.ids)} items.")


def broken(sample_id: str, what: str = "logits") -> SampleError:
    """What stands in the place of an answer with NaN or infinity."""
    return SampleError(f"The model returned NaN or infinite {what} for {sample_id!r}.")


def finite_rows(output: torch.Tensor) -> list[bool]:
    """For each item whether all its numbers are finite."""
    answer: list[bool] = torch.isfinite(output).flatten(1).all(dim=1).tolist()
    return answer

"""Wraps a torch module as a Model: numpy batches in, predictions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from mmbench.adapters.answering import converter_for
from mmbench.adapters.asked import Asked
from mmbench.adapters.halving import Halving, shape_of
from mmbench.adapters.inference import infer
from mmbench.adapters.numerics import Numerics
from mmbench.adapters.outputs import describe, select_output
from mmbench.adapters.preprocess import Preprocess, check_box_scale, declared_preprocess, recorded
from mmbench.adapters.tensors import equal_groups, to_input
from mmbench.adapters.user_code import user_code
from mmbench.adapters.wiring import Wiring, declared_answers, wire
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import ModelInfo, ModelRequest
from mmbench.core.prediction import Prediction
from mmbench.core.sample import Batch


@dataclass(frozen=True, slots=True)
class Identity:
    """What the adapter knows of a module and the module does not: see ``core.model.ModelInfo``.

    ``architecture`` says how the module was built (``arch``, ``arch_kwargs``); it is recorded with the preprocessing.
    """

    digest: str
    training: Mapping[str, Any] = field(default_factory=dict)
    consents: tuple[str, ...] = ()
    architecture: Mapping[str, Any] = field(default_factory=dict)


class TorchModel:
    """A module that follows the model's contract.

    The module receives keyword arguments named by the modality (or as ``--map`` says), in evaluation and inference
    mode; an absent modality arrives as None, and only at a module that declares ``accepts_missing``. Torch's random
    state is seeded per forward pass from the sample ids, so that a module that draws numbers gives the same answer
    after a resume. Where memory does not hold a batch, its items go through the module in halves.
    """

    def __init__(self, module: torch.nn.Module, name: str, request: ModelRequest, identity: Identity) -> None:
        """Raises LoadError when the module does not fit the suite, UsageError when a flag is wrong."""
        self._convert = converter_for(name, request)
        options = request.options
        self.numerics = Numerics.of(options)
        self._halving = Halving()
        self._wiring = wire(module, name, request)
        self._modalities = {m: request.modalities[m] for m in self._wiring.modalities}
        self._preprocess = declared_preprocess(getattr(module, "preprocess", None), name, self._modalities)
        check_box_scale(name, self._preprocess, request)
        self._request = request
        self._name = name
        self._class = type(module).__name__  # what a sentence about forward names
        self._answers = declared_answers(module, name, request)
        self._module = self.numerics.prepared(module, name)
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        self._info = _info(module, name, request, self._wiring, self._preprocess, identity)

    @property
    def info(self) -> ModelInfo:
        """Who the model is."""
        return self._info

    @property
    def module(self) -> torch.nn.Module:
        """The module itself, for whoever measures it: moved to the device, in evaluation mode."""
        return self._module

    @property
    def device(self) -> torch.device:
        """Where the module is."""
        return self.numerics.device

    @property
    def precision(self) -> str:
        """``fp32``, ``tf32``, ``bf16`` or ``fp16``."""
        return self.numerics.precision

    @property
    def sub_batch(self) -> int | None:
        """How many items of the last batch memory held at once; None when it did not end."""
        return self._halving.smallest

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        """One prediction or SampleError per item; raises LoadError when the module fails or returns a wrong shape.

        Items of unequal size go through the module in groups of equal size, in halves where memory ends.
        """
        self._halving.begin()
        outcomes: dict[int, Prediction | SampleError] = {}
        for indices in equal_groups(batch, self._preprocess):
            shapes = tuple(tuple(shape_of(batch.inputs[m][i]) for i in indices) for m in self._modalities)
            found = self._halving.run(indices, shapes, lambda part: self._predict_group(batch, part))
            outcomes.update(zip(indices, found, strict=True))
        return [outcomes[index] for index in range(len(batch))]

    def _predict_group(self, batch: Batch, indices: Sequence[int]) -> Sequence[Prediction | SampleError]:
        ids = [batch.ids[i] for i in indices]
        absent = [m for m in self._modalities if batch.inputs[m][indices[0]] is None]
        if absent and not self._info.accepts_missing:
            return [_absent(sample_id, absent, self._name) for sample_id in ids]
        with torch.inference_mode(), self.numerics.in_force(ids):
            inputs = {
                m: to_input([batch.inputs[m][i] for i in indices], modality, self._preprocess[m], self.device)
                for m, modality in self._modalities.items()
            }
            raw = self._answer(self.numerics.laid_out(inputs))
            sizes = [batch.sizes[i] for i in indices] if batch.sizes else []
            return self._convert(raw, Asked(ids, self._class, self._request, sizes, self._answers))

    def _answer(self, inputs: Mapping[str, Any]) -> Any:
        """What the module returns; scores [B,C,H,W] when the suite's protocol asks for windows, scales or mirrors."""
        protocol = self._request.spec.inference
        if protocol.is_plain:
            return self._forward(inputs)
        planes = frozenset(m for m, modality in self._modalities.items() if modality.kind == "plane")
        return infer(self._logits, inputs, protocol, planes)

    def _forward(self, inputs: Mapping[str, Any]) -> Any:
        with user_code(f"{self._class}.forward"), self.numerics.autocast():
            return self._wiring.call(self._module, inputs)

    def _logits(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        output = select_output(self._forward(inputs), self._request.options.output, self._class)
        if output.ndim != 4 or not output.is_floating_point():
            raise LoadError(
                f"{self._class} returned {describe(output)}; an inference protocol with windows, scales or mirrors "
                "expects logits [B,C,h,w], use --inference whole."
            )
        return output


def _absent(sample_id: str, absent: Sequence[str], name: str) -> SampleError:
    return SampleError(
        f"The sample {sample_id!r} has no {', '.join(absent)}, and the model {name!r} does not declare accepts_missing."
    )


def _info(
    module: torch.nn.Module,
    name: str,
    request: ModelRequest,
    wiring: Wiring,
    preprocess: Mapping[str, Preprocess],
    identity: Identity,
) -> ModelInfo:
    declared = {"inputs": wiring.text, "output": request.options.output, "tables": recorded(preprocess)}
    declared |= identity.architecture
    return ModelInfo(
        name=name,
        locator=request.locator,
        task=str(getattr(module, "task", request.spec.task)),
        modalities=wiring.modalities,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        accepts_missing=bool(getattr(module, "accepts_missing", False)),
        preprocessing={key: value for key, value in declared.items() if value},
        digest=identity.digest,
        training=identity.training,
        consents=identity.consents,
    )

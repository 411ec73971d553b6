"""``onnx:FILE``: a graph that ONNX Runtime runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmbench.adapters.numerics import choose_device
from mmbench.adapters.program import Program, broken, consent, identity_of
from mmbench.adapters.torch_model import TorchModel
from mmbench.core.errors import LoadError
from mmbench.core.model import Model, ModelRequest
from mmbench.core.registry import adapter

_WHAT = "an ONNX graph"
_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


@adapter("onnx", needs="onnx", example="onnx:my.onnx")
def open_onnx(request: ModelRequest) -> Model:
    """A graph of ONNX with its weights in one file, run by ONNX Runtime; only when it is asked for."""
    agreed = consent(request, "onnx", _WHAT)
    session = _session(request)
    names = [one.name for one in session.get_inputs()]
    if not all(name.isidentifier() for name in names):
        raise LoadError(
            f"{request.target} has inputs {', '.join(names)}; expected names like rgb, export it with them."
        )
    program = Program(_Run(session), names)
    return TorchModel(program, Path(request.target).stem, request, identity_of(request, agreed, "ONNX"))


def _session(request: ModelRequest) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if request.options.threads is not None:
        options.intra_op_num_threads = request.options.threads
    cuda = choose_device(request.options.device).type == "cuda"
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if cuda else ["CPUExecutionProvider"]
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        # As bytes, so that a graph cannot name other files as the place of its weights.
        return onnxruntime.InferenceSession(Path(request.target).read_bytes(), options, providers=providers)
    except Exception as error:  # the reader of a foreign format may fail in any way
        raise broken(request.target, _WHAT, error) from error


class _Run:
    """Tensors in, the first output (or the dict of several) as tensors out."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._inputs: Sequence[Any] = session.get_inputs()
        self._outputs = [one.name for one in session.get_outputs()]

    def __call__(self, *values: torch.Tensor) -> Any:
        fed = {
            one.name: value.detach().cpu().numpy().astype(_DTYPES.get(one.type, np.float32))
            for one, value in zip(self._inputs, values, strict=True)
        }
        found = [torch.from_numpy(output) for output in self._session.run(self._outputs, fed)]
        return found[0] if len(found) == 1 else dict(zip(self._outputs, found, strict=True))

"""Which fusions serve which tasks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mmbench.core.errors import UsageError
from mmbench.models.config import ReferenceTask

_DENSE: tuple[ReferenceTask, ...] = ("segmentation", "referring-segmentation")
_POOLED: tuple[ReferenceTask, ...] = ("classification", "vqa", "joint")
# Those that do not serve every task: operators of tensors grow with the number of tokens, products of probabilities
# need the logits of one choice, maps need places.
_SERVED: Mapping[str, tuple[ReferenceTask, ...]] = MappingProxyType(
    {
        "model_nonlinear": (*_DENSE, *_POOLED),
        "product_of_experts": (*_DENSE, "classification", "vqa"),
        "conv": (*_DENSE, "detection"),
        "early": (*_DENSE, "detection"),
        "channel_exchange": (*_DENSE, "detection"),
        "sigmoid_gate": _POOLED,
        "nl_gate": (*_DENSE, "classification"),
        "bilinear": _POOLED,
        "mfb": _POOLED,
        "low_rank_tensor": _POOLED,
        "tensor_fusion": _POOLED,
        "bottleneck": (*_DENSE, *_POOLED, "captioning"),
        "mixture_of_experts": (*_DENSE, *_POOLED),
    }
)


def check_served(fusion: str, task: ReferenceTask) -> None:
    """Raises UsageError when the fusion is not made for models of the task."""
    served = _SERVED.get(fusion)
    if served is not None and task not in served:
        raise UsageError(f"The fusion {fusion!r} serves {', '.join(served)}, not {task}; choose another fusion.")

"""From what a module returns to label maps of the targets' sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mmbench.adapters.labels import label_map
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import ModelRequest
from mmbench.core.prediction import LabelMap

# Where a dict or an output object usually keeps the logits (transformers; torchvision).
_USUAL_NAMES = ("logits", "out")
_FORMS = "logits [B,C,h,w] or integer labels [B,H,W]"


def select_output(raw: Any, choice: str | None, name: str, forms: str = _FORMS) -> torch.Tensor:
    """The tensor to score, one of these ``forms``: the output itself, or the part that ``--output`` names or counts.

    Without a choice a tensor is taken as it is, and of a dict or object the part named ``logits`` or ``out``. Raises
    LoadError that says what the output is.
    """
    found = raw if choice is None and isinstance(raw, torch.Tensor) else _part(raw, choice)
    if isinstance(found, torch.Tensor):
        return found
    if choice is not None:
        raise LoadError(f"--output {choice} chooses no tensor: {name} returned {describe(raw)}; expected {forms}.")
    raise LoadError(f"{name} returned {describe(raw)}; expected {forms}; choose a part with --output NAME or INDEX.")


def check_output(output: torch.Tensor, count: int, name: str, request: ModelRequest) -> None:
    """Raises LoadError unless ``output`` is logits [count,C,h,w] or integer labels [count,H,W]."""
    classes = len(request.classes)
    found = f"{name} returned {describe(output)}"
    if output.ndim == 3 and not output.is_floating_point() and output.dtype != torch.bool and not output.is_complex():
        expected = f"[{count},H,W]"
        fits = output.shape[0] == count
    elif output.ndim == 3:
        raise LoadError(f"{found}; expected {_FORMS} with B={count}, C={classes}: labels must be integers.")
    else:
        expected = f"[{count},{classes},h,w] (items, classes, height, width)"
        fits = output.ndim == 4 and not output.is_complex() and output.shape[0] == count
        if fits and output.shape[1] != classes:
            raise LoadError(
                f"{found}: it predicts {output.shape[1]} classes, but suite {request.spec.name!r} has {classes}; "
                "use a model that was trained for these classes."
            )
    if not fits or 0 in output.shape:
        raise LoadError(f"{found}; expected {expected} for {count} items and {classes} classes.")


def to_predictions(
    output: torch.Tensor, ids: list[str], sizes: list[tuple[int, int]], classes: int
) -> list[LabelMap | SampleError]:
    """One label map of the asked size per item; a SampleError for non-finite logits and for labels out of range.

    Logits are resized bilinearly (half-pixel centres, no antialiasing, float32) before argmax, at a tie the first class
    wins; labels by the nearest pixel centre. Item by item, so that memory does not grow with the batch.
    """
    finite = _finite(output)
    return [
        _prediction(output[i], ids[i], sizes[i], classes)
        if finite[i]
        else SampleError(f"The model returned NaN or infinite logits for {ids[i]!r}.")
        for i in range(len(ids))
    ]


def describe(raw: Any) -> str:
    """What was returned, for a sentence: ``float32 [2,5,8,8]``, ``a dict with logits, aux``, ``None``."""
    if isinstance(raw, torch.Tensor):
        return f"{str(raw.dtype).removeprefix('torch.')} [{','.join(map(str, raw.shape))}]"
    if isinstance(raw, Mapping):
        return f"a dict with {', '.join(map(str, raw)) or 'nothing'}"
    if isinstance(raw, tuple | list):
        return f"a {type(raw).__name__} of {len(raw)} ({'; '.join(describe(part) for part in raw[:4])})"
    return "None" if raw is None else f"an object of type {type(raw).__name__}"


def _part(raw: Any, choice: str | None) -> Any:
    if choice is None:
        return next((part for part in (_named(raw, name) for name in _USUAL_NAMES) if part is not None), None)
    if choice.isdecimal() and isinstance(raw, tuple | list):
        return raw[int(choice)] if int(choice) < len(raw) else None
    return _named(raw, choice)


def _named(raw: Any, name: str) -> Any:
    return raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)


def _finite(output: torch.Tensor) -> list[bool]:
    if not output.is_floating_point():
        return [True] * len(output)
    low, high = torch.aminmax(output.flatten(1), dim=1)  # one pass; NaN propagates
    answer: list[bool] = (low.isfinite() & high.isfinite()).tolist()
    return answer


def _prediction(output: torch.Tensor, sample_id: str, size: tuple[int, int], classes: int) -> LabelMap | SampleError:
    labels = _argmax(output, size) if output.ndim == 3 else nearest(output, size)
    return label_map(sample_id, labels.cpu().numpy(), size, classes)


def _argmax(logits: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(logits.shape[-2:]) != size:
        logits = torch.nn.functional.interpolate(logits[None].float(), size=size, mode="bilinear", align_corners=False)[
            0
        ]
    # The same index (the first of equal ones) as argmax, which takes seven times as long on a CPU.
    return logits.max(dim=0).indices


def nearest(labels: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Labels [h,w] -> [H,W], the nearest pixel centre."""
    if tuple(labels.shape) == size:
        return labels
    rows, columns = (_centres(n, m, labels.device) for n, m in zip(labels.shape, size, strict=True))
    return labels[rows][:, columns]


def _centres(found: int, wanted: int, device: torch.device) -> torch.Tensor:
    """For each of ``wanted`` pixels the index of the nearest of ``found``: floor((2i + 1) * found / (2 * wanted))."""
    return (2 * torch.arange(wanted, device=device) + 1) * found // (2 * wanted)

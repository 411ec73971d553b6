"""From what a module returns to predictions, by the suite's task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mmbench.adapters.asked import Asked
from mmbench.adapters.box_outputs import detections
from mmbench.adapters.mask_outputs import masks
from mmbench.adapters.outputs import check_output, select_output, to_predictions
from mmbench.adapters.score_outputs import answers, class_scores
from mmbench.adapters.text_outputs import texts_of
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import ModelRequest
from mmbench.core.prediction import Joint, Prediction

Convert = Callable[[Any, Asked], Sequence[Prediction | SampleError]]


def label_maps(raw: Any, asked: Asked) -> Sequence[Prediction | SampleError]:
    """Logits [B,C,h,w] or integer labels [B,H,W]."""
    output = select_output(raw, asked.request.options.output, asked.name)
    check_output(output, len(asked.ids), asked.name, asked.request)
    return to_predictions(output, asked.ids, asked.sizes, len(asked.request.classes))


def joint(raw: Any, asked: Asked) -> Sequence[Prediction | SampleError]:
    """A dict of each task's own output; an item fails when one of its tasks does."""
    tasks = asked.request.spec.tasks
    if not isinstance(raw, Mapping) or set(raw) != set(tasks):
        raise asked.unfit(raw, f"a dict with the output of each task ({', '.join(tasks)})")
    parts = {task: CONVERTERS[task](raw[task], asked.of(task)) for task in tasks}
    return [
        _joint(sample_id, {task: found[n] for task, found in parts.items()}) for n, sample_id in enumerate(asked.ids)
    ]


def _joint(sample_id: str, parts: Mapping[str, Any]) -> Prediction | SampleError:
    failed = next((part for part in parts.values() if isinstance(part, SampleError)), None)
    return failed or Joint(sample_id, parts)


CONVERTERS: Mapping[str, Convert] = MappingProxyType(
    {
        "segmentation": label_maps,
        "referring-segmentation": masks,
        "classification": class_scores,
        "vqa": answers,
        "captioning": texts_of,
        "detection": detections,
        "joint": joint,
    }
)


def converter_for(name: str, request: ModelRequest) -> Convert:
    """How the answers of the module ``name`` are read; raises LoadError for a task without a form of answers."""
    convert = CONVERTERS.get(request.spec.task)
    if convert is None:
        raise LoadError(
            f"The model {name!r} cannot be run on suite {request.spec.name!r}, which is {request.spec.task}; score a "
            "result file with mmbench score."
        )
    return convert

"""mmbench's scores in training loops: ``torchmetrics.Metric`` classes over the same rows, hence the same numbers.

    from mmbench.torchmetrics import CIDEr, MeanIoU, VQAAccuracy

    miou = MeanIoU(num_classes=19, ignore_index=255)
    miou.update(logits, labels)        # logits [B,C,H,W] or labels [B,H,W]; labels [B,H,W]
    miou.compute()

Rows of several processes are concatenated, so that the value over all is that of one process that saw everything.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torchmetrics
from torch import Tensor

from mmbench.core.metric import RowStatistic, TaskContext, metric_named
from mmbench.core.prediction import KINDS, ClassScores, LabelMap, Prediction, Text
from mmbench.core.table import Table
from mmbench.metrics.scoring import statistic_named, tables_of
from mmbench.metrics.weighing import GroupedTable, values_of


class RowsMetric(torchmetrics.Metric):
    """Any metric of mmbench that has one value, by its id.

    The state is the rows int64 [n,k] where a sample has rows of its own, else the samples themselves as bytes (captions
    need the references of all). ``classes`` is their number, ``ignore`` the label not scored.
    """

    is_differentiable = False
    full_state_update = False
    rows: list[Tensor] | Tensor
    samples: list[Tensor] | Tensor

    def __init__(self, metric: str, classes: int = 0, ignore: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric = metric_named(metric)
        if self.metric.per_class:
            raise ValueError(f"metric {metric!r} has a value per class; name one with a single value")
        self.context = TaskContext(tuple(map(str, range(classes))), ignore)
        self.add_state("rows", default=[], dist_reduce_fx="cat")
        self.add_state("samples", default=[], dist_reduce_fx="cat")

    @property
    def higher_is_better(self) -> bool:  # type: ignore[override]
        """Whether a larger value is better."""
        return self.metric.direction == "higher"

    def update(self, preds: Any, target: Any) -> None:
        """Adds a batch; raises SampleError when a prediction cannot be scored."""
        statistic = statistic_named(self.metric.statistic)
        pairs = list(self._pairs(preds, target))
        if isinstance(statistic, RowStatistic):
            found = [statistic.row(wanted, prediction, self.context) for prediction, wanted in pairs]
            self._append(self.rows, torch.from_numpy(np.stack(found)))
        else:
            for prediction, wanted in pairs:
                self._append(self.samples, _framed(prediction, wanted))

    def compute(self) -> Tensor:
        """The value over all that was added, float64 []; NaN where it is undefined."""
        name = self.metric.statistic
        table: Table
        if isinstance(statistic_named(name), RowStatistic):
            table = _joined(self.rows).cpu().numpy().astype(np.int64)
        else:
            predictions, targets = zip(*_unframed(_joined(self.samples)), strict=True)
            table = tables_of(targets, predictions, [name], self.context)[name]
        grouped = GroupedTable.of(table, np.arange(len(table)))
        value = values_of({name: grouped}, [self.metric], self.context)[self.metric.id][0]
        return torch.tensor(float(value), dtype=torch.float64, device=self.device)

    @abstractmethod
    def _pairs(self, preds: Any, target: Any) -> Iterator[tuple[Prediction, Any]]:
        """The predictions of a batch with their targets."""

    def _append(self, state: list[Tensor] | Tensor, value: Tensor) -> None:
        if isinstance(state, Tensor):
            raise RuntimeError("the metric's state is synchronised; call unsync() before update()")
        state.append(value.to(self.device))


class _LabelMaps(RowsMetric):
    """Logits float [B,C,H,W] or labels int [B,H,W], against labels int [B,H,W]."""

    _id = ""

    def __init__(self, num_classes: int, ignore_index: int | None = None, **kwargs: Any) -> None:
        super().__init__(self._id, num_classes, ignore_index, **kwargs)

    def _pairs(self, preds: Tensor, target: Tensor) -> Iterator[tuple[Prediction, Any]]:
        labels = preds.argmax(dim=1) if preds.is_floating_point() else preds
        for number, (found, wanted) in enumerate(zip(labels, target, strict=True)):
            yield LabelMap(str(number), _array(found)), _array(wanted)


class MeanIoU(_LabelMaps):
    """Mean over classes of the IoU of the dataset's confusion matrix (``miou``)."""

    _id = "miou"


class PixelAccuracy(_LabelMaps):
    """Share of the scored pixels that are right (``pixel_accuracy``)."""

    _id = "pixel_accuracy"


class _Texts(RowsMetric):
    """A list of B texts, against a list of B lists of texts (references, annotators' answers)."""

    _id = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(self._id, **kwargs)

    def _pairs(self, preds: Sequence[str], target: Sequence[Sequence[str]]) -> Iterator[tuple[Prediction, Any]]:
        for number, (text, references) in enumerate(zip(preds, target, strict=True)):
            yield Text(str(number), text), tuple(references)


class BLEU(_Texts):
    """Corpus BLEU-4 of captions with the official tokenizer (``bleu4``)."""

    _id = "bleu4"


class ROUGEL(_Texts):
    """ROUGE-L of captions (``rouge_l``)."""

    _id = "rouge_l"


class CIDEr(_Texts):
    """CIDEr of captions, document frequencies from all references that were added (``cider``)."""

    _id = "cider"


class VQAAccuracy(_Texts):
    """Official VQA accuracy against ten annotators' answers (``vqa_accuracy``)."""

    _id = "vqa_accuracy"


class TextVQAAccuracy(_Texts):
    """TextVQA accuracy against ten annotators' answers (``textvqa_accuracy``)."""

    _id = "textvqa_accuracy"


class ClassificationScore(RowsMetric):
    """Any metric of classification: scores float [B,C] against class numbers int [B]."""

    def __init__(self, metric: str, num_classes: int, **kwargs: Any) -> None:
        super().__init__(metric, num_classes, **kwargs)

    def _pairs(self, preds: Tensor, target: Tensor) -> Iterator[tuple[Prediction, Any]]:
        table = preds.detach().float().cpu().numpy()
        for number, (scores, wanted) in enumerate(zip(table, target.tolist(), strict=True)):
            yield ClassScores(str(number), scores), int(wanted)


def _array(labels: Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    found: np.ndarray[Any, np.dtype[Any]] = labels.detach().cpu().numpy()
    return found


def _joined(state: list[Tensor] | Tensor) -> Tensor:
    return state if isinstance(state, Tensor) else torch.cat(state)


def _framed(prediction: Prediction, target: Any) -> Tensor:
    """uint8 [m]: the length of a head, the head (JSON of kind, target and length), the prediction."""
    body = prediction.encode()
    head = json.dumps([prediction.kind, target, len(body)]).encode()
    return torch.frombuffer(bytearray(len(head).to_bytes(8, "little") + head + body), dtype=torch.uint8)


def _unframed(samples: Tensor) -> Iterator[tuple[Prediction, Any]]:
    content = samples.cpu().numpy().tobytes()
    at = number = 0
    while at < len(content):
        start = at + 8
        end = start + int.from_bytes(content[at:start], "little")
        kind, target, length = json.loads(content[start:end])
        at = end + length
        yield KINDS[kind].decode(str(number), content[end:at]), tuple(target) if isinstance(target, list) else target
        number += 1

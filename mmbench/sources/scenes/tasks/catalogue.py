"""The tasks by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mmbench.sources.scenes.label_laws import PAIR_LAWS, TRIPLE_LAWS
from mmbench.sources.scenes.tasks.caption import Captioning
from mmbench.sources.scenes.tasks.classify import Classification
from mmbench.sources.scenes.tasks.cls_vqa import ClassificationAndQuestions
from mmbench.sources.scenes.tasks.dense import Segmentation
from mmbench.sources.scenes.tasks.detection import Detection
from mmbench.sources.scenes.tasks.refseg import ReferringSegmentation
from mmbench.sources.scenes.tasks.task import AUDIO, IMAGE, TEXT, Task
from mmbench.sources.scenes.tasks.vqa import QuestionAnswering
from mmbench.sources.scenes.tasks.vqa_av import SoundingThing

_PAIR = (*PAIR_LAWS, "X")

TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            Segmentation(),
            Classification("cls-it", (IMAGE, TEXT), _PAIR),
            Classification("cls-av", (IMAGE, AUDIO), _PAIR),
            Classification("cls-iat", (IMAGE, AUDIO, TEXT), tuple(TRIPLE_LAWS)),
            ReferringSegmentation(),
            Detection(),
            QuestionAnswering(),
            SoundingThing(),
            Captioning(),
            ClassificationAndQuestions(),
        )
    }
)

# Metrics that are no mean over samples: their bounds are the best scores of the task's policies.
POLICY_METRICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"det": ("ap_100", "ap50_100", "ap75_100"), "caption": ("cider",)}
)

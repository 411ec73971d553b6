"""The tasks that reference models are trained for, by the suites' name of it, and ``look-map`` of encoders alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mmbench.models.config import ReferenceTask
from mmbench.models.tasks.captioning import Captioning
from mmbench.models.tasks.dense import ReferringSegmentation, Segmentation
from mmbench.models.tasks.detection import Detection
from mmbench.models.tasks.joint import JointTasks
from mmbench.models.tasks.look_map import LookMap
from mmbench.models.tasks.pooled import Classification, QuestionAnswering
from mmbench.models.tasks.task import Task

TASKS: Mapping[ReferenceTask, Task] = MappingProxyType(
    {
        "segmentation": Segmentation(),
        "referring-segmentation": ReferringSegmentation(),
        "classification": Classification(),
        "captioning": Captioning(),
        "vqa": QuestionAnswering(),
        "detection": Detection(),
        "joint": JointTasks(),
        "look-map": LookMap(),
    }
)

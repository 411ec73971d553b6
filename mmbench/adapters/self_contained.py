"""Opens a checkpoint that says itself of which model it is: what ``mmbench train`` and the shipped baselines are."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from mmbench.adapters.fit import check_classes, check_inputs, check_task
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.core.key import digest_of
from mmbench.core.model import Model, ModelRequest
from mmbench.models.assembled import load_model
from mmbench.models.checkpoint import weights_digest

# Under this name the training stands in a checkpoint's metadata.
_TRAINING_KEY = "training"
# Digest of what was trained: it tells seeds of one model from other models of the same recipe.
_ARCHITECTURE = "architecture"


def open_self_contained(path: Path, name: str, request: ModelRequest) -> Model:
    """The model in ``path``; raises LoadError when it cannot be built or does not fit the suite.

    The flags that describe a module of the user's (``--arch``, ``--map``, ...) do not concern it.
    """
    module, metadata = load_model(path)
    check_task(name, module.task, request)
    if request.classes:  # of free texts there are none, and a model's own are the words that it may use
        check_classes(name, module.classes, request)
    check_inputs(name, module.config.inputs, request)
    own = dataclasses.replace(request.options, arch=None, arch_kwargs={}, key=None, map=None, output=None)
    training = metadata.get(_TRAINING_KEY)
    told = (
        {**training, _ARCHITECTURE: digest_of(module.config.model_dump(mode="json"))}
        if isinstance(training, dict)
        else {}
    )
    identity = Identity(weights_digest(module.state_dict()), told)
    return TorchModel(module, name, dataclasses.replace(request, options=own), identity)

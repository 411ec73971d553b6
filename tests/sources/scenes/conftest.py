"""Opens the suite seg as a user does, and any task of the generator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mmbench.content import load_suite
from mmbench.core.source import SourceRequest
from mmbench.sources.scenes.source import SceneSource

Opener = Callable[..., SceneSource]


@pytest.fixture(scope="session")
def open_seg() -> Opener:
    """open_seg(regime="X", tier="smoke", split="test") -> SceneSource."""
    spec, _ = load_suite("seg")

    def opened(regime: str = "X", tier: str = "smoke", split: str = "test") -> SceneSource:
        parameters = spec.resolve({"regime": regime, "tier": tier})
        return SceneSource.open(SourceRequest(spec, parameters, None, split))

    return opened


@pytest.fixture(scope="session")
def open_task() -> Opener:
    """open_task(task, regime=None, tier="smoke", split="test") -> SceneSource; regime None is the task's default."""
    spec, _ = load_suite("seg")

    def opened(task: str, regime: str | None = None, tier: str = "smoke", split: str = "test") -> SceneSource:
        params = {"task": task, "tier": tier} | ({"regime": regime} if regime else {})
        changed = spec.model_copy(update={"source": spec.source.model_copy(update={"params": params})})
        return SceneSource.open(SourceRequest(changed, {}, None, split))

    return opened

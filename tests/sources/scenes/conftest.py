"""Opens the suite seg as a user does."""

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

"""What is asked of the training samples before they are looked at."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mmbench.core.errors import UsageError
from mmbench.core.source import Modality
from mmbench.models.survey import survey


@pytest.mark.parametrize("kind", ["text", "audio"])
def test_an_input_without_an_encoder_is_named(kind):
    """Before any sample is loaded: ``load`` is not there."""
    items = SimpleNamespace(modalities={"speech": Modality("speech", kind, 1)})
    with pytest.raises(UsageError, match=f"no encoder for {kind}, which 'speech' is"):
        survey(items, ["a"], 2)

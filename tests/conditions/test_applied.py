"""Conditions as they are written: one meaning for each text, whatever the order."""

from __future__ import annotations

import pickle
import runpy
from itertools import permutations
from pathlib import Path

import pytest

from mmbench.conditions.applied import changed, described, parse_conditions
from mmbench.conditions.catalogue import CONDITIONS
from mmbench.core.errors import UnknownName, UsageError

_made = runpy.run_path(str(Path(__file__).with_name("samples.py")))
MODALITIES, sample = _made["MODALITIES"], _made["sample"]
EVERY = [f"{c.name}:{name}" for c in CONDITIONS.values() for name, m in MODALITIES.items() if m.kind in c.kinds]


@pytest.mark.parametrize("place", EVERY)
def test_severity_0_is_the_identity(place: str) -> None:
    """The same object, and nothing in records and keys: such a run is the clean one."""
    found = parse_conditions([f"{place}=0"], MODALITIES)
    original = sample()
    assert (found, described(found)) == ((), "clean")
    assert changed(original, found) is original


@pytest.mark.parametrize("place", EVERY)
def test_a_condition_changes_its_modality_alone(place: str) -> None:
    original = sample()
    found = changed(original, parse_conditions([f"{place}=5"], MODALITIES))
    name = place.partition(":")[2]
    assert found.digest() != original.digest()
    for other in MODALITIES.keys() - {name}:
        assert found.inputs[other] is original.inputs[other]


def test_the_order_in_which_they_are_given_does_not_matter() -> None:
    """Text and bytes; the text means itself, and what is sent to a process is the same."""
    texts = ["noise:image=3", "blur:image=2", "holes:depth=5"]
    found = [parse_conditions(order, MODALITIES) for order in permutations(texts)]
    assert {described(one) for one in found} == {"blur:image=2,holes:depth=5,noise:image=3"}
    assert len({changed(sample(), one).digest() for one in found}) == 1
    assert parse_conditions(described(found[0]).split(","), MODALITIES) == found[0]
    sent = pickle.loads(pickle.dumps(found[0]))  # noqa: S301  our own bytes
    assert changed(sample(), sent).digest() == changed(sample(), found[0]).digest()


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["noise"], "'noise' is not a condition; expected NAME:MODALITY=SEVERITY, as in noise:rgb=3"),
        (["noise:image"], "is not a condition"),
        (["noise:image=-1"], "is not a condition"),
        (["noise:image=6"], "there is no severity 6; expected 0 (nothing is done) to 5"),
        (["noise:sonar=1"], "has no 'sonar'; it has: image, depth, audio, text"),
        (["fog:text=1"], "fog is for image, but 'text' is text"),
        (["noise:image=1", "noise:image=0"], "--condition noise:image is given twice"),
    ],
)
def test_a_mistake_is_explained(texts: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_conditions(texts, MODALITIES)
    assert sentence in str(caught.value)


def test_an_unknown_condition_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="no condition named 'nois'; did you mean 'noise'"):
        parse_conditions(["nois:image=1"], MODALITIES)

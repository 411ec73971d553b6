"""Conditions: severity 0 changes nothing, the same request gives the same bytes, more severity does more harm."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mmbench.conditions.catalogue import CONDITIONS, condition_named
from mmbench.conditions.sounds import NOISE
from mmbench.core.errors import UnknownName, UsageError

_made = runpy.run_path(str(Path(__file__).with_name("samples.py")))
MODALITIES, sample = _made["MODALITIES"], _made["sample"]

PAIRS = [(name, m) for name, c in CONDITIONS.items() for m, modality in MODALITIES.items() if modality.kind in c.kinds]
PINS = json.loads(Path(__file__).with_name("pins.json").read_text())


def changed(name: str, modality: str, severity: int, sample_id: str = "test/000001"):
    return CONDITIONS[name].apply(sample(sample_id), MODALITIES[modality], severity)


@pytest.mark.parametrize(("name", "modality"), PAIRS)
def test_severity_0_is_the_sample_itself(name: str, modality: str) -> None:
    before = sample()
    assert CONDITIONS[name].apply(before, MODALITIES[modality], 0) is before


@pytest.mark.parametrize(("name", "modality"), PAIRS)
@pytest.mark.parametrize("severity", range(1, 6))
def test_only_the_modality_asked_for_is_changed(name: str, modality: str, severity: int) -> None:
    """Type, shape and range stay; the other modalities and the sample that was given are untouched."""
    before = sample()
    after = CONDITIONS[name].apply(before, MODALITIES[modality], severity)
    assert before.digest() == sample().digest()
    for other in set(MODALITIES) - {modality}:
        assert after.inputs[other] is before.inputs[other]
    if modality == "text" and name != "absent":
        assert set(after.inputs["text"].split()) <= set(before.inputs["text"].split())
        assert after.inputs["text"]
    elif name != "absent":
        old, new = before.inputs[modality], after.inputs[modality]
        assert (new.dtype, new.shape) == (old.dtype, old.shape)
        assert new.min() >= (-1 if modality == "audio" else -np.inf)
        assert new.max() <= (1 if modality == "audio" else np.inf)


def harm(name: str, modality: str, severity: int) -> float:
    """Mean absolute change, or the share of words or samples that are gone, over 40 samples."""
    total = 0.0
    for number in range(40):
        before, after = sample(f"test/{number}"), changed(name, modality, severity, f"test/{number}")
        if name == "absent":
            total += modality not in after.inputs
        elif modality == "text":
            total += 1 - len(after.inputs["text"].split()) / 20
        else:
            total += float(np.abs(after.inputs[modality].astype(float) - before.inputs[modality]).mean())
    return total / 40


# White noise that is shifted further is no further away.
@pytest.mark.parametrize(("name", "modality"), [pair for pair in PAIRS if pair[0] != "offset"])
def test_harm_grows_with_severity(name: str, modality: str) -> None:
    found = [harm(name, modality, severity) for severity in range(6)]
    assert found[0] == 0
    assert all(low < high for low, high in pairwise(found)), found


@pytest.mark.parametrize(
    "name", [name for name, condition in CONDITIONS.items() if name not in ("blur", "fog", "clip")]
)
def test_samples_and_severities_have_streams_of_their_own(name: str) -> None:
    """Two ids of one content are changed in different places."""
    modality = next(m for n, m in PAIRS if n == name)
    digests = {changed(name, modality, 3, f"test/{number}").digest() for number in range(6)}
    assert len(digests) > 1


@pytest.mark.parametrize(("name", "modality"), PAIRS)
def test_bytes_are_pinned(name: str, modality: str) -> None:
    """Raise VERSION in conditions/stream.py when these must change."""
    assert [changed(name, modality, severity).digest()[:8] for severity in range(6)] == PINS[f"{name}/{modality}"]


def test_another_process_makes_the_same_bytes() -> None:
    script = (
        "from samples import MODALITIES, sample; from mmbench.conditions.catalogue import CONDITIONS\n"
        "print(CONDITIONS['noise'].apply(sample(), MODALITIES['image'], 4).digest())"
    )
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    code = f"import sys; sys.path[:0] = {paths!r}\n{script}"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "5"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == changed("noise", "image", 4).digest()


def test_noise_has_its_level() -> None:
    """An image of middle grey: the deviation is the level in 1/255; a plane: in 1/1000 of its scale."""
    grey = sample(size=(256, 256))
    grey.inputs["image"][:] = 128
    levels = CONDITIONS["noise"].levels[:3]
    found = [CONDITIONS["noise"].apply(grey, MODALITIES["image"], s).inputs["image"].std() for s in (1, 2, 3)]
    assert found == pytest.approx(levels, rel=0.02)
    after = CONDITIONS["jitter"].apply(grey, MODALITIES["depth"], 5).inputs["depth"]
    assert (after - grey.inputs["depth"]).std() == pytest.approx(0.080 * 2.0, rel=0.02)


@pytest.mark.parametrize("severity", range(1, 6))
def test_the_signal_to_noise_ratio_is_the_level(severity: int) -> None:
    before, after = sample().inputs["audio"] / 4, sample()
    after = (
        CONDITIONS["snr"]
        .apply(type(after)("a", {**after.inputs, "audio": before}, 0), MODALITIES["audio"], severity)
        .inputs["audio"]
    )
    ratio = 10 * np.log10((before**2).mean() / ((after - before) ** 2).mean())
    assert ratio == pytest.approx(CONDITIONS["snr"].levels[severity - 1], abs=0.3)


def test_the_factors_of_noise_are_decibels() -> None:
    assert {decibel: round(1000 * 10 ** (-decibel / 20)) for decibel in NOISE} == NOISE


def test_an_offset_shifts_and_fills_with_silence() -> None:
    before = sample().inputs["audio"]
    seen = set()
    for number in range(20):
        after = changed("offset", "audio", 5, f"test/{number}").inputs["audio"]
        early = np.array_equal(after[:-6400], before[6400:])
        assert early or np.array_equal(after[6400:], before[:-6400])
        assert not (after[-6400:] if early else after[:6400]).any()
        seen.add(early)
    assert seen == {True, False}


def test_blur_is_the_mean_of_neighbours() -> None:
    """One light pixel spreads over a square of the same sum; a constant stays as it is."""
    one = sample(size=(21, 21))
    one.inputs["image"][:] = 0
    one.inputs["image"][10, 10] = 225
    one.inputs["depth"][:] = 0.75
    blurred = CONDITIONS["blur"].apply(one, MODALITIES["image"], 2).inputs["image"]
    assert (blurred[8:13, 8:13] == 9).all()
    assert blurred.sum() == 3 * 225
    assert (CONDITIONS["blur"].apply(one, MODALITIES["depth"], 5).inputs["depth"] == np.float32(0.75)).all()


def test_what_is_absent_stays_absent() -> None:
    gone = type(sample())("a", {"text": "hello"}, 0)
    assert CONDITIONS["noise"].apply(gone, MODALITIES["image"], 3) is gone


def test_at_the_highest_severity_the_modality_is_never_there() -> None:
    assert all("depth" not in changed("absent", "depth", 5, f"test/{n}").inputs for n in range(50))


def test_wrong_requests_are_named() -> None:
    with pytest.raises(UsageError, match="no severity 6 of fog; expected 0 to 5"):
        changed("fog", "image", 6)
    with pytest.raises(UsageError, match="fog is for image, but 'audio' is audio"):
        changed("fog", "audio", 0)
    with pytest.raises(UnknownName, match=r"no condition named 'blurr'; did you mean 'blur'\?"):
        condition_named("blurr")
    assert condition_named("blur").name == "blur"

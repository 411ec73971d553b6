"""Samples of an annotation file: scored without a picture, loaded with it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from mmbench.core.errors import SampleError
from mmbench.core.source import TargetedSource
from mmbench.sources.annotated import AnnotatedItem, AnnotatedSource

ITEMS = (
    AnnotatedItem("b", "yes", "b.png", "Is it?", group="g", tags={"z": "1", "a": "2"}),
    AnnotatedItem("a", "no", "gone.png", "Is it not?"),
    AnnotatedItem("c", "no", text="Where?"),
)


@pytest.fixture
def source(data) -> AnnotatedSource:
    data.rgb("pictures/b.png", channels=4)
    return AnnotatedSource(data.root, ITEMS, "1:2", "pictures")


def test_a_sample_with_its_picture(source: AnnotatedSource) -> None:
    """Ids keep the order of the annotations; an image is uint8 [H,W,3] whatever the file holds."""
    assert source.ids == ("b", "a", "c")
    sample = source.load("b")
    assert sample.inputs["image"].shape == (6, 8, 3)
    assert sample.inputs["image"].dtype == np.uint8
    assert sample.inputs["text"] == "Is it?"
    assert (sample.target, sample.group, sample.tags) == ("yes", "g", {"z": "1", "a": "2"})
    assert set(source.modalities) == set(sample.inputs)


def test_a_sample_without_its_inputs(source: AnnotatedSource) -> None:
    """What is scored against needs no picture: it is the same but for the inputs."""
    assert isinstance(source, TargetedSource)
    bare = source.without_inputs("a")
    assert (bare.id, bare.inputs, bare.target, bare.group, bare.tags) == ("a", {}, "no", None, {})
    assert bare.digest() == source.without_inputs("a").digest() != source.without_inputs("b").digest()


def test_no_text_no_modality(data) -> None:
    """Where there are no texts, images are the only modality; an empty source has no more."""
    assert set(AnnotatedSource(data.root, (AnnotatedItem("a", "no"),), "").modalities) == {"image"}
    assert set(AnnotatedSource(data.root, (), "").modalities) == {"image"}


@pytest.mark.parametrize(
    ("sample_id", "message"),
    [("a", "pictures/gone.png"), ("c", "which picture sample 'c' has"), ("x", "no sample 'x'")],
)
def test_what_cannot_be_loaded_is_a_failed_sample(source: AnnotatedSource, sample_id: str, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        source.load(sample_id)


@pytest.mark.parametrize("image", ["../secret.png", "/etc/passwd", "link/secret.png"])
def test_a_picture_outside_the_root_is_not_read(data, tmp_path_factory: pytest.TempPathFactory, image: str) -> None:
    """Paths come from files that others wrote."""
    (data.root / "link").symlink_to(tmp_path_factory.mktemp("outside"))
    source = AnnotatedSource(data.root, (AnnotatedItem("a", "no", image),), "")
    with pytest.raises(SampleError, match=image):
        source.load("a")


def test_stamp_sees_the_picture(source: AnnotatedSource, data) -> None:
    """A picture that is written again, or has gone, is another sample to the resume key."""
    before = source.stamp("b")
    assert before.startswith("1:2;")
    os.utime(data.root / "pictures" / "b.png", ns=(5, 5))
    assert source.stamp("b") != before
    assert source.stamp("a") == "1:2;missing"


def test_stratum_is_the_tags(source: AnnotatedSource) -> None:
    assert (source.stratum("b"), source.stratum("a")) == ("a=2,z=1", "")


def test_nothing_is_ignored(source: AnnotatedSource) -> None:
    assert source.ignore is None

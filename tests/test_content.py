"""Suite files: found where they ship, and each mistake in one is one sentence that names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench import content
from mmbench.core.errors import UnknownName, UsageError

GOOD = """
name = "toy"
version = 1
title = "Toy"
task = "segmentation"
modalities = ["rgb", "depth"]
metrics = ["miou", "iou"]
primary = "miou"
source = { kind = "folders", root = ["toy"], params = { anything = 1 } }

[parameters.regime]
default = "X"
choices = ["X", "R"]
"""


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A checkout with one suite and two baselines in the place of the real one."""
    (tmp_path / "mmbench").mkdir()
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "toy.toml").write_text(GOOD)
    for name in ("concat", "a"):
        (tmp_path / "baselines" / "toy" / name).mkdir(parents=True)
        (tmp_path / "baselines" / "toy" / name / "model.toml").write_text("")
    (tmp_path / "baselines" / "toy" / "half-made").mkdir()
    monkeypatch.setattr(content, "_PACKAGE", tmp_path / "mmbench")
    return tmp_path


# Each edit of the good file, and what the sentence must hold beside the file's name.
MALFORMED = {
    "not TOML": (("name =", "name"), "is not TOML"),
    "a key twice": (("version = 1", "version = 1\nversion = 2"), "is not TOML"),
    "no name": (('name = "toy"', ""), "name: Field required"),
    "a name with a space": (('name = "toy"', 'name = "my toy"'), "name: String should match pattern"),
    "no version": (("version = 1", ""), "version: Field required"),
    "version 0": (("version = 1", "version = 0"), "version: Input should be greater than or equal to 1"),
    "a version in words": (("version = 1", 'version = "one"'), "version: Input should be a valid integer"),
    "no title": (('title = "Toy"', ""), "title: Field required"),
    "an unknown task": (('"segmentation"', '"dancing"'), "task: Input should be 'segmentation'"),
    "no modality": (('["rgb", "depth"]', "[]"), "modalities: Tuple should have at least 1 item"),
    "modalities as text": (('["rgb", "depth"]', '"rgb"'), "modalities: Input should be a valid tuple"),
    "no metric": (('metrics = ["miou", "iou"]', "metrics = []"), "metrics: Tuple should have at least 1 item"),
    "primary not measured": (
        ('primary = "miou"', 'primary = "fw"'),
        "primary 'fw' is not one of the metrics miou, iou",
    ),
    "an unknown key": (('title = "Toy"', 'title = "Toy"\ncolour = "red"'), "colour: unknown key"),
    "an unknown key of the source": (('kind = "folders"', 'kind = "folders", knid = 1'), "source.knid: unknown key"),
    "no kind": (('kind = "folders", ', ""), "source.kind: Field required"),
    "no source": (
        ('source = { kind = "folders", root = ["toy"], params = { anything = 1 } }', ""),
        "source: Field requi",
    ),
    "a default that is no choice": (
        ('default = "X"', 'default = "Z"'),
        "regime: default 'Z' is not one of the choices",
    ),
    "a parameter without choices": (('choices = ["X", "R"]', ""), "parameters.regime.choices: Field required"),
    "a choice that is a number": (('["X", "R"]', "[1, 2]"), "parameters.regime.choices.0: Input should be a valid str"),
}


@pytest.mark.parametrize("mistake", MALFORMED)
def test_each_mistake_is_one_sentence(tmp_path, mistake):
    (old, new), sentence = MALFORMED[mistake]
    assert old in GOOD
    file = tmp_path / "toy.toml"
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        content.read_suite(file)
    assert sentence in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda _: None, "cannot be read: No such file or directory."),
        (lambda file: file.mkdir(), "cannot be read: Is a directory."),
        (lambda file: file.write_bytes(b"\xff\xfe"), "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, make, sentence):
    make(tmp_path / "toy.toml")
    with pytest.raises(UsageError) as caught:
        content.load_suite(str(tmp_path / "toy.toml"))
    assert sentence in str(caught.value)


def test_the_good_file_is_good(tmp_path):
    (tmp_path / "toy.toml").write_text(GOOD)
    spec, reference = content.load_suite(str(tmp_path / "toy.toml"))
    assert spec.source.params == {"anything": 1}
    assert str(reference) == "toy@1"


def test_a_reference_gets_the_installed_version(shipped):
    spec, reference = content.load_suite("toy[regime=R]#n=5")
    assert str(reference) == "toy@1[regime=R]#n=5,seed=0"
    assert spec.title == "Toy"


def test_another_version_than_the_installed_one_is_refused(shipped):
    with pytest.raises(UsageError, match="asks for version 2, but version 1 is installed"):
        content.load_suite("toy@2")


def test_an_unknown_suite_suggests_the_nearest(shipped):
    with pytest.raises(UnknownName, match=r"There is no suite named 'tuy'; did you mean 'toy'\?"):
        content.load_suite("tuy")


def test_baselines_are_the_folders_with_a_card(shipped):
    assert content.baseline_names("toy") == ("a", "concat")
    assert content.baseline_names("other") == ()


def test_content_inside_the_package_comes_first(shipped):
    """In a wheel the folders are inside the package; whatever stands beside it belongs to others."""
    (shipped / "mmbench" / "suites").mkdir()
    assert content.folder("suites") == shipped / "mmbench" / "suites"
    assert content.folder("baselines") == shipped / "baselines"
    assert content.suite_files() == {}


@pytest.mark.parametrize("name", sorted(content.suite_files()))
def test_every_suite_that_ships_is_well_formed(name):
    """The file is named after the suite, its metrics and source are registered, its metrics are for its task."""
    from mmbench.core import registry
    from mmbench.core.metric import metric_named

    spec, _ = content.load_suite(name)
    assert spec.name == name
    registry.source.entry(spec.source.kind)
    assert {metric_named(metric).task for metric in spec.metrics} == set(spec.tasks)
    assert not metric_named(spec.primary).per_class
    assert spec.licence
    assert spec.title


def test_every_baseline_belongs_to_a_suite():
    folders = {card.parents[1].name for card in Path(content.folder("baselines")).glob("*/*/model.toml")}
    assert folders <= content.suite_files().keys()

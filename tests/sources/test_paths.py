"""Paths that come from data stay under the data root."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import LoadError, SampleError
from mmbench.sources.paths import confine, exists


@given(st.text(alphabet="ab./\\\0é~", max_size=12))
def test_whatever_the_text_the_path_is_inside_or_refused(tmp_path_factory, text):
    """Law: confine returns a path under the root, or raises the error it was given."""
    root = tmp_path_factory.getbasetemp().resolve()
    with suppress(SampleError):
        assert confine(root, text, SampleError).is_relative_to(root)


@pytest.mark.parametrize("text", ["../x.png", "a/../../x.png", "/etc/passwd", "a/../b.png", "a\0b"])
def test_paths_out_of_the_root_are_refused(tmp_path, text):
    with pytest.raises(LoadError):
        confine(tmp_path.resolve(), text, LoadError)


def test_a_link_out_of_the_root_is_refused_and_one_inside_is_not(tmp_path):
    root = tmp_path.resolve() / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "secret.png").write_text("x")
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "b").symlink_to(root / "a")
    with pytest.raises(SampleError, match="leads out of the data root"):
        confine(root, "out.png", SampleError)
    assert confine(root, "b/x.png", SampleError) == root / "a" / "x.png"


def test_a_loop_of_links_is_one_sentence(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    root = tmp_path.resolve()
    with suppress(SampleError):
        assert confine(root, "a/x.png", SampleError).is_relative_to(root)
    assert not exists(root, "a/x.png")


def test_a_name_that_no_file_can_have_does_not_exist(tmp_path):
    assert not exists(tmp_path, "a\0b")
    assert not exists(tmp_path, "x" * 5000)
    assert not exists(Path(tmp_path), "")

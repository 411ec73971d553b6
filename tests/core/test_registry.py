"""Plug-ins: listed without importing them, imported on use, one name for one file."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mmbench.core import registry
from mmbench.core.errors import MissingExtra, UnknownName, UsageError
from mmbench.core.registry import Entry, Registry


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A package with plug-ins in the place of mmbench's own, and no outside packages; gives a function that writes."""
    (tmp_path / "mmbench" / "things").mkdir(parents=True)
    monkeypatch.setattr(registry, "__file__", str(tmp_path / "mmbench" / "core" / "registry.py"))
    monkeypatch.setattr(registry, "_outside", lambda: ())

    def write(name, text):
        file = tmp_path / "mmbench" / "things" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


def things():
    return Registry("thing", "mmbench.things")


def test_listing_reads_the_file_and_does_not_run_it(tree):
    file = tree(
        "a.py", '@thing("one", needs="torch", version=2)\nclass A:\n    """First line.\n\n    More."""\n1 / 0\n'
    )
    entry = things().entries()["one"]
    assert entry == Entry("one", "mmbench.things.a", str(file), "First line.", "torch", {"version": 2})


def test_functions_subfolders_and_dotted_decorators_are_listed(tree):
    tree("sub/__init__.py", '@thing("pkg")\ndef f(): ...\n')
    tree("sub/b.py", '@registry.thing("dotted")\ndef f(): ...\n')
    assert {n: e.module for n, e in things().entries().items()} == {
        "pkg": "mmbench.things.sub",
        "dotted": "mmbench.things.sub.b",
    }


def test_two_files_with_one_name_are_both_named(tree):
    files = [tree(name, '@thing("one")\nclass A: ...\n') for name in ("a.py", "b.py")]
    with pytest.raises(UsageError) as caught:
        things().entries()
    assert str(caught.value) == f"Two files register the thing 'one': {files[0]} and {files[1]}; rename one of them."


@pytest.mark.parametrize("text", ['NAME = "x"\n@thing(NAME)\nclass A: ...\n', '@thing("x", size=f())\nclass A: ...\n'])
def test_arguments_that_are_no_literals_are_an_error_and_not_overlooked(tree, text):
    file = tree("a.py", text)
    with pytest.raises(UsageError, match="with literals as arguments") as caught:
        things().entries()
    assert str(file) in str(caught.value)


def test_unknown_names_suggest_the_nearest(tree):
    tree("a.py", '@thing("concat")\nclass A: ...\n')
    with pytest.raises(UnknownName, match=r"There is no thing named 'conact'; did you mean 'concat'\?"):
        things().get("conact")


def test_a_missing_extra_is_listed_and_refused_on_use(tree):
    tree("a.py", '@thing("one", needs="no_such_module")\nclass A: ...\n')
    assert things().entries()["one"].missing == "no_such_module"
    with pytest.raises(MissingExtra, match=r"The thing 'one' needs mmbench\[no_such_module\]"):
        things().get("one")


def test_a_plugin_of_a_notebook_is_known_once_it_was_decorated(tree):
    found = things()

    @found("here", version=1)
    class Here:
        """A class of this test."""

    assert found.get("here") is Here
    assert found.entry("here").summary == "A class of this test."
    assert found.entry("here").options == {"version": 1}


def test_a_notebook_cannot_take_the_name_of_a_file(tree):
    tree("a.py", '@thing("one")\nclass A: ...\n')
    with pytest.raises(UsageError, match="Two files register the thing 'one'"):

        @things()("one")
        class Other: ...


@pytest.mark.parametrize("kind", sorted(registry.REGISTRIES))
def test_every_plugin_in_tree_can_be_imported_and_says_what_it_is(kind):
    """The scan and the decorators agree, whatever files are added."""
    found = registry.REGISTRIES[kind]
    entries = found.entries()
    assert entries
    for name, entry in entries.items():
        assert entry.summary, f"{kind} {name} has no docstring"
        if not entry.missing:
            assert found.get(name) is not None


def test_listing_everything_imports_no_plugin_and_no_torch():
    code = (
        "import sys; from mmbench.core.registry import REGISTRIES\n"
        "[r.entries() for r in REGISTRIES.values()]\n"
        "print([m for m in sys.modules if m in ('torch', 'numpy', 'pandas') or m.startswith('mmbench.')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['mmbench.core', 'mmbench.core.errors', 'mmbench.core.registry']"

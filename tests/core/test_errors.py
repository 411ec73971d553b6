"""Exit codes are public interface; every failure is one sentence with its own code."""

from __future__ import annotations

import itertools

import pytest

from mmbench.core import errors
from mmbench.core.errors import ExitCode, MissingExtra, MmbenchError, UnknownName, worst

# The order of ARCHITECTURE: an interrupt ends the process at once, then 70, 2, 7, 6, 5, 4, 1, 3, 0.
ORDER = (130, 70, 2, 7, 6, 5, 4, 1, 3, 0)

CODES = {
    "UsageError": 2,
    "UnknownName": 2,
    "MissingExtra": 2,
    "NotComparable": 4,
    "NothingMeasured": 4,
    "LoadError": 7,
    "SampleError": 6,
    "Interrupted": 130,
}


def test_exit_codes_are_pinned():
    names = ("OK", "REGRESSION", "USAGE", "INCONCLUSIVE", "NOT_COMPARABLE", "UNFIT", "SAMPLES_FAILED", "LOAD_FAILED")
    assert [int(ExitCode[name]) for name in names] == list(range(8))
    assert (ExitCode.INTERNAL, ExitCode.INTERRUPTED) == (70, 130)
    assert set(ORDER) == {int(code) for code in ExitCode}


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(ORDER, 2)))
def test_precedence_of_every_pair(first, second):
    assert worst([ExitCode(second), ExitCode(first)]) == first
    assert worst([ExitCode(first), ExitCode(second)]) == first


def test_nothing_to_report_is_ok():
    assert worst([]) == ExitCode.OK


def test_each_class_of_the_tree_owns_its_code():
    """A class that is added must be added here, with its code."""
    found = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, MmbenchError)} - {MmbenchError}
    assert {c.__name__: int(c.exit_code) for c in found} == CODES


def test_the_tree_in_the_docstring_names_every_class_with_its_code():
    for name, code in CODES.items():
        line = next(line for line in (errors.__doc__ or "").splitlines() if f" {name} " in line)
        assert f" {code} " in line


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("segg", "There is no suite named 'segg'; did you mean 'seg'?"),
        ("seg-camvit", "There is no suite named 'seg-camvit'; did you mean 'seg-camvid'?"),
        ("zzzz", "There is no suite named 'zzzz'; known: seg, seg-camvid."),
    ],
)
def test_unknown_name_suggests_the_nearest(name, sentence):
    assert str(UnknownName("suite", name, ["seg-camvid", "seg"])) == sentence


def test_unknown_name_where_nothing_is_known():
    assert str(UnknownName("suite", "a", [])) == "There is no suite named 'a'; known: none."


def test_missing_extra_says_how_to_install_it():
    sentence = str(MissingExtra("The fusion 'gmu'", "torch"))
    assert sentence == "The fusion 'gmu' needs mmbench[torch]; install it with: pip install 'mmbench[torch]'."

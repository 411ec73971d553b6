"""From the flags to an opened suite: what is given twice must agree, and the reference holds every parameter."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench.core.errors import UnknownName, UsageError
from mmbench.runner.suites import SuiteChoice, open_suite, parse_roots, parse_settings


def test_reference_holds_every_parameter():
    suite = open_suite("seg", SuiteChoice({"tier": "smoke"}))
    assert str(suite.reference) == "seg@1[regime=X,tier=smoke]"
    assert len(suite.source.ids) == 256


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("seg@1[regime=S4,tier=smoke]#n=20,seed=3", SuiteChoice()),
        ("seg[tier=smoke]", SuiteChoice({"regime": "S4"}, 20, 3)),
        ("seg@1[regime=S4]#n=20,seed=3", SuiteChoice({"regime": "S4", "tier": "smoke"}, 20, 3)),
    ],
)
def test_flags_and_reference_say_the_same(text, choice):
    """A reference that was printed selects the same samples when it is given back."""
    assert str(open_suite(text, choice).reference) == "seg@1[regime=S4,tier=smoke]#n=20,seed=3"


@pytest.mark.parametrize(
    ("text", "choice", "sentence"),
    [
        ("seg[regime=S4]", SuiteChoice({"regime": "R"}), "has regime=S4, but --set has regime=R"),
        ("seg#n=20,seed=3", SuiteChoice(limit=30), "names a subset, and --limit 30 another"),
        ("seg", SuiteChoice({"regme": "S4"}), "has no parameter 'regme'"),
        ("seg", SuiteChoice({"regime": "Z"}), "has no regime='Z'"),
        ("seg", SuiteChoice(seed=4), "--limit-seed .* no --limit"),
    ],
)
def test_contradictions_are_refused(text, choice, sentence):
    with pytest.raises(UsageError, match=sentence):
        open_suite(text, choice)


def test_unknown_suite_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'seg'"):
        open_suite("segg", SuiteChoice())


def test_suite_file_is_opened_by_its_path(tmp_path):
    from mmbench import content

    text = content.suite_files()["seg"].read_text().replace('name = "seg"', 'name = "mine"')
    (tmp_path / "m.toml").write_text(text)
    suite = open_suite(str(tmp_path / "m.toml"), SuiteChoice({"tier": "smoke"}, 5, 1))
    assert str(suite.reference) == "mine@1[regime=X,tier=smoke]#n=5,seed=1"


def test_settings():
    assert parse_settings(["a=1", "b=x=y", "a=1"]) == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize("text", ["a", "a=", "=1", ""])
def test_setting_that_is_no_pair_is_refused(text):
    with pytest.raises(UsageError, match="expected name=value"):
        parse_settings([text])


def test_setting_with_two_values_is_refused():
    with pytest.raises(UsageError, match="given twice"):
        parse_settings(["a=1", "a=2"])


def test_roots():
    """A path may hold a =; what stands before the first one is a suite only if it can be its name."""
    assert parse_roots(["/data"]) == {"": Path("/data")}
    assert parse_roots(["seg-camvid=/data/camvid", "/rest"]) == {"seg-camvid": Path("/data/camvid"), "": Path("/rest")}
    assert parse_roots(["/data/a=b"]) == {"": Path("/data/a=b")}


def test_two_roots_of_a_suite_are_refused():
    with pytest.raises(UsageError, match="given twice for seg"):
        parse_roots(["seg=/a", "seg=/b"])


def test_empty_root_is_refused():
    with pytest.raises(UsageError, match="empty"):
        parse_roots([""])

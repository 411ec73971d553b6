"""Suite files are data with unknown keys refused; suite references round-trip."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbench.core.errors import UsageError
from mmbench.core.suite import SuiteReference, SuiteSpec

NAMES = st.from_regex(re.compile(r"[a-z0-9][a-z0-9-]{0,12}", re.ASCII), fullmatch=True)
PARAMETERS = st.dictionaries(
    st.from_regex(re.compile(r"[A-Za-z0-9_]{1,8}", re.ASCII), fullmatch=True),
    st.from_regex(re.compile(r"[A-Za-z0-9_.:-]{1,8}", re.ASCII), fullmatch=True),
    max_size=4,
)


@st.composite
def references(draw):
    limit = draw(st.none() | st.integers(1, 10**9))
    return SuiteReference(
        name=draw(NAMES),
        version=draw(st.none() | st.integers(1, 10**6)),
        parameters=tuple(sorted(draw(PARAMETERS).items())),
        limit=limit,
        seed=0 if limit is None else draw(st.integers(0, 10**9)),
    )


@given(references())
def test_parse_is_the_inverse_of_str(reference):
    assert SuiteReference.parse(str(reference)) == reference


@given(references())
def test_str_is_canonical(reference):
    """Equal references have equal text: it is printed, stored and compared."""
    assert str(SuiteReference.parse(str(reference))) == str(reference)


@given(st.text(max_size=30))
def test_any_text_is_a_reference_or_a_usage_error(text):
    try:
        reference = SuiteReference.parse(text)
    except UsageError:
        return
    assert SuiteReference.parse(str(reference)) == reference


def test_the_order_of_parameters_does_not_matter():
    assert SuiteReference.parse("seg[tier=ci,regime=X]") == SuiteReference.parse("seg[regime=X,tier=ci]")


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("seg", SuiteReference(name="seg")),
        ("seg@2", SuiteReference(name="seg", version=2)),
        ("seg#n=200", SuiteReference(name="seg", limit=200)),
        (
            "seg@1[regime=X,tier=ci]#n=200,seed=3",
            SuiteReference(name="seg", version=1, parameters=(("regime", "X"), ("tier", "ci")), limit=200, seed=3),
        ),
    ],
)
def test_examples_of_the_grammar(text, parsed):
    assert SuiteReference.parse(text) == parsed


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is not a suite reference"),
        ("Seg", "is not a suite reference"),
        ("seg@0", "is not a suite reference"),
        ("seg@01", "is not a suite reference"),
        ("seg@", "is not a suite reference"),
        ("seg@" + "9" * 5000, "is not a suite reference"),
        ("seg#n=" + "9" * 5000, "is not a whole number"),
        ("seg[regime=X", "is not a suite reference"),
        ("seg\n", "is not a suite reference"),
        ("seg[regime]", "'regime' is not a parameter; expected name=value"),
        ("seg[regime=]", "'regime=' is not a parameter"),
        ("seg[regime=a b]", "'regime=a b' is not a parameter"),
        ("seg[a=1,,b=2]", "'' is not a parameter"),
        ("seg[a=1,a=2]", "sets a parameter twice"),
        ("seg#seed=1", "only n= and seed= are allowed"),
        ("seg#n=1,k=2", "only n= and seed= are allowed"),
        ("seg#n=0", "'0' is not a whole number of at least 1"),
        ("seg#n=x", "'x' is not a whole number of at least 1"),
        ("seg#n=1,seed=-1", "'-1' is not a whole number of at least 0"),
        ("seg#n=٣", "is not a parameter"),
    ],
)
def test_malformed_references(text, part):
    with pytest.raises(UsageError) as caught:
        SuiteReference.parse(text)
    assert part in str(caught.value)
    assert repr(text) in str(caught.value)


def test_a_seed_without_a_limit_selects_nothing():
    with pytest.raises(ValidationError, match="seed without a limit"):
        SuiteReference(name="seg", seed=1)


def spec(**fields):
    base = {"name": "toy", "version": 1, "title": "t", "task": "segmentation", "modalities": ["rgb"]}
    base |= {"metrics": ["miou"], "primary": "miou", "source": {"kind": "folders"}}
    base["parameters"] = {"regime": {"default": "X", "choices": ["X", "R"]}, "tier": {"default": "a", "choices": ["a"]}}
    return SuiteSpec.model_validate(base | fields)


def test_resolve_fills_in_the_defaults():
    assert spec().resolve({"regime": "R"}) == {"regime": "R", "tier": "a"}


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"colour": "red"}, "Suite 'toy' has no parameter 'colour'; it has: regime, tier."),
        ({"regime": "Z"}, "Suite 'toy' has no regime='Z'; expected one of: X, R."),
    ],
)
def test_resolve_refuses_what_the_suite_does_not_have(chosen, sentence):
    with pytest.raises(UsageError) as caught:
        spec().resolve(chosen)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "fields",
    [
        {"primary": "other"},
        {"metrics": []},
        {"modalities": []},
        {"version": 0},
        {"name": "Has Spaces"},
        {"surprise": 1},
        {"source": {"kind": "folders", "surprise": 1}},
        {"parameters": {"regime": {"default": "Z", "choices": ["X"]}}},
        {"inference": {"mode": "slide"}},
        {"metrics": ["vqa/miou"], "primary": "vqa/miou"},
        {"task": "joint"},
        {"task": "joint", "metrics": ["vqa/a", "vqa/b"], "primary": "vqa/a"},
        {"task": "joint", "metrics": ["vqa/a", "miou"], "primary": "vqa/a"},
        {"task": "joint", "metrics": ["vqa/a", "joint/b"], "primary": "vqa/a"},
        {"task": "joint", "metrics": ["vqa/a", "cooking/b"], "primary": "vqa/a"},
    ],
)
def test_a_suite_that_contradicts_itself_is_refused(fields):
    with pytest.raises(ValidationError):
        spec(**fields)


def test_an_implied_default_is_not_written():
    """So that a reference from before the parameter means the same; any other value is."""
    suite = spec(parameters={"held": {"default": "none", "choices": ["none", "pairs"], "implied": True}})
    assert suite.resolve({}) == suite.resolve({"held": "none"}) == {}
    assert suite.resolve({"held": "pairs"}) == {"held": "pairs"}


def test_the_tasks_of_a_suite():
    """One; those that the metrics of a joint suite name, in their order."""
    assert spec().tasks == ("segmentation",)
    joint = spec(task="joint", metrics=["vqa/a", "classification/b", "vqa/c"], primary="classification/b")
    assert joint.tasks == ("vqa", "classification")
    assert not joint.spatial


def test_a_suite_is_frozen():
    with pytest.raises(ValidationError):
        spec().version = 2

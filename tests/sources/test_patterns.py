"""Path patterns: what they match, what they give, how files are found by them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.patterns import Pattern, search

words = st.text(alphabet=string.ascii_lowercase + string.digits, min_size=1, max_size=6)


@given(city=words, number=words, split=st.sampled_from(["train", "val"]))
def test_what_is_filled_in_is_what_a_match_gives_back(city, number, split):
    """Law: match(fill(fields)) == fields, for values without the separators of the pattern."""
    pattern = Pattern.parse("left/{split:train|val}/{city}/{city}_{number}_left.png")
    fields = {"split": split, "city": city, "number": number}
    assert pattern.match(pattern.fill(fields), {}) == fields


@pytest.mark.parametrize(
    ("pattern", "text", "fields"),
    [
        ("{id}.png", "a.png", {"id": "a"}),
        ("{id}.png", "b/a.png", None),
        ("{id:**}.png", "b/a.png", {"id": "b/a"}),
        ("**/{id}.png", "/x/y/a.png", {"id": "a"}),
        ("**/{id}.png", "a.png", {"id": "a"}),
        ("rgb/{id}.*", "rgb/a.jpeg", {"id": "a"}),
        ("{video}_{frame}", "0001TP_00_1", {"video": "0001TP", "frame": "00_1"}),
        ("{a}/{a}_{b}", "x/y_1", None),
        ("{time:day|night}_{id}", "dusk_1", None),
        ("a+b/{id}", "aab/1", None),
    ],
)
def test_matches(pattern, text, fields):
    assert Pattern.parse(pattern).match(text, {}) == fields


def test_fixed_fields_only_match_themselves():
    pattern = Pattern.parse("{split}/{id}.png")
    assert pattern.match("val/1.png", {"split": "val"}) == {"split": "val", "id": "1"}
    assert pattern.match("test/1.png", {"split": "val"}) is None


@pytest.mark.parametrize("text", ["", "{id", "id}", "{Id}", "{}", "a**b", "{id:}", "{a{b}}"])
def test_a_malformed_pattern_is_refused(text):
    with pytest.raises(ValueError, match="pattern"):
        Pattern.parse(text)


def test_only_the_folder_that_every_match_lies_in_is_searched(data):
    """Files beside the pattern's folder are not looked at, and the order is that of the paths."""
    for name in ("b/2.png", "b/1.png", "a/1.png", "b/1.txt"):
        data.text(f"train/{name}", "")
    data.text("val/b/1.png", "")
    pattern = Pattern.parse("{split}/{city}/{id}.png")
    assert pattern.folder({"split": "train"}) == "train"
    assert [path for path, _ in search(data.root, pattern, {"split": "train"})] == [
        "train/a/1.png",
        "train/b/1.png",
        "train/b/2.png",
    ]

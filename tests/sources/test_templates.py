"""Ids, groups and tags made of fields."""

import pytest
from pydantic import TypeAdapter, ValidationError

from mmbench.sources.templates import TagParams, Template, fields_of, fields_of_tags, fill, fill_known, fill_tags


def test_fields_are_put_in():
    assert fill("{a}/{b}_{a}", {"a": "1", "b": "2"}) == "1/2_1"
    assert fields_of("{a}/{b}_{a}") == {"a", "b"}
    with pytest.raises(KeyError):
        fill("{c}", {"a": "1"})


def test_what_is_not_known_stays():
    assert fill_known("/my {data}/{split}.txt", {"split": "val"}) == "/my {data}/val.txt"


def test_a_tag_by_what_is_contained():
    """DELIVER: the failure of a sensor stands in the name of the sequence."""
    tag = TagParams(of="{sequence}", contains={"blur": "MB", "over": "OE"}, otherwise="none")
    tags = {"failure": tag, "weather": "{weather}"}
    assert set(fields_of_tags(tags)) == {"sequence", "weather"}
    assert fill_tags(tags, {"sequence": "MAP_1_motionblur", "weather": "fog"}) == {"failure": "MB", "weather": "fog"}
    assert fill_tags(tags, {"sequence": "MAP_1", "weather": "fog"}) == {"failure": "none", "weather": "fog"}
    assert fill_tags({"t": TagParams(of="{x}", contains={"D": "day"})}, {"x": "1N"}) == {}


@pytest.mark.parametrize("text", ["", "{A}", "{a", "a}", "{a:**}"])
def test_a_malformed_template_is_refused(text):
    with pytest.raises(ValidationError, match="template"):
        TypeAdapter(Template).validate_python(text)

"""Names of what belongs to one part of a joint suite."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.parts import joined, of_part, own_name, part_of

NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@given(st.just("") | NAMES, NAMES)
def test_a_name_is_its_part_and_its_own(part: str, name: str) -> None:
    whole = joined(part, name)
    assert (part_of(whole), own_name(whole)) == (part, name)


@given(st.lists(NAMES), st.lists(NAMES))
def test_each_part_gets_its_own_names_back(first: list[str], second: list[str]) -> None:
    """In their order, whatever the other part holds; "" is the whole."""
    whole = [joined("vqa", name) for name in first] + [joined("classification", name) for name in second]
    assert of_part(whole, "vqa") == tuple(first)
    assert of_part(whole, "classification") == tuple(second)
    assert of_part(whole, "") == tuple(whole)


def test_a_part_is_no_mere_beginning() -> None:
    assert of_part(("vqa-av/yes", "vqa/no"), "vqa") == ("no",)

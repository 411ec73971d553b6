"""Ids, groups and tags of samples, made of the fields of their paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator

from mmbench.sources.decoding import Table

_FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


def _checked(text: str) -> str:
    rest = _FIELD.sub("", text)
    if not text or "{" in rest or "}" in rest:
        raise ValueError(f"{text!r} is not a template; write fields like {{id}}")
    return text


Template = Annotated[str, AfterValidator(_checked)]


class TagParams(Table):
    """A tag whose value is chosen by what ``of`` contains: the first key of ``contains`` that is in it decides.

    ``otherwise`` is the value when none is; without it the sample has no such tag.
    """

    of: Template
    contains: dict[str, str]
    otherwise: str | None = None


def fill(template: str, fields: Mapping[str, str]) -> str:
    """The template with the fields put in; raises KeyError on an unknown field."""
    return _FIELD.sub(lambda found: fields[found[1]], template)


def fill_known(text: str, fields: Mapping[str, str]) -> str:
    """The text with the fields put in that are known; all else stays as it is."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def fields_of(template: str) -> set[str]:
    """The names of the fields."""
    return set(_FIELD.findall(template))


def fill_tags(tags: Mapping[str, str | TagParams], fields: Mapping[str, str]) -> dict[str, str]:
    """The tags of a sample with these fields."""
    found = {name: _value(tag, fields) for name, tag in tags.items()}
    return {name: value for name, value in found.items() if value is not None}


def fields_of_tags(tags: Mapping[str, str | TagParams]) -> Iterable[str]:
    """The names of all fields that the tags need."""
    return (name for tag in tags.values() for name in fields_of(tag if isinstance(tag, str) else tag.of))


def _value(tag: str | TagParams, fields: Mapping[str, str]) -> str | None:
    if isinstance(tag, str):
        return fill(tag, fields)
    text = fill(tag.of, fields)
    return next((value for part, value in tag.contains.items() if part in text), tag.otherwise)

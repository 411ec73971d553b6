"""Writes a suite as TOML, with comments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Tables that read better on one line.
_INLINE = ("colours", "map", "contains")
_WIDTH = 100


def toml_text(content: Mapping[str, Any], comments: Mapping[str, str]) -> str:
    """TOML of nested tables; ``comments`` (key or table by its dotted path) stand above what they explain."""
    return "\n".join(_table(content, "", comments)).strip() + "\n"


def _table(content: Mapping[str, Any], path: str, comments: Mapping[str, str]) -> Iterator[str]:
    tables = {key: v for key, v in content.items() if isinstance(v, Mapping) and key not in _INLINE}
    values = {key: value for key, value in content.items() if key not in tables}
    if path and (values or not tables):
        yield ""
        yield from _comment(comments.get(path))
        yield f"[{path}]"
    for key, value in values.items():
        yield from _comment(comments.get(f"{path}.{key}" if path else key))
        yield f"{_key(key)} = {_value(value)}"
    for key, table in tables.items():
        yield from _table(table, f"{path}.{_key(key)}" if path else _key(key), comments)


def _comment(text: str | None) -> list[str]:
    return [f"# {line}" for line in text.splitlines()] if text else []


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _string(key)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, Sequence):
        return _array([_value(item) for item in value])
    return json.dumps(value)


def _array(items: Sequence[str]) -> str:
    line = f"[{', '.join(items)}]"
    if len(line) <= _WIDTH:
        return line
    lines, current = [], ""
    for item in items:
        if current and len(current) + len(item) + 2 > _WIDTH:
            lines.append(f"    {current}")
            current = ""
        current += f"{item}, "
    return "[\n" + "\n".join(line.rstrip() for line in [*lines, f"    {current}"]) + "\n]"


def _string(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

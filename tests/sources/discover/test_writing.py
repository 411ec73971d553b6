"""TOML that is written is read back the same."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.discover.writing import toml_text

scalars = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.integers(-(2**31), 2**31),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)
values = st.one_of(scalars, st.lists(scalars, max_size=40))
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
tables = st.recursive(
    st.dictionaries(keys, values, max_size=4), lambda t: st.dictionaries(keys, t | values, max_size=4)
)


@given(tables)
def test_what_is_written_is_read_back(content):
    """Law: parse(write(x)) == x, for any keys and texts."""
    assert tomllib.loads(toml_text(content, {})) == content


def test_inline_tables_and_comments():
    content = {"a": 1, "label": {"path": "x", "colours": {"class 0": [0, 0, 0]}}, "splits": {"train": {}}}
    text = toml_text(content, {"a": "one\ntwo", "label": "three", "label.path": "four", "splits.train": "five"})
    assert tomllib.loads(text) == content
    assert text == (
        '# one\n# two\na = 1\n\n# three\n[label]\n# four\npath = "x"\ncolours = { "class 0" = [0, 0, 0] }\n\n'
        "# five\n[splits.train]\n"
    )

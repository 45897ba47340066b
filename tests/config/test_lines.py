"""In which line of a TOML text each key stands."""

import sys
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.config.kinds import toml_key, toml_value
from tcptui.config.lines import DEEPEST, lines_of_keys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("# only this", {}),
        ("a = 1\n\n# b = 2\nb = 2", {("a",): 1, ("b",): 4}),
        ("a = 1\r\nb = 2\r\n", {("a",): 1, ("b",): 2}),
        ('a = """\nb = 1\n"""\nb = 2', {("a",): 1, ("b",): 4}),
        ("a = '''\n[c]\n'''\nb = 2", {("a",): 1, ("b",): 4}),
        ('a = """x""""" # "\nb = 2', {("a",): 1, ("b",): 2}),
        ('a = "# \\" ["\nb = 2', {("a",): 1, ("b",): 2}),
        ("a = [\n1, # ]\n2,\n]\nb = 2", {("a",): 1, ("b",): 5}),
        ("a = { b = 1,\tc = 2 }", {("a",): 1, ("a", "b"): 1, ("a", "c"): 1}),
        ("a.b.c = 1", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1}),
        ("[a]\n\nb = 1\n[c.d] # here\ne = 1", {("a",): 1, ("a", "b"): 3, ("c",): 4, ("c", "d"): 4, ("c", "d", "e"): 5}),
        ("[c.d]\n[c]\nx = 1", {("c",): 2, ("c", "d"): 1, ("c", "x"): 3}),
        ("[ a . 'b c' ]\nd = 1", {("a",): 1, ("a", "b c"): 1, ("a", "b c", "d"): 2}),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", {("a",): 3, ("a", "b"): 2}),
    ],
)
def test_keys_stand_where_they_stand(text: str, lines: Mapping[tuple[str, ...], int]) -> None:
    assert lines_of_keys(text) == lines


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.booleans() | st.integers(-9, 9) | texts
values = scalars | st.lists(scalars | st.lists(scalars, max_size=2), max_size=3)
tables = st.dictionaries(texts, values, max_size=4)
comments = st.lists(st.sampled_from(("", "# a = 1", "   ", '# """', "# [x]")), max_size=3)


def spread(value: object) -> str:
    """A value over as many lines as TOML allows."""
    if isinstance(value, list):
        return "[\n" + "".join(f"  {spread(each)}, # ]\n" for each in value) + "]"
    if isinstance(value, str) and value.isprintable():
        return '"""\n' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""'
    return toml_value(value)


@given(st.lists(st.tuples(texts, tables, comments), max_size=4, unique_by=lambda each: each[0]), st.data())
def test_every_key_is_found_in_the_line_that_it_was_written_to(
    sections: list[tuple[str, dict[str, object], list[str]]], data: st.DataObject
) -> None:
    text = ""
    written: dict[tuple[str, ...], int] = {}
    for name, table, remarks in sections:
        text += "".join(f"{remark}\n" for remark in remarks)
        written[name,] = text.count("\n") + 1
        text += f"[{toml_key(name)}]\n"
        for key, value in table.items():
            written[name, key] = text.count("\n") + 1
            is_spread = data.draw(st.booleans())
            text += f"{toml_key(key)} = {spread(value) if is_spread else toml_value(value)}\n"
    assert lines_of_keys(text) == written
    assert {path for path in paths(tomllib.loads(text)) if len(path) < 3} == set(written)


def paths(said: Mapping[str, object], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in said.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from paths(value, (*above, key))


@given(st.text(max_size=60))
def test_whatever_is_toml_has_a_line_for_every_key(text: str) -> None:
    try:
        said = tomllib.loads(text)
    except ValueError:
        return
    assert {path for path in paths(said) if len(path) <= DEEPEST} <= set(lines_of_keys(text))


@given(values)
def test_a_value_that_is_written_is_read_again(value: object) -> None:
    text = toml_value(value)
    assert text.isprintable()
    assert tomllib.loads(f"a = {text}") == {"a": value}

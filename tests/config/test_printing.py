"""The configuration as it is printed: all of it, explained, and the same when it is read again."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.config.file import load_config
from tcptui.config.kinds import toml_key, toml_value
from tcptui.config.printing import Found, config_text
from tcptui.config.settings import SETTINGS, Config
from tcptui.model.fields import ViewKind
from tcptui.tui.column_choice import chosen_columns
from tcptui.tui.commands import COMMANDS
from tcptui.tui.configurable import usual_entries
from tcptui.tui.keymap import chosen_keys
from tcptui.tui.preferences import preferences
from tests.support.languages import speaking

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
layouts = st.fixed_dictionaries(
    {}, optional={"panels": st.lists(texts, max_size=3), "left_width": st.integers(1, 1000)}
)
said = st.fixed_dictionaries(
    {},
    optional={
        "lang": st.sampled_from(("en", "zh")),
        "interval": st.floats(0.2, 3600) | st.integers(1, 3600),
        "view": texts,
        "theme": texts,
        "ascii": st.booleans(),
        "mouse": st.booleans(),
        "filters": st.dictionaries(names, texts, max_size=3),
        "keys": st.dictionaries(
            names | st.sampled_from([each.id for each in COMMANDS]), st.just("") | texts, max_size=3
        ),
        "columns": st.dictionaries(
            names | st.sampled_from([each.value for each in ViewKind]), st.lists(texts, max_size=3), max_size=3
        ),
        "layouts": st.dictionaries(names, layouts, max_size=3),
    },
)


def as_file(values: Mapping[str, object]) -> str:
    plain = [f"{name} = {toml_value(value)}\n" for name, value in values.items() if not isinstance(value, Mapping)]
    sections = [
        f"[{name}]\n" + "".join(f"{toml_key(key)} = {toml_value(each)}\n" for key, each in table.items())
        for name, table in values.items()
        if isinstance(table, Mapping)
    ]
    return "".join([*plain, *sections])


@given(said)
def test_what_is_printed_is_the_same_configuration(
    tmp_path_factory: pytest.TempPathFactory, values: Mapping[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "config.toml"
    path.write_text(as_file(values), "utf-8")
    config = load_config(str(path))
    found = {"theme": Found("nord", "remembered\\n")}
    for language in ("en", "zh"):
        with speaking(language):
            text = config_text(config, usual_entries(), found)
        assert all(line.isprintable() for line in text.splitlines())
        path.write_text(text, "utf-8")
        assert load_config(str(path)) == config


def without_marks(text: str) -> str:
    """Every line that holds without being said, said."""
    return re.sub(r"^#(?=\S+ = )", "", text, flags=re.MULTILINE)


def test_every_line_that_is_offered_may_be_said(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(without_marks(config_text(Config(str(path)), usual_entries(), {})))
    config = load_config(str(path))
    assert all(setting.key in config.lines for setting in SETTINGS)
    assert set(config.keys) == {command.id for command in COMMANDS}
    assert {command.id: tuple(command.keys.split(",")) for command in COMMANDS} == chosen_keys(config)
    columns = chosen_columns(config)
    assert columns == {kind: kind.usual_columns for kind in ViewKind}
    assert preferences(config, columns).theme == "tcptui-light"
    assert list(config.layouts) == ["narrow"]


def test_it_says_where_each_value_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('# mine\ninterval = 5\n[filters]\nweb = ":80"\n[keys]\nzoom = "r"\n')
    text = config_text(load_config(str(path)), usual_entries(), {"ascii": Found(True, "because of TERM")})
    assert f"# from line 2 of {path}\ninterval = 5.0\n" in text
    assert "# default\n#view = " in text
    assert "# because of TERM\n#ascii = true\n" in text
    assert f'web = ":80"  # from line 4 of {path}\n' in text
    assert f'zoom = "r"  # Zoom: give the panel all the room, or take it away again; from line 6 of {path}\n' in text
    assert '#quit = "q, ctrl+c"  # Leave\n' in text

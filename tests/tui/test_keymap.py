"""Keys that a person has chosen: what may be written, what is refused with its line, and what the screen then says."""

import asyncio
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import Keys, _character_to_key

from tcptui.config.file import load_config
from tcptui.errors import RequestError
from tcptui.sources.demo import DemoSource
from tcptui.tui.commands import COMMANDS, KEYS_OF_PANELS
from tcptui.tui.explain_panel import ExplainPanel
from tcptui.tui.keymap import Keymap, chosen_keys
from tcptui.tui.keys import KEY_NAMES, key_called, key_text
from tcptui.tui.preferences import Preferences
from tcptui.tui.states_panel import StatesPanel
from tcptui.tui.table_panel import TablePanel
from tests.support.screens import RunningScreen, running_screen


def chosen(tmp_path: Path, text: str) -> dict[str, tuple[str, ...]]:
    path = tmp_path / "config.toml"
    path.write_text(f"[keys]\n{text}\n")
    return dict(chosen_keys(load_config(str(path))))


# -- Names of keys -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "key", "shown"),
    [
        ("?", "question_mark", "?"),
        ("/", "slash", "/"),
        ("question_mark", "question_mark", "?"),
        ("a", "a", "a"),
        ("A", "A", "A"),
        ("shift+a", "A", "A"),
        ("é", "é", "é"),
        ("ctrl+l", "ctrl+l", "Ctrl+L"),
        ("Ctrl+L", "ctrl+l", "Ctrl+L"),
        ("ctrl+alt+x", "alt+ctrl+x", "Alt+Ctrl+X"),
        ("F5", "f5", "F5"),
        ("shift+tab", "shift+tab", "Shift+Tab"),
        ("esc", "escape", "Esc"),
        ("ctrl+i", "tab", "Tab"),
        ("PgDn", "pagedown", "PgDn"),
        ("space", "space", "Space"),
        ("comma", "comma", ","),
        ("plus", "plus", "+"),
        ("+", "plus", "+"),
        ("left", "left", "←"),
    ],
)
def test_a_key_goes_by_its_character_or_name(written: str, key: str, shown: str) -> None:
    assert key_called(written) == key
    assert key_text(key) == shown


@pytest.mark.parametrize("written", ["", " ", "foo", "ctrl+", "ctrl+foo", "hyperr+a", "ab", "\x1b", "f25", "\u202e"])
def test_there_is_no_such_key(written: str) -> None:
    assert key_called(written) == ""


def test_textual_calls_keys_the_same() -> None:
    for char in string.printable.strip():
        assert key_called(char) == _character_to_key(char)
    theirs = {key.value for key in Keys if "+" not in key.value and "<" not in key.value and "-" not in key.value}
    assert theirs - {"return"} <= set(KEY_NAMES)


@given(st.text(max_size=12))
def test_any_text_is_a_key_that_is_called_so_or_none(text: str) -> None:
    key = key_called(text)
    if key:
        assert key_called(key) == key
        assert key_text(key).isprintable()


def test_where_there_are_no_arrows_they_have_names() -> None:
    arrow = {"previous_state": ("left", "h")}
    assert Keymap(arrow, has_arrows=False).shown("previous_state") == "Left h"
    assert Keymap(arrow).shown("previous_state") == "← h"
    assert Keymap(has_arrows=False).plain("↑ ↓ j k") == "Up Down j k"


def test_no_command_has_a_key_of_another_or_of_a_panel() -> None:
    keys = [key for command in COMMANDS for key in Keymap().keys(command.id)]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(KEYS_OF_PANELS)
    assert all(key_called(key) == key for key in keys)


def test_the_keys_of_the_panels_are_known() -> None:
    bindings = [panel._merged_bindings for panel in (TablePanel, StatesPanel, ExplainPanel)]
    taken = {key for each in bindings if each is not None for key in each.key_to_bindings}
    ours = {key for key in taken if not key.startswith("ctrl+") or key in ("ctrl+b", "ctrl+f")}
    sideways = {"left", "right", "ctrl+pageup", "ctrl+pagedown"}
    """Textual's own, for panels that scroll sideways: ours do not, and hand them on."""
    assert ours - sideways <= set(KEYS_OF_PANELS)


# -- What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('pause = "f9"\nsav = "x"', "line 3: keys.sav: there is no such command: did you mean save?"),
        ('save = "f99"', "line 2: keys.save: there is no key 'f99': did you mean f9?"),
        ('save = "escpe"', "line 2: keys.save: there is no key 'escpe': did you mean escape?"),
        ('save = "w,"', "line 2: keys.save: there is no key ''"),
        ('save = "\\u001b"', "line 2: keys.save: there is no key '\\x1b'"),
        ('save = "q"', "line 2: keys.save: q is a key of quit too: choose another key, or give quit others"),
        ('save = "f8"\npause = "f7, f8"', "line 3: keys.pause: F8 is a key of save too: choose another key"),
        ('save = "j"', "line 2: keys.save: j moves the cursor and cannot mean anything else: choose another key"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RequestError) as caught:
        chosen(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/config.toml: {said}")
    assert str(caught.value).isprintable()


def test_keys_may_be_exchanged_and_taken_away(tmp_path: Path) -> None:
    keys = chosen(tmp_path, 'save = "space, p"\npause = "w"\nredraw = ""\nquit = "Q, Q"')
    assert keys == {"save": ("space", "p"), "pause": ("w",), "redraw": (), "quit": ("Q",)}


# -- On the screen -----------------------------------------------------------------------------------------------------


def test_the_screen_follows_and_shows_the_chosen_keys(tmp_path: Path) -> None:
    keymap = Keymap(chosen(tmp_path, 'pause = "w"\nsave = "space, p"\nfilter = "f9"\nmark_row = ""\nshow_help = "f8"'))

    async def run() -> None:
        preferences = Preferences(keymap)
        async with running_screen(DemoSource("leak"), size=(140, 40), preferences=preferences) as running:
            await running.wait_for("w pause")
            assert "Space save" in running.text
            assert "F9 filter" in running.text
            await running.press("w")
            await running.wait_for("‖ paused")
            await running.press("w")
            await running.wait_for("● live")
            await running.press("space")
            await running.wait_for("─ Save ─")
            await running.press("escape", "f9", *":22", "enter")
            await running.wait_for("filter: :22")
            await running.press("escape", "n")
            await running.wait_for("(no key) marks a row")
            await running.press("f8")
            await running.wait_for("KEYS IN THE TABLE")
            assert "F9 narrows everything as you type" in running.text
            assert "/ narrows" not in running.text
            await running.press("escape")
            await pressed_in_vain(running, "t", "slash", "f1")

    asyncio.run(run())


async def pressed_in_vain(running: RunningScreen, *keys: str) -> None:
    await running.press(*keys)
    assert "marked" not in running.text
    assert running.app.screen is running.app._panel_screen
    assert running.app._prompt is not None
    assert running.app._prompt.purpose is None


def test_the_palette_shows_the_chosen_keys(tmp_path: Path) -> None:
    keymap = Keymap(chosen(tmp_path, 'pause = "ctrl+g"'))

    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), preferences=Preferences(keymap)) as running:
            await running.press("ctrl+p", *"keep this sample")
            await running.wait_for("key Ctrl+G")

    asyncio.run(run())

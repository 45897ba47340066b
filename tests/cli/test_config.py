"""The configuration from the command line: printed, refused with its line before there is a screen, and in force."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tcptui.cli import DEFAULT_INTERVAL_S, DEFAULT_VIEW, VIEW_NAMES
from tcptui.config.settings import LEAST_INTERVAL_S, MOST_INTERVAL_S, SETTINGS, Config
from tcptui.tui.tabs import VIEW_ORDER
from tests.cli.process import COMMAND, Ended, environment, tcptui, tcptui_on_terminal
from tests.cli.test_imports import SCREEN_LIBRARIES, modules_after
from tests.support.terminal import Terminal, terminal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def home(folder: Path, text: str | None = None) -> dict[str, str]:
    """The environment of a user with a configuration, at a terminal."""
    path = folder / "tcptui" / "config.toml"
    if text is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    changed = {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "TERM": "xterm-256color"}
    return environment(**changed)


def path_in(folder: Path) -> str:
    return str(folder / "tcptui" / "config.toml")


# -- Printed -----------------------------------------------------------------------------------------------------------


def test_the_configuration_is_printed_as_one_to_save(tmp_path: Path) -> None:
    ended = tcptui("config", environ=home(tmp_path))
    assert (ended.exit_code, ended.errors) == (0, "")
    assert set(tomllib.loads(ended.output)) == {"filters", "keys", "columns", "layouts", "diagnosis"}
    for setting in SETTINGS:
        assert f"[{setting.dotted}]" in ended.output or f"\n#{setting.dotted} = " in ended.output
    again = tcptui("config", environ=home(tmp_path, ended.output))
    assert again.output == ended.output


def test_it_says_what_is_configured_and_what_would_be(tmp_path: Path) -> None:
    environ = home(tmp_path, 'interval = 5\n[keys]\npause = "f9"\n')
    output = tcptui("config", environ=environ).output
    assert f"# from line 1 of {path_in(tmp_path)}\ninterval = 5.0\n" in output
    assert '\npause = "f9"  # ' in output
    assert tcptui("config", "--default", environ=environ).output == tcptui("config", environ=home(tmp_path, "")).output


def test_its_path_is_printed_whatever_stands_there(tmp_path: Path) -> None:
    ended = tcptui("config", "--path", environ=home(tmp_path, "broken"))
    assert (ended.exit_code, ended.output, ended.errors) == (0, path_in(tmp_path) + "\n", "")
    assert tcptui("config", "--default", environ=home(tmp_path, "broken")).exit_code == 0


def test_it_speaks_chinese(tmp_path: Path) -> None:
    english = tcptui("config", "--lang", "en", environ=home(tmp_path)).output
    chinese = tcptui("config", "--lang", "zh", environ=home(tmp_path)).output
    assert english != chinese
    assert tomllib.loads(english) == tomllib.loads(chinese)


def test_printing_it_loads_no_screen() -> None:
    assert not modules_after("config")[0] & SCREEN_LIBRARIES


def test_a_remembered_theme_and_the_environment_are_told(tmp_path: Path) -> None:
    (tmp_path / "state" / "tcptui").mkdir(parents=True)
    (tmp_path / "state" / "tcptui" / "state.json").write_text('{"theme": {"name": "nord"}}')
    output = tcptui("config", environ=home(tmp_path) | {"TERM": "linux", "LC_ALL": "en_US.UTF-8"}).output
    assert '# chosen on the screen, and remembered\n#theme = "nord"\n' in output
    assert "# from the environment: TERM=linux, utf-8\n#ascii = true\n" in output
    assert '# from the environment: LC_ALL=en_US.UTF-8\n#lang = "en"\n' in output


# -- Refused -----------------------------------------------------------------------------------------------------------

WRONG = {
    "intervall = 3": "line 1: intervall: unknown key: did you mean interval?",
    "\ninterval = 'often'": "line 2: interval: expected a number, not text: write a number from 0.2 to 3600",
    "view = 'peer'": "line 1: view: there is no view 'peer': did you mean peers?",
    "theme = 'tcptui-drak'": "line 1: theme: there is no theme 'tcptui-drak': did you mean tcptui-dark?",
    "[keys]\nsav = 'x'": "line 2: keys.sav: there is no such command: did you mean save?",
    "[keys]\nsave = 'q'": "line 2: keys.save: q is a key of quit too: choose another key, or give quit others",
    "[columns]\npeers = ['totl']": "line 2: columns.peers: the view peers has no column 'totl': did you mean total?",
    "[layouts.a]\npanels = ['chat']": "line 2: layouts.a.panels: there is no panel 'chat': did you mean chart?",
    "[filters\n": "line 1, column 9: not TOML (expected ']' at the end of a table declaration)",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_configuration_is_one_line_before_there_is_a_screen(tmp_path: Path, text: str) -> None:
    environ = home(tmp_path, text)
    for ended in (tcptui_on_terminal("--demo", environ=environ), tcptui("config", environ=environ)):
        assert ended.exit_code == 2
        assert the_line(ended).startswith(f"{path_in(tmp_path)}: {WRONG[text]}")


def the_line(ended: Ended) -> str:
    """What is said, on one line, without a screen before it."""
    (line,) = ended.errors.splitlines()
    assert "\x1b" not in line
    return line.removeprefix("tcptui: ")


def test_it_disturbs_nobody_who_asks_for_no_screen(tmp_path: Path) -> None:
    for text in WRONG:
        ended = tcptui("snapshot", "--demo", "calm", environ=home(tmp_path, text))
        assert (ended.exit_code, "config.toml" in ended.errors) == (0, False)


def test_an_unknown_theme_on_the_command_line_is_refused(tmp_path: Path) -> None:
    ended = tcptui_on_terminal("--demo", "--theme", "drakula", environ=home(tmp_path))
    assert ended.exit_code == 2
    assert the_line(ended) == "there is no theme 'drakula': did you mean dracula?"


# -- In force ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def screen(environ: Mapping[str, str], *arguments: str) -> Iterator[Terminal]:
    with terminal([*COMMAND, "--demo", "leak", *arguments], columns=120, rows=40, environment=environ) as running:
        running.wait_for("10.1.")
        yield running
        running.type("q")


def test_the_screen_is_as_it_is_configured(tmp_path: Path) -> None:
    text = "interval = 30\nview = 'ports'\nascii = true\n[keys]\nsave = 'f9'\n"
    with terminal([*COMMAND, "--demo", "leak"], columns=120, rows=40, environment=home(tmp_path, text)) as running:
        running.wait_for("[5 Ports]")
        running.wait_for("every 30s")
        running.wait_for("F9 save")
        assert running.text.isascii()
        running.type("q")


def test_the_command_line_goes_before_it(tmp_path: Path) -> None:
    environ = home(tmp_path, "interval = 30\nview = 'ports'\nascii = true\n")
    with screen(environ, "-i", "60", "--view", "peers", "--no-ascii") as running:
        running.wait_for("[1 Peers]")
        running.wait_for("every 60s")
        assert "╭" in running.text


@pytest.mark.parametrize(
    ("changed", "is_ascii"),
    [
        ({"TERM": "linux"}, True),
        ({"PYTHONIOENCODING": "latin-1"}, True),
        ({"LC_ALL": "C"}, False),
        ({"LANG": "C"}, False),
    ],
)
def test_ascii_is_drawn_where_the_terminal_needs_it(tmp_path: Path, changed: dict[str, str], is_ascii: bool) -> None:  # noqa: FBT001
    with screen(home(tmp_path) | changed) as running:
        running.wait_for("[1 Peers]")
        assert running.text.isascii() is is_ascii


def test_a_mouse_that_is_not_wanted_is_not_asked_for(tmp_path: Path) -> None:
    wants_mouse = b"\x1b[?1000h"
    with screen(home(tmp_path)) as running:
        assert any(wants_mouse in data for _, data in running.written)
    with screen(home(tmp_path, "mouse = false")) as running:
        assert not any(wants_mouse in data for _, data in running.written)


def test_what_cannot_be_read_keeps_nobody_from_looking(tmp_path: Path) -> None:
    environ = home(tmp_path)
    os.makedirs(tmp_path / "tcptui")
    os.symlink("config.toml", tmp_path / "tcptui" / "config.toml")
    with screen(environ) as running:
        running.wait_for("[1 Peers]")


def test_what_is_declared_twice_is_declared_alike() -> None:
    config = Config("")
    assert (config.interval, config.view) == (DEFAULT_INTERVAL_S, DEFAULT_VIEW)
    assert (LEAST_INTERVAL_S, MOST_INTERVAL_S) == (0.2, 3600)
    assert set(VIEW_ORDER) <= set(VIEW_NAMES)

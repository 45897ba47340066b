"""What the user wants the screen to be like, of the command line and the configuration, checked.

May not know Textual, and knows of numbers only where columns are chosen: a mistake is told before the screen is loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tcptui.errors import RequestError, nearest_hint
from tcptui.language import tr
from tcptui.text import shown
from tcptui.tui.keymap import Keymap, chosen_keys

if TYPE_CHECKING:
    from tcptui.config.settings import Config
    from tcptui.tui.columns import Columns

DEFAULT_THEME = "tcptui-dark"
OWN_THEMES = (DEFAULT_THEME, "tcptui-light", "tcptui-contrast", "tcptui-safe")
TEXTUAL_THEMES = (
    *("ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light", "catppuccin-frappe", "catppuccin-latte"),
    *("catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki", "gruvbox", "monokai", "nord", "rose-pine"),
    *("rose-pine-dawn", "rose-pine-moon", "solarized-dark", "solarized-light", "textual-dark", "textual-light"),
    "tokyo-night",
)
"""Their names, which Textual has; a test compares."""
THEME_NAMES = (*OWN_THEMES, *TEXTUAL_THEMES)

THEME_SECTION = "theme"
"""What the theme chosen on the screen is remembered under."""

PANEL_WORDS = {"states": "states", "explanation": "explain", "chart": "history"}
"""What the configuration calls the panels that can be hidden, and their ids."""
TABLE_WORD = "table"
"""It may be named among them, and is always there."""

CONSOLES_WITHOUT_GLYPHS = ("linux",)
"""Terminals, by TERM, whose usual font has neither arrows nor round corners nor eighths of blocks."""

Layouts = Mapping[str, Mapping[str, object]]
"""By name what ``Arrangement.of`` understands."""


@dataclass(frozen=True)
class Preferences:
    """What the screen is to be like."""

    keymap: Keymap = field(default_factory=Keymap)
    theme: str = ""
    """The theme that was asked for; empty for the one remembered."""
    is_ascii: bool = False
    """Whether nothing but ASCII may be drawn."""
    columns: Columns = field(default_factory=dict)
    layouts: Layouts = field(default_factory=dict)
    path: str = ""
    """Where the configuration is, if it asks for the theme."""


def preferences(config: Config, columns: Columns, *, theme: str = "", ascii: bool | None = None) -> Preferences:
    """What the configuration asks for, unless the command line has asked for another theme or other characters.

    ``columns`` are those that it asks for, checked by who knows the views.

    Raises:
        RequestError: something of it means nothing.
    """
    ascii = _first_said(ascii, config.ascii, needs_ascii(os.environ, encoding_of_terminal()))
    if config.theme and config.theme not in THEME_NAMES:
        raise config.problem(("theme",), unknown_theme(config.theme), nearest_hint(config.theme, THEME_NAMES))
    return Preferences(
        Keymap(chosen_keys(config), has_arrows=not ascii),
        theme or config.theme,
        ascii,
        columns,
        {name: _layout(config, name, layout) for name, layout in config.layouts.items()},
        "" if theme else config.path if config.theme else "",
    )


def unconfigured(*, theme: str = "", ascii: bool | None = None) -> Preferences:
    """The same where nothing is configured, for which what reads the configuration need not be loaded."""
    ascii = _first_said(ascii, needs_ascii(os.environ, encoding_of_terminal()))
    return Preferences(Keymap(has_arrows=not ascii), theme, ascii)


def _first_said(*wishes: bool | None) -> bool:
    return next((wish for wish in wishes if wish is not None), False)


def unknown_theme(name: str) -> str:
    """What to say of a theme that there is not."""
    return tr("there is no theme '{name}'", name=shown(name))


def checked_theme(name: str) -> str:
    """A theme as the command line names it.

    Raises:
        RequestError: there is no such theme.
    """
    if name and name not in THEME_NAMES:
        raise RequestError(unknown_theme(name), nearest_hint(name, THEME_NAMES))
    return name


def encoding_of_terminal() -> str:
    """What characters are written as; where nobody has said anything but C, Python has made UTF-8 of it (PEP 538)."""
    return (sys.__stderr__.encoding if sys.__stderr__ is not None else None) or "utf-8"


def needs_ascii(environment: Mapping[str, str], encoding: str) -> bool:
    """Whether a terminal can be trusted with ASCII alone, by what it says of itself."""
    is_utf8 = encoding.lower().replace("-", "").replace("_", "") == "utf8"
    return not is_utf8 or environment.get("TERM", "") in CONSOLES_WITHOUT_GLYPHS


def _layout(config: Config, name: str, layout: Mapping[str, object]) -> Mapping[str, object]:
    """A layout as the arranger takes it: panels that are not named are hidden."""
    panels = layout.get("panels", tuple(PANEL_WORDS))
    assert isinstance(panels, tuple)
    for panel in panels:
        if panel not in (*PANEL_WORDS, TABLE_WORD):
            problem = tr("there is no panel '{name}'", name=shown(panel))
            raise config.problem(("layouts", name, "panels"), problem, nearest_hint(panel, (*PANEL_WORDS, TABLE_WORD)))
    hidden = [panel_id for word, panel_id in PANEL_WORDS.items() if word not in panels]
    return {"hidden": hidden, "left_width": layout.get("left_width"), "chart_height": layout.get("chart_height")}

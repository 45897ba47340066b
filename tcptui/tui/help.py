"""Text to read over the panels: the help, made from the registry of commands, and what a filter means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size

from tcptui.language import mark, tr
from tcptui.tui.commands import BY_ID, COMMANDS, GROUPS, PANEL_KEYS, PLACES, Command
from tcptui.tui.keymap import Keymap
from tcptui.tui.lines import LinePanel, Piece
from tcptui.tui.over import OverScreen
from tcptui.wrapping import wrap

_KEYS_WIDTH = 12
TEXT_WIDTH = 104

_TOUR = (
    mark(
        "The line below the header says what is wrong here, or that nothing seems to be; {show_findings} shows why, "
        "and what to do."
    ),
    mark(
        "The states are the whole; the table breaks them down by peer, process, service, listener, port or connection."
    ),
    mark(
        "{previous_state} and {next_state} move the highlighted state: its column stands out, and {toggle_explain} "
        "explains it with this machine's own values."
    ),
    mark(
        "{filter} narrows everything as you type: :443, 10.0.0.0/8, nginx, state time-wait and not sport = :22; "
        "{explain_filter} explains it."
    ),
    mark(
        "{open} on a row opens its connections, {open} on one of those tells all about it; "
        "{leave} goes back, {save} saves the view."
    ),
)

IN_BROWSER = mark(
    "In a browser what is saved is downloaded, Ctrl+W, Ctrl+T and Ctrl+N remain the browser's, and there is nothing to "
    "suspend. Copying works where the page's address is localhost or 127.0.0.1."
)
"""What is different there; said by ``tr``."""

_HEADING = "#"
"""Stands in the place of keys before a heading."""


def help_lines(keymap: Keymap, place: str = "table") -> list[tuple[str, str]]:
    """A tour, the keys that matter most in a place of ``PLACES``, then all; with empty keys for running text."""
    lines = [("", keymap.say(text)) for text in _TOUR]
    called, command_ids = PLACES[place]
    lines += [("", ""), (_HEADING, tr("KEYS {place}", place=tr(called).upper()))]
    lines += [_key_line(keymap, BY_ID[command_id]) for command_id in command_ids]
    for group in GROUPS:
        lines += [("", ""), (_HEADING, tr(group).upper())]
        lines += [(keymap.plain(tr(keys)), tr(text)) for keys, text in PANEL_KEYS] if group is GROUPS[0] else []
        lines += [_key_line(keymap, command) for command in COMMANDS if command.group == group]
    return lines


def _key_line(keymap: Keymap, command: Command) -> tuple[str, str]:
    """A command; of one without keys a blank, since nothing at all would make running text of it."""
    return keymap.shown(command.id) or " ", keymap.say(command.help)


class TextPanel(LinePanel, can_focus=True):
    """Entries below one another: a key and what is to be said about it, a heading, or running text without a key."""

    def __init__(self, title: str, entries: list[tuple[str, str]]) -> None:
        super().__init__(id="help")
        self._title_text = title
        self._entries = entries
        self._keys_width = max([_KEYS_WIDTH, *(cell_len(keys) + 2 for keys, _ in entries)])
        self._lines: list[tuple[str, str]] = []

    def on_mount(self) -> None:
        self.name_panel(title=self._title_text)
        self._wrap(TEXT_WIDTH)

    def on_resize(self) -> None:
        self._wrap(self.scrollable_content_region.width)
        super().on_resize()
        self._tell_what_is_below()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell_what_is_below()

    def _tell_what_is_below(self) -> None:
        self.name_panel(subtitle=tr("↓ more · Esc closes") if self.is_cut(len(self._lines)) else tr("Esc closes"))

    def _wrap(self, width: int) -> None:
        """Break what is longer than a line; a key stands on the first line only."""
        self._lines = []
        for keys, text in self._entries:
            is_running = keys in ("", _HEADING)
            room = width - (1 if is_running else self._keys_width + 2) - 1
            first, *rest = wrap(text, max(room, 20))
            self._lines += [(keys, first), *((keys if is_running else " ", part) for part in rest)]
        self.virtual_size = Size(0, len(self._lines))

    def line(self, y: int, width: int) -> Iterable[Piece]:
        palette = self.palette
        index = y + round(self.scroll_y)
        if index >= len(self._lines):
            return []
        keys, text = self._lines[index]
        if keys in ("", _HEADING):
            return [(f" {text}", palette.strong if keys else palette.text)]
        blank = " " * max(self._keys_width - cell_len(keys), 1)
        return [(f"  {keys}{blank}", palette.heading), (text, palette.text)]


class TextScreen(OverScreen[None]):
    """Text to read over the panels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,f2,q,e", "dismiss", "Close", show=False),
        Binding("ctrl+c", "app.quit", "Leave", show=False, priority=True),
    ]

    nothing = None

    def __init__(self, title: str, entries: list[tuple[str, str]]) -> None:
        super().__init__()
        self._panel = TextPanel(title, entries)

    def compose(self) -> ComposeResult:
        yield self._panel


def help_screen(
    keymap: Keymap, place: str, notices: list[str], reasons: list[tuple[str, str]], *, remark: str = ""
) -> TextScreen:
    """A tour and keys, what stands in the place of a process, and what is wrong here; a remark before all that."""
    entries = [("", remark)] if remark else []
    entries += help_lines(keymap, place)
    if reasons:
        entries += [("", ""), (_HEADING, tr("WHAT STANDS IN THE PLACE OF A PROCESS")), *reasons]
    if notices:
        entries += [("", ""), (_HEADING, tr("WHAT CANNOT BE SEEN HERE")), *(("!", notice) for notice in notices)]
    return TextScreen(tr("Help"), entries)


def filter_screen(sections: list[tuple[str, tuple[str, ...]]]) -> TextScreen:
    """How a filter was understood: labels, and lines that belong to each."""
    entries = []
    for label, lines in sections:
        entries += [(label if index == 0 else label and " ", line) for index, line in enumerate(lines)]
    return TextScreen(tr("Filter"), entries)

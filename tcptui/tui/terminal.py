"""The one place that leans on Textual's private parts, on signals and on the state of the terminal.

Pinned to one version of Textual in ``pyproject.toml``; ``tests/tui/test_terminal.py`` fails when a hook goes missing.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence

from rich.align import Align
from rich.text import Text
from textual.app import App
from textual.command import CommandList, CommandPalette, Provider
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets.option_list import Option

from tcptui.language import tr

MOST_FRAMES_WAITING = 1
"""Frames in Textual's output queue above which the line counts as slow."""

HANGUP_EXIT = 128 + signal.SIGHUP


def end_on_signals(end: Callable[[int], None]) -> None:
    """Have SIGTERM and SIGINT call ``end`` with the exit code in the event loop, and SIGHUP end the process.

    Ctrl+C is a key here; SIGINT comes from elsewhere, and Python's own handling of it differs between versions.

    After a hang-up there is no terminal left to restore, and an attempt to could block for ever.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, 128 + number)
    loop.add_signal_handler(signal.SIGHUP, os._exit, HANGUP_EXIT)


def has_hung_up() -> bool:
    """Whether the terminal has gone away without SIGHUP reaching us, as under nohup."""
    poller = select.poll()
    poller.register(sys.__stdin__.fileno() if sys.__stdin__ else 0, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poller.poll(0))


def leave_without_terminal() -> None:
    """End at once."""
    os._exit(HANGUP_EXIT)


def arrange_again(screen: Screen[None]) -> None:
    """Lay the screen out anew although nothing that Textual knows of has changed: it keeps arrangements by size."""
    screen._clear_arrangement_cache()  # noqa: SLF001 - refresh(layout=True) leaves the screen's own
    screen.refresh(layout=True)


def lines_on(screen: Screen[None]) -> list[Strip]:
    """What stands on a screen, line by line, whether another lies over it or not."""
    return screen._compositor.render_strips()  # noqa: SLF001 - the public export takes what is on top


class Palette(CommandPalette):
    """Textual's list of commands to choose from, which says that there is none in the language in force."""

    def __init__(self, placeholder: str, providers: Sequence[type[Provider]] | None = None) -> None:
        super().__init__(providers, placeholder=placeholder)

    def _start_no_matches_countdown(self, search_value: str) -> None:
        """In place of Textual's own, whose words cannot be chosen."""

        def tell() -> None:
            if search_value:
                said = Align.center(Text(tr("No matches found"), style="not bold"))
                self.query_one(CommandList).add_option(Option(said, disabled=True, id=self._NO_MATCHES))
            self._list_visible = bool(search_value)

        self._stop_no_matches_countdown()
        self._no_matches_timer = self.set_timer(self._NO_MATCHES_COUNTDOWN, tell)


def output_is_behind(app: App[int]) -> bool:
    """Whether the terminal takes our output more slowly than we write it."""
    writer = getattr(app._driver, "_writer_thread", None)  # noqa: SLF001 - there is no public way to know
    return writer is not None and writer._queue.qsize() > MOST_FRAMES_WAITING  # noqa: SLF001

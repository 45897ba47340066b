"""The one place that leans on Textual's private parts, on signals and on the state of the terminal.

Pinned to one version of Textual in ``pyproject.toml``; ``tests/tui/test_terminal.py`` fails when a hook goes missing.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Sequence

from rich.align import Align
from rich.color import ColorSystem
from rich.console import RenderableType
from rich.text import Text
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.command import CommandList, CommandPalette, Provider
from textual.driver import Driver
from textual.drivers._writer_thread import WriterThread
from textual.events import CursorPosition
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets.option_list import Option

from tcptui.language import tr
from tcptui.tui.output import Pace, Picture

REST_S = 0.05
"""How long to wait for a terminal that takes nothing at the moment."""
MOST_BYTES_WAITING = 16 << 10
"""What may wait on the way to a browser before more is sent: a quarter of what the pipe to the server holds."""

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


def take_keyboard() -> None:
    """Have the keys of the controlling terminal in the place of standard input, which a text came through.

    Raises:
        OSError: there is no such terminal.
    """
    keyboard = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    os.dup2(keyboard, 0)
    os.close(keyboard)


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


class LeanApp(App[int]):
    """Writes through ``output``: what differs from what the terminal shows, at the pace at which it is taken."""

    _output: Picture | None = None
    """There where the output goes to a terminal of our own."""
    _pace = Pace()
    _is_waiting_to_write = False

    @property
    def is_output_behind(self) -> bool:
        """Whether the terminal has not taken yet all that there is to show."""
        return self._output is not None and not self._output.is_sent

    @property
    def is_line_slow(self) -> bool:
        """Whether the terminal takes so little that people notice."""
        return self._pace.is_slow or self.is_output_behind

    def forget_output(self) -> None:
        """Have everything written anew: something else may have written to the terminal."""
        if self._output is not None:
            self._output.forget()

    def on_cursor_position(self, _event: CursorPosition) -> None:
        """The terminal has come to a question."""
        self._pace.answered(time.monotonic())
        self._send_output()

    def _display(self, screen: Screen[object], renderable: RenderableType | CompositorUpdate | None) -> None:
        """In place of Textual's own, which writes whole spans at once."""
        is_open = self._driver is not None and self._running and not self._closed and not self.is_headless
        if not is_open or self._batch_count or not isinstance(renderable, CompositorUpdate):
            super()._display(screen, renderable)  # type: ignore[arg-type] # its own annotation leaves out what it takes
            return
        if self._output is None:
            colours = self.console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001 - its public name is a word
            self._output, self._pace = Picture(colours), Pace()
        try:
            self._output.take(renderable, self.size)
            self._send_output()
        finally:
            self.post_display_hook()

    def _send_output(self) -> None:
        """Write what may be written now; come back for the rest."""
        self._is_waiting_to_write = False
        picture, driver = self._output, self._driver
        if picture is None or driver is None or picture.is_sent or self._closed:
            return
        now_s = time.monotonic()
        allowance = 0 if _frames_waiting(driver) else self._pace.allowance(now_s)
        if allowance:
            text = picture.next_bytes(allowance)
            if self.cursor_position != (0, 0):
                text += picture.place_cursor(*self.cursor_position)
            self._begin_update()
            driver.write(self._pace.framed(text, now_s) if _is_asked(driver) else text)
            self._end_update()
            driver.flush()
        if not picture.is_sent and not self._is_waiting_to_write:
            self._is_waiting_to_write = True
            self.set_timer(REST_S, self._send_output)


def _is_asked(driver: Driver) -> bool:
    """Whether there is somebody at the other end who answers: a terminal, or the one in a browser's page."""
    return driver.is_web or _writer(driver) is not None


def _writer(driver: Driver) -> WriterThread | None:
    """The thread that writes to the terminal; a browser has none."""
    return getattr(driver, "_writer_thread", None)


def _frames_waiting(driver: Driver) -> int:
    """How many frames the operating system has not taken yet."""
    if driver.is_web:
        return int(_bytes_in_pipe() > MOST_BYTES_WAITING)
    writer = _writer(driver)
    return writer._queue.qsize() if writer is not None else 0  # noqa: SLF001 - there is no public way to know


def _bytes_in_pipe() -> int:
    """What the server has not yet taken off our standard output."""
    assert sys.__stdout__ is not None
    return int.from_bytes(fcntl.ioctl(sys.__stdout__.fileno(), termios.FIONREAD, bytes(4)), sys.byteorder)


def send_to_browser(app: App[int], path: str, content: str, *, overwrite: bool) -> None:  # noqa: ARG001 - it asks before it does
    """Have the browser keep ``content`` under the name in ``path``; for other threads than the screen's.

    In place of a file here: who looks by a browser wants it there, and a token is no leave to write on this machine.
    """
    name = "".join(char if char.isalnum() or char in "-._" else "_" for char in os.path.basename(path))
    text = content.encode("utf-8", "replace").decode()
    app.call_from_thread(app.deliver_text, io.StringIO(text), save_filename=name, encoding="utf-8")

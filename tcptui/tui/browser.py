"""Drawing in a browser: the screen as packets on standard output, for the server that started the process.

Textual's own driver does that, but one thread's packet may come into the midst of another's, and it goes on drawing
when the server is gone. Imported by Textual alone, where the environment names it.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Any

from textual.app import App
from textual.drivers.web_driver import WebDriver

from tcptui.tui.terminal import leave_without_terminal


class BrowserDriver(WebDriver):
    """Textual's driver for browsers, with whole packets and an end."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._is_writing = threading.Lock()
        self._write = partial(self._write_whole)

    def _write_whole(self, packet: bytes) -> int:
        """Write a packet to its end before another begins; where nobody takes it there is nothing left to draw for."""
        rest = packet
        with self._is_writing:
            try:
                while rest:
                    rest = rest[os.write(self.fileno, rest) :]
            except BrokenPipeError:
                leave_without_terminal()
        return len(packet)

    def run_input_thread(self) -> None:
        """Until the screen has ended, or the server is gone."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            leave_without_terminal()

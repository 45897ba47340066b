"""One tab of a browser: a process of the program, started with it and ended with it.

What the process draws goes to the tab's websocket, what is typed there goes to the process; the packets on its two
pipes are textual's. The process is started as a list of words, without a shell: a filter is somebody's text.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from tcptui.files import narrate
from tcptui.text import printable

DRIVER = "tcptui.tui.browser:BrowserDriver"
"""What the process draws with, by the name that textual looks for in its environment."""

_START = "import sys; sys.path[:] = filter(None, sys.path); from tcptui.cli import main; sys.exit(main())"
"""As ``python -m tcptui``, which would look for modules in the current folder first: whoever may write there could run
anything as the user of the server."""

PRELUDE = b"__GANGLION__\n"
"""What the driver writes before its first packet."""
PATIENCE_S = 3.0
"""How long a process may take to end once it has been asked to; it takes some 0.2 s."""


class Session(AppService):
    """A process of the program behind a websocket."""

    def __init__(self, words: Sequence[str], websocket: web.WebSocketResponse, downloads: DownloadManager) -> None:
        """``words`` are the arguments of the command line."""
        super().__init__(
            "",
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=self.hang_up,
            download_manager=downloads,
        )
        self._words = words
        self._websocket = websocket

    async def hang_up(self, code: int = WSCloseCode.OK) -> None:
        """Close the tab's end, for which there is ``code`` as the reason; who listens to it then stops the process."""
        if self._websocket.prepared:
            with contextlib.suppress(ConnectionError):
                await self._websocket.close(code=code)

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        environment: dict[str, str] = super()._build_environment(width, height)
        # What the server's own terminal can do says nothing of the one in the page.
        return environment | {"TEXTUAL_DRIVER": DRIVER, "TERM": "xterm-256color", "COLORTERM": "truecolor"}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """In a session of its own, so that Ctrl+C on the server's terminal is for the server to handle."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _START, *self._words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        self._process, self._stdin = process, process.stdin
        return process

    async def run(self) -> None:
        """Carry packets until the process has ended, then tell why if it says so, and close the tab's end.

        In place of the library's own, which leaves the tab waiting when a process ends unasked.
        """
        process = self._process
        assert process is not None
        assert process.stdout is not None
        assert process.stderr is not None
        complaint = asyncio.create_task(process.stderr.read())
        try:
            await self._carry(process.stdout)
            await _end(process)
            await self._tell((await complaint).decode("utf-8", "replace").splitlines())
        finally:
            await self.hang_up()

    async def _carry(self, output: asyncio.StreamReader) -> None:
        """Take packet by packet: a letter for its kind, four bytes for its length, and so many bytes."""
        takers = {b"D": self.on_data, b"M": self.on_meta, b"P": self.on_packed}
        try:
            await output.readuntil(PRELUDE)
            while True:
                kind = await output.readexactly(1)
                length = int.from_bytes(await output.readexactly(4), "big")
                await takers[kind](await output.readexactly(length))
        except asyncio.IncompleteReadError:  # the process has ended
            pass
        except ConnectionError:  # the tab has gone: nobody is to wait for it
            while await output.read(1 << 16):
                pass

    async def on_meta(self, data: bytes) -> None:
        """All but the news that the program ends: it may still say why."""
        if json.loads(data)["type"] != "exit":
            await super().on_meta(data)

    async def _tell(self, complaint: list[str]) -> None:
        """Show in the tab, and on the server's terminal, what the process could not do."""
        said = [printable(line) for line in complaint]
        for line in said:
            narrate(line.removeprefix("tcptui: "))
        if said:
            with contextlib.suppress(ConnectionError):
                await self._websocket.send_bytes(b"\x1b[2J\x1b[H" + "\r\n".join(said).encode())

    async def stop(self) -> None:
        """Have the process end, and see that it does.

        By a signal, as a terminal would: the library's packet is read only once the process has all its modules.
        """
        if self._task is None or self._process is None:
            return
        await self._download_manager.cancel_app_downloads(self.app_service_id)
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await _end(self._process)
        await self._task
        self._task = None


async def _end(process: Process) -> None:
    """Wait for the end of a process that knows that it is to end, as long as that is usual."""
    try:
        await asyncio.wait_for(process.wait(), PATIENCE_S)
    except asyncio.TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()

"""The server: routes behind the guard, the page, and no more sessions than a machine in trouble can bear."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import traceback
from collections.abc import Sequence
from pathlib import Path

import aiohttp_jinja2
from aiohttp import WSCloseCode, web
from aiohttp.http_exceptions import HttpProcessingError
from textual_serve.server import Server, to_int

from tcptui.errors import system_reason
from tcptui.files import STANDARD_OUTPUT, narrate, write_output
from tcptui.language import spoken, tr
from tcptui.text import printable
from tcptui.web.address import Listener, Place, listen, tunnel_command
from tcptui.web.guard import TOKEN_PARAMETER, Guard
from tcptui.web.session import Session

MOST_SESSIONS = 8
"""Each is a process that reads all sockets of this machine in every interval."""
LONGEST_MESSAGE = 1 << 20
"""In bytes, of what a tab sends at once: what is typed or pasted."""
PING_S = 15.0
"""How often a tab is asked whether it is still there."""
CLOSING_S = 1.0
"""How long a tab has to agree to being closed."""
SHUTDOWN_S = 6.0
"""How long all of them have, with their processes."""
FONT_SIZE, SMALLEST_FONT, LARGEST_FONT = 15, 6, 60

PAGE = Path(__file__).with_name("page")
"""The page, and what it needs beside the library's own files."""


class ScreenServer(Server):
    """textual-serve's server behind a guard, with a page that asks nobody else, and sessions that end."""

    def __init__(self, words: Sequence[str], guard: Guard) -> None:
        """``words`` are the arguments of each session's process."""
        super().__init__("tcptui", templates_path=PAGE)
        self._words = words
        self._guard = guard
        self._sessions: set[Session] = set()

    async def make_app(self) -> web.Application:
        """All routes, the library's and ours; none of them answers whom the guard refuses."""
        app = await self._make_app()
        app.router.add_static("/page", PAGE, name="page")
        app.middlewares.append(self._guard.watch)
        app.on_response_prepare.append(self._guard.mark)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Nothing, in place of the library's banner."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close all tabs, which ends their processes."""
        await asyncio.gather(*(session.hang_up(WSCloseCode.GOING_AWAY) for session in self._sessions))

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, if its screen may be started too."""
        self._refuse_if_full()
        font_size = to_int(request.query.get("fontsize", ""), FONT_SIZE)
        values = {
            "language": spoken(),
            "title": f"tcptui · {printable(os.uname().nodename)}",
            "websocket_url": f"ws://{request.host}/ws",
            "font_size": min(max(font_size, SMALLEST_FONT), LARGEST_FONT),
            "loading": tr("Starting … This page needs JavaScript and cookies."),
            "ended": tr("The screen has ended."),
            "again": tr("Start it again"),
        }
        return aiohttp_jinja2.render_template("index.html", request, values)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A session, as long as its tab is open."""
        self._refuse_if_full()
        websocket = web.WebSocketResponse(heartbeat=PING_S, timeout=CLOSING_S, max_msg_size=LONGEST_MESSAGE)
        session = Session(self._words, websocket, self.download_manager)
        self._sessions.add(session)
        try:
            await websocket.prepare(request)
            await _start(session, request)
            await self._process_messages(websocket, session)
        except ConnectionError:  # the tab has gone
            pass
        except (LookupError, TypeError, ValueError, AssertionError):  # not what the page sends
            await session.hang_up(WSCloseCode.UNSUPPORTED_DATA)
        finally:
            await session.stop()
            self._sessions.discard(session)
        return websocket

    def _refuse_if_full(self) -> None:
        if len(self._sessions) >= MOST_SESSIONS:
            text = tr(
                "{count} screens are open in browsers, which is the most: close one, and load this page again.",
                count=MOST_SESSIONS,
            )
            raise web.HTTPServiceUnavailable(text=text + "\n")


async def _start(session: Session, request: web.Request) -> None:
    """Start a session as large as the page says, or say why there is none and close its tab."""
    columns, rows = (to_int(request.query.get(name, ""), default) for name, default in (("width", 80), ("height", 24)))
    try:
        await session.start(columns, rows)
    except OSError as error:
        narrate(tr("cannot start a process for the browser ({reason})", reason=system_reason(error)))
        await session.hang_up(WSCloseCode.TRY_AGAIN_LATER)


class _OneLine(logging.Handler):
    """Says in one line what the libraries report, with the traceback only for who asks for it."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):  # what somebody sent was no HTTP: nothing to be done about it here
            return
        text = record.getMessage() if error is None else f"{record.getMessage()}: {type(error).__name__}: {error}"
        narrate(printable(text))
        if error is not None and os.environ.get("TCPTUI_TRACEBACK"):
            traceback.print_exception(error)


def serve(place: Place, words: Sequence[str]) -> int:
    """Show the screen that ``words`` ask for in browsers, until a signal ends it; the exit code.

    Raises:
        RequestError: there is no such host.
        OutputError: nothing can listen there, or the address cannot be told.
    """
    logging.basicConfig(level=logging.WARNING, handlers=[_OneLine()], force=True)
    with (listener := listen(place)).socket:
        return asyncio.run(_serve(listener, words))


async def _serve(listener: Listener, words: Sequence[str]) -> int:
    guard = Guard(frozenset(("localhost", os.uname().nodename.lower(), listener.host.lower())))
    app = await ScreenServer(words, guard).make_app()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        ending = _signal()
        await web.SockSite(runner, listener.socket).start()
        _announce(listener, guard.token)
        return 128 + await ending
    finally:
        await runner.cleanup()


def _signal() -> asyncio.Future[int]:
    """The number of the signal that is to end the server."""
    loop = asyncio.get_running_loop()
    ending = loop.create_future()

    def end(number: int) -> None:
        if not ending.done():
            ending.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, int(number))
    return ending


def _announce(listener: Listener, token: str) -> None:
    """The address on standard output, alone, so that a program can take it from there; the rest beside it."""
    write_output(STANDARD_OUTPUT, f"http://{listener.authority}/?{TOKEN_PARAMETER}={token}\n", overwrite=False)
    tunnel = tunnel_command(listener, os.environ)
    if listener.is_loopback:
        narrate(tr("to open it on another machine, run this there first: {command}", command=tunnel))
        narrate(tr("whoever has the address sees this machine's connections; Ctrl+C ends it"))
    else:
        narrate(
            tr(
                "warning: the line is not encrypted, and whoever has the address sees this machine's connections; "
                "safer is {option} without HOST, and on the other machine: {command}",
                option="--web",
                command=tunnel,
            )
        )

"""The server from outside: what it prints, its tabs as processes, and how all of that ends."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.cli.process import environment, tcptui
from tests.support.serving import DEADLINE_S, HANDSHAKE, Served, served, wait_for_end

pytestmark = pytest.mark.xdist_group("server")

MOST_SESSIONS = 8


@contextlib.asynccontextmanager
async def tab(server: Served) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """What a page does once it has been loaded."""
    headers = {"Cookie": server.cookie(), "Origin": f"http://{server.host}"}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.ws_connect(f"http://{server.host}/ws?width=120&height=40") as socket,
    ):
        yield socket


async def shown(socket: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """What the tab is told to draw, until that has ``text`` in it."""
    drawn = ""
    while text not in drawn:
        message = await socket.receive(DEADLINE_S)
        assert message.type is aiohttp.WSMsgType.BINARY, f"{text!r} was never drawn, but {drawn!r}"
        drawn += message.data.decode("utf-8", "replace")
    return drawn


async def closed(socket: aiohttp.ClientWebSocketResponse) -> str:
    """What the tab is told to draw until it is closed from the other end."""
    drawn = ""
    while (message := await socket.receive(DEADLINE_S)).type is aiohttp.WSMsgType.BINARY:
        drawn += message.data.decode("utf-8", "replace")
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)
    return drawn


def test_standard_output_is_the_address_alone() -> None:
    with served("--demo", "leak", environ=environment(SSH_CONNECTION="::1 1 ::1 2222", SUDO_USER="ann")) as server:
        assert server.url == f"http://127.0.0.1:{server.port}/?token={server.token}"
        code, errors = server.end()
        assert server.process.stdout is not None
        assert code == 128 + signal.SIGTERM
    tunnel = f"ssh -p 2222 -L {server.port}:127.0.0.1:{server.port} ann@{os.uname().nodename}"
    first, second = errors.splitlines()
    assert first.startswith("tcptui: ")
    assert first.endswith(tunnel)
    assert "connections" in second
    assert server.token not in errors


def test_it_speaks_chinese() -> None:
    with served("--demo", "leak", "--lang", "zh") as server:
        assert '<html lang="zh">' in server.get(f"/?token={server.token}").text


def test_a_tab_has_a_process_that_ends_with_it(server: Served) -> None:
    async def run() -> None:
        async with tab(server) as socket:
            assert "\x1b[?1049h" in await shown(socket, "CLOSE_WAIT")
            (process,) = server.wait_for_children(1)
            assert process.environ()["TEXTUAL_DRIVER"] == "tcptui.tui.browser:BrowserDriver"
        wait_for_end(process)

    asyncio.run(run())
    server.wait_for_children(0)


def test_a_tab_that_vanishes_without_a_word_takes_its_process_along(server: Served) -> None:
    async def run() -> None:
        async with tab(server) as socket:
            await shown(socket, "CLOSE_WAIT")
            (process,) = server.wait_for_children(1)
            socket._writer.transport.abort()
            await asyncio.to_thread(wait_for_end, process)

    asyncio.run(run())


def test_leaving_closes_the_tab(server: Served) -> None:
    async def run() -> None:
        async with tab(server) as socket:
            await shown(socket, "CLOSE_WAIT")
            await socket.send_json(["stdin", "q"])
            await closed(socket)
            assert socket.close_code == aiohttp.WSCloseCode.OK

    asyncio.run(run())
    server.wait_for_children(0)


@pytest.mark.parametrize(
    "nonsense", ["", "x", "{}", "[]", "[1]", '["stdin"]', '["stdin", 1]', '["resize", {}]', "[[]]"]
)
def test_nonsense_closes_the_tab_that_sends_it(server: Served, nonsense: str) -> None:
    async def run() -> None:
        async with tab(server) as socket:
            await socket.send_str(nonsense)
            await socket.send_json(["stdin", "q"])
            await closed(socket)

    asyncio.run(run())
    server.wait_for_children(0)
    assert server.get("/", {"Cookie": server.cookie()}).status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_of_the_server_is_the_end_of_all_tabs(number: int) -> None:
    async def run(server: Served) -> None:
        async with tab(server) as first, tab(server):
            await shown(first, "CLOSE_WAIT")
            processes = server.wait_for_children(2)
            code, errors = await asyncio.to_thread(server.end, number)
            assert code == 128 + number
            assert len(errors.splitlines()) == 2
            assert not any(process.is_running() for process in processes)
            await closed(first)

    with served("--demo", "leak") as server:
        asyncio.run(run(server))


def test_a_server_that_is_killed_leaves_no_process_behind() -> None:
    async def run(server: Served) -> None:
        async with tab(server) as socket:
            await shown(socket, "CLOSE_WAIT")
            (process,) = server.wait_for_children(1)
            server.process.kill()
            await asyncio.to_thread(wait_for_end, process)

    with served("--demo", "leak", "-i", "3600") as server:
        asyncio.run(run(server))


def test_so_many_tabs_and_no_more() -> None:
    """The end comes while their processes are still starting."""

    async def run(server: Served) -> None:
        cookie = {"Cookie": server.cookie()}
        handshake = {**cookie, **HANDSHAKE, "Origin": f"http://{server.host}"}
        async with contextlib.AsyncExitStack() as tabs:
            for _ in range(MOST_SESSIONS):
                await tabs.enter_async_context(tab(server))
            for answer in (server.get("/", cookie), server.get("/ws", handshake)):
                assert answer.status == 503
                assert answer.headers["Content-Type"].startswith("text/plain")
                assert "8 screens are open" in answer.text
            processes = server.wait_for_children(MOST_SESSIONS)
            code, _ = await asyncio.to_thread(server.end)
            assert code == 128 + signal.SIGTERM
            assert not any(process.is_running() for process in processes)

    with served("--demo", "leak") as server:
        asyncio.run(run(server))


def test_a_hostile_filter_is_a_filter(tmp_path: Path) -> None:
    """Neither a shell nor the page takes any of it for a command."""
    hostile = """process "x; touch a; $(touch b) `touch c` | touch d' <script>" """

    async def run(server: Served) -> list[str]:
        async with tab(server) as socket:
            await shown(socket, "<script>")
            (process,) = server.wait_for_children(1)
            return list(process.cmdline())

    with served("--demo", "leak", "-i", "7", "--", hostile, folder=tmp_path) as server:
        words = asyncio.run(run(server))
        assert "<script>" not in server.get("/", {"Cookie": server.cookie()}).text
    assert words[-6:] == ["--demo", "leak", "-i", "7", "--", hostile]
    assert os.listdir(tmp_path) == []


def test_the_current_folder_holds_no_modules_of_the_program(tmp_path: Path) -> None:
    """Whoever may write there could else run anything as the user of the server."""
    (tmp_path / "tcptui").mkdir()
    for path in (tmp_path / "tcptui" / "__init__.py", tmp_path / "click.py", tmp_path / "gettext.py"):
        path.write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")

    async def run(server: Served) -> None:
        async with tab(server) as socket:
            await shown(socket, "CLOSE_WAIT")

    with served("--demo", "leak", folder=tmp_path, command=(str(Path(sys.executable).with_name("tcptui")),)) as server:
        asyncio.run(run(server))
    assert not (tmp_path / "run").exists()


def test_a_process_that_cannot_start_says_why_in_the_tab_and_on_the_server() -> None:
    async def run(server: Served) -> str:
        async with tab(server) as socket:
            return await closed(socket)

    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other, served("-N", str(other.pid)) as server:
        other.communicate()
        drawn = asyncio.run(run(server))
        _, errors = server.end()
    assert f"no process {other.pid}" in drawn
    assert f"tcptui: no process {other.pid}" in errors


# -- Refused before anything is served ---------------------------------------------------------------------------------


def test_a_wrong_filter_is_told_at_once() -> None:
    ended = tcptui("--web", "0", ":99999")
    assert ended.exit_code == 2
    assert "port 99999 does not exist" in ended.complaint_about_filter[0]


def test_a_port_in_use_ends_with_4(server: Served) -> None:
    ended = tcptui("--web", str(server.port))
    assert ended.exit_code == 4
    assert f"cannot listen at 127.0.0.1:{server.port}" in ended.complaint


def test_a_port_that_may_not_be_had_ends_with_4() -> None:
    if os.geteuid() != 0 or int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("every port may be had here")
    powerless = ["setpriv", "--bounding-set", "-net_bind_service"]
    done = subprocess.run(
        [*powerless, sys.executable, "-m", "tcptui", "--web", "127.0.0.1:80", "--lang", "en"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "Permission denied" in done.stderr
    assert "choose a port from 1024 on" in done.stderr


def test_without_the_library_it_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['textual_serve'] = None; from tcptui.cli import main; sys.exit(main(['--web', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    problem = "a browser needs textual-serve, which is not installed"
    assert done.stderr == f"tcptui: {problem}: install it beside tcptui: pip install textual-serve\n"

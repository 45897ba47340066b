"""A text on the screen: one sample that does not change, and what it does not tell."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tcptui.query.names import Names
from tcptui.sources.pasted.source import PastedSource
from tests.support.screens import RunningScreen, running_screen

LISTING = """\
[root@app-1 ~]# ss -tanp
State      Recv-Q Send-Q Local Address:Port Peer Address:Port Process
LISTEN     0      128          0.0.0.0:8080      0.0.0.0:*     users:(("java",pid=812,fd=7))
CLOSE-WAIT 1      0           10.0.0.1:8080     10.0.0.9:5001  users:(("java",pid=812,fd=8))
CLOSE-WAIT 1      0           10.0.0.1:41000    db-2.lan:3306  users:(("java",pid=812,fd=9))
a line about something else, 1
"""


@asynccontextmanager
async def screen_of(text: str) -> AsyncIterator[RunningScreen]:
    source = PastedSource(io.BytesIO(text.encode()), "/tmp/ss.txt")
    async with running_screen(source, size=(120, 30), samples=0, names=Names(hosts=source.hosts)) as running:
        running.source.allow(100)  # as many as are asked for: one, and one for each connection that is looked at
        await running.wait_for("■ still")
        yield running


def test_the_header_says_what_it_is_and_the_notice_what_is_missing() -> None:
    async def run() -> None:
        async with screen_of(LISTING) as running:
            header, verdict, notice, *_ = running.text.splitlines()
            assert "nothing wrong seen" in verdict
            assert "app-1 · from /tmp/ss.txt · time unknown · 3 sockets" in header
            assert "live" not in header
            assert "every" not in header
            assert "1 line is not understood, and is left out: line 6" in notice
            assert "it has no history" in running.text

    asyncio.run(run())


def test_one_can_go_from_a_peer_that_is_a_name_to_its_connection_and_back() -> None:
    async def run() -> None:
        async with screen_of(LISTING) as running:
            await running.wait_for("db-2.lan")
            await running.press("slash", *"dst db-2.lan", "enter")
            await running.wait_for("1 of 3 sockets")
            await running.press("enter")
            await running.wait_for("6 Connections]")
            await running.press("enter")
            await running.wait_for("10.0.0.1:41000 → db-2.lan:3306, opened from here")
            assert "The text tells no more of it." in running.text
            assert "timer" not in running.text.partition("ends  ")[2].partition("queue")[0]
            await running.press("escape", "escape", "escape")
            await running.wait_for("· 3 sockets")

    asyncio.run(run())


def test_counts_show_that_there_are_no_addresses() -> None:
    async def run() -> None:
        async with screen_of("TIME_WAIT 5002\nCLOSE_WAIT 7729\n") as running:
            await running.wait_for("(not told)")
            assert "0.0.0.0" not in running.text  # noqa: S104 - no place to bind
            await running.press("enter")
            await running.wait_for('filter: dst "(not told)"')
            await running.press("enter")
            await running.wait_for("(not told) ↔ (not told)")

    asyncio.run(run())

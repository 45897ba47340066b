"""The screen as packets on a pipe, as it is drawn for a browser."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator

import pytest

from tcptui.tui.terminal import MOST_BYTES_WAITING
from tests.cli.process import environment
from tests.support.waiting import wait_for

DEADLINE_S = 20.0
PRELUDE = b"__GANGLION__\n"
REDRAW = b"\x0c"
"""Ctrl+L: everything is painted again."""


@pytest.fixture
def drawing() -> Iterator[subprocess.Popen[bytes]]:
    """The program with a server's end of its pipes in our hands; TERM is none that a terminal could be refused for."""
    environ = environment(TEXTUAL_DRIVER="tcptui.tui.browser:BrowserDriver", TERM="dumb", COLUMNS="120", ROWS="40")
    with subprocess.Popen(
        [sys.executable, "-m", "tcptui", "--demo", "leak", "-i", "0.2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    ) as process:
        yield process
        process.kill()


def packets(output: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents; nothing else may stand between them, and the last one is whole."""
    assert output.startswith(PRELUDE)
    rest = output.removeprefix(PRELUDE)
    while rest:
        kind, length = rest[:1], int.from_bytes(rest[1:5], "big")
        assert kind in (b"D", b"M", b"P")
        assert len(rest) >= 5 + length
        yield kind, rest[5 : 5 + length]
        rest = rest[5 + length :]


def read_until(process: subprocess.Popen[bytes], text: bytes) -> bytes:
    """What has been drawn, as soon as there is ``text`` in it."""
    assert process.stdout is not None
    output = b""
    while text not in output:
        part = os.read(process.stdout.fileno(), 1 << 16)
        assert part, "the program has ended"
        output += part
    return output


def bytes_in(descriptor: int) -> int:
    """What waits in a pipe to be read."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def packet(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "big") + content


def test_needs_no_terminal_and_draws_whole_packets(drawing: subprocess.Popen[bytes]) -> None:
    output = read_until(drawing, b"CLOSE_WAIT")
    assert drawing.stdin is not None
    drawing.stdin.write(packet(b"D", b"q"))
    drawing.stdin.flush()
    assert drawing.stdout is not None
    assert drawing.stderr is not None
    output += drawing.stdout.read()
    assert (b"M", json.dumps({"type": "exit"}).encode()) in packets(output)
    assert drawing.stderr.read() == b""
    assert drawing.wait(DEADLINE_S) == 0


def test_a_browser_that_takes_nothing_does_not_hold_the_screen_up(drawing: subprocess.Popen[bytes]) -> None:
    """Frames are left out as soon as some wait in the pipe: it never fills, which would stop the keys as well."""
    read_until(drawing, b"live")
    assert drawing.stdout is not None
    descriptor = drawing.stdout.fileno()

    def waiting_after_another_frame() -> int:
        assert drawing.stdin is not None
        drawing.stdin.write(packet(b"D", REDRAW))
        drawing.stdin.flush()
        return bytes_in(descriptor)

    wait_for(
        waiting_after_another_frame,
        lambda count: count > MOST_BYTES_WAITING,
        wanted="frames that nobody takes",
        seconds=DEADLINE_S,
    )
    drawing.send_signal(signal.SIGTERM)
    drawing.wait(DEADLINE_S)
    assert drawing.returncode == 128 + signal.SIGTERM


def test_ends_when_its_server_is_gone(drawing: subprocess.Popen[bytes]) -> None:
    read_until(drawing, b"live")
    assert drawing.stdin is not None
    drawing.stdin.close()
    assert drawing.wait(DEADLINE_S) == 128 + signal.SIGHUP

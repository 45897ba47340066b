"""``tcptui --web`` as a process, and requests to it as browsers and others send them."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

from tests.cli.process import COMMAND, environment
from tests.support.waiting import wait_for

DEADLINE_S = 20.0
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""Headers that ask for a websocket."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str
    """The one that it printed, with the token."""

    @property
    def host(self) -> str:
        """As it is called in the URL, with the port."""
        return urlsplit(self.url).netloc

    @property
    def port(self) -> int:
        """Where it listens."""
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def token(self) -> str:
        """What lets a request in."""
        (token,) = parse_qs(urlsplit(self.url).query)["token"]
        return token

    @property
    def children(self) -> list[psutil.Process]:
        """The processes behind the tabs."""
        children: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return children

    def get(self, target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """Ask for ``target`` on the loopback, without anything that a browser would add but a Host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request(method, target, headers={"Host": self.host} | dict(headers or {}))
            response = connection.getresponse()
            text = "" if response.status == http.HTTPStatus.SWITCHING_PROTOCOLS else response.read().decode()
            return Answer(response.status, dict(response.getheaders()), text)

    def cookie(self) -> str:
        """The Cookie header of a browser that has been here before."""
        jar = SimpleCookie(self.get(f"/?token={self.token}").headers["Set-Cookie"])
        return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())

    def wait_for_children(self, count: int) -> list[psutil.Process]:
        """The processes behind the tabs, once there are so many."""
        wanted = f"{count} processes behind the server"
        return wait_for(lambda: self.children, lambda seen: len(seen) == count, wanted=wanted, seconds=DEADLINE_S)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it by a signal; its exit code, and what it said on standard error since it began."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, errors.decode()


@contextlib.contextmanager
def served(
    *arguments: str,
    place: str = "0",
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Iterator[Served]:
    """Run the server with ``arguments`` in ``folder``; it is ended at the latest with the block."""
    with subprocess.Popen(
        [*command, "--web", place, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment() if environ is None else dict(environ),
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().decode().strip()
            assert url, f"the server has not started: {process.communicate()[1].decode()}"
            yield Served(process, url)
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(DEADLINE_S)
            process.kill()


def wait_for_end(process: psutil.Process) -> None:
    """Wait until a process that is not ours is gone."""
    gone, _ = psutil.wait_procs([process], timeout=DEADLINE_S)
    assert gone, f"{process} goes on"

"""One end of ``Traffic``: a server or its clients, all connections in one process by epoll(7).

``python -m tests.support.traffic_worker NAMESPACE_PATH JSON`` enters the namespace and works until its input ends. JSON
is ``{"serve": {…}}`` with the arguments of ``Site`` or ``{"visit": {…}}`` with those of ``Visitors``. A site says that
it listens with an empty line; both say what they did with one JSON object at the end.

A request is one byte, ``FROM_HERE`` or ``FROM_THERE``: it says which end closes first, and so where TIME_WAIT is left.
"""

import errno
import json
import select
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from tests.support.limits import raise_descriptor_limit
from tests.support.netns import enter_for_good

FROM_HERE, FROM_THERE = b"c", b"s"
"""The client closes first, or the server does."""

_TICK_S = 0.01
_ANSWER = b"x" * 2000
_BACKLOG = 4096
_PAUSE_OF_RESTART_S = 1.0
_REST_AFTER_REFUSAL_S = 0.5
"""For which a client leaves a port alone, as a balancer does."""


class Descriptor(Protocol):
    """A socket, or anything else that can be waited for."""

    def fileno(self) -> int:
        """Its number."""

    def close(self) -> None:
        """Have it no longer."""


class Loop:
    """Calls back when something can be done with a socket."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def watch(self, each: Descriptor, events: int, handler: Callable[[], None]) -> None:
        """Call ``handler`` while any of ``events`` lasts; takes the place of what was watched before."""
        number = each.fileno()
        act = self._epoll.modify if number in self._handlers else self._epoll.register
        act(number, events)
        self._handlers[number] = handler

    def close(self, each: Descriptor) -> None:
        """Watch no longer, and close."""
        number = each.fileno()
        if number in self._handlers:
            del self._handlers[number]
            self._epoll.unregister(number)
        each.close()

    def work(self, seconds: float) -> None:
        """Wait for at most so long, and call back."""
        for number, _ in self._epoll.poll(max(seconds, 0.0)):
            handler = self._handlers.get(number)
            if handler is not None:
                handler()


class Site:
    """A server with several ports; every so often one of them is shut in good order and opens again."""

    def __init__(self, loop: Loop, address: str, ports: list[int], restart_every_s: float) -> None:
        self._loop = loop
        self._address = address
        self._every_s = restart_every_s
        self._turn = deque(ports)
        self._listeners = {port: self._open(port) for port in ports}
        self._at_port: dict[int, set[socket.socket]] = {port: set() for port in ports}
        self._next_restart_s = time.monotonic() + restart_every_s
        self._opens_s = 0.0
        self.done: Counter[str] = Counter()

    def tick(self) -> None:
        """Restart what is due."""
        now_s = time.monotonic()
        port = self._turn[0]
        if port not in self._listeners:
            if now_s >= self._opens_s:
                self._listeners[port] = self._open(port)
                self._turn.rotate()
        elif now_s >= self._next_restart_s:
            self._next_restart_s = now_s + self._every_s
            self._opens_s = now_s + _PAUSE_OF_RESTART_S
            self._shut(port)
            self.done["restarted"] += 1

    def _open(self, port: int) -> socket.socket:
        listener = socket.create_server((self._address, port), backlog=_BACKLOG)
        listener.setblocking(False)
        self._loop.watch(listener, select.EPOLLIN, lambda: self._accept(listener, port))
        return listener

    def _shut(self, port: int) -> None:
        """Take who has come already, stop listening, and end the connections that are idle."""
        listener = self._listeners.pop(port)
        self._accept(listener, port)
        self._loop.close(listener)
        for each in self._at_port[port].copy():
            self._close(each, port)

    def _accept(self, listener: socket.socket, port: int) -> None:
        while True:
            try:
                each, _ = listener.accept()
            except BlockingIOError:
                return
            self.done["accepted"] += 1
            each.setblocking(False)
            self._at_port[port].add(each)
            self._loop.watch(each, select.EPOLLIN, lambda each=each: self._answer(each, port))  # type: ignore[misc]

    def _answer(self, each: socket.socket, port: int) -> None:
        try:
            request = each.recv(64)
            if request:
                each.sendall(_ANSWER)
        except (ConnectionError, BlockingIOError):
            request = b""
        if not request or request[-1:] == FROM_THERE:
            self._close(each, port)

    def _close(self, each: socket.socket, port: int) -> None:
        self._at_port[port].discard(each)
        self._loop.close(each)


class Visitors:
    """Clients: so many connections a second, half of which each end closes first, and some that stay open."""

    def __init__(self, loop: Loop, address: str, ports: list[int], per_s: float, staying: int) -> None:
        self._loop = loop
        self._address = address
        self._ports = deque(ports)
        self._resting: dict[int, float] = {}
        self._per_s = per_s
        self._staying = staying
        self._started_s = time.monotonic()
        self._due = 0
        self.done: Counter[str] = Counter()

    def tick(self) -> None:
        """Open what is due; what was missed because the machine was busy is left out."""
        now_s = time.monotonic()
        due = int((now_s - self._started_s) * self._per_s)
        most = max(1, int(self._per_s * _TICK_S * 5))
        for number in range(max(self._due, due - most), due):
            self._visit(FROM_HERE if number % 2 else FROM_THERE)
        self._due = due
        for _ in range(min(self._staying, 5)):
            self._staying -= 1
            self._visit(b"")

    def _visit(self, request: bytes) -> None:
        """Connect, ask, and take the answer; without a request stay until the other end closes."""
        port = self._choose()
        if port is None:
            return
        each = socket.socket()
        each.setblocking(False)
        code = each.connect_ex((self._address, port))
        if code not in (0, errno.EINPROGRESS):
            self.done[errno.errorcode[code]] += 1
            each.close()
            return
        self.done["opened"] += 1
        self._loop.watch(each, select.EPOLLOUT, lambda: self._ask(each, port, request))

    def _choose(self) -> int | None:
        """The next port that has not refused just now."""
        now_s = time.monotonic()
        for _ in range(len(self._ports)):
            self._ports.rotate()
            if self._resting.get(self._ports[0], 0.0) <= now_s:
                return self._ports[0]
        return None

    def _ask(self, each: socket.socket, port: int, request: bytes) -> None:
        code = each.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.done[errno.errorcode[code]] += 1
            self._resting[port] = time.monotonic() + _REST_AFTER_REFUSAL_S
            self._leave(each, stays=not request)
            return
        if request:
            each.sendall(request)
        self._loop.watch(each, select.EPOLLIN, lambda: self._take(each, request))

    def _take(self, each: socket.socket, request: bytes) -> None:
        try:
            answer = each.recv(65536)
        except ConnectionError as error:
            self.done[type(error).__name__] += 1
            answer = b""
        if not answer:
            self._leave(each, stays=not request)
        elif request == FROM_HERE:
            self.done["answered"] += 1
            self._leave(each, stays=False)

    def _leave(self, each: socket.socket, *, stays: bool) -> None:
        self._loop.close(each)
        self._staying += stays


def main(order: dict[str, Any]) -> None:
    """Work until the input ends, then say what was done."""
    loop = Loop()
    worker = Site(loop, **order["serve"]) if "serve" in order else Visitors(loop, **order["visit"])
    print(flush=True)
    is_over = False

    def end() -> None:
        nonlocal is_over
        is_over = True

    loop.watch(sys.stdin, select.EPOLLIN, end)
    while not is_over:
        worker.tick()
        loop.work(_TICK_S)
    print(json.dumps(worker.done), flush=True)


if __name__ == "__main__":
    raise_descriptor_limit()
    enter_for_good(Path(sys.argv[1]))
    main(json.loads(sys.argv[2]))

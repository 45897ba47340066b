"""One child process of a ``Crowd``: holds its share of the connections, because a process may open 20,000 files only.

``python -m tests.support.crowd_worker NAMESPACE_PATH`` enters the namespace and obeys one JSON object a line:

- ``{"open": [[SOURCE, PORT, COUNT], …]}``: hold COUNT more connections from SOURCE to PORT of the hub.
- ``{"time_wait": [[SOURCE, COUNT], …]}``: make COUNT connections from SOURCE and close them, the dialling end first;
  each stays behind as one TIME_WAIT.
- ``{"churn": COUNT}``: from now on replace COUNT connections each second; 0 stops.

It answers each line with ``{"held": COUNT}``, and ends when its input does.
"""

import json
import select
import socket
import struct
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from tests.support.limits import raise_descriptor_limit
from tests.support.netns import enter_for_good

HUB_ADDRESS = "127.0.0.1"
"""Where the crowd's listeners are."""

_CHURN_PERIOD_S = 1.0
_IP_BIND_ADDRESS_NO_PORT = 24  # include/uapi/linux/in.h
_ABORT = struct.pack("ii", 1, 0)  # struct linger: close() sends RST and leaves nothing behind


class Worker:
    """The connections that this process holds."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._held: deque[socket.socket] = deque()
        self._own: deque[tuple[socket.socket, socket.socket]] = deque()
        self._own_listener: socket.socket | None = None
        self._replaced_each_second = 0

    def obey(self, order: dict[str, Any]) -> int:
        """Carry out one order; how many connections are held afterwards."""
        for source, port, count in order.get("open", ()):
            self._held.extend(dial(source, port) for _ in range(count))
        for source, count in order.get("time_wait", ()):
            leave_time_wait(source, count)
        if "churn" in order:
            self._replaced_each_second = order["churn"]
            self._own_at_least(order["churn"])
        return len(self._held) + len(self._own)

    @property
    def churning(self) -> bool:
        """Whether connections are to be replaced each second."""
        return self._replaced_each_second > 0

    def replace(self) -> None:
        """Open as many connections as a second's churn and abort as many old ones; the number held stays the same."""
        for _ in range(self._replaced_each_second):
            client, _server = self._own[0]
            self._own.append(self._own_pair(client.getsockname()[0]))
            abort(*self._own.popleft())

    def abandon(self) -> None:
        """Abort the connections held at both ends; nobody else would, and closing them leaves TIME_WAIT."""
        while self._own:
            abort(*self._own.popleft())

    def _own_at_least(self, count: int) -> None:
        """Hold ``count`` connections at both ends, in place of as many whose far end waits in the hub's queue.

        A connection in the hub's accept queue that dies keeps its place there, so these cannot be replaced for ever.
        """
        while len(self._own) < count:
            client = self._held.popleft()
            self._own.append(self._own_pair(client.getsockname()[0]))
            abort(client)

    def _own_pair(self, source: str) -> tuple[socket.socket, socket.socket]:
        if self._own_listener is None:
            self._own_listener = socket.create_server((HUB_ADDRESS, 0))
        client = dial(source, self._own_listener.getsockname()[1])
        return client, self._own_listener.accept()[0]


def dial(source: str, port: int) -> socket.socket:
    """A connection from ``source`` to ``port`` of the hub.

    IP_BIND_ADDRESS_NO_PORT leaves the choice of port to connect(), which lets each destination have all ports
    (FACTS section 2.3, E-27).
    """
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    client.bind((source, 0))
    client.connect((HUB_ADDRESS, port))
    return client


def leave_time_wait(source: str, count: int) -> None:
    """Make ``count`` connections from ``source`` that end in one TIME_WAIT socket each, at the dialling end."""
    with socket.create_server((HUB_ADDRESS, 0)) as listener:
        port = listener.getsockname()[1]
        for _ in range(count):
            client = dial(source, port)
            server, _ = listener.accept()
            client.close()
            server.close()


def abort(*sockets: socket.socket) -> None:
    """Close ``sockets`` with RST, so that no TIME_WAIT is left."""
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        each.close()


def serve(worker: Worker) -> None:
    """Obey orders from standard input until it ends, and churn in between."""
    next_turn_s = time.monotonic() + _CHURN_PERIOD_S
    while True:
        patience_s = max(0.0, next_turn_s - time.monotonic()) if worker.churning else None
        readable, _, _ = select.select([sys.stdin], [], [], patience_s)
        if readable:
            line = sys.stdin.readline()
            if not line:
                return
            sys.stdout.write(json.dumps({"held": worker.obey(json.loads(line))}) + "\n")
            sys.stdout.flush()
        elif worker.churning:
            worker.replace()
            next_turn_s = max(next_turn_s + _CHURN_PERIOD_S, time.monotonic())


if __name__ == "__main__":
    raise_descriptor_limit()
    enter_for_good(Path(sys.argv[1]))
    crew_member = Worker()
    serve(crew_member)
    crew_member.abandon()

"""A crowd: a great many cheap established sockets in one namespace, for measuring.

A connection over the loopback is two sockets of the table. The near ends are held by child processes, as many as the
limit of descriptors asks for; the far ends stay in the accept queues of the crowd's listeners, where they need neither
a descriptor nor a process (inode 0, FACTS section 1.1).
"""

import contextlib
import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, final

from tcptui.model.states import TcpState
from tests.support.crowd_worker import HUB_ADDRESS
from tests.support.netns import NetworkNamespace
from tests.support.waiting import wait_for

WORKER_CAPACITY = 15_000
"""Connections of one child: a third fewer than it may have descriptors, since a churned connection needs two."""

MOST_PEERS = 250 * 250

_BUSY_WORKERS = 2
"""How many children work at the same time: the machine has two processors, and others use it."""
_WORKER_DEADLINE_S = 60.0
_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Share:
    """Connections that look alike: they come from one address and go to one port."""

    source: str
    port: int
    count: int


@final
class Crowd:
    """``pairs`` established loopback connections in a namespace, and TIME_WAIT sockets if wanted.

    The connections come from ``peers`` addresses (127.0.x.y), spread evenly, and go to 127.0.0.1: ``ports`` says how
    many of them to which port, the rest is spread over ``other_ports``.
    """

    def __init__(
        self,
        namespace: NetworkNamespace,
        pairs: int,
        *,
        peers: int = 40,
        ports: Mapping[int, int] | None = None,
        other_ports: Sequence[int] = (9000, 9001, 9002, 9003),
        time_wait: int = 0,
    ) -> None:
        """Plan the crowd; nothing is made before the context is entered."""
        self.namespace = namespace
        self.pairs = pairs
        self.time_wait = time_wait
        self.shares = plan_shares(pairs, peers, ports or {}, other_ports)
        self._sources = [source_address(index) for index in range(peers)]
        self._workers: list[_WorkerProcess] = []
        self._listeners: list[socket.socket] = []
        self._own_listeners = 0
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> "Crowd":
        """Make all sockets; returns when the kernel counts them."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._dissolve)
            self._set_parameters()
            self._open_listeners()
            self._hire()
            self._leave_time_wait()
            self.settle()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Free all sockets and end the children."""
        self._undo.close()

    def expected(self) -> Counter[TcpState]:
        """How many sockets of each state the crowd has in the namespace; its TIME_WAIT ones live 60 s."""
        listeners = len(self._listeners) + self._own_listeners
        return +Counter(
            {TcpState.ESTABLISHED: 2 * self.pairs, TcpState.LISTEN: listeners, TcpState.TIME_WAIT: self.time_wait}
        )

    def settle(self) -> None:
        """Wait until the kernel's own counts are ``expected``; they cost nothing, however many sockets there are."""
        expected = self.expected()
        mini_sockets = expected.pop(TcpState.TIME_WAIT, 0)
        wanted = {"inuse": expected.total(), "tw": mini_sockets}
        wait_for(self._socket_totals, lambda seen: seen == wanted, wanted=f"{wanted} in {self.namespace.name}")

    def churn(self, fraction: float) -> None:
        """Replace this part of the connections each second from now on, at most a quarter; 0 stops it.

        A replaced connection ends with RST, so that the counts stay as they are. Each child needs a listener of its
        own for it, which ``expected`` counts.
        """
        if not 0 <= fraction <= 1 / 4:
            raise ValueError(f"churn is a part between 0 and a quarter, not {fraction:g}")
        if fraction and not self._own_listeners:
            self._own_listeners = len(self._workers)
        self._order_each([{"churn": round(worker.held * fraction)} for worker in self._workers])

    def _set_parameters(self) -> None:
        """Make room, and keep new connections from taking over TIME_WAIT ones, which loopback allows by default."""
        namespace = self.namespace
        namespace.raise_sysctl("net.core.somaxconn", self.pairs + 1)
        namespace.raise_sysctl("net.ipv4.tcp_max_tw_buckets", self.time_wait + self.pairs)
        namespace.write_sysctl("net.ipv4.tcp_tw_reuse", 0)
        namespace.write_sysctl("net.ipv4.ip_local_port_range", "10240 65535")

    def _open_listeners(self) -> None:
        with self.namespace.entered():
            for port in sorted({share.port for share in self.shares}):
                self._listeners.append(socket.create_server((HUB_ADDRESS, port), backlog=self.pairs + 1))

    def _hire(self) -> None:
        workloads = split_shares(self.shares, WORKER_CAPACITY)
        self._workers = [_WorkerProcess(self.namespace) for _ in workloads]
        self._order_each([{"open": [astuple(share) for share in workload]} for workload in workloads])

    def _leave_time_wait(self) -> None:
        """Share the TIME_WAIT sockets out among the children; last, since the first of them is gone after 60 s."""
        parts = list(zip(self._sources, even_parts(self.time_wait, len(self._sources)), strict=True))
        crew = len(self._workers)
        self._order_each([{"time_wait": parts[start::crew]} for start in range(crew)])

    def _order_each(self, orders: Iterable[dict[str, Any]]) -> None:
        with ThreadPoolExecutor(_BUSY_WORKERS) as pool:
            list(pool.map(_WorkerProcess.order, self._workers, orders))

    def _socket_totals(self) -> dict[str, int]:
        with self.namespace.entered():
            words = Path("/proc/thread-self/net/sockstat").read_text().split("TCP: ")[1].split()
        return {"inuse": int(words[words.index("inuse") + 1]), "tw": int(words[words.index("tw") + 1])}

    def _dissolve(self) -> None:
        """Close the listeners first: that resets every connection in their queues, and no TIME_WAIT is left behind."""
        for listener in self._listeners:
            listener.close()
        for worker in self._workers:
            worker.end()


def plan_shares(pairs: int, peers: int, ports: Mapping[int, int], other_ports: Sequence[int]) -> list[Share]:
    """How ``pairs`` connections spread over ``peers`` addresses and over ports, each as evenly as whole numbers allow.

    Raises:
        ValueError: ``ports`` asks for more connections than there are, or nothing is left to choose from.
    """
    rest = pairs - sum(ports.values())
    if rest < 0 or not 1 <= peers <= MOST_PEERS or (rest and not other_ports):
        raise ValueError(f"cannot spread {pairs} connections over {peers} peers, {dict(ports)} and {list(other_ports)}")
    each_port = Counter(ports) + Counter(dict(zip(other_ports, even_parts(rest, len(other_ports)), strict=True)))
    shares = []
    first = 0
    for port, count in each_port.items():
        for index, part in enumerate(even_parts(count, peers)):
            shares.append(Share(source_address((first + index) % peers), port, part))
        first += count % peers
    return [share for share in shares if share.count]


def split_shares(shares: Iterable[Share], capacity: int) -> list[list[Share]]:
    """``shares`` in lists of at most ``capacity`` connections each; a share may be cut in two."""
    workloads: list[list[Share]] = [[]]
    room = capacity
    for share in shares:
        left = share.count
        while left:
            if not room:
                workloads.append([])
                room = capacity
            part = min(left, room)
            workloads[-1].append(replace(share, count=part))
            left -= part
            room -= part
    return workloads


def even_parts(total: int, parts: int) -> list[int]:
    """``total`` in ``parts`` whole numbers that differ by one at most, the larger ones first."""
    size, larger = divmod(total, parts) if parts else (0, 0)
    return [size + (index < larger) for index in range(parts)]


def source_address(index: int) -> str:
    """The crowd's peer address number ``index``, from 127.0.1.1 on."""
    return f"127.0.{1 + index // 250}.{1 + index % 250}"


class _WorkerProcess:
    """A child process and the conversation with it (``tests.support.crowd_worker`` has the protocol)."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self.held = 0
        """Connections that the child holds."""
        self._argv = [sys.executable, "-m", "tests.support.crowd_worker", str(namespace.path)]
        self._process: subprocess.Popen[str] | None = None

    def order(self, order: dict[str, Any]) -> None:
        """Give one order and wait until it is carried out; the first order starts the child.

        Raises:
            RuntimeError: the child ended instead; its standard error says why.
        """
        if self._process is None:
            self._process = subprocess.Popen(
                self._argv, cwd=_REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        answer = self._ask(self._process, json.dumps(order))
        if not answer:
            raise RuntimeError(f"a worker of the crowd ended with {self._process.wait(_WORKER_DEADLINE_S)}")
        self.held = json.loads(answer)["held"]

    def end(self) -> None:
        """End the child by ending its input; kill it should it not listen."""
        if self._process is None:
            return
        try:
            self._process.communicate(timeout=_WORKER_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @staticmethod
    def _ask(process: "subprocess.Popen[str]", line: str) -> str:
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # the empty answer tells
            process.stdin.write(line + "\n")
            process.stdin.flush()
        return process.stdout.readline()

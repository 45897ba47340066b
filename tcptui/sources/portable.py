"""The sockets that psutil tells of: for systems without a Linux kernel."""

import math
import socket
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import numpy as np
import psutil

from tcptui.errors import SourceError
from tcptui.language import tr
from tcptui.model.address import parse_network
from tcptui.model.sample import Cost, Degradation, Origin, Sample, Whereabouts
from tcptui.model.states import find_state
from tcptui.model.table import ROW, Rows, SocketTable
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.base import family_options
from tcptui.sources.machine import host_and_kernel
from tcptui.sources.tables import identities

_ABSENT = frozenset(
    {
        *("cookie", "cgroup_id", "inode", "holders", "uid", "interface", "timer", "timer_ms", "retransmits"),
        *("recv_queue_bytes", "send_queue_bytes", "accept_queue", "backlog", "mark", "is_autobound"),
        *("rtt_us", "total_retransmits", "idle_ms"),
    }
)
_KINDS: dict[tuple[int, ...], str] = {(4,): "tcp4", (6,): "tcp6"}


class PortableSource:
    """Samples through psutil: states, addresses and ports only."""

    def __init__(self, families: Iterable[int] = (4, 6)) -> None:
        families = tuple(families)
        self._kind = _KINDS.get(families, "tcp")
        host, kernel = host_and_kernel()
        self._origin = Origin(host, kernel, "psutil", options=("--source", "psutil", *family_options(families)))

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        started = time.perf_counter()
        taken_at, monotonic_s = datetime.now(timezone.utc), time.monotonic()
        try:
            connections = psutil.net_connections(self._kind)
        except (psutil.Error, OSError) as error:
            problem = tr("psutil cannot list connections ({reason})", reason=error)
            raise SourceError(problem, tr("run with more privileges")) from error
        dumped = time.perf_counter()
        rows = _rows(connections)
        finished = time.perf_counter()
        return Sample(
            origin=self._origin,
            taken_at=taken_at,
            monotonic_s=monotonic_s,
            table=SocketTable(rows),
            cost=Cost((dumped - started) * 1e3, (finished - dumped) * 1e3, 0.0, (finished - started) * 1e3),
            degraded=(
                Degradation(
                    "source.portable",
                    tr("psutil gives states, addresses and ports only: no queues, timers, inodes or counters"),
                    tr("run on Linux for the rest"),
                ),
            ),
            absent_fields=_ABSENT,
        )

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        """Nothing: psutil gives no inodes to find holders by."""
        return None

    def close(self) -> None:
        """Nothing is held open."""


def _rows(connections: Iterable[Any]) -> Rows:
    values = [_row(connection) for connection in connections]
    known = [value for value in values if value is not None]
    rows = np.zeros(len(known), ROW)
    for index, value in enumerate(known):
        for name, part in value.items():
            rows[name][index] = part
    rows["cookie"] = identities(rows)
    return rows


def _row(connection: Any) -> dict[str, int] | None:
    """One socket; None for one that is in no TCP state."""
    state = find_state(connection.status)
    if state is None:
        return None
    family = 6 if connection.family == socket.AF_INET6 else 4
    row = {"state": int(state), "family": family}
    for end, address in (("local", connection.laddr), ("remote", connection.raddr)):
        text = address.ip if address else ("::" if family == 6 else "0.0.0.0")
        network = parse_network(text.partition("%")[0])
        row[f"{end}_hi"], row[f"{end}_lo"] = network.hi, network.lo
        row[f"{end}_port"] = address.port if address else 0
    return row

"""Synthetic sockets with a fixed seed: scenes that behave as real incidents did (``incidents.json``).

For trying, teaching, tests and pictures, on any system. Sample *n* of a scene is the same on every machine and at any
time: the clock of a scene is the number of samples taken.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import RequestError
from tcptui.model.address import LOW_HALF, MAPPED_PREFIX, parse_network
from tcptui.model.owners import Owners
from tcptui.model.sample import Cost, Degradation, Origin, Sample
from tcptui.model.states import TcpState, nearest_hint
from tcptui.model.table import ROW, Rows, SocketTable
from tcptui.query.request import EVERYTHING_PLAIN, Request

FIRST_TAKEN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
FOR_EVER = math.inf
WARM_UP_TICKS = 400
"""Ticks that have passed before the first sample; longer than any phase with an end."""

_TIMER_OFF, _TIMER_ON, _TIMER_TIMEWAIT = 0, 1, 3
_FIRST_RTO_MS = 200
_SSH_PORT = 22
_PIDS = (640, 812)
"""Of sshd, and of the scene's process."""
_CGROUP_IDS = (3, 2)
_UNANSWERED = frozenset({TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING})
_OWNED = frozenset({TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.SYN_SENT})


@dataclass(frozen=True)
class Phase:
    """A state and how many ticks a connection stays in it, evenly spread between two bounds."""

    state: TcpState
    least: float
    most: float

    @classmethod
    def lasting(cls, state: TcpState, ticks: float) -> "Phase":
        """About ``ticks``, a half more or less."""
        return cls(state, ticks * 0.5, ticks * 1.5)


@dataclass(frozen=True)
class Flow:
    """Connections of one kind: so many new ones a tick, each living through the phases."""

    rate: float
    phases: tuple[Phase, ...]
    local: str
    remote: str
    """Network that the peers come from."""
    peers: int
    """How many of them; the first few are the busiest."""
    port: int
    """The service's port: local when the peers connect to us, remote when we connect to them."""
    outgoing: bool = False
    queued_bytes: int = 0
    """Unacknowledged bytes in the states that wait for an acknowledgement."""
    since: float = -WARM_UP_TICKS
    """The tick with the first connection."""


@dataclass(frozen=True)
class Scene:
    """What goes on on one synthetic machine."""

    host: str
    process: str
    """Who holds all connections but those of sshd."""
    flows: tuple[Flow, ...]
    listeners: tuple[tuple[str, int, int, int], ...]
    """Address, port, accept queue, backlog."""


_SERVED = (
    Phase.lasting(TcpState.ESTABLISHED, 80),
    Phase.lasting(TcpState.FIN_WAIT2, 16),
    Phase(TcpState.TIME_WAIT, 60, 60),
)
_UNANSWERED_FIN = Phase(TcpState.FIN_WAIT1, 90, 107)
_SSH = Flow(0.01, (Phase(TcpState.ESTABLISHED, FOR_EVER, FOR_EVER),), "10.0.0.5", "10.0.9.0/24", 3, 22)
_WEB_LISTENERS = (("0.0.0.0", 22, 0, 128), ("::", 443, 0, 4096), ("127.0.0.1", 9100, 0, 128))

SCENES = {
    "calm": Scene(
        "web-3",
        "nginx",
        (_SSH, Flow(16, _SERVED, "10.0.0.5", "198.51.100.0/24", 90, 443)),
        _WEB_LISTENERS,
    ),
    "leak": Scene(
        "app-1",
        "java",
        (
            _SSH,
            Flow(4, _SERVED, "10.0.0.7", "10.1.2.0/24", 12, 8080),
            Flow(
                13,
                (Phase.lasting(TcpState.ESTABLISHED, 3), Phase(TcpState.CLOSE_WAIT, FOR_EVER, FOR_EVER)),
                *("10.0.0.7", "10.1.7.0/28", 3, 3306),
                outgoing=True,
            ),
        ),
        (("0.0.0.0", 22, 0, 128), ("::", 8080, 0, 100)),
    ),
    "flood": Scene(
        "edge-2",
        "haproxy",
        (
            _SSH,
            Flow(9, _SERVED, "203.0.113.10", "198.51.100.0/24", 80, 443),
            Flow(
                8,
                (Phase(TcpState.SYN_RECV, 15, 63),),
                *("203.0.113.10", "192.0.2.0/24", 250, 443),
            ),
            Flow(40, (Phase(TcpState.SYN_RECV, 2, 7),), "203.0.113.10", "2001:db8:66::/48", 4000, 443, since=8),
        ),
        (("0.0.0.0", 22, 0, 128), ("::", 443, 0, 511)),
    ),
    "timewait": Scene(
        "php-4",
        "php-fpm8.2",
        (
            _SSH,
            Flow(
                420,
                (Phase(TcpState.ESTABLISHED, 0.1, 0.8), Phase(TcpState.TIME_WAIT, 60, 60)),
                *("10.0.0.9", "10.0.4.11/32", 1, 11211),
                outgoing=True,
            ),
            Flow(5, _SERVED, "10.0.0.9", "10.0.8.0/24", 4, 80),
        ),
        (("0.0.0.0", 22, 0, 128), ("0.0.0.0", 80, 1, 511)),
    ),
    "lastack": Scene(
        "nginx-1",
        "nginx",
        (
            _SSH,
            Flow(60, (Phase.lasting(TcpState.ESTABLISHED, 110), *_SERVED[1:]), "10.0.0.2", "203.0.113.0/24", 200, 80),
            Flow(
                58,
                (Phase.lasting(TcpState.ESTABLISHED, 4), Phase(TcpState.LAST_ACK, 95, 107)),
                *("10.0.0.2", "198.18.0.0/15", 3000, 80),
                queued_bytes=8191,
            ),
            Flow(
                10,
                (Phase.lasting(TcpState.ESTABLISHED, 4), _UNANSWERED_FIN),
                *("10.0.0.2", "198.18.0.0/15", 3000, 80),
                queued_bytes=14600,
            ),
            Flow(
                1,
                (Phase.lasting(TcpState.ESTABLISHED, 4), Phase(TcpState.CLOSING, 90, 107)),
                *("10.0.0.2", "198.18.0.0/15", 3000, 80),
                queued_bytes=1,
            ),
            Flow(5, (Phase(TcpState.SYN_RECV, 15, 63),), "10.0.0.2", "198.18.0.0/15", 3000, 80),
        ),
        (("0.0.0.0", 22, 0, 128), ("0.0.0.0", 80, 0, 511)),
    ),
}

DEMO_PARAMETERS = {
    "net.ipv4.tcp_fin_timeout": "60",
    "net.ipv4.tcp_orphan_retries": "0",
    "net.ipv4.tcp_retries2": "15",
    "net.ipv4.tcp_syn_retries": "6",
    "net.ipv4.tcp_syn_linear_timeouts": "4",
    "net.ipv4.tcp_synack_retries": "5",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_max_syn_backlog": "2048",
    "net.ipv4.tcp_max_tw_buckets": "131072",
    "net.ipv4.tcp_max_orphans": "131072",
    "net.ipv4.tcp_tw_reuse": "2",
    "net.ipv4.tcp_tw_reuse_delay": "1000",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_rfc1337": "0",
    "net.ipv4.tcp_keepalive_time": "7200",
    "net.ipv4.tcp_keepalive_probes": "9",
    "net.ipv4.tcp_keepalive_intvl": "75",
    "net.ipv4.tcp_abort_on_overflow": "0",
    "net.ipv4.tcp_rto_max_ms": "120000",
    "net.ipv4.ip_local_port_range": "32768 60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.tcp_mem": "287901 383868 575802",
    "net.ipv4.tcp_migrate_req": "0",
    "net.core.somaxconn": "4096",
    "net.core.netdev_max_backlog": "1000",
}
"""The defaults of Linux 6.18 (FACTS section 2)."""


class _Connections:
    """All connections of one flow that are alive, oldest first."""

    def __init__(self, flow: Flow, seed: int) -> None:
        self._flow = flow
        self._random = np.random.default_rng(seed)
        self._next_cookie = seed << 40 | 1
        self._rows = np.zeros(0, ROW)
        self._entered = np.zeros((0, len(flow.phases) + 1))
        self._owed = 0.0

    def advance(self, tick: float) -> None:
        """Let one tick pass: connections are born, those past their last phase are gone."""
        alive = self._entered[:, -1] > tick
        self._rows, self._entered = self._rows[alive], self._entered[alive]
        if tick >= self._flow.since:
            self._owed += self._flow.rate * self._random.uniform(0.85, 1.15)
            newborn, self._owed = int(self._owed), self._owed % 1
            self._rows = np.concatenate((self._rows, self._new_rows(newborn)))
            self._entered = np.concatenate((self._entered, self._new_schedule(newborn, tick)))

    def rows(self, tick: float) -> Rows:
        """The connections as they are now."""
        alive = self._entered[:, -1] > tick
        rows, entered = self._rows[alive], self._entered[alive]
        phase = (entered[:, 1:-1] <= tick).sum(axis=1)
        states = np.array([each.state for each in self._flow.phases], np.uint8)[phase]
        rows["state"] = states
        index = np.arange(len(rows))
        age_ms = (tick - entered[index, phase]) * 1000
        left_ms = np.minimum(entered[index, phase + 1] - tick, 1e6) * 1000
        unanswered = np.isin(states, list(_UNANSWERED))
        time_wait = np.isin(states, (TcpState.TIME_WAIT, TcpState.FIN_WAIT2))
        rows["timer"] = np.select([unanswered, time_wait], [_TIMER_ON, _TIMER_TIMEWAIT], _TIMER_OFF)
        doublings = np.floor(np.log2(1 + age_ms / _FIRST_RTO_MS))
        rows["retransmits"] = np.where(unanswered, np.clip(doublings, 0, 8), 0)
        next_rto_ms = _FIRST_RTO_MS * (2 ** (doublings + 1) - 1) - age_ms
        rows["timer_ms"] = np.select([unanswered, time_wait], [np.maximum(next_rto_ms, 1), left_ms], 0)
        rows["send_queue_bytes"] = np.where(
            unanswered & (states != TcpState.SYN_RECV), max(self._flow.queued_bytes, 1), 0
        )
        rows["recv_queue_bytes"] = (states == TcpState.CLOSE_WAIT) & (rows["cookie"] % 5 > 0)
        owned = np.isin(states, list(_OWNED))
        rows["uid"] = np.where(owned, 33, 0)
        rows["inode"] = np.where(owned, rows["cookie"] % 900_000 + 100_000, 0)
        return rows

    def _new_schedule(self, count: int, tick: float) -> NDArray[np.float64]:
        """When each of ``count`` connections enters each phase, and when it ends; shape ``(count, phases + 1)``."""
        born = tick - self._random.uniform(0, 1, count)
        stays = [
            np.full(count, phase.least)
            if phase.least == phase.most
            else self._random.uniform(phase.least, phase.most, count)
            for phase in self._flow.phases
        ]
        return np.cumsum(np.column_stack((born, *stays)), axis=1)

    def _new_rows(self, count: int) -> Rows:
        flow = self._flow
        rows = np.zeros(count, ROW)
        rows["cookie"] = self._next_cookie + np.arange(count)
        self._next_cookie += count
        # Squaring an even spread makes the first peers the busiest.
        peer = (self._random.uniform(0, 1, count) ** 2 * flow.peers).astype(np.uint64)
        _set_address(rows, "local", flow.local, np.uint64(0))
        _set_address(rows, "remote", flow.remote, peer)
        ephemeral = self._random.integers(32768, 61000, count)
        rows["local_port"] = ephemeral if flow.outgoing else flow.port
        rows["remote_port"] = flow.port if flow.outgoing else ephemeral
        return rows


def _set_address(rows: Rows, end: str, text: str, offset: NDArray[np.uint64] | np.uint64) -> None:
    network = parse_network(text)
    rows[f"{end}_hi"] = network.hi
    rows[f"{end}_lo"] = np.uint64(network.lo) + (offset + np.uint64("/" in text)) * np.uint64(
        network.mask_lo != LOW_HALF
    )
    rows["family"] = 4 if network.hi == 0 and network.lo >= MAPPED_PREFIX else 6


def _owners(rows: Rows, process: str) -> Owners:
    """The scene's process holds every socket with an inode, but for those of ssh."""
    inodes, first = np.unique(rows["inode"], return_index=True)
    is_ssh = rows["local_port"][first] == _SSH_PORT
    pids = np.where(is_ssh, *_PIDS).astype(np.int32)
    return Owners(inodes[inodes > 0], pids[inodes > 0], dict(zip(_PIDS, ("sshd", process), strict=True)))


def _listener_rows(scene: Scene) -> Rows:
    rows = np.zeros(len(scene.listeners), ROW)
    for index, (address, port, queue, backlog) in enumerate(scene.listeners):
        row = rows[index : index + 1]
        _set_address(row, "remote", "0.0.0.0" if "." in address else "::", np.uint64(0))
        _set_address(row, "local", address, np.uint64(0))
        row["local_port"], row["recv_queue_bytes"], row["send_queue_bytes"] = port, queue, backlog
        row["state"], row["cookie"], row["inode"] = TcpState.LISTEN, index + 1, 20_000 + index
    return rows


class DemoSource:
    """Samples of a scene."""

    def __init__(self, scene: str) -> None:
        """Let the scene run until it is in full swing.

        Raises:
            RequestError: there is no such scene.
        """
        if scene not in SCENES:
            raise RequestError(f"there is no demo scene {scene!r}", nearest_hint(scene, SCENES))
        self._process = SCENES[scene].process
        self._origin = Origin(SCENES[scene].host, "6.18.44", f"demo {scene}", options=("--demo", scene))
        self._listeners = _listener_rows(SCENES[scene])
        self._flows = [_Connections(flow, seed) for seed, flow in enumerate(SCENES[scene].flows, start=1)]
        self._tick = -WARM_UP_TICKS
        while self._tick < 0:
            self._advance()

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        parts = [self._listeners, *(flow.rows(self._tick) for flow in self._flows)]
        rows = np.concatenate(parts)
        rows["cgroup_id"] = np.where(rows["inode"] == 0, 0, np.where(rows["local_port"] == _SSH_PORT, *_CGROUP_IDS))
        sample = Sample(
            origin=self._origin,
            taken_at=FIRST_TAKEN_AT + timedelta(seconds=self._tick),
            monotonic_s=float(self._tick),
            table=SocketTable(rows),
            parameters=DEMO_PARAMETERS,
            cost=Cost(dump_ms=1.0, decode_ms=0.2, total_ms=1.4),
            degraded=(Degradation("demo", f"{self._origin.source}: these sockets are made up"),),
            owners=_owners(rows, self._process),
            cgroups=dict(
                zip(_CGROUP_IDS, ("/system.slice/ssh.service", f"/system.slice/{self._process}.service"), strict=True)
            ),
        )
        self._advance()
        return sample

    def close(self) -> None:
        """Nothing is held open."""

    def _advance(self) -> None:
        for flow in self._flows:
            flow.advance(self._tick)
        self._tick += 1

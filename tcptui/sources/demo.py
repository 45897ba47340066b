"""Synthetic sockets with a fixed seed: scenes that behave as real incidents did (``incidents.json``).

For trying, teaching, tests and pictures, on any system. Sample *n* of a scene is the same on every machine and at any
time: the clock of a scene is the number of samples taken.
"""

import copy
import functools
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import RequestError, nearest_hint
from tcptui.language import tr
from tcptui.model.address import LOW_HALF, MAPPED_PREFIX, parse_network
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.disk import DiskSetting, OnDisk
from tcptui.model.owners import Descriptors, Holders, Owners, Process
from tcptui.model.sample import Cost, Degradation, Origin, Sample, Whereabouts
from tcptui.model.states import TcpState
from tcptui.model.table import ROW, Mask, Rows, SocketTable
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo_counters import SEGMENTS_A_TICK, Tally, counters_of, gauges_of

FIRST_TAKEN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
FOR_EVER = math.inf
WARM_UP_TICKS = 400
"""Ticks that have passed before the first sample; longer than any phase with an end."""

_TIMER_OFF, _TIMER_ON, _TIMER_TIMEWAIT = 0, 1, 3
_FIRST_RTO_MS = 200
_SSH_PORT = 22
_SSHD_PID = 640
_FIRST_PID = 812
"""Of the scene's workers."""
_FILES = 27
"""Descriptors of a process that are no sockets."""
_INODES_OF_A_FLOW = 1_000_000
_SEED_SHIFT = 40
"""Where a cookie has the number of its flow, which is also the seed of that."""
_CGROUP_IDS = (3, 2)
_MSS = 1448
_FIRST_CWND = 10
_LAST_CWND = 64
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Odd 64-bit constant (2^64 / golden ratio) for multiplicative hashing."""
_UNANSWERED = frozenset({TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING})
_OWNED = frozenset({TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, TcpState.SYN_SENT})
_ASKING = frozenset({TcpState.SYN_SENT, TcpState.SYN_RECV})
_WAITING = (TcpState.FIN_WAIT2, TcpState.TIME_WAIT)
_MOST_REPETITIONS = 8
_MINI = frozenset({TcpState.SYN_RECV, TcpState.FIN_WAIT2, TcpState.TIME_WAIT})
"""Of these the kernel keeps little more than the addresses (FACTS section 6.2); nothing here is closed one way only."""


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
    refused: int = 0
    """SYNs a tick for which there is no room; they get a cookie."""


@dataclass(frozen=True)
class Scene:
    """What goes on on one synthetic machine."""

    host: str
    process: str
    """Who holds all connections but those of sshd."""
    flows: tuple[Flow, ...]
    listeners: tuple[tuple[str, int, int, int], ...]
    """Address, port, accept queue, backlog."""
    command: str = ""
    user: str = "www-data"
    workers: int = 1
    """Processes among which the connections are spread."""
    descriptor_limit: int = 1024
    on_disk: tuple[DiskSetting, ...] = ()
    """What an administrator has once found on the web."""


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
        command="nginx: worker process",
        workers=4,
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
        command="/usr/bin/java -Xmx2g -jar /srv/app/shop.jar",
        user="tomcat",
        descriptor_limit=8192,
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
            Flow(
                40,
                (Phase(TcpState.SYN_RECV, 2, 7),),
                *("203.0.113.10", "2001:db8:66::/48", 4000, 443),
                since=8,
                refused=90,
            ),
        ),
        (("0.0.0.0", 22, 0, 128), ("::", 443, 0, 511)),
        command="/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg",
        user="haproxy",
        descriptor_limit=20_000,
    ),
    "timewait": Scene(
        "php-4",
        "php-fpm8.2",
        (
            _SSH,
            Flow(
                420,
                (Phase(TcpState.ESTABLISHED, 0.2, 1.4), Phase(TcpState.TIME_WAIT, 60, 60)),
                *("10.0.0.9", "10.0.4.11/32", 1, 11211),
                outgoing=True,
            ),
            Flow(5, _SERVED, "10.0.0.9", "10.0.8.0/24", 4, 80),
        ),
        (("0.0.0.0", 22, 0, 128), ("0.0.0.0", 80, 1, 511)),
        command="php-fpm: pool www",
        workers=12,
        on_disk=(
            DiskSetting("net.ipv4.tcp_fin_timeout", "15", "/etc/sysctl.d/90-web.conf", 3),
            DiskSetting("net.ipv4.tcp_tw_recycle", "1", "/etc/sysctl.d/90-web.conf", 4, is_known=False),
        ),
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
        command="nginx: worker process",
        workers=2,
        descriptor_limit=65_536,
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
    "fs.file-nr": "14336\t0\t9223372036854775807",
    "fs.file-max": "9223372036854775807",
}
"""The defaults of Linux 6.18 (FACTS section 2)."""


class _Connections:
    """All connections of one flow that are alive, oldest first."""

    def __init__(self, flow: Flow, seed: int) -> None:
        self._flow = flow
        self._random = np.random.default_rng(seed)
        self._next_cookie = seed << _SEED_SHIFT | 1
        self._rows = np.zeros(0, ROW)
        self._entered = np.zeros((0, len(flow.phases) + 1))
        self._owed = 0.0
        self._ended = 0
        self._repeated = self._lost = 0
        """Segments of those that have ended which were sent again, for want of an answer and on the way."""
        self._segments = 0

    def advance(self, tick: float) -> None:
        """Let one tick pass: connections are born, those past their last phase are gone."""
        alive = self._entered[:, -1] > tick
        self._bury(~alive)
        self._rows, self._entered = self._rows[alive], self._entered[alive]
        active_s = self._active_s(self._entered, tick)
        self._segments += SEGMENTS_A_TICK * int(np.count_nonzero((active_s > 0) & (self._entered[:, 1] > tick)))
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
        rows["retransmits"] = np.where(unanswered, _repetitions(age_ms), 0)
        next_rto_ms = _FIRST_RTO_MS * (2 ** (doublings + 1) - 1) - age_ms
        rows["timer_ms"] = np.select([unanswered, time_wait], [np.maximum(next_rto_ms, 1), left_ms], 0)
        rows["send_queue_bytes"] = np.where(
            unanswered & (states != TcpState.SYN_RECV), max(self._flow.queued_bytes, 1), 0
        )
        rows["recv_queue_bytes"] = (states == TcpState.CLOSE_WAIT) & (rows["cookie"] % 5 > 0)
        owned = np.isin(states, list(_OWNED))
        rows["uid"] = np.where(owned, 33, 0)
        number = rows["cookie"] % _INODES_OF_A_FLOW + (rows["cookie"] >> np.uint64(_SEED_SHIFT)) * _INODES_OF_A_FLOW
        rows["inode"] = np.where(owned, number, 0)
        active_s = self._active_s(entered, tick)
        is_full = ~np.isin(states, list(_MINI)) & (active_s > 0)
        rows["rtt_us"] = np.where(is_full, _rtt_us(rows, active_s), 0)
        rows["idle_ms"] = np.where(is_full, np.where(states == TcpState.ESTABLISHED, _quiet_ms(rows), age_ms), 0)
        rows["total_retransmits"] = np.where(is_full, rows["retransmits"] + _losses(rows, active_s), 0)
        return rows

    def tally(self, tick: float) -> Tally:
        """What has become of the connections up to now."""
        flow, states = self._flow, [phase.state for phase in self._flow.phases]
        rows = self.rows(tick)
        ended = self._ended + len(self._rows) - len(rows)
        passed = {state: self._ended + int((self._entered[:, at] <= tick).sum()) for at, state in enumerate(states)}
        unanswered = self._repeated + int(rows["retransmits"].sum())
        begun = passed[states[0]]
        is_asking = states[0] in _ASKING
        return Tally(
            opened=begun if flow.outgoing else 0,
            accepted=0 if flow.outgoing or states[0] is TcpState.SYN_RECV else begun,
            waited=next((passed[state] for state in states if state in _WAITING), 0),
            given_up=ended if states[-1] in _UNANSWERED - _ASKING else 0,
            repeated=0 if is_asking else unanswered,
            asked_again=unanswered if is_asking else 0,
            lost=self._lost + int(_losses(self._rows, self._active_s(self._entered, tick)).sum()),
            segments=self._segments,
            cookies=max(0, int(tick - flow.since)) * flow.refused,
        )

    def _bury(self, dead: Mask) -> None:
        """Count what there is to say of those that have ended."""
        rows, entered = self._rows[dead], self._entered[dead]
        self._ended += len(rows)
        if self._flow.phases[-1].state in _UNANSWERED:
            self._repeated += int(_repetitions((entered[:, -1] - entered[:, -2]) * 1000).sum())
        self._lost += int(_losses(rows, self._active_s(entered, math.inf)).sum())

    def past_s(self, cookie: int, tick: float) -> tuple[float, float]:
        """How long one connection was ESTABLISHED, and how long it has not been any more."""
        entered = self._entered[self._rows["cookie"] == cookie]
        active_s = float(self._active_s(entered, tick)[0])
        return active_s, float(tick - entered[0, 0]) - active_s

    def _active_s(self, entered: NDArray[np.float64], tick: float) -> NDArray[np.float64]:
        """How long each connection was ESTABLISHED, by when it enters its phases: that is the first, if it is one."""
        if self._flow.phases[0].state is not TcpState.ESTABLISHED:
            return np.zeros(len(entered))
        return np.minimum(entered[:, 1], tick) - entered[:, 0]

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


def _hashed(numbers: NDArray[np.uint64], size: int) -> NDArray[np.float64]:
    """Numbers from 0 to below ``size`` that look thrown together, the same for the same."""
    return (numbers * _SPREAD >> np.uint64(40)).astype(np.float64) % size


def _repetitions(age_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often a segment was sent again that has had no answer for so long."""
    return np.clip(np.floor(np.log2(1 + age_ms / _FIRST_RTO_MS)), 0, _MOST_REPETITIONS)


def _rtt_us(rows: Rows, active_s: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Round trips: each peer has its own distance, around which they vary gently."""
    distance_us = 200 * 500 ** (_hashed(rows["remote_lo"], 1000) / 1000)
    phase = _hashed(rows["cookie"], 6)
    wave = 0.15 * np.sin(active_s / 7 + phase) + 0.05 * np.sin(active_s * 1.9 + phase)
    return (distance_us * (1 + wave)).astype(np.uint32)


def _quiet_ms(rows: Rows) -> NDArray[np.uint32]:
    """Since the peer of an open connection was last heard; all talk more than once a second."""
    return _hashed(rows["cookie"], 900).astype(np.uint32)


def _losses(rows: Rows, active_s: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Segments sent again while the connection was open: one connection in eight has lost some."""
    return np.where(_hashed(rows["cookie"], 8) == 0, active_s / 15, 0).astype(np.uint32)


def _carried(rate: float, active_s: float) -> int:
    """Bytes after so long at a rate that comes and goes."""
    return int(rate * (active_s + 5 * (1 - math.cos(active_s / 6))))


def _detail(key: SocketKey, row: np.void, active_s: float, idle_s: float) -> SocketDetail:
    """What a kernel would tell of the socket in ``row``, ESTABLISHED for so long and not any more since then."""
    state = TcpState(int(row["state"]))
    queues = {name: int(row[name]) for name in ("recv_queue_bytes", "send_queue_bytes")}
    if state in _MINI:
        return SocketDetail(key)
    if state is TcpState.LISTEN:
        info = {"state": int(state), "unacked": queues["recv_queue_bytes"], "sacked": queues["send_queue_bytes"]}
        return SocketDetail(key, info, _memory(0, 0), "cubic", 0, 0)
    is_open = state is TcpState.ESTABLISHED
    shutdown = 0 if is_open else 1 if state is TcpState.CLOSE_WAIT else 3
    info = _tcp_info(row, active_s, 0.0 if is_open else idle_s)
    return SocketDetail(key, info, _memory(*queues.values()), "cubic", 0, shutdown)


def _tcp_info(row: np.void, active_s: float, idle_s: float) -> dict[str, int]:
    """``struct tcp_info`` of a full socket, which agrees with its row."""
    number = np.array([row["cookie"]])
    rate = 40 * 5000 ** (float(_hashed(number, 1000)[0]) / 1000)
    ago_ms = int(_hashed(number, 900)[0]) + int(idle_s * 1000)
    busy_us = int(active_s * 40_000) + int(row["retransmits"]) * 200_000
    agreed = {"state": int(row["state"]), "options": 0b111, "snd_wscale": 7, "rcv_wscale": 7}
    last = {"last_data_sent": ago_ms, "last_data_recv": ago_ms + 11, "last_ack_recv": ago_ms}
    waited = {"busy_time": busy_us, "rwnd_limited": busy_us // 20, "sndbuf_limited": 0}
    windows = {"snd_wnd": 64_256, "rcv_wnd": 65_280, "rcv_ssthresh": 64_088, "rcv_space": 14_480}
    volume = _volume_info(row, _carried(rate, active_s), _carried(rate / 12 + 20, active_s))
    return agreed | _path_info(row, active_s) | volume | last | waited | windows


def _path_info(row: np.void, active_s: float) -> dict[str, int]:
    """The fields that tell of the path and of what may be on it."""
    rtt_us, again, unanswered = (int(row[name]) for name in ("rtt_us", "total_retransmits", "retransmits"))
    cwnd = 1 if unanswered else min(_FIRST_CWND + int(active_s / 3), _LAST_CWND)
    bytes_per_s = cwnd * _MSS * 1_000_000 // max(rtt_us, 1)
    rto_us = min(200_000 + rtt_us << unanswered, 120_000_000)
    threshold = max(cwnd // 2, 2) if again else 0x7FFFFFFF
    times = {"rtt": rtt_us, "rttvar": rtt_us // 9, "min_rtt": rtt_us * 4 // 5, "rto": rto_us, "ato": 40_000}
    sizes = {"snd_mss": _MSS, "rcv_mss": _MSS, "advmss": _MSS, "pmtu": 1500, "reordering": 3}
    window = {"snd_cwnd": cwnd, "snd_ssthresh": threshold, "ca_state": 4 if unanswered else 0, "backoff": unanswered}
    pacing = {"pacing_rate": bytes_per_s * 2, "max_pacing_rate": (1 << 64) - 1}
    delivery = {"delivery_rate": bytes_per_s // 2, "delivery_rate_app_limited": 1}
    return times | sizes | window | pacing | delivery


def _volume_info(row: np.void, sent: int, received: int) -> dict[str, int]:
    """The fields that tell how much has been carried, with what is still in the send queue."""
    again, unanswered, queued = (int(row[name]) for name in ("total_retransmits", "retransmits", "send_queue_bytes"))
    unacked = -(-queued // _MSS)
    out, back = -(-(sent + queued) // _MSS) + again, -(-received // _MSS)
    bytes_out = {"bytes_sent": sent + queued + again * _MSS, "bytes_retrans": again * _MSS, "bytes_acked": sent}
    segments_out = {"data_segs_out": out, "segs_out": out + back // 2 + 3, "delivered": out - again - unacked}
    came_in = {"bytes_received": received, "data_segs_in": back, "segs_in": back + out // 2 + 3, "rcv_ooopack": 0}
    in_flight = {"unacked": unacked, "sacked": 0, "lost": unacked if unanswered else 0, "notsent_bytes": 0}
    repeated = {"retrans": min(unanswered, 1), "retransmits": unanswered, "total_retrans": again, "dsack_dups": 0}
    return bytes_out | segments_out | came_in | in_flight | repeated


def _memory(received: int, sent: int) -> dict[str, int]:
    """``SK_MEMINFO_*`` of a socket with so many bytes in its queues."""
    kept = {"rmem_alloc": received, "rcvbuf": 131_072, "wmem_alloc": 0, "sndbuf": 87_040, "fwd_alloc": 0}
    return {**kept, "wmem_queued": sent, "optmem": 0, "backlog": 0, "drops": 0}


def _processes(scene: Scene) -> Holders:
    """sshd, and the workers of the scene's process."""
    sshd = Process(_SSHD_PID, 1200, "sshd", "sshd: /usr/sbin/sshd -D", 0, "root", _cgroup("ssh"))
    workers = (
        Process(
            _FIRST_PID + number, 4100 + number, scene.process, scene.command, 33, scene.user, _cgroup(scene.process)
        )
        for number in range(scene.workers)
    )
    return (sshd, *workers)


def _cgroup(name: str) -> str:
    return f"/system.slice/{name}.service"


def _owners(rows: Rows, scene: Scene) -> Owners:
    """The workers share the listeners, and each has its part of the connections; those of ssh belong to sshd."""
    sshd, *workers = _processes(scene)
    groups: tuple[Holders, ...] = (*((worker,) for worker in workers), tuple(workers), (sshd,))
    held = rows[rows["inode"] > 0]
    codes = (held["inode"] % len(workers)).astype(np.int32)
    codes[held["state"] == TcpState.LISTEN] = len(workers)
    codes[held["local_port"] == _SSH_PORT] = len(workers) + 1
    order = np.argsort(held["inode"])
    shares = np.bincount(codes, minlength=len(groups))
    listening = int(shares[len(workers)])
    descriptors = {
        worker.pid: Descriptors(
            min(_FILES + listening + int(shares[number]), scene.descriptor_limit), scene.descriptor_limit
        )
        for number, worker in enumerate(workers)
    }
    descriptors[sshd.pid] = Descriptors(_FILES + int(shares[-1]), 1024)
    return Owners(held["inode"][order], codes[order], groups, descriptors=descriptors)


def _listener_rows(scene: Scene) -> Rows:
    rows = np.zeros(len(scene.listeners), ROW)
    for index, (address, port, queue, backlog) in enumerate(scene.listeners):
        row = rows[index : index + 1]
        _set_address(row, "remote", "0.0.0.0" if "." in address else "::", np.uint64(0))
        _set_address(row, "local", address, np.uint64(0))
        row["local_port"], row["recv_queue_bytes"], row["send_queue_bytes"] = port, queue, backlog
        row["state"], row["cookie"], row["inode"] = TcpState.LISTEN, index + 1, 20_000 + index
    return rows


@functools.cache
def _in_full_swing(scene: str) -> tuple["_Connections", ...]:
    """The connections of a scene as they are at tick 0; to be copied, for they go on."""
    flows = tuple(_Connections(flow, seed) for seed, flow in enumerate(SCENES[scene].flows, start=1))
    for tick in range(-WARM_UP_TICKS, 0):
        for flow in flows:
            flow.advance(tick)
    return flows


class DemoSource:
    """Samples of a scene."""

    def __init__(self, scene: str) -> None:
        """Let the scene run until it is in full swing.

        Raises:
            RequestError: there is no such scene.
        """
        if scene not in SCENES:
            raise RequestError(tr("there is no demo scene {scene!r}", scene=scene), nearest_hint(scene, SCENES))
        self._scene = SCENES[scene]
        self._origin = Origin(SCENES[scene].host, "6.18.44", f"demo {scene}", options=("--demo", scene))
        self._listeners = _listener_rows(SCENES[scene])
        self._flows = copy.deepcopy(_in_full_swing(scene))
        self._tick = 0

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
            read_only_parameters={0: frozenset()},
            disk=OnDisk({setting.name: setting for setting in self._scene.on_disk}),
            counters={**gauges_of(rows), **counters_of(flow.tally(self._tick) for flow in self._flows)},
            leaks={},
            cost=Cost(dump_ms=1.0, decode_ms=0.2, total_ms=1.4),
            degraded=(Degradation("demo", tr("{source}: these sockets are made up", source=self._origin.source)),),
            whereabouts=Whereabouts(
                _owners(rows, self._scene),
                dict(zip(_CGROUP_IDS, map(_cgroup, ("ssh", self._scene.process)), strict=True)),
            ),
            detail=self._detail(request.watched, rows),
        )
        self._advance()
        return sample

    def _detail(self, key: SocketKey | None, rows: Rows) -> SocketDetail | None:
        """More about one socket; None where it is gone, or none is asked for."""
        if key is None or key.cookie not in rows["cookie"]:
            return None
        row: np.void = rows[int(np.argmax(rows["cookie"] == key.cookie))]
        if row["state"] == TcpState.LISTEN:
            return _detail(key, row, 0, 0)
        flow = self._flows[(key.cookie >> _SEED_SHIFT) - 1]
        return _detail(key, row, *flow.past_s(key.cookie, self._tick))

    def look(self, rows: Rows, budget_s: float = math.inf) -> Whereabouts | None:
        """Nothing is left to find out: each sample comes with all that there is to know."""
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _advance(self) -> None:
        for flow in self._flows:
            flow.advance(self._tick)
        self._tick += 1

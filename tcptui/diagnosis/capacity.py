"""Head-room: how much of each limit is in use, how fast that grows, and when it will be used up."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Link
from tcptui.diagnosis.sockets import LEAST_BUSY, Destination, by_peer
from tcptui.diagnosis.trend import Points, slope_per_s
from tcptui.language import mark, tr
from tcptui.model.address import parse_network
from tcptui.model.fields import ViewKind
from tcptui.model.states import TcpState

TREND_OVER_S = 4.0
"""A shorter time tells more of chance than of a trend."""
_LOOPBACK = parse_network("127.0.0.0/8")
_IPV6_LOOPBACK = parse_network("::1")
_BIND_FIRST_SHARE = 0.98
"""Of sockets that have a local port of their own, from which on the ports were bound before connect()."""
_REUSE_ALWAYS, _REUSE_LOOPBACK = 1, 2
"""Values of tcp_tw_reuse."""

TITLES = {
    "ports": mark("ports to one destination"),
    "bound_ports": mark("ports bound before connect()"),
    "accept_queue": mark("accept queue"),
    "half_open": mark("half-open connections"),
    "time_wait": mark("TIME_WAIT table"),
    "orphans": mark("orphans (machine)"),
    "memory": mark("TCP memory in pages (machine)"),
    "descriptors": mark("descriptors"),
    "files": mark("open files (machine)"),
    "conntrack": mark("firewall's connections"),
}


@dataclass(frozen=True)
class Room:
    """How much of one limit is in use."""

    kind: str
    """Of ``TITLES``."""
    subject: str
    """Whose it is; empty for the namespace's or the machine's only one."""
    used: int
    limit: int
    per_s: float | None = None
    """How fast the use grows; None where that is not known."""
    peak: int | None = None
    """The most that was seen, where it comes and goes between samples."""
    reusable: int = 0
    """Of ``used``, what connect() may take nevertheless."""
    time_waits: int = 0
    """Of ``used``, what only waits."""
    link: Link | None = None
    topic: str = ""
    """What ``tcptui explain`` tells more about."""

    @property
    def share(self) -> float:
        """Of the limit, without what can be taken nevertheless; 1 where there is no room at all."""
        return (self.used - self.reusable) / self.limit if self.limit > 0 else 1.0

    @property
    def wall_s(self) -> float | None:
        """Time until nothing is left, at the present rate; None where it does not grow."""
        if self.per_s is None or self.per_s <= 0:
            return None
        return max(self.limit - self.used, 0) / self.per_s


def rooms(evidence: Evidence) -> list[Room]:
    """All of them, the fullest first within each kind."""
    several = (port_rooms, accept_queue_rooms, half_open_rooms, descriptor_rooms)
    single = (time_wait_room, orphan_room, memory_room, file_room, conntrack_room)
    return [
        *(room for part in several for room in part(evidence)),
        *(room for part in single if (room := part(evidence)) is not None),
    ]


# -- Ports -------------------------------------------------------------------------------------------------------------


def port_rooms(evidence: Evidence, least: float = LEAST_BUSY) -> Iterator[Room]:
    """Local ports in use between one local address and one remote address and port, then those bound beforehand."""
    capacity = evidence.sockets.port_count
    found = evidence.sockets.busy_destinations(least)
    for each in found:
        yield Room(
            "ports",
            f"{each.local} → {each.remote}",
            each.used,
            capacity,
            slope_per_s(evidence.past.used.get(each.key, ()), TREND_OVER_S),
            reusable=_reusable(evidence, each),
            time_waits=int(np.count_nonzero(evidence.sockets.column("state", each.index) == TcpState.TIME_WAIT)),
            link=by_peer(also=each.filter),
            topic="net.ipv4.ip_local_port_range",
        )
    yield from _bound_rooms(evidence, found, capacity, least)


def _reusable(evidence: Evidence, destination: Destination) -> int:
    """Ports in TIME_WAIT that connect() may take once more (FACTS section 2.1, tcp_tw_reuse)."""
    mode = evidence.parameter("net.ipv4.tcp_tw_reuse")
    if mode not in (_REUSE_ALWAYS, _REUSE_LOOPBACK) or evidence.parameter("net.ipv4.tcp_timestamps") == 0:
        return 0
    hi, lo = destination.key[2], destination.key[3]
    loopback = (hi, lo & _LOOPBACK.mask_lo) == (_LOOPBACK.hi, _LOOPBACK.lo) or (hi, lo) == _IPV6_LOOPBACK[:2]
    if mode == _REUSE_LOOPBACK and not loopback:
        return 0
    sockets = evidence.sockets
    waiting = sockets.where(destination.index, state=TcpState.TIME_WAIT)
    if not sockets.knows("timer"):
        return len(waiting)
    delay_ms = evidence.parameter("net.ipv4.tcp_tw_reuse_delay") or 1000
    return int(np.count_nonzero(sockets.column("timer_ms", waiting) <= 60_000 - delay_ms))


def _bound_rooms(evidence: Evidence, found: list[Destination], capacity: int, least: float) -> Iterator[Room]:
    """Local addresses whose ports are never shared by two destinations, as only a bind() before connect() makes them.

    The kernel takes a port for one destination while another has it, mostly: with many sockets it happens by chance
    (FACTS section 2.2, ip_local_port_range).
    """
    by_local: dict[tuple[int, ...], list[Destination]] = {}
    for each in found:
        by_local.setdefault((*each.key[:2], each.key[-1]), []).append(each)
    for several in by_local.values():
        if len(several) < 2:
            continue
        index = np.concatenate([each.index for each in several])
        used = int(np.count_nonzero(np.bincount(evidence.sockets.column("local_port", index))))
        if used >= max(least * capacity, _BIND_FIRST_SHARE * len(index)):
            local = several[0].local
            yield Room("bound_ports", local, used, capacity, link=by_peer(also=f"src {local}"), topic=_NO_PORT)


_NO_PORT = "IP_BIND_ADDRESS_NO_PORT"


# -- Listeners ---------------------------------------------------------------------------------------------------------


def accept_queue_rooms(evidence: Evidence) -> Iterator[Room]:
    """Connections that wait for accept(), of each listener that has ever been seen with one."""
    listeners = evidence.sockets.listeners
    if not evidence.sockets.knows("backlog"):
        return
    past = evidence.past.queues
    shares = listeners.queue / np.maximum(listeners.backlog, 1)
    for end in np.argsort(-shares, kind="stable").tolist():
        seen = past.get(listeners.key(end))
        if seen is None and not listeners.queue[end]:
            continue
        queue = int(listeners.queue[end])
        # A queue of one more than the backlog is full (FACTS section 1.10).
        yield Room(
            "accept_queue",
            listeners.name(end),
            queue,
            int(listeners.backlog[end]) + 1,
            peak=max(queue, seen.peak) if seen else queue,
            link=listeners.link(end),
            topic="listen_backlog",
        )


def half_open_rooms(evidence: Evidence) -> Iterator[Room]:
    """Half-open connections of each listener that has any, and how many fit before cookies or drops."""
    listeners = evidence.sockets.listeners
    if not evidence.sockets.knows("backlog"):
        return
    shares = listeners.half_open / np.maximum(listeners.room, 1)
    for end in np.argsort(-shares, kind="stable").tolist():
        if listeners.half_open[end]:
            yield Room(
                "half_open",
                listeners.name(end),
                int(listeners.half_open[end]),
                int(listeners.room[end]),
                link=Link(ViewKind.PEERS, f"state syn-recv and sport = :{listeners.port(end)}"),
                topic="SYN_RECV",
            )


# -- Tables of the kernel ----------------------------------------------------------------------------------------------


def time_wait_room(evidence: Evidence) -> Room | None:
    """TIME_WAIT and orphaned FIN_WAIT2 in their table."""
    used = evidence.gauge("sockstat.TCP.tw")
    return _room(evidence, "time_wait", "sockstat.TCP.tw", used, evidence.parameter("net.ipv4.tcp_max_tw_buckets"))


def orphan_room(evidence: Evidence) -> Room | None:
    """Sockets that no process holds any more and that are still being closed, of the whole machine."""
    used = evidence.gauge("sockstat.TCP.orphan")
    return _room(evidence, "orphans", "sockstat.TCP.orphan", used, evidence.parameter("net.ipv4.tcp_max_orphans"))


def memory_room(evidence: Evidence) -> Room | None:
    """Pages in the buffers of all TCP sockets of the machine."""
    used = evidence.gauge("sockstat.TCP.mem")
    return _room(evidence, "memory", "sockstat.TCP.mem", used, evidence.parameter("net.ipv4.tcp_mem", 2))


def file_room(evidence: Evidence) -> Room | None:
    """Open files of the whole machine."""
    limit = evidence.parameter("fs.file-max") or evidence.parameter("fs.file-nr", 2)
    return _room(evidence, "files", "fs.file-nr", evidence.parameter("fs.file-nr"), limit)


def conntrack_room(evidence: Evidence) -> Room | None:
    """Connections that the firewall remembers; none where it does not count them."""
    used = evidence.parameter("net.netfilter.nf_conntrack_count")
    limit = evidence.parameter("net.netfilter.nf_conntrack_max")
    return _room(evidence, "conntrack", "net.netfilter.nf_conntrack_count", used, limit) if used else None


_LIMITS = {
    "time_wait": "net.ipv4.tcp_max_tw_buckets",
    "orphans": "net.ipv4.tcp_max_orphans",
    "memory": "net.ipv4.tcp_mem",
    "files": "fs.file-max",
    "conntrack": "net.netfilter.nf_conntrack_max",
}


def _room(evidence: Evidence, kind: str, gauge: str, used: int | None, limit: int | None) -> Room | None:
    if used is None or limit is None:
        return None
    points: Points = evidence.past.gauges.get(gauge, ())
    return Room(kind, "", used, limit, slope_per_s(points, TREND_OVER_S), topic=_LIMITS[kind])


def descriptor_rooms(evidence: Evidence, least: float = 0.5) -> Iterator[Room]:
    """Descriptors of each process with sockets that has used at least so much of its limit."""
    owners = evidence.sample.owners
    if owners is None:
        return
    full = {
        pid: each.open / each.limit
        for pid, each in owners.descriptors.items()
        if each.limit and each.open >= least * each.limit
    }
    if not full:
        return
    named = {process.pid: process for process in owners.processes()}
    for pid in sorted(full, key=lambda pid: -full[pid]):
        each, process = owners.descriptors[pid], named.get(pid)
        assert each.limit is not None
        name = f"{process.name} ({pid})" if process else tr("process {pid}", pid=pid)
        link = Link(ViewKind.PROCESSES, f"pid {pid}")
        yield Room("descriptors", name, each.open, each.limit, link=link, topic="RLIMIT_NOFILE")

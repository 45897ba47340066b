"""Socket tables for tests: described with Python's own types, so that what is expected can be said without ours."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from ipaddress import IPv4Address, IPv6Address

import numpy as np
from hypothesis import strategies as st

from tcptui.model.owners import Attribution, Holders, Owners, Process, Standing, owners_of
from tcptui.model.sample import Origin, Sample, Whereabouts
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, TcpState
from tcptui.model.table import ROW, SocketTable

Address = IPv4Address | IPv6Address

ANY_IPV4, ANY_IPV6 = IPv4Address(0), IPv6Address(0)
TAKEN_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)


HERE, THERE = IPv4Address("10.0.0.5"), IPv4Address("198.51.100.7")


@dataclass(frozen=True)
class Socket:
    """One socket as a person would describe it."""

    state: TcpState = TcpState.ESTABLISHED
    local: Address = HERE
    local_port: int = 443
    remote: Address = THERE
    remote_port: int = 40000
    recv_queue: int = 0
    send_queue: int = 0
    timer: int = 0
    timer_ms: int = 0
    retransmits: int = 0
    uid: int = 0
    inode: int = 0
    cookie: int = 1
    interface: int = 0
    mark: int = 0
    cgroup_id: int = 0
    is_autobound: bool = False

    @property
    def family(self) -> int:
        """The kernel's table that it is in."""
        return 4 if isinstance(self.local, IPv4Address) and isinstance(self.remote, IPv4Address) else 6

    @property
    def is_mini(self) -> bool:
        """Whether the kernel keeps little more of it than its addresses (FACTS 6.2)."""
        return self.state in (TcpState.TIME_WAIT, TcpState.SYN_RECV) or self.timer == 3

    @property
    def values(self) -> dict[str, int]:
        """What the row's columns must hold."""
        local, remote = mapped(self.local), mapped(self.remote)
        return {
            "state": self.state,
            "family": self.family,
            "local_hi": local >> 64,
            "local_lo": local & (1 << 64) - 1,
            "remote_hi": remote >> 64,
            "remote_lo": remote & (1 << 64) - 1,
            "local_port": self.local_port,
            "remote_port": self.remote_port,
            "recv_queue_bytes": self.recv_queue,
            "send_queue_bytes": self.send_queue,
            "timer": self.timer,
            "timer_ms": self.timer_ms,
            "retransmits": self.retransmits,
            "uid": self.uid,
            "inode": self.inode,
            "cookie": self.cookie,
            "interface": self.interface,
            "mark": self.mark,
            "cgroup_id": self.cgroup_id,
            "is_autobound": self.is_autobound,
        }


@dataclass(frozen=True)
class Known:
    """What a sample knows beside its table; None where nobody looked."""

    holders: Mapping[int, frozenset[int]] | None = None
    """Ids of the processes that hold a socket, by its inode."""
    cgroups: Mapping[int, str] | None = None
    """Path by cgroup id."""
    ages: Mapping[int, int] | None = None
    """Milliseconds that a socket has been in its state, by its cookie."""


def mapped(address: Address) -> int:
    """The 128 bits of an address, an IPv4 one as ``::ffff:a.b.c.d`` (RFC 4291)."""
    return int(address) | (0xFFFF << 32 if isinstance(address, IPv4Address) else 0)


def plain(address: Address) -> Address:
    """The address without the mapping."""
    unmapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return unmapped or address


def table_of(sockets: Iterable[Socket]) -> SocketTable:
    """The table of these sockets, in this order."""
    described = [socket.values for socket in sockets]
    rows = np.zeros(len(described), ROW)
    for index, values in enumerate(described):
        for name, value in values.items():
            rows[name][index] = value
    return SocketTable(rows)


def sample_of(sockets: Iterable[Socket], monotonic_s: float = 0.0, absent: frozenset[str] = frozenset()) -> Sample:
    """A sample with these sockets."""
    return Sample(Origin("web-3", "6.18.44", "test"), TAKEN_AT, monotonic_s, table_of(sockets), absent_fields=absent)


def known_sample_of(sockets: Iterable[Socket], known: Known) -> Sample:
    """A sample with these sockets and what is known beside them."""
    described = list(sockets)
    sample = sample_of(described)
    if known.ages is not None:
        sample = replace(sample, age_ms=np.array([known.ages[each.cookie] for each in described], np.int64))
    if known.holders is None and known.cgroups is None:
        return sample
    found = Whereabouts(_owners(known.holders or {}), known.cgroups or {})
    return replace(sample, whereabouts=found, attribution=_attribution(described, known))


def _owners(holders: Mapping[int, frozenset[int]]) -> Owners:
    return owners_of({inode: _group(pids) for inode, pids in holders.items()})


def _group(pids: Iterable[int]) -> Holders:
    return tuple(Process(pid, 0, PROCESSES[pid]) for pid in sorted(pids))


def _attribution(described: Iterable[Socket], known: Known) -> Attribution:
    """Whose the sockets are by ``known`` alone: those that nobody holds have an empty group, and no reason for it."""
    groups = [_group((known.holders or {}).get(each.inode, ())) for each in described]
    paths = [(known.cgroups or {}).get(each.cgroup_id, "") for each in described]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    places = {path: number for number, path in enumerate(dict.fromkeys(path for path in paths if path))}
    return Attribution(
        codes=np.array([numbers[group] for group in groups], np.int32),
        groups=tuple(numbers),
        standing=np.full(len(groups), Standing.HELD, np.uint8),
        cgroup_codes=np.array([places.get(path, -1) for path in paths], np.int32),
        cgroups=tuple(places),
    )


ADDRESSES: tuple[Address, ...] = tuple(
    ipaddress.ip_address(text)
    for text in (
        *("10.0.0.5", "10.0.0.6", "10.0.1.5", "192.0.2.1", "192.0.2.255", "127.0.0.1", "255.255.255.255"),
        *("::ffff:10.0.0.5", "::ffff:192.0.2.1", "::1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
        *("2001:db8:1::1", "fe80::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::10.0.0.5", "64:ff9b::a00:5"),
    )
)
"""Few enough to meet again, with neighbours on both sides of the usual prefixes."""

PROCESSES = {
    1: "systemd",
    811: "nginx",
    812: "nginx",
    900: "Web Content",
    4_194_304: "kubelet-with-lo",
    77: "python3.11",
    78: "a*[b]",
    79: "sshd",
}
"""Name by process id; the kernel keeps 15 characters of one."""

CGROUPS = {
    1: "/",
    20: "/system.slice/nginx.service",
    21: "/system.slice/nginx.service/workers",
    22: "/system.slice/ssh.socket",
    23: "/user.slice/user-1000.slice/app-Nginx.scope",
    2**63 + 5: "/kubepods.slice/pod7/nginx",
}
"""Path by cgroup id."""

INODES = (0, 77, 78, 2**32 - 1)
PORTS = (0, 1, 22, 443, 8080, 32768, 65535)

addresses = st.one_of(
    st.sampled_from(ADDRESSES),
    st.sampled_from(ADDRESSES),
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
)
ports = st.one_of(st.sampled_from(PORTS), st.integers(0, 65535))
interfaces = st.sampled_from((0, 0, 2, 7))
cgroup_ids = st.sampled_from((0, *CGROUPS))
queues = st.sampled_from((0, 0, 1, 8191, 2**31, 2**32 - 1))

connections = st.builds(
    Socket,
    state=st.sampled_from([state for state in ALL_STATES if state is not TcpState.LISTEN]),
    local=addresses,
    local_port=ports,
    remote=addresses,
    remote_port=ports,
    recv_queue=queues,
    send_queue=queues,
    timer=st.sampled_from((0, 1, 2, 3, 4, 5)),
    timer_ms=st.sampled_from((0, 1, 200, 60_000, 2**32 - 1)),
    retransmits=st.sampled_from((0, 1, 15, 255)),
    uid=st.sampled_from((0, 33, 2**32 - 2)),
    inode=st.sampled_from(INODES),
    cookie=st.one_of(st.integers(1, 200), st.integers(1, 2**64 - 1)),
    interface=interfaces,
    mark=st.sampled_from((0, 1, 3, 0xFF, 2**32 - 1)),
    cgroup_id=cgroup_ids,
    is_autobound=st.booleans(),
)
listeners = st.builds(
    Socket,
    state=st.just(TcpState.LISTEN),
    local=st.one_of(st.sampled_from((ANY_IPV4, ANY_IPV6, IPv6Address("::ffff:0.0.0.0"))), st.sampled_from(ADDRESSES)),
    local_port=st.sampled_from(PORTS),
    remote=st.sampled_from((ANY_IPV4, ANY_IPV6)),
    remote_port=st.just(0),
    recv_queue=st.sampled_from((0, 1, 129)),
    send_queue=st.sampled_from((0, 128, 4096)),
    cookie=st.one_of(st.integers(1, 200), st.integers(1, 2**64 - 1)),
    interface=interfaces,
    cgroup_id=cgroup_ids,
)

sockets = st.lists(st.one_of(connections, connections, listeners), max_size=24, unique_by=lambda each: each.cookie)
"""A table's worth of sockets; the cookies differ, as the kernel's do."""

AGES_MS = (0, 1, 250, 9_999, 10_000, 90_000, 299_999, 300_000, 300_001, 5_400_000)


@st.composite
def samples(draw: st.DrawFn, described: st.SearchStrategy[list[Socket]] = sockets) -> tuple[list[Socket], Known]:
    """Sockets, and what is known beside them: sometimes nothing, since nobody asked."""
    drawn = draw(described)
    holders = st.dictionaries(
        st.sampled_from(INODES[1:]), st.frozensets(st.sampled_from(list(PROCESSES)), min_size=1, max_size=3)
    )
    ages = st.fixed_dictionaries({each.cookie: st.sampled_from(AGES_MS) for each in drawn})
    known = st.builds(
        Known,
        holders=st.one_of(holders, holders, st.none()),
        cgroups=st.sampled_from((CGROUPS, CGROUPS, None)),
        ages=st.one_of(ages, ages, st.none()),
    )
    return drawn, draw(known)


shown_states = st.sampled_from(DISPLAY_ORDER)

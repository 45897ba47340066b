"""One sample's sockets as rules look at them: by state, by process, by listener, by destination. Computed once each."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.listening import endpoint_of, endpoints
from tcptui.analysis.matching import Column, distinct, factorize, factorize_column, first_of_each
from tcptui.diagnosis.finding import OF_USER, Link
from tcptui.language import tr
from tcptui.model.address import address_text
from tcptui.model.fields import ViewKind
from tcptui.model.owners import Holders, Standing
from tcptui.model.sample import Sample
from tcptui.model.states import STATE_COUNT, TcpState
from tcptui.model.table import Mask
from tcptui.query.words import STATE_WORDS

Index = NDArray[np.int64]
"""Rows of a table by their number."""

TIMER_OFF, TIMER_ON, TIMER_KEEPALIVE, TIMER_TIMEWAIT, TIMER_PERSIST = range(5)
"""Codes of ``model.table.TIMER_NAMES``."""

LEAST_BUSY = 0.05
"""Share of the ports towards one destination below which nobody is told of it."""
_WITH_PORT = tuple(state for state in TcpState if state not in (TcpState.LISTEN, TcpState.SYN_RECV, TcpState.CLOSE))
_MOST_NAMED = 3
"""Processes that share a socket and are named one by one."""
_MOST_LINKED = 8
_MOST = 0.5
_SHARED = 10
_FEW = 20
"""One row in so many, or fewer, is taken out of the table one by one."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Odd 64-bit constant (2^64 / golden ratio) for multiplicative hashing."""
_SHIFT = np.uint64(29)
_PEER = ("remote_hi", "remote_lo")
_DESTINATION = (*_PEER, "remote_port")
_TUPLE = ("local_hi", "local_lo", *_DESTINATION, "netns")


@dataclass(frozen=True, eq=False)
class Held:
    """Sockets that the same processes hold."""

    holders: Holders
    """Empty where only the user is known."""
    name: str
    """Printable."""
    filter: str
    """What a filter must say to mean them; empty where it cannot."""
    index: Index

    def __len__(self) -> int:
        return len(self.index)

    @property
    def key(self) -> str:
        """What they are the same by from one sample to the next."""
        return " ".join(str(process.pid) for process in self.holders) or self.filter or self.name

    def link(self, *states: TcpState, also: str = "") -> Link:
        """The view that shows them."""
        return connections(*states, also=self._condition(also))

    def by_peer(self, *states: TcpState, also: str = "") -> Link:
        """The view of their peers."""
        return by_peer(*states, also=self._condition(also))

    def _condition(self, also: str) -> str:
        return " and ".join(part for part in (self.filter, also) if part)


def connections(*states: TcpState, also: str = "") -> Link:
    """The connections in some states that meet a further condition."""
    return Link(ViewKind.CONNECTIONS, condition(*states, also=also))


def by_peer(*states: TcpState, also: str = "") -> Link:
    """The peers of the connections in some states."""
    return Link(ViewKind.PEERS, condition(*states, also=also))


def condition(*states: TcpState, also: str = "") -> str:
    """A filter for some states and a further condition."""
    words = " or ".join(f"state {STATE_WORDS[state]}" for state in states)
    if not also:
        return words
    return f"({words}) and {also}" if len(states) > 1 else f"{words} and {also}" if states else also


@dataclass(frozen=True, eq=False)
class Listeners:
    """The endpoints that are listened on; one that several sockets share (SO_REUSEPORT) stands once."""

    sample: Sample
    ends: Column
    """Address in two halves, port and namespace."""
    first: Index
    """A row of each."""
    queue: Index
    """Connections that wait for accept(), of the socket with the most of its backlog in use."""
    backlog: Index
    """What that one may have waiting."""
    room: Index
    """Half-open connections that fit before cookies or drops: the backlogs and one more for each socket."""
    half_open: Index
    """Rows in SYN_RECV."""
    half_open_of: Index
    """For each row in SYN_RECV of the table its endpoint, or -1."""

    def __len__(self) -> int:
        return len(self.first)

    def name(self, end: int) -> str:
        """Address and port as text."""
        hi, lo, port = (int(part[end]) for part in self.ends[:3])
        return self.sample.end_text((hi, lo, port))

    def port(self, end: int) -> int:
        """The port."""
        return int(self.ends[2][end])

    def key(self, end: int) -> tuple[int, ...]:
        """What it is the same by from one sample to the next."""
        return tuple(int(part[end]) for part in self.ends)

    def link(self, end: int) -> Link:
        """The view that shows it."""
        return Link(ViewKind.LISTENERS, f"sport = :{self.port(end)}")


@dataclass(frozen=True, eq=False)
class Destination:
    """Sockets between one local address and one remote address and port."""

    key: tuple[int, ...]
    local: str
    remote: str
    """With its port, where that is known."""
    filter: str
    """What a filter must say to mean them."""
    used: int
    """Local ports that they take."""
    index: Index


@dataclass(frozen=True, eq=False)
class Sockets:
    """The sockets of a sample, all or those in a mask."""

    sample: Sample
    mask: Mask | None = None
    netns: int = 0
    """Index of the namespace whose parameters hold."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Kernel parameters of the namespace."""
        return self.sample.namespace_parameters.get(self.netns, self.sample.parameters)

    def parameter(self, name: str, at: int = 0) -> int | None:
        """A number of a parameter; None where it is not known."""
        words = self.parameters.get(name, "").split()
        return int(words[at]) if len(words) > at and re.fullmatch(r"-?[0-9]{1,20}", words[at]) else None

    def knows(self, *fields: str) -> bool:
        """Whether the source tells all of these, of most sockets at least."""
        return all(field not in self.sample.absent_fields and field not in self._mostly_untold for field in fields)

    @cached_property
    def _mostly_untold(self) -> frozenset[str]:
        """Fields that are told of fewer than half of the sockets."""
        untold, chosen = self.sample.untold, slice(None) if self.mask is None else self.mask
        return frozenset(field for field, mask in untold.items() if np.mean(mask[chosen]) > _MOST)

    @cached_property
    def _members(self) -> list[Index]:
        """The rows of each state, by its number."""
        states = self._copied["state"] = np.ascontiguousarray(self.sample.table.rows["state"])
        chosen = None if self.mask is None else np.flatnonzero(self.mask)
        if chosen is not None:
            states = states[chosen]
        order = np.argsort(states, kind="stable")
        if chosen is not None:
            order = chosen[order]
        return np.split(order, np.cumsum(np.bincount(states, minlength=STATE_COUNT))[:-1])

    def at(self, *states: TcpState) -> Index:
        """The rows in these states."""
        return (
            self._members[states[0]] if len(states) == 1 else np.concatenate([self._members[each] for each in states])
        )

    def count(self, *states: TcpState) -> int:
        """How many are in these states."""
        return sum(len(self._members[state]) for state in states)

    def column(self, name: str, index: Index) -> NDArray[Any]:
        """One column of the rows at ``index``.

        A row is a cache line and a half. Where many are asked for, the column is copied as a whole, once: each later
        look at it then costs a twentieth.
        """
        if name not in self._copied:
            column = self.sample.table.rows[name]
            if len(index) * _FEW < len(column):
                return column[index]
            self._copied[name] = np.ascontiguousarray(column)
        return self._copied[name][index]

    @cached_property
    def _copied(self) -> dict[str, NDArray[Any]]:
        """Whole columns by name, those that were looked at."""
        return {}

    def where(self, index: Index, **values: int) -> Index:
        """Those of ``index`` whose columns have these values."""
        for name, value in values.items():
            index = self.told(name, index)
            index = index[self.column(name, index) == value]
        return index

    def told(self, field: str, index: Index) -> Index:
        """Those of ``index`` of which a field is known."""
        untold = self.sample.untold.get(field)
        return index if untold is None else index[~untold[index]]

    @property
    def knows_holders(self) -> bool:
        """Whether it is told who holds sockets, by inode or by name."""
        return self.knows("inode") or self.sample.owners is not None

    @property
    def knows_listeners(self) -> bool:
        """Whether the listeners are in the table: a text may leave them out."""
        return self.knows("local_port") and (not self.sample.origin.is_still or self.count(TcpState.LISTEN) > 0)

    def owned(self, index: Index) -> Index:
        """Those that a process has a descriptor of."""
        return index[self.column("inode", index) > 0]

    def orphaned(self, index: Index) -> Index:
        """Those without a descriptor."""
        return self.where(index, inode=0)

    def age_s(self, index: Index) -> NDArray[np.float64] | None:
        """How long each has been in its state at least; None where nothing tells.

        In CLOSE_WAIT and FIN_WAIT2 the last word of the peer was the one that led there, or came later: the silence
        since then is a part of the age.
        """
        watched = self.sample.age_ms
        silent = self.silence_s(index)
        if watched is None:
            return silent
        ages = watched[index] / 1000
        return ages if silent is None else np.maximum(ages, silent)

    def silence_s(self, index: Index) -> NDArray[np.float64] | None:
        """How long the peer of each has not been heard; None where that is not known."""
        return self.column("idle_ms", index).astype(np.float64) / 1000 if self.knows("idle_ms") else None

    # -- Groups --------------------------------------------------------------------------------------------------------

    def by_holder(self, index: Index) -> list[Held]:
        """Sockets with a descriptor by the processes that hold them, or by user where those are not known."""
        attribution = self.sample.attribution
        codes = np.full(len(index), -1, np.int64)
        if attribution is not None:
            is_held = attribution.standing[index] == Standing.HELD
            codes[is_held] = attribution.codes[index[is_held]]
        uids = self.column("uid", index).astype(np.int64)
        keys = np.where(codes >= 0, codes, -1 - uids)
        known, numbers = factorize(keys)
        groups = () if attribution is None else attribution.groups
        return [
            self._held(groups[key] if key >= 0 else (), -1 - key, index[numbers == number])
            for number, key in enumerate(known.tolist())
        ]

    def _held(self, holders: Holders, uid: int, index: Index) -> Held:
        if holders:
            return Held(holders, holders_text(holders), _pid_filter(holders), index)
        if self.knows("uid"):
            return Held((), tr("a process of user {uid}", uid=uid), f"{OF_USER}{uid}", index)
        return Held((), tr("a process"), "", index)

    def peers(self, index: Index) -> tuple[list[str], Index]:
        """The remote addresses of these rows, and how many rows each has; the most first."""
        index = self.told("remote_address", index)
        hi, lo = (self.column(name, index) for name in _PEER)
        keys, codes = factorize_column((hi, lo))
        counts = np.bincount(codes, minlength=len(keys[0])) if len(index) else np.zeros(0, np.int64)
        order = np.argsort(-counts, kind="stable")
        return [self._address(int(keys[0][at]), int(keys[1][at])) for at in order[:_MOST_LINKED].tolist()], counts[
            order
        ]

    def _address(self, hi: int, lo: int) -> str:
        """An address as text; the name where that is all that is known."""
        return self.sample.address_names.get((hi, lo)) or address_text(hi, lo)

    def distinct_peers(self, index: Index) -> int:
        """How many remote addresses these rows have."""
        return len(distinct(self._hashed(_PEER, self.told("remote_address", index))))

    def _hashed(self, names: Iterable[str], index: Index) -> NDArray[np.uint64]:
        """One number for the values of several columns: sorting that is several times as fast as sorting them all."""
        hashed = np.zeros(len(index), np.uint64)
        for name in names:
            hashed = (hashed ^ self.column(name, index).astype(np.uint64)) * _SPREAD
            hashed ^= hashed >> _SHIFT
        return hashed

    def destinations(self, index: Index, least: int) -> Iterator[Destination]:
        """Rows by local address, remote address and remote port: those that have at least so many, the most first."""
        index = self.told("remote_address", index)
        if len(index) < max(least, 1):
            return
        known, codes = factorize(self._hashed(_TUPLE, index))
        counts = np.bincount(codes, minlength=len(known))
        for number in np.argsort(-counts, kind="stable").tolist():
            if counts[number] < least:
                return
            members = index[codes == number]
            yield self._destination(members)

    def _destination(self, members: Index) -> Destination:
        """What these rows have in common."""
        at = int(members[0])
        local_hi, local_lo, hi, lo, port, netns = (int(self.sample.table.rows[name][at]) for name in _TUPLE)
        local, remote = self._address(local_hi, local_lo), self._address(hi, lo)
        terms = [f"dst {remote}"]
        if self.sample.is_known("local_address", at):
            terms.insert(0, f"src {local}")
        if self.sample.is_known("remote_port", at):
            terms.append(f"dport = :{port}")
            remote = self.sample.end_text((hi, lo, port))
        key = (local_hi, local_lo, hi, lo, port, netns)
        return Destination(key, local, remote, " and ".join(terms), len(members), members)

    @cached_property
    def ephemeral(self) -> NDArray[np.bool_] | None:
        """Which ports connect() may take, by number; None where the range is not known."""
        low, high = (self.parameter("net.ipv4.ip_local_port_range", at) for at in (0, 1))
        if low is None or high is None:
            return None
        ports = np.zeros(1 << 16, bool)
        ports[max(low, 0) : max(high, -1) + 1] = True
        for first, last in port_ranges(self.parameters.get("net.ipv4.ip_local_reserved_ports", "")):
            ports[first : last + 1] = False
        return ports

    @cached_property
    def port_count(self) -> int:
        """How many ports connect() may take; 0 where that is not known."""
        return 0 if self.ephemeral is None else int(np.count_nonzero(self.ephemeral))

    @cached_property
    def _busy(self) -> list[Destination]:
        """Connections that this end has opened, by destination: those that take so much of the ports there are."""
        ports, least = self.ephemeral, int(max(LEAST_BUSY * self.port_count, 2))
        if ports is None or not self.knows("local_port", "remote_port", "remote_address"):
            return []
        if self.count(*_WITH_PORT) < least:
            return []
        index = self.at(*_WITH_PORT)
        local = self.column("local_port", index)
        return list(self.destinations(index[ports[local] & ~self.served_ports[local]], least))

    def busy_destinations(self, share: float) -> list[Destination]:
        """Destinations of this end's connections that take such a share of the ports, ``LEAST_BUSY`` at least."""
        return [each for each in self._busy if each.used >= share * self.port_count]

    @cached_property
    def listeners(self) -> Listeners:
        """What is listened on."""
        rows = self.sample.table.rows
        listening = self.at(TcpState.LISTEN)
        keys, codes = factorize_column(endpoints(rows, listening))
        size = len(keys[0]) if len(listening) else 0
        queue, backlog = (rows[name][listening].astype(np.int64) for name in ("recv_queue_bytes", "send_queue_bytes"))
        # The row with the most of its backlog in use comes last, and so is the one that stays.
        fullest = np.zeros(size, np.int64)
        order = np.argsort(queue / np.maximum(backlog, 1), kind="stable")
        fullest[codes[order]] = order
        room = np.bincount(codes, backlog + 1, size).astype(np.int64) if size else np.zeros(0, np.int64)
        waiting = self.at(TcpState.SYN_RECV)
        at = endpoint_of(endpoints(rows, waiting), keys) if size and len(waiting) else np.full(len(waiting), -1)
        half_open = np.bincount(at[at >= 0], minlength=size)
        first = listening[first_of_each(codes, size)] if size else np.zeros(0, np.int64)
        return Listeners(self.sample, keys, first, queue[fullest], backlog[fullest], room, half_open, at)

    @cached_property
    def served_ports(self) -> NDArray[np.bool_]:
        """Which ports are listened on, by number."""
        listening = self if self.mask is None else Sockets(self.sample)
        ports = np.zeros(1 << 16, bool)
        ports[listening.column("local_port", listening.at(TcpState.LISTEN))] = True
        return ports

    def served(self, index: Index) -> Mask:
        """Which of these rows are at a port that is listened on."""
        return self.served_ports[self.column("local_port", index)]

    def shared(self, index: Index) -> Mask:
        """Which of these rows are at a port that many of them share, as at one that is listened on."""
        ports = self.column("local_port", index)
        return np.bincount(ports, minlength=1 << 16)[ports] >= _SHARED

    def listener_name(self, end: int) -> str:
        """An endpoint with who holds it, where that is known."""
        (held, *_) = self.by_holder(self.listeners.first[end : end + 1])
        name = self.listeners.name(end)
        return tr("{endpoint} of {process}", endpoint=name, process=held.name) if held.holders else name


def holders_text(holders: Holders) -> str:
    """Processes by name and id: all have the first one's name, mostly."""
    ids = [str(process.pid) for process in holders[:_MOST_NAMED]]
    more = [tr("{count} more", count=len(holders) - _MOST_NAMED)] if len(holders) > _MOST_NAMED else []
    return f"{holders[0].name} ({', '.join((*ids, *more))})"


def _pid_filter(holders: Holders) -> str:
    if len(holders) == 1:
        return f"pid {holders[0].pid}"
    return "(" + " or ".join(f"pid {process.pid}" for process in holders[:_MOST_LINKED]) + ")"


def port_ranges(text: str) -> list[tuple[int, int]]:
    """The first and last port of each part of a list such as ``8080,9000-9010``; what is no port is left out."""
    found = (re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part.strip()) for part in text.split(","))
    return [(int(each[1]), int(each[2] or each[1])) for each in found if each is not None]

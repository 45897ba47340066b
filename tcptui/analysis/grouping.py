"""Sockets grouped into matrices: one row a group, one column a state."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.grid import Column, Grid
from tcptui.model.address import ADDRESS_BITS, HALF_BITS, IPV4_BITS, is_ipv4, prefix_mask
from tcptui.model.fields import ViewKind
from tcptui.model.sample import Sample
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, STATE_COUNT, TcpState
from tcptui.model.table import Mask, Rows

Codes = NDArray[np.int64]
"""A group number for each row."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows assigned to groups."""

    keys: Column
    """The value that the members of a group share; one entry a group."""
    codes: Codes
    rows: Rows


def build_grid(sample: Sample, kind: ViewKind, mask: Mask | None, prefix: int | None = None) -> Grid:
    """The view ``kind`` of a sample's rows, all or those in ``mask``.

    ``prefix`` groups peers by network of that many bits; an IPv6 peer then by four times as many, at most 128, so
    that ``--prefix 16`` is a /16 and a /64.
    """
    if kind is ViewKind.CONNECTIONS:
        return _connections(sample, mask)
    rows = sample.table.rows if mask is None else sample.table.rows[mask]
    if kind is ViewKind.STATES:
        return _states(rows)
    if kind is ViewKind.LISTENERS:
        return _listeners(sample, rows)
    group = _BY_KIND[kind]
    return matrix(kind, group(rows, prefix))


def _connections(sample: Sample, mask: Mask | None) -> Grid:
    rows = sample.table.rows
    columns: dict[str, Column] = {name: (rows[name],) for name in rows.dtype.names or ()}
    columns["local_address"] = (rows["local_hi"], rows["local_lo"])
    columns["remote_address"] = (rows["remote_hi"], rows["remote_lo"])
    members = np.arange(len(rows)) if mask is None else np.flatnonzero(mask)
    return Grid(ViewKind.CONNECTIONS, columns, members, "cookie", sample.absent_fields)


def _states(rows: Rows) -> Grid:
    counts = np.bincount(rows["state"], minlength=STATE_COUNT)
    shown = [*DISPLAY_ORDER, *([TcpState.CLOSE] if counts[TcpState.CLOSE] else [])]
    numbers = np.array(shown)
    recv, send = _queue_sums(rows, rows["state"], STATE_COUNT)
    columns: dict[str, Column] = {
        "state": (numbers,),
        "total": (counts[numbers],),
        "recv_queue_bytes": (recv[numbers],),
        "send_queue_bytes": (send[numbers],),
    }
    return Grid(ViewKind.STATES, columns, np.arange(len(numbers)), "state")


def matrix(kind: ViewKind, groups: Groups) -> Grid:
    """One row for each group, with its total, a count for each state, and the queues of its connections."""
    size = len(groups.keys[0])
    cells = groups.codes * STATE_COUNT + groups.rows["state"]
    counts = np.bincount(cells, minlength=size * STATE_COUNT).reshape(size, STATE_COUNT)
    recv, send = _queue_sums(groups.rows, groups.codes, size)
    columns: dict[str, Column] = {
        kind.key.id: groups.keys,
        "total": (counts.sum(axis=1),),
        "recv_queue_bytes": (recv,),
        "send_queue_bytes": (send,),
    }
    columns |= {state.name: (counts[:, state],) for state in ALL_STATES}
    return Grid(kind, columns, np.arange(size), kind.key.id)


def _queue_sums(rows: Rows, codes: NDArray[np.generic], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bytes in the receive and send queues of each group; a listener's queues count connections and are left out."""
    sums = []
    for name in ("recv_queue_bytes", "send_queue_bytes"):
        queued = np.flatnonzero(rows[name])
        queued = queued[rows["state"][queued] != TcpState.LISTEN]
        weights = rows[name][queued]
        sums.append(np.bincount(codes[queued], weights=weights, minlength=size).astype(np.int64))
    return sums[0], sums[1]


def _by_peer(rows: Rows, prefix: int | None) -> Groups:
    hi, lo = rows["remote_hi"], rows["remote_lo"]
    if prefix is not None:
        hi, lo = _networks(hi, lo, prefix)
    keys, codes = factorize_pair(hi, lo)
    return Groups(keys, codes, rows)


def _networks(
    hi: NDArray[np.uint64], lo: NDArray[np.uint64], prefix: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Addresses with their host bits cleared."""
    ipv4_mask = prefix_mask(ADDRESS_BITS - IPV4_BITS + min(prefix, IPV4_BITS)) & (1 << HALF_BITS) - 1
    ipv6_mask = prefix_mask(min(prefix * 4, ADDRESS_BITS))
    ipv4 = is_ipv4(hi, lo)
    low_mask = np.where(ipv4, np.uint64(ipv4_mask), np.uint64(ipv6_mask & (1 << HALF_BITS) - 1))
    return hi & np.uint64(ipv6_mask >> HALF_BITS), lo & low_mask


def _by_port(rows: Rows, _prefix: int | None) -> Groups:
    ports, codes = factorize(rows["local_port"])
    return Groups((ports,), codes, rows)


_BY_KIND: dict[ViewKind, Callable[[Rows, int | None], Groups]] = {
    ViewKind.PEERS: _by_peer,
    ViewKind.PORTS: _by_port,
}


def factorize(values: NDArray[np.generic]) -> tuple[NDArray[np.generic], Codes]:
    """The distinct values in rising order, and for each value its number among them.

    Two passes of a vector sort and a binary search are several times as fast as ``np.unique``'s inverse.
    """
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    distinct = ordered[is_first]
    return distinct, np.searchsorted(distinct, values)


def factorize_pair(hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> tuple[Column, Codes]:
    """The same for values of two halves."""
    if not hi.any():
        distinct, codes = factorize(np.ascontiguousarray(lo))
        return (np.zeros(len(distinct), np.uint64), distinct), codes
    distinct_hi, hi_codes = factorize(hi)
    distinct_lo, lo_codes = factorize(lo)
    pairs, codes = factorize(hi_codes * len(distinct_lo) + lo_codes)
    hi_of_pair, lo_of_pair = np.divmod(pairs, len(distinct_lo))
    return (distinct_hi[hi_of_pair], distinct_lo[lo_of_pair]), codes


def _listeners(sample: Sample, rows: Rows) -> Grid:
    """One row for each address and port that is listened on, with the connections that came in there.

    Listeners that share both (SO_REUSEPORT) are one row: the kernel does not tell which of them a connection chose.
    The row is there if the listener or any of its connections is among ``rows``.
    """
    everything = sample.table.rows
    listening = everything[everything["state"] == TcpState.LISTEN]
    keys, listener_codes = _factorize_endpoints(listening["local_hi"], listening["local_lo"], listening["local_port"])
    codes = _listener_of(rows, keys)
    groups = Groups(keys, codes[codes >= 0], rows[codes >= 0])
    grid = matrix(ViewKind.LISTENERS, groups)
    size = len(keys[0])
    columns = dict(grid.columns)
    for field_id, name in (("accept_queue", "recv_queue_bytes"), ("backlog", "send_queue_bytes")):
        sums = np.bincount(listener_codes, weights=listening[name], minlength=size)
        columns[field_id] = (sums.astype(np.int64),)
    members = np.flatnonzero(columns["total"][0] > 0)
    return Grid(ViewKind.LISTENERS, columns, members, "local", sample.absent_fields)


def _factorize_endpoints(
    hi: NDArray[np.uint64], lo: NDArray[np.uint64], port: NDArray[np.uint16]
) -> tuple[Column, Codes]:
    addresses, address_codes = factorize_pair(hi, lo)
    endpoints, codes = factorize(address_codes * 65536 + port)
    of_address, ports = np.divmod(endpoints, 65536)
    return (addresses[0][of_address], addresses[1][of_address], ports), codes


def _listener_of(rows: Rows, listeners: Column) -> Codes:
    """The number of the listener that each row belongs to, -1 where its port is not listened on.

    The kernel prefers a listener bound to the very address, then one bound to any IPv4 address, then one bound to any
    address of both families (``net/ipv4/inet_hashtables.c: compute_score()``).
    """
    codes = np.full(len(rows), -1, np.int64)
    ports = rows["local_port"]
    is_listening_port = np.zeros(65536, bool)
    is_listening_port[listeners[2].astype(np.int64)] = True
    open_rows = np.flatnonzero(is_listening_port[ports])
    hi, lo, ports = (rows[name][open_rows] for name in ("local_hi", "local_lo", "local_port"))
    ipv4 = is_ipv4(hi, lo)
    rank = np.full(len(open_rows), 3)
    for number, (listener_hi, listener_lo, port) in enumerate(zip(*(part.tolist() for part in listeners), strict=True)):
        exact = (hi == listener_hi) & (lo == listener_lo)
        if (listener_hi, listener_lo) == _ANY_IPV4:
            listener_rank, fits = 1, ipv4
        elif (listener_hi, listener_lo) == _ANY_IPV6:
            listener_rank, fits = 2, np.ones(len(open_rows), bool)
        else:
            listener_rank, fits = 0, exact
        listener_ranks = np.where(exact, 0, listener_rank)
        better = (ports == port) & (fits | exact) & (listener_ranks < rank)
        codes[open_rows[better]] = number
        rank[better] = listener_ranks[better]
    return codes


_ANY_IPV4 = (0, 0xFFFF << IPV4_BITS)
_ANY_IPV6 = (0, 0)

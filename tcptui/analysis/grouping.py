"""Sockets grouped into matrices: one row a group, one column a state."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.grid import Column, Grid
from tcptui.model.address import ADDRESS_BITS, HALF_BITS, IPV4_BITS, LOW_HALF, is_ipv4, prefix_mask
from tcptui.model.fields import ViewKind
from tcptui.model.sample import Sample
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, STATE_COUNT, TcpState
from tcptui.model.table import Mask, Rows

SITE_BITS = 64

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

    ``prefix`` groups peers by network: up to 32 it is that of IPv4 peers, and IPv6 peers go by /64, the usual size of
    one site's network; above 32 it is that of IPv6 peers.
    """
    if kind is ViewKind.CONNECTIONS:
        return _connections(sample, mask)
    rows = sample.table.rows if mask is None else sample.table.rows[mask]
    if kind is ViewKind.STATES:
        return _states(rows, sample.absent_fields)
    if kind is ViewKind.LISTENERS:
        return _listeners(sample, rows)
    group = _BY_KIND[kind]
    return matrix(kind, group(rows, prefix), sample.absent_fields)


def _connections(sample: Sample, mask: Mask | None) -> Grid:
    rows = sample.table.rows
    columns: dict[str, Column] = {name: (rows[name],) for name in rows.dtype.names or ()}
    columns["local_address"] = (rows["local_hi"], rows["local_lo"])
    columns["remote_address"] = (rows["remote_hi"], rows["remote_lo"])
    members = np.arange(len(rows)) if mask is None else np.flatnonzero(mask)
    return Grid(ViewKind.CONNECTIONS, columns, members, "cookie", sample.absent_fields)


def _states(rows: Rows, absent: frozenset[str]) -> Grid:
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
    return Grid(ViewKind.STATES, columns, np.arange(len(numbers)), "state", absent)


def matrix(kind: ViewKind, groups: Groups, absent: frozenset[str]) -> Grid:
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
    return Grid(kind, columns, np.arange(size), kind.key.id, absent)


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
    keys, codes = factorize_column((hi, lo) if prefix is None else _networks(hi, lo, prefix))
    return Groups(keys, codes, rows)


def _networks(hi: NDArray[np.uint64], lo: NDArray[np.uint64], prefix: int) -> Column:
    """The networks that addresses are in: first address, and the number of bits that all members share."""
    ipv4_bits = min(prefix, IPV4_BITS)
    ipv6_bits = SITE_BITS if prefix <= IPV4_BITS else prefix
    ipv6_mask = prefix_mask(ipv6_bits)
    ipv4_low_mask = np.uint64(prefix_mask(ADDRESS_BITS - IPV4_BITS + ipv4_bits) & LOW_HALF)
    ipv4 = is_ipv4(hi, lo)
    low_mask = np.where(ipv4, ipv4_low_mask, np.uint64(ipv6_mask & LOW_HALF))
    bits = np.where(ipv4, np.uint8(ipv4_bits), np.uint8(ipv6_bits))
    return hi & np.uint64(ipv6_mask >> HALF_BITS), lo & low_mask, bits


def _by_port(rows: Rows, _prefix: int | None) -> Groups:
    ports, codes = factorize(rows["local_port"])
    return Groups((ports,), codes, rows)


_BY_KIND: dict[ViewKind, Callable[[Rows, int | None], Groups]] = {
    ViewKind.PEERS: _by_peer,
    ViewKind.PORTS: _by_port,
}


def factorize(values: NDArray[np.generic]) -> tuple[NDArray[np.generic], Codes]:
    """The distinct values in rising order, and for each value its number among them.

    A vector sort and a binary search are several times as fast as ``np.unique``'s inverse.
    """
    if not len(values) or (values == values[0]).all():
        return values[:1], np.zeros(len(values), np.int64)
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    distinct = ordered[is_first]
    return distinct, np.searchsorted(distinct, values)


def factorize_column(column: Column) -> tuple[Column, Codes]:
    """The same for values of several parts, such as addresses."""
    first, codes = factorize(column[0])
    keys: Column = (first,)
    for part in column[1:]:
        distinct, part_codes = factorize(part)
        if len(keys[0]) == 1:
            keys, codes = (*(np.repeat(key, len(distinct)) for key in keys), distinct), part_codes
            continue
        pairs, codes = factorize(codes * len(distinct) + part_codes)
        of_key, of_part = np.divmod(pairs, max(len(distinct), 1))
        keys = (*(key[of_key] for key in keys), distinct[of_part])
    return keys, codes


def _listeners(sample: Sample, rows: Rows) -> Grid:
    """One row for each address and port that is listened on, with the connections that came in there.

    Listeners that share both (SO_REUSEPORT) are one row: the kernel does not tell which of them a connection chose.
    The row is there if the listener or any of its connections is among ``rows``.
    """
    everything = sample.table.rows
    listening = everything[everything["state"] == TcpState.LISTEN]
    keys, listener_codes = factorize_column(tuple(listening[name] for name in _ENDPOINT))
    codes = _listener_of(rows, keys)
    groups = Groups(keys, codes[codes >= 0], rows[codes >= 0])
    grid = matrix(ViewKind.LISTENERS, groups, sample.absent_fields)
    size = len(keys[0])
    columns = dict(grid.columns)
    for field_id, name in (("accept_queue", "recv_queue_bytes"), ("backlog", "send_queue_bytes")):
        sums = np.bincount(listener_codes, weights=listening[name], minlength=size)
        columns[field_id] = (sums.astype(np.int64),)
    members = np.flatnonzero(columns["total"][0])
    return Grid(ViewKind.LISTENERS, columns, members, "local", sample.absent_fields)


def _listener_of(rows: Rows, listeners: Column) -> Codes:
    """The number of the listener that each row belongs to, -1 where its port is not listened on.

    The kernel prefers a listener bound to the very address, then one bound to any IPv4 address, then one bound to any
    address of both families (``net/ipv4/inet_hashtables.c: compute_score()``).
    """
    ports = rows["local_port"]
    ipv4 = is_ipv4(rows["local_hi"], rows["local_lo"])
    any_ipv4 = _listener_by_port(listeners, _ANY_IPV4)[ports]
    codes = np.where(ipv4 & (any_ipv4 >= 0), any_ipv4, _listener_by_port(listeners, _ANY_IPV6)[ports])
    is_listening_port = np.zeros(65536, bool)
    is_listening_port[listeners[2].astype(np.int64)] = True
    candidates = np.flatnonzero(is_listening_port[ports])
    exact = match_rows(listeners, tuple(rows[name][candidates] for name in _ENDPOINT))
    codes[candidates] = np.where(exact >= 0, exact, codes[candidates])
    return codes


def _listener_by_port(listeners: Column, address: tuple[int, int]) -> Codes:
    """For each port the number of the listener on it that is bound to ``address``, or -1; shape ``(65536,)``."""
    by_port = np.full(65536, -1)
    numbers = np.flatnonzero((listeners[0] == address[0]) & (listeners[1] == address[1]))
    by_port[listeners[2][numbers].astype(np.int64)] = numbers
    return by_port


def match_rows(known: Column, wanted: Column) -> Codes:
    """For each value of ``wanted`` its row number in ``known`` (whose values are distinct), -1 where it has none."""
    size = len(known[0])
    together = tuple(np.concatenate(parts) for parts in zip(known, wanted, strict=True))
    keys, codes = factorize_column(together)
    number_of_key = np.full(max(len(keys[0]), 1), -1)
    number_of_key[codes[:size]] = np.arange(size)
    return number_of_key[codes[size:]]


_ENDPOINT = ("local_hi", "local_lo", "local_port")
_ANY_IPV4 = (0, 0xFFFF << IPV4_BITS)
_ANY_IPV6 = (0, 0)

"""Sockets grouped into matrices: one row a group, one column a state."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.grid import Grid
from tcptui.analysis.holding import by_namespace, by_process, by_service, connections, with_holders
from tcptui.analysis.listening import endpoint_of, endpoints
from tcptui.analysis.matching import Column, factorize_column
from tcptui.analysis.matrix import Groups, matrix, queue_sums
from tcptui.analysis.texts import text_column
from tcptui.model.address import (
    ADDRESS_BITS,
    HALF_BITS,
    IPV4_BITS,
    LOW_HALF,
    is_ipv4,
    is_stand_in,
    prefix_mask,
)
from tcptui.model.fields import ViewKind
from tcptui.model.sample import Sample
from tcptui.model.states import DISPLAY_ORDER, STATE_COUNT, TcpState
from tcptui.model.table import Mask, Rows

SITE_BITS = 64


def build_grid(sample: Sample, kind: ViewKind, mask: Mask | None, prefix: int | None = None) -> Grid:
    """The view ``kind`` of a sample's rows, all or those in ``mask``.

    ``prefix`` groups peers by network: up to 32 it is that of IPv4 peers, and IPv6 peers go by /64, the usual size of
    one site's network; above 32 it is that of IPv6 peers.
    """
    if kind is ViewKind.CONNECTIONS:
        return connections(sample, mask)
    rows = sample.table.rows if mask is None else sample.table.rows[mask]
    if kind is ViewKind.STATES:
        return _states(rows, sample.absent_fields)
    if kind is ViewKind.LISTENERS:
        return _listeners(sample, rows)
    if kind is ViewKind.PEERS:
        hi, lo = rows["remote_hi"], rows["remote_lo"]
        return _by_endpoint(kind, (hi, lo) if prefix is None else _networks(hi, lo, prefix), sample, rows)
    if kind is ViewKind.PORTS:
        return _by_endpoint(kind, (rows["local_port"],), sample, rows)
    members = np.arange(len(sample.table)) if mask is None else np.flatnonzero(mask)
    return _BY_HOLDERS[kind](sample, members)


def _states(rows: Rows, absent: frozenset[str]) -> Grid:
    counts = np.bincount(rows["state"], minlength=STATE_COUNT)
    shown = [*DISPLAY_ORDER, *([TcpState.CLOSE] if counts[TcpState.CLOSE] else [])]
    numbers = np.array(shown)
    recv, send = queue_sums(rows, rows["state"], STATE_COUNT)
    columns: dict[str, Column] = {
        "state": (numbers,),
        "total": (counts[numbers],),
        "recv_queue_bytes": (recv[numbers],),
        "send_queue_bytes": (send[numbers],),
    }
    return Grid(ViewKind.STATES, columns, np.arange(len(numbers)), (numbers,), absent)


def _by_endpoint(kind: ViewKind, values: Column, sample: Sample, rows: Rows) -> Grid:
    """Rows with the same value; one that two namespaces have stands once for each."""
    keys, codes = factorize_column((*values, rows["netns"]))
    netns = text_column(sample.namespaces, keys[-1])
    columns = {kind.key.id: keys[:-1], "netns": (netns.codes,), **matrix(Groups(codes, rows, len(keys[0])))}
    return Grid(
        kind,
        columns,
        np.arange(len(keys[0])),
        keys,
        sample.absent_fields - {"peer"},  # an address that is not told stands for itself
        {"netns": netns.texts},
        {"port": keys[0] == 0} if kind is ViewKind.PORTS and "local_port" in sample.untold else {},
        sample.address_names,
    )


def _networks(hi: NDArray[np.uint64], lo: NDArray[np.uint64], prefix: int) -> Column:
    """The networks that addresses are in: first address, and the number of bits that all members share."""
    ipv4_bits = min(prefix, IPV4_BITS)
    ipv6_bits = SITE_BITS if prefix <= IPV4_BITS else prefix
    ipv6_mask = prefix_mask(ipv6_bits)
    ipv4_low_mask = np.uint64(prefix_mask(ADDRESS_BITS - IPV4_BITS + ipv4_bits) & LOW_HALF)
    ipv4 = is_ipv4(hi, lo)
    low_mask = np.where(ipv4, ipv4_low_mask, np.uint64(ipv6_mask & LOW_HALF))
    bits = np.where(ipv4, np.uint8(ipv4_bits), np.uint8(ipv6_bits))
    first = np.where(is_stand_in(hi), hi, hi & np.uint64(ipv6_mask >> HALF_BITS))
    return first, lo & low_mask, bits


def _listeners(sample: Sample, rows: Rows) -> Grid:
    """One row for each address and port that is listened on, with the connections that came in there.

    Listeners that share both (SO_REUSEPORT) are one row: the kernel does not tell which of them a connection chose.
    The row is there if the listener or any of its connections is among ``rows``.
    """
    everything = sample.table.rows
    listening = everything[everything["state"] == TcpState.LISTEN]
    keys, listener_codes = factorize_column(endpoints(listening))
    codes = endpoint_of(endpoints(rows), keys)
    size = len(keys[0])
    columns = matrix(Groups(codes[codes >= 0], rows[codes >= 0], size))
    for field_id, name in (("accept_queue", "recv_queue_bytes"), ("backlog", "send_queue_bytes")):
        sums = np.bincount(listener_codes, weights=listening[name], minlength=size)
        columns[field_id] = (sums.astype(np.int64),)
    netns = text_column(sample.namespaces, keys[-1])
    columns |= {"local": keys[:-1], "netns": (netns.codes,)}
    members = np.flatnonzero(columns["total"][0])
    untold = {}
    if "backlog" in sample.untold:
        is_unknown = sample.untold["backlog"][everything["state"] == TcpState.LISTEN]
        untold["backlog"] = np.bincount(listener_codes, weights=is_unknown, minlength=size) > 0
    texts = {"netns": netns.texts}
    absent, names = sample.absent_fields - {"local"}, sample.address_names
    grid = Grid(ViewKind.LISTENERS, columns, members, keys, absent, texts, untold, names)
    at = np.flatnonzero(everything["state"] == TcpState.LISTEN)
    sockets = np.split(at[np.argsort(listener_codes, kind="stable")], np.cumsum(np.bincount(listener_codes))[:-1])
    return with_holders(grid, sample, sockets if size else [])


_BY_HOLDERS: dict[ViewKind, Callable[[Sample, NDArray[np.int64]], Grid]] = {
    ViewKind.PROCESSES: by_process,
    ViewKind.SERVICES: by_service,
    ViewKind.NAMESPACES: by_namespace,
}

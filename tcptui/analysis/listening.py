"""Which listener a connection came in at."""

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import (
    Codes,
    Column,
    distinct,
    factorize_column,
    first_of_each,
    match_rows,
    positions,
)
from tcptui.model.address import IPV4_BITS, is_ipv4
from tcptui.model.table import Rows

ENDPOINT = ("local_hi", "local_lo", "local_port", "netns")
_ANY_IPV4 = (0, 0xFFFF << IPV4_BITS)
_ANY_IPV6 = (0, 0)


def endpoints(rows: Rows, at: NDArray[np.int64] | slice = slice(None)) -> Column:
    """The local ends of ``rows``, or of those ``at``: address, port and namespace."""
    return tuple(rows[name][at] for name in ENDPOINT)


def listener_of(ends: Column, listening: Column) -> Codes:
    """The index in ``listening`` of the listener that each of ``ends`` belongs to, -1 where nobody listens there.

    One of those that share address and port (SO_REUSEPORT): the kernel does not tell which.
    """
    keys, listener_codes = factorize_column(listening)
    return np.append(first_of_each(listener_codes, len(keys[0])), -1)[endpoint_of(ends, keys)]


def endpoint_of(ends: Column, listeners: Column) -> Codes:
    """The number of the listening endpoint that each of ``ends`` belongs to, -1 where nobody listens there.

    The kernel prefers a listener bound to the very address, then one bound to any IPv4 address, then one bound to any
    address of both families (``net/ipv4/inet_hashtables.c: compute_score()``).

    Args:
        ends: as ``endpoints`` has them.
        listeners: likewise, of those that are listened on; distinct.
    """
    listener_places = _places(listeners[2], listeners[3])
    places = distinct(listener_places)
    place = positions(places, _places(ends[2], ends[3]))
    place_of_listener = np.searchsorted(places, listener_places)
    codes = np.full(len(place), -1)
    candidates = np.flatnonzero(place >= 0)
    hi, lo, place = ends[0][candidates], ends[1][candidates], place[candidates]
    any_ipv4, any_ipv6 = (_by_place(listeners, address, place_of_listener) for address in (_ANY_IPV4, _ANY_IPV6))
    is_v4 = is_ipv4(hi.astype(np.uint64), lo.astype(np.uint64))
    found = np.where(is_v4 & (any_ipv4[place] >= 0), any_ipv4[place], any_ipv6[place])
    exact = match_rows((*listeners[:2], place_of_listener), (hi, lo, place))
    codes[candidates] = np.where(exact >= 0, exact, found)
    return codes


def _places(ports: NDArray[np.generic], netns: NDArray[np.generic]) -> NDArray[np.uint32]:
    """Port and namespace as one number."""
    return netns.astype(np.uint32) << np.uint32(16) | ports.astype(np.uint32)


def _by_place(listeners: Column, address: tuple[int, int], place_of_listener: Codes) -> Codes:
    """For each place the number of the listener there that is bound to ``address``, or -1."""
    by_place = np.full(place_of_listener.max(initial=0) + 1, -1)
    numbers = np.flatnonzero((listeners[0] == address[0]) & (listeners[1] == address[1]))
    by_place[place_of_listener[numbers]] = numbers
    return by_place

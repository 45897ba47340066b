"""The socket table: one row a socket, one typed column a fact."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcptui.model.states import STATE_COUNT

Rows = NDArray[np.void]
"""Structured array of dtype ``ROW``."""

Mask = NDArray[np.bool_]
"""One truth value a row."""

ROW = np.dtype(
    [
        ("cookie", "u8"),
        ("local_hi", "u8"),
        ("local_lo", "u8"),
        ("remote_hi", "u8"),
        ("remote_lo", "u8"),
        ("cgroup_id", "u8"),
        ("timer_ms", "u4"),
        ("recv_queue_bytes", "u4"),
        ("send_queue_bytes", "u4"),
        ("uid", "u4"),
        ("inode", "u4"),
        ("interface", "u4"),
        ("mark", "u4"),
        ("rtt_us", "u4"),
        ("total_retransmits", "u4"),
        ("idle_ms", "u4"),
        ("local_port", "u2"),
        ("remote_port", "u2"),
        ("netns", "u2"),
        ("family", "u1"),
        ("state", "u1"),
        ("timer", "u1"),
        ("retransmits", "u1"),
        ("is_autobound", "u1"),
    ]
)
"""``cookie`` tells one socket from every other until the next boot. ``recv_queue_bytes`` and ``send_queue_bytes`` are,
in LISTEN, the accept queue and the backlog, both in connections. ``timer_ms`` is the time until the timer fires.
``mark`` is ``SO_MARK``, ``rtt_us``, ``total_retransmits`` and ``idle_ms``, the time since the peer was last heard, come
out of ``tcp_info``, and ``is_autobound`` is 1 where the kernel chose the local port; a source reads these only when
asked. ``netns`` is an index into
``Sample.namespaces``. ``family`` is 4 or 6 as the kernel's table had it; addresses are as in ``model.address``."""

_NETNS_BITS = np.uint64(0x9E3779B97F4A7C15)
"""Odd 64-bit constant (2^64 / golden ratio) that spreads namespaces over the cookies."""

TIMER_NAMES = ("off", "on", "keepalive", "timewait", "persist")
"""By the kernel's timer code, ``include/uapi/linux/inet_diag.h`` (FACTS section 1, general rules)."""


def timer_text(code: int) -> str:
    """The timer's name, or its number where this program does not know it."""
    return TIMER_NAMES[code] if code < len(TIMER_NAMES) else str(code)


@dataclass(frozen=True, eq=False)
class SocketTable:
    """All sockets of one sample. Compared by identity: two samples are never equal."""

    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @functools.cached_property
    def order(self) -> NDArray[np.int64]:
        """Its rows in the order of their identities: whatever joins two tables needs that."""
        return np.argsort(identities_of(self.rows))

    def column(self, name: str) -> NDArray[np.generic]:
        """One column, as a view."""
        return self.rows[name]

    def state_counts(self, mask: Mask | None = None) -> NDArray[np.int64]:
        """Sockets by state number, shape ``(STATE_COUNT,)``, of all rows or of those in ``mask``."""
        states = self.rows["state"] if mask is None else self.rows["state"][mask]
        return np.bincount(states, minlength=STATE_COUNT)


def identities_of(rows: Rows) -> NDArray[np.uint64]:
    """What tells each socket from every other of the machine, in all samples of one source.

    The cookie, into which the namespace is mixed where there are several: before Linux 5.4 each of them counts its own
    (``net/core/sock_diag.c: sock_gen_cookie()``), and a stand-in for a cookie knows addresses alone.
    """
    if not rows["netns"].any():
        return rows["cookie"]
    return rows["cookie"] ^ rows["netns"] * _NETNS_BITS


def unique_by_cookie(rows: Rows) -> Rows:
    """``rows`` without second sightings of a socket: a dump is not atomic, and a socket that moves is seen twice.

    The last sighting stays, in the place of that sighting: it is the newer one. A cookie of 0 means that the source
    has none, and such rows are all kept.
    """
    cookies = rows["cookie"]
    ordered = np.sort(cookies)
    if not np.any((ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)):
        return rows
    last_of_each = np.unique(cookies[::-1], return_index=True)[1]
    keep = np.zeros(len(rows), bool)
    keep[len(rows) - 1 - last_of_each] = True
    return rows[keep | (cookies == 0)]

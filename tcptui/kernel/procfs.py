"""The kernel's TCP socket tables as text: ``/proc/net/tcp`` and ``/proc/net/tcp6``.

The fallback where netlink is not to be had. It has no cookie, backlog or cgroup (FACTS section 6.9). Line format:
``net/ipv4/tcp_ipv4.c: get_tcp4_sock()``, ``net/ipv6/tcp_ipv6.c``.
"""

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROC_NET_TCP_ROW = np.dtype(
    [
        ("local_hi", ">u8"),
        ("local_lo", ">u8"),
        ("remote_hi", ">u8"),
        ("remote_lo", ">u8"),
        ("local_port", "u2"),
        ("remote_port", "u2"),
        ("state", "u1"),
        ("timer", "u1"),
        ("tx_queue", "u4"),
        ("rx_queue", "u4"),
        ("when_ms", "u4"),
        ("retransmits", "u4"),
        ("uid", "u4"),
        ("inode", "u4"),
    ]
)
"""An IPv4 address fills the upper four bytes of its ``_hi``."""

_NUMBERS = PROC_NET_TCP_ROW.names or ()
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True, eq=False)
class ProcNetTcp:
    """One parsed table."""

    rows: NDArray[np.void]
    """Dtype ``PROC_NET_TCP_ROW``."""
    malformed: int
    """Lines that are not what the kernel writes."""


def parse_proc_net_tcp(text: bytes) -> ProcNetTcp:
    """The sockets in the text of ``/proc/net/tcp`` or ``/proc/net/tcp6``."""
    parsed = []
    malformed = 0
    for line in text.splitlines()[1:]:
        row = _row_or_none(line)
        if row is None:
            malformed += 1
        else:
            parsed.append(row)
    rows = np.array(parsed, PROC_NET_TCP_ROW) if parsed else np.zeros(0, PROC_NET_TCP_ROW)
    return ProcNetTcp(rows, malformed)


def _row_or_none(line: bytes) -> tuple[int, ...] | None:
    try:
        return _row(line.split())
    except (ValueError, IndexError):
        return None


def _row(words: list[bytes]) -> tuple[int, ...]:
    local, remote = words[1], words[2]
    tx_queue, rx_queue = words[4].split(b":")
    timer, when = words[5].split(b":")
    row = (
        *_halves(local[:-5]),
        *_halves(remote[:-5]),
        _bounded(local[-4:], 16),
        _bounded(remote[-4:], 16),
        _bounded(words[3], 8),
        _bounded(timer, 8),
        _bounded(tx_queue, 32),
        _bounded(rx_queue, 32),
        min(int(when, 16) * 1000 // _CLOCK_TICKS, 0xFFFFFFFF),
        _bounded(words[6], 32),
        int(words[7]),
        int(words[9]),
    )
    if row[6] == 0 or max(row[-2:]) >= 1 << 32 or min(row) < 0:
        raise ValueError(words)
    return row


def _bounded(digits: bytes, bits: int) -> int:
    value = int(digits, 16)
    if value >> bits:
        raise ValueError(digits)
    return value


def _halves(digits: bytes) -> tuple[int, int]:
    """An address in network order: the kernel prints each 32-bit word of it as a number of the host's byte order."""
    if len(digits) not in (8, 32):
        raise ValueError(digits)
    words = np.frombuffer(bytes.fromhex(digits.decode("ascii")), ">u4").astype("=u4").tobytes()
    padded = words.ljust(16, b"\0")
    return int.from_bytes(padded[:8], "big"), int.from_bytes(padded[8:], "big")

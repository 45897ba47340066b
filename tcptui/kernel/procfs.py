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

KNOWN_STATES = range(1, 13)
"""``include/net/tcp_states.h`` up to NEW_SYN_RECV."""
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
        row = parse_proc_net_line(line)
        if row is None:
            malformed += 1
        else:
            parsed.append(row)
    rows = np.array(parsed, PROC_NET_TCP_ROW) if parsed else np.zeros(0, PROC_NET_TCP_ROW)
    return ProcNetTcp(rows, malformed)


def parse_proc_net_line(line: bytes) -> tuple[int, ...] | None:
    """One socket, as a row of dtype ``PROC_NET_TCP_ROW``; None for a line that is not what the kernel writes."""
    try:
        return _row(line.split())
    except (ValueError, IndexError):
        return None


def _row(words: list[bytes]) -> tuple[int, ...]:
    local, remote = _endpoint(words[1]), _endpoint(words[2])
    tx_queue, rx_queue = words[4].split(b":")
    timer, when = words[5].split(b":")
    state = _hexadecimal(words[3], 8)
    if state not in KNOWN_STATES:
        raise ValueError(words)
    return (
        *local[:2],
        *remote[:2],
        local[2],
        remote[2],
        state,
        _hexadecimal(timer, 8),
        _hexadecimal(tx_queue, 32),
        _hexadecimal(rx_queue, 32),
        min(_hexadecimal(when, 64) * 1000 // _CLOCK_TICKS, 0xFFFFFFFF),
        _hexadecimal(words[6], 32),
        _decimal(words[7]),
        _decimal(words[9]),
    )


def _endpoint(word: bytes) -> tuple[int, int, int]:
    """Both halves of an address, and the port."""
    address, port = word.split(b":")
    return (*_halves(address), _hexadecimal(port, 16))


def _hexadecimal(digits: bytes, bits: int) -> int:
    """An unsigned number of at most ``bits``; Python's own ``int`` takes signs and underscores too."""
    if not digits.isalnum() or int(digits, 16) >> bits:
        raise ValueError(digits)
    return int(digits, 16)


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or int(digits) >> 32:
        raise ValueError(digits)
    return int(digits)


def _halves(digits: bytes) -> tuple[int, int]:
    """An address in network order: the kernel prints each 32-bit word of it as a number of the host's byte order."""
    if len(digits) not in (8, 32):
        raise ValueError(digits)
    words = np.frombuffer(bytes.fromhex(digits.decode("ascii")), ">u4").astype("=u4").tobytes()
    padded = words.ljust(16, b"\0")
    return int.from_bytes(padded[:8], "big"), int.from_bytes(padded[8:], "big")

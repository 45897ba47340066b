"""IP addresses as two unsigned 64-bit halves, so that columns of them compare, mask and sort as numbers.

An IPv4 address is held as the IPv4-mapped address ``::ffff:a.b.c.d`` (RFC 4291 section 2.5.5.2). An address that the
kernel reports as mapped, on a dual-stack socket, is therefore the same value as the IPv4 address it is.
"""

import ipaddress
import socket
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HALF_BITS = 64
IPV4_BITS = 32
ADDRESS_BITS = 128
MAPPED_PREFIX = 0xFFFF << IPV4_BITS
"""Low half of ``::ffff:0.0.0.0``."""

LOW_HALF = (1 << HALF_BITS) - 1

STAND_IN_PREFIX = 0x00FF
"""First 16 bits of addresses that stand for what is told as a name only, or not at all (``Sample.address_names``).

No socket has such an address: all of ``::/8`` is reserved (RFC 4291 section 2.4).
"""
_STAND_IN_SHIFT = HALF_BITS - 16
UNTOLD_ADDRESS = (STAND_IN_PREFIX << _STAND_IN_SHIFT, 0)
"""Both halves of what stands for an address that is not told."""


class Network(NamedTuple):
    """A range of addresses: both halves of its first address and of its mask."""

    hi: int
    lo: int
    mask_hi: int
    mask_lo: int


def parse_network(text: str) -> Network:
    """The network that ``text`` names: ``10.1.2.3``, ``10.0.0.0/8``, ``::1``, ``[fe80::]/10``.

    Host bits below the prefix are ignored, as ``ss`` ignores them.

    Raises:
        ValueError: not an address or network, or one with a zone (``fe80::1%eth0``).
    """
    if "%" in text:
        raise ValueError(text)
    parsed = ipaddress.ip_network(_without_brackets(text), strict=False)
    address, prefix = int(parsed.network_address), parsed.prefixlen
    if parsed.version == 4:
        address |= MAPPED_PREFIX
        prefix += ADDRESS_BITS - IPV4_BITS
    mask = prefix_mask(prefix)
    return Network(address >> HALF_BITS, address & LOW_HALF, mask >> HALF_BITS, mask & LOW_HALF)


def _without_brackets(text: str) -> str:
    """``[fe80::1]`` and ``[fe80::]/10`` as they are written without brackets; anything else as it is."""
    inside, bracket, rest = text[1:].partition("]")
    if text.startswith("[") and bracket and ":" in inside and rest[:1] in ("", "/"):
        return inside + rest
    return text


def prefix_mask(prefix: int) -> int:
    """A 128-bit mask with ``prefix`` leading ones."""
    return ((1 << prefix) - 1) << (ADDRESS_BITS - prefix)


def address_text(hi: int, lo: int) -> str:
    """The usual notation: dotted for IPv4, RFC 5952 for IPv6."""
    if hi == 0 and lo >> IPV4_BITS == 0xFFFF:
        return socket.inet_ntop(socket.AF_INET, (lo & 0xFFFFFFFF).to_bytes(4, "big"))
    return socket.inet_ntop(socket.AF_INET6, ((hi << HALF_BITS) | lo).to_bytes(16, "big"))


def stand_in(number: int) -> tuple[int, int]:
    """Both halves of what stands for the name with that number, from 1."""
    return UNTOLD_ADDRESS[0] + number, 0


def is_stand_in(hi: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which addresses, by their upper halves, are none but stand for a name."""
    return hi >> np.uint64(_STAND_IN_SHIFT) == np.uint64(STAND_IN_PREFIX)


def is_ipv4(hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which addresses are IPv4 ones, mapped or not."""
    return (hi == 0) & (lo >> np.uint64(IPV4_BITS) == np.uint64(0xFFFF))

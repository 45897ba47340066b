"""What sock_diag tells of one socket when it is asked for: the attributes behind ``INET_DIAG_MSG`` as plain numbers.

Layouts: ``include/uapi/linux/{tcp,sock_diag,inet_diag}.h`` (FACTS section 6). ``struct tcp_info`` grows at its end from
one kernel to the next, and the attribute's length says how far this one fills it: 104 bytes at first, 168 with 4.9, 192
with 4.10, 224 with 4.19, 232 with 5.4, 240 with 6.2, 248 with 6.7, 280 with 6.18.
"""

import struct
import sys
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

INET_DIAG_INFO = 2
INET_DIAG_CONG = 4
INET_DIAG_TOS = 5
INET_DIAG_TCLASS = 6
INET_DIAG_SKMEMINFO = 7
INET_DIAG_SHUTDOWN = 8

DETAIL_ATTRIBUTES = (
    INET_DIAG_INFO,
    INET_DIAG_CONG,
    INET_DIAG_TOS,
    INET_DIAG_TCLASS,
    INET_DIAG_SKMEMINFO,
    INET_DIAG_SHUTDOWN,
)
"""What ``details`` understands; all of it can be asked for in ``idiag_ext``."""


def _fields(format: str, *names: str) -> list[tuple[str, str]]:
    return [(f"tcpi_{name}", format) for name in names]


TCP_INFO = np.dtype(
    [
        *_fields("u1", "state", "ca_state", "retransmits", "probes", "backoff", "options"),
        ("wscales", "u1"),
        ("flags", "u1"),
        # Microseconds, microseconds, bytes, bytes.
        *_fields("u4", "rto", "ato", "snd_mss", "rcv_mss"),
        # Segments; of a listener connections, "unacked" in its accept queue and "sacked" at most.
        *_fields("u4", "unacked", "sacked", "lost", "retrans", "fackets"),
        # Milliseconds ago.
        *_fields("u4", "last_data_sent", "last_ack_sent", "last_data_recv", "last_ack_recv"),
        # Bytes, bytes, microseconds, microseconds.
        *_fields("u4", "pmtu", "rcv_ssthresh", "rtt", "rttvar"),
        # Segments, segments, bytes, segments.
        *_fields("u4", "snd_ssthresh", "snd_cwnd", "advmss", "reordering"),
        # Microseconds, bytes, segments.
        *_fields("u4", "rcv_rtt", "rcv_space", "total_retrans"),
        # Bytes a second, bytes a second, bytes, bytes.
        *_fields("u8", "pacing_rate", "max_pacing_rate", "bytes_acked", "bytes_received"),
        # Segments, segments, bytes, microseconds, segments, segments.
        *_fields("u4", "segs_out", "segs_in", "notsent_bytes", "min_rtt", "data_segs_in", "data_segs_out"),
        # Bytes a second, then microseconds.
        *_fields("u8", "delivery_rate", "busy_time", "rwnd_limited", "sndbuf_limited"),
        # Segments.
        *_fields("u4", "delivered", "delivered_ce"),
        # Bytes.
        *_fields("u8", "bytes_sent", "bytes_retrans"),
        # Blocks, events, segments, bytes, bytes, attempts.
        *_fields("u4", "dsack_dups", "reord_seen", "rcv_ooopack", "snd_wnd", "rcv_wnd", "rehash"),
        # Timeouts, recoveries, milliseconds.
        *_fields("u2", "total_rto", "total_rto_recoveries"),
        *_fields("u4", "total_rto_time"),
        # Segments, then bytes (RFC 9768).
        *_fields("u4", "received_ce", "delivered_e1_bytes", "delivered_e0_bytes", "delivered_ce_bytes"),
        *_fields("u4", "received_e1_bytes", "received_e0_bytes", "received_ce_bytes"),
        ("accecn", "u4"),
    ]
)
"""``struct tcp_info`` of Linux 6.18, 280 bytes. What has no ``tcpi_`` before its name is several fields in one.

All ones stand for "none yet" in ``tcpi_min_rtt`` and for "no limit" in the pacing rates; 0 for "none yet" in
``tcpi_rtt`` and ``tcpi_rcv_rtt``; 0x7fffffff for "no threshold" in ``tcpi_snd_ssthresh``.
"""


INFO_OFFSETS = {name: int(place[1]) for name, place in (TCP_INFO.fields or {}).items()}
"""Where each field of ``TCP_INFO`` begins, in bytes."""


class _BitField(NamedTuple):
    name: str
    part: str
    """The field of ``TCP_INFO`` that it is in."""
    first_bit: int
    """In the order of declaration."""
    width: int
    least_length: int
    """Length of the first ``struct tcp_info`` that has it: a kernel before leaves the bits 0."""


_BIT_FIELDS = (
    _BitField("snd_wscale", "wscales", 0, 4, 7),
    _BitField("rcv_wscale", "wscales", 4, 4, 7),
    _BitField("delivery_rate_app_limited", "flags", 0, 1, 168),
    _BitField("fastopen_client_fail", "flags", 1, 2, 232),
)
"""The last word is not among them: at the same length 6.18 has two halves there, ``accecn_fail_mode`` and
``accecn_opt_seen``, and 7.0 has ``ecn_mode:2, accecn_opt_seen:2, accecn_fail_mode:4, options2:24``."""

_NEVER_FILLED = frozenset({"tcpi_last_ack_sent", "tcpi_fackets"})
"""``tcp_get_info()`` leaves these 0: the one ever since ("not remembered, sorry"), the other from 4.15 on."""

_FILLED = tuple(name for name in TCP_INFO.names or () if name.startswith("tcpi_") and name not in _NEVER_FILLED)

_FILLED_FOR_LISTENERS = frozenset(
    {"state", "pacing_rate", "max_pacing_rate", "reordering", "snd_cwnd", "unacked", "sacked"}
)
"""What ``tcp_get_info()`` knows of a socket in LISTEN; all else is left 0."""

_LISTEN = 10

_MEMORY_NAMES = (
    "rmem_alloc",
    "rcvbuf",
    "wmem_alloc",
    "sndbuf",
    "fwd_alloc",
    "wmem_queued",
    "optmem",
    "backlog",
    "drops",
)
"""``SK_MEMINFO_*`` in their order; older kernels end earlier."""


class Details(NamedTuple):
    """What the attributes of one socket say."""

    info: dict[str, int] | None
    """As ``tcp_info_fields`` has it; None for a mini-socket or a request, which have none (FACTS section 6.2)."""
    memory: dict[str, int]
    """As ``memory_fields`` has it; empty for those that have no ``info``."""
    congestion: str
    """Name of the congestion control; ASCII, but not always printable."""
    type_of_service: int | None
    """Of IPv4 packets."""
    traffic_class: int | None
    """Of IPv6 packets."""
    shutdown: int | None
    """``RCV_SHUTDOWN`` (1) and ``SEND_SHUTDOWN`` (2), ``include/net/sock.h``."""


def details(attributes: Mapping[int, bytes]) -> Details:
    """What attributes say, given by number; those that are not there are none, and unknown ones are left out."""
    info = attributes.get(INET_DIAG_INFO)
    return Details(
        info=None if info is None else tcp_info_fields(info),
        memory=memory_fields(attributes.get(INET_DIAG_SKMEMINFO, b"")),
        congestion=attributes.get(INET_DIAG_CONG, b"").partition(b"\0")[0].decode("ascii", "backslashreplace"),
        type_of_service=_byte(attributes.get(INET_DIAG_TOS)),
        traffic_class=_byte(attributes.get(INET_DIAG_TCLASS)),
        shutdown=_byte(attributes.get(INET_DIAG_SHUTDOWN)),
    )


def tcp_info_fields(value: bytes) -> dict[str, int]:
    """The fields of a ``struct tcp_info`` of any length, by name without ``tcpi_``.

    A field that this kernel does not have, or does not fill, is not there: 0 would say something else. Fields that are
    newer than ``TCP_INFO`` are left out.
    """
    length = len(value)
    whole = np.frombuffer(value[: TCP_INFO.itemsize].ljust(TCP_INFO.itemsize, b"\0"), TCP_INFO)[0]
    known = (name for name in _FILLED if INFO_OFFSETS[name] + TCP_INFO[name].itemsize <= length)
    fields = {name.removeprefix("tcpi_"): int(whole[name]) for name in known}
    for bits in _BIT_FIELDS:
        if bits.least_length <= length:
            fields[bits.name] = _bits_of(int(whole[bits.part]), bits)
    if fields.get("state") == _LISTEN:
        return {name: number for name, number in fields.items() if name in _FILLED_FOR_LISTENERS}
    return fields


def memory_fields(value: bytes) -> dict[str, int]:
    """Bytes by the names of ``SK_MEMINFO_*`` in lower case, as many as there are; ``drops`` counts packets."""
    count = min(len(value) // 4, len(_MEMORY_NAMES))
    return dict(zip(_MEMORY_NAMES, struct.unpack_from(f"={count}I", value), strict=False))


def _bits_of(byte: int, bits: _BitField) -> int:
    """A bit field: what is declared first has the lowest bits on little-endian machines and the highest on others."""
    shift = bits.first_bit if sys.byteorder == "little" else 8 - bits.first_bit - bits.width
    return byte >> shift & (1 << bits.width) - 1


def _byte(value: bytes | None) -> int | None:
    return value[0] if value else None

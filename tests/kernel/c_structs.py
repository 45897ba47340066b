"""``struct tcp_info`` as a C compiler lays it out: a second opinion, bit fields included.

Fields: ``include/uapi/linux/tcp.h`` of Linux 6.18. Shares no line with ``tcptui.kernel.tcp_info``.
"""

from ctypes import Structure, c_uint8, c_uint16, c_uint32, c_uint64
from typing import Any

_Field = tuple[str, Any] | tuple[str, Any, int]

_BYTES = ("state", "ca_state", "retransmits", "probes", "backoff", "options")
_BITS: list[_Field] = [
    ("snd_wscale", c_uint8, 4),
    ("rcv_wscale", c_uint8, 4),
    ("delivery_rate_app_limited", c_uint8, 1),
    ("fastopen_client_fail", c_uint8, 2),
]
_REST = (
    (c_uint32, "rto ato snd_mss rcv_mss unacked sacked lost retrans fackets"),
    (c_uint32, "last_data_sent last_ack_sent last_data_recv last_ack_recv"),
    (c_uint32, "pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans"),
    (c_uint64, "pacing_rate max_pacing_rate bytes_acked bytes_received"),
    (c_uint32, "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"),
    (c_uint64, "delivery_rate busy_time rwnd_limited sndbuf_limited"),
    (c_uint32, "delivered delivered_ce"),
    (c_uint64, "bytes_sent bytes_retrans"),
    (c_uint32, "dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash"),
    (c_uint16, "total_rto total_rto_recoveries"),
    (c_uint32, "total_rto_time received_ce delivered_e1_bytes delivered_e0_bytes delivered_ce_bytes"),
    (c_uint32, "received_e1_bytes received_e0_bytes received_ce_bytes"),
    (c_uint16, "accecn_fail_mode accecn_opt_seen"),
)
_FIELDS: list[_Field] = [
    *((name, c_uint8) for name in _BYTES),
    *_BITS,
    *((name, kind) for kind, names in _REST for name in names.split()),
]


class CTcpInfo(Structure):
    """``struct tcp_info``."""

    _fields_ = _FIELDS


SINCE = {"delivery_rate_app_limited": 168, "fastopen_client_fail": 232}
"""Length of the first struct that has what fills an earlier hole."""

UNTOLD = {"last_ack_sent", "fackets", "accecn_fail_mode", "accecn_opt_seen"}
"""What the kernel does not fill, and what has another meaning in 7.0 at the same length."""

LISTENERS_HAVE = {"state", "unacked", "sacked", "snd_cwnd", "reordering", "pacing_rate", "max_pacing_rate"}


def expected_fields(value: bytes) -> dict[str, int]:
    """What is to be told of a ``struct tcp_info`` of any length."""
    whole = CTcpInfo.from_buffer_copy(value[:280].ljust(280, b"\0"))
    told = {name: getattr(whole, name) for name in names_within(len(value))}
    return {name: told[name] for name in told.keys() & LISTENERS_HAVE} if told.get("state") == 10 else told


def names_within(length: int) -> set[str]:
    """The fields of a kernel whose struct has that length."""
    return {name for name in (field[0] for field in _FIELDS) if name not in UNTOLD and _end_of(name) <= length}


def _end_of(name: str) -> int:
    descriptor = getattr(CTcpInfo, name)
    if name in SINCE:
        return SINCE[name]
    return descriptor.offset + (1 if name.endswith("wscale") else descriptor.size)

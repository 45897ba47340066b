"""The kernel's arrays as rows of the socket table."""

import socket

import numpy as np
from numpy.typing import NDArray

from tcptui.kernel.decode import Attributes
from tcptui.model.address import IPV4_BITS, MAPPED_PREFIX
from tcptui.model.states import NEW_SYN_RECV, TcpState
from tcptui.model.table import ROW, Rows

_COOKIE_BITS = np.uint64(0x9E3779B97F4A7C15)
"""Odd 64-bit constant (2^64 / golden ratio) for multiplicative hashing."""

_PLAIN_DIAG_COLUMNS = {
    "cookie": "idiag_cookie",
    "timer_ms": "idiag_expires",
    "recv_queue_bytes": "idiag_rqueue",
    "send_queue_bytes": "idiag_wqueue",
    "uid": "idiag_uid",
    "inode": "idiag_inode",
    "interface": "idiag_if",
    "local_port": "idiag_sport",
    "remote_port": "idiag_dport",
    "state": "idiag_state",
    "timer": "idiag_timer",
    "retransmits": "idiag_retrans",
}


class TableBuilder:
    """Gathers the rows of one dump; makes room for as many as came the last time."""

    def __init__(self, expected: int) -> None:
        self._rows = np.empty(max(expected + expected // 8, 1024), ROW)
        self._filled = 0

    def __len__(self) -> int:
        return self._filled

    def append(
        self, messages: NDArray[np.void], attributes: Attributes, family: int, *, is_autobound: bool = False
    ) -> None:
        """Add ``inet_diag_msg`` structures of one family (4 or 6)."""
        end = self._filled + len(messages)
        if end > len(self._rows):
            self._rows = np.concatenate((self._rows[: self._filled], np.empty(end, ROW)))
        rows = self._rows[self._filled : end]
        for column, diag_column in _PLAIN_DIAG_COLUMNS.items():
            rows[column] = messages[diag_column]
        rows["cgroup_id"] = attributes.cgroup_ids
        rows["mark"] = 0 if attributes.marks is None else attributes.marks
        infos = attributes.infos
        rows["rtt_us"] = 0 if infos is None else infos.rtt_us
        rows["total_retransmits"] = 0 if infos is None else infos.total_retransmits
        rows["idle_ms"] = 0 if infos is None else infos.idle_ms
        rows["is_autobound"] = is_autobound
        rows["netns"] = 0
        rows["family"] = family
        _fill_address(rows, "local", messages["idiag_src_hi"], messages["idiag_src_lo"])
        _fill_address(rows, "remote", messages["idiag_dst_hi"], messages["idiag_dst_lo"])
        _fold_syn_recv(rows)
        self._filled = end

    def forget_from(self, length: int) -> None:
        """Take back all rows but the first ``length``."""
        self._filled = length

    def rows(self) -> Rows:
        """The rows so far."""
        return self._rows[: self._filled]


def rows_from_proc_net(parsed: NDArray[np.void], family: int) -> Rows:
    """Rows of a parsed ``/proc/net/tcp`` (4) or ``/proc/net/tcp6`` (6)."""
    rows = np.zeros(len(parsed), ROW)
    for column in ("local_port", "remote_port", "state", "timer", "uid", "inode"):
        rows[column] = parsed[column]
    rows["timer_ms"] = np.where(parsed["timer"] == 0, 0, parsed["when_ms"])
    rows["recv_queue_bytes"] = parsed["rx_queue"]
    rows["send_queue_bytes"] = parsed["tx_queue"]
    rows["retransmits"] = np.minimum(parsed["retransmits"], 255)
    rows["family"] = family
    _fill_address(rows, "local", parsed["local_hi"], parsed["local_lo"])
    _fill_address(rows, "remote", parsed["remote_hi"], parsed["remote_lo"])
    _fold_syn_recv(rows)
    rows["cookie"] = identities(rows)
    return rows


def identities(rows: Rows) -> NDArray[np.uint64]:
    """A stand-in for the cookie where the kernel gives none: a hash of what tells one socket from another.

    Addresses and ports name a connection; listeners that share a port (SO_REUSEPORT) differ by their inode. The inode
    of a connection goes away when it is closed, so it is left out there.
    """
    hashed = np.zeros(len(rows), np.uint64)
    is_listener = rows["state"] == TcpState.LISTEN
    parts = (
        *(rows[name] for name in ("local_hi", "local_lo", "remote_hi", "remote_lo", "local_port", "remote_port")),
        np.where(is_listener, rows["inode"], 0),
        rows["family"],
    )
    for part in parts:
        hashed = (hashed ^ part.astype(np.uint64)) * _COOKIE_BITS
        hashed ^= hashed >> np.uint64(29)
    return hashed | np.uint64(1)


def rows_of_destroyed(messages: NDArray[np.void], netns: NDArray[np.uint16]) -> Rows:
    """Rows of ``inet_diag_msg`` structures that tell of freed sockets, of both families: who they were, and CLOSE."""
    rows = np.zeros(len(messages), ROW)
    rows["cookie"], rows["netns"], rows["state"] = messages["idiag_cookie"], netns, TcpState.CLOSE
    rows["local_port"], rows["remote_port"] = messages["idiag_sport"], messages["idiag_dport"]
    is_ipv4 = messages["idiag_family"] == socket.AF_INET
    for family, chosen in ((4, is_ipv4), (6, ~is_ipv4)):
        part, told = rows[chosen], messages[chosen]
        part["family"] = family
        _fill_address(part, "local", told["idiag_src_hi"], told["idiag_src_lo"])
        _fill_address(part, "remote", told["idiag_dst_hi"], told["idiag_dst_lo"])
        rows[chosen] = part
    return rows


def _fill_address(rows: Rows, end: str, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> None:
    """Set one end's address; an IPv4 address stands in the upper half of ``hi`` and becomes its mapped form."""
    if len(rows) and rows["family"][0] == 4:
        rows[f"{end}_hi"] = 0
        rows[f"{end}_lo"] = (hi >> np.uint64(IPV4_BITS)) | np.uint64(MAPPED_PREFIX)
    else:
        rows[f"{end}_hi"] = hi
        rows[f"{end}_lo"] = lo


def diag_address(family: int, hi: int, lo: int) -> tuple[int, int]:
    """Halves of one address as ``inet_diag_msg`` of a family (4 or 6) has them: what ``_fill_address`` undoes."""
    return ((lo & 0xFFFFFFFF) << IPV4_BITS, 0) if family == 4 else (hi, lo)


def _fold_syn_recv(rows: Rows) -> None:
    """NEW_SYN_RECV is SYN_RECV (FACTS section 1)."""
    rows["state"][rows["state"] == NEW_SYN_RECV] = TcpState.SYN_RECV

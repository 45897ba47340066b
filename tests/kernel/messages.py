"""Netlink messages as the kernel writes them, and a decoder of them as plain as can be.

Layouts: FACTS section 6, ``include/uapi/linux/{netlink,inet_diag}.h``. Shares no line with ``tcptui.kernel.decode``.
"""

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

AF_INET, AF_INET6 = 2, 10
NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE = 1, 2, 3
SOCK_DIAG_BY_FAMILY = 20
NLM_F_MULTI, NLM_F_DUMP_INTR = 0x2, 0x10

INET_DIAG_INFO, INET_DIAG_SHUTDOWN, INET_DIAG_SKV6ONLY, INET_DIAG_MARK = 2, 8, 11, 15
INET_DIAG_CGROUP_ID, INET_DIAG_SOCKOPT = 21, 22


class Attribute(NamedTuple):
    """A ``struct nlattr`` with its value."""

    kind: int
    value: bytes

    def packed(self) -> bytes:
        """Header and value, padded to 4 bytes."""
        header = struct.pack("=HH", 4 + len(self.value), self.kind)
        return (header + self.value).ljust((4 + len(self.value) + 3) & ~3, b"\0")


def cgroup(number: int) -> Attribute:
    """The cgroup's inode number."""
    return Attribute(INET_DIAG_CGROUP_ID, struct.pack("=Q", number))


def mark(number: int) -> Attribute:
    """``SO_MARK``."""
    return Attribute(INET_DIAG_MARK, struct.pack("=I", number))


def info(
    rtt_us: int, total_retransmits: int, length: int = 280, *, data_ms: int = 5000, ack_ms: int = 4000
) -> Attribute:
    """``struct tcp_info`` of a length, all ones but for these."""
    packed = bytearray(b"\xff" * max(length, 104))
    struct.pack_into("=I", packed, 68, rtt_us)
    struct.pack_into("=II", packed, 52, data_ms, ack_ms)
    struct.pack_into("=I", packed, 100, total_retransmits)
    return Attribute(INET_DIAG_INFO, bytes(packed[:length]))


def full_socket_attributes(cgroup_id: int = 1, mark_number: int = 0) -> list[Attribute]:
    """What a socket with all its parts brings along when root asks (FACTS 6.2)."""
    return [
        Attribute(INET_DIAG_SHUTDOWN, b"\0"),
        mark(mark_number),
        cgroup(cgroup_id),
        Attribute(INET_DIAG_SOCKOPT, b"\x01\x00"),
    ]


MINI_SOCKET_ATTRIBUTES = [mark(0)]


HERE, THERE = IPv4Address("10.0.0.5"), IPv4Address("10.1.2.3")


@dataclass(frozen=True)
class DiagSocket:
    """``struct inet_diag_msg`` with its attributes."""

    family: int = AF_INET
    state: int = 1
    timer: int = 0
    retrans: int = 0
    sport: int = 443
    dport: int = 50000
    src: IPv4Address | IPv6Address = HERE
    dst: IPv4Address | IPv6Address = THERE
    interface: int = 0
    cookie: int = 1
    expires: int = 0
    rqueue: int = 0
    wqueue: int = 0
    uid: int = 0
    inode: int = 0
    attributes: Sequence[Attribute] = field(default_factory=full_socket_attributes)

    def packed(self) -> bytes:
        """The message's payload."""
        return (
            struct.pack("=BBBB", self.family, self.state, self.timer, self.retrans)
            + struct.pack(">HH", self.sport, self.dport)
            + self.src.packed.ljust(16, b"\0")
            + self.dst.packed.ljust(16, b"\0")
            + struct.pack("=IQ", self.interface, self.cookie)
            + struct.pack("=IIIII", self.expires, self.rqueue, self.wqueue, self.uid, self.inode)
            + b"".join(attribute.packed() for attribute in self.attributes)
        )


def message(kind: int, sequence: int, payload: bytes, flags: int = NLM_F_MULTI, port: int = 0) -> bytes:
    """A ``struct nlmsghdr`` with its payload, padded to 4 bytes."""
    length = 16 + len(payload)
    return (struct.pack("=IHHII", length, kind, flags, sequence, port) + payload).ljust((length + 3) & ~3, b"\0")


def done(sequence: int, status: int = 0, flags: int = NLM_F_MULTI) -> bytes:
    """The end of a dump."""
    return message(NLMSG_DONE, sequence, struct.pack("=i", status), flags)


def refused(sequence: int, number: int) -> bytes:
    """The kernel's refusal with an errno, the request's header quoted."""
    return message(NLMSG_ERROR, sequence, struct.pack("=i", -number) + bytes(16), flags=0)


class DecodedRow(NamedTuple):
    """A socket as read back, in the order of the kernel's fields."""

    family: int
    state: int
    timer: int
    retrans: int
    sport: int
    dport: int
    src: bytes
    dst: bytes
    interface: int
    cookie: int
    expires: int
    rqueue: int
    wqueue: int
    uid: int
    inode: int
    cgroup_id: int
    mark: int
    """0 unless asked for."""
    rtt_us: int
    """0 unless asked for."""
    total_retransmits: int
    """0 unless asked for."""
    idle_ms: int
    """0 unless asked for."""


@dataclass
class Decoded:
    """What a dump came to."""

    rows: list[DecodedRow] = field(default_factory=list)
    done: bool = False
    interrupted: bool = False
    skipped: int = 0
    error: int = 0
    """The errno that ended it."""
    wants_marks: bool = False
    wants_info: bool = False


def decode_plainly(data: bytes, sequence: int, into: Decoded) -> None:
    """Walk a datagram message by message; stop at the first error, or where it is no message any more."""
    position = 0
    while position + 16 <= len(data):
        length, kind, flags, number, _port = struct.unpack_from("=IHHII", data, position)
        end = position + length
        if length < 16 or (length + 3) & ~3 > len(data) - position:
            return
        into.interrupted |= bool(flags & NLM_F_DUMP_INTR)
        if number == sequence and kind == SOCK_DIAG_BY_FAMILY and length >= 88:
            into.rows.append(_row(data[position + 16 : end], into))
        elif number == sequence and kind in (NLMSG_DONE, NLMSG_ERROR):
            into.done = True
            status = struct.unpack_from("=i", data, position + 16)[0] if length >= 20 else 0
            if status < 0 and not into.error:
                into.error = -status
        else:
            into.skipped += 1
        position += (length + 3) & ~3


def _row(payload: bytes, wanted: Decoded) -> DecodedRow:
    family, state, timer, retrans = payload[:4]
    sport, dport = struct.unpack_from(">HH", payload, 4)
    interface, cookie = struct.unpack_from("=IQ", payload, 40)
    counts = struct.unpack_from("=IIIII", payload, 52)
    values = _attribute_values(payload[72:])
    cgroup_id = int.from_bytes(values.get((INET_DIAG_CGROUP_ID, 8), b""), sys.byteorder)
    mark_number = int.from_bytes(values.get((INET_DIAG_MARK, 4), b""), sys.byteorder) if wanted.wants_marks else 0
    infos = [value for (kind, size), value in values.items() if kind == INET_DIAG_INFO and size >= 104]
    told = (0, 0, 0)
    if infos and wanted.wants_info:
        data_ms, ack_ms, rtt_us, total_retransmits = (
            struct.unpack_from("=I", infos[0], offset)[0] for offset in (52, 56, 68, 100)
        )
        told = (rtt_us, total_retransmits, min(data_ms, ack_ms))
    src, dst = payload[8:24], payload[24:40]
    ends = (sport, dport, src, dst, interface, cookie)
    brought = (cgroup_id, mark_number, *told)
    return DecodedRow._make((family, state, timer, retrans, *ends, *counts, *brought))


def _attribute_values(attributes: bytes) -> dict[tuple[int, int], bytes]:
    """The values by kind and size, as far as they are whole."""
    values = {}
    position = 0
    while position + 4 <= len(attributes):
        length, kind = struct.unpack_from("=HH", attributes, position)
        if length < 4:
            break
        value = attributes[position + 4 : position + length]
        if len(value) == length - 4:
            values[kind, len(value)] = value
        position += (length + 3) & ~3
    return values

"""The kernel's TCP socket tables through netlink sock_diag(7).

Layouts: ``include/uapi/linux/{netlink,sock_diag,inet_diag}.h`` (FACTS section 6). This is the program's hot path: a
dump of 100,000 sockets is about 390 datagrams and 12 MB, received into one buffer that is used again and again.
"""

import errno
import random
import socket
import struct
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tcptui.kernel.decode import (
    NLMSG_DONE,
    NLMSG_ERROR,
    SOCK_DIAG_BY_FAMILY,
    Decoder,
    FoundSocket,
    Lookup,
    RefusalError,
    Sink,
    Words,
)
from tcptui.kernel.tcp_info import DETAIL_ATTRIBUTES, INET_DIAG_INFO

NETLINK_SOCK_DIAG = 4
NLM_F_REQUEST = 0x1
NLM_F_DUMP = 0x300
INET_DIAG_REQ_BYTECODE = 1

LONGEST_BYTECODE = (0xFFFF - 4) & ~3
"""In bytes: ``nla_len`` has 16 bits and counts the header's 4, and instructions come in fours."""

_BUFFER_BYTES = 512 * 1024
_LARGEST_DATAGRAM = 64 * 1024
"""The kernel fills datagrams of at most 32 KiB for a reader that offers more (``netlink_dump()``)."""
_RECEIVE_TIMEOUT = struct.pack("ll", 10, 0)
_LISTEN_MASK = 1 << 10
"""``idiag_states`` for LISTEN alone."""


@dataclass(frozen=True)
class DumpQuery:
    """Which sockets the kernel shall tell of."""

    family: int
    """``AF_INET`` or ``AF_INET6``."""
    states_mask: int
    """``1 << state`` for each state."""
    local_port: int = 0
    """0 is any port."""
    remote_port: int = 0
    """0 is any port; with another the kernel leaves listeners out (FACTS section 6.3)."""
    bytecode: bytes = b""
    """A program of ``struct inet_diag_bc_op`` that passes the wanted sockets; empty passes all (FACTS section 6.4)."""
    wants_marks: bool = False
    """Whether the sink gets marks: looking for them takes time."""
    wants_info: bool = False
    """Whether the kernel adds ``struct tcp_info`` to each socket and the sink gets what is read of it: both take time.
    """


class SocketId(NamedTuple):
    """What names one socket to the kernel: ``struct inet_diag_sockid`` and the table that it is in."""

    family: int
    """``AF_INET`` or ``AF_INET6``; IPv4 on a dual-stack socket is in the table of ``AF_INET6``."""
    local_port: int
    remote_port: int
    local_hi: int
    """Halves of addresses are as in ``INET_DIAG_MSG``."""
    local_lo: int
    remote_hi: int
    remote_lo: int
    interface: int
    """Index of the device that the socket is bound to, or 0."""
    cookie: int
    is_listener: bool

    def packed(self) -> bytes:
        """``struct inet_diag_sockid``."""
        addresses = (self.local_hi, self.local_lo, self.remote_hi, self.remote_lo)
        return struct.pack(">HHQQQQ", self.local_port, self.remote_port, *addresses) + struct.pack(
            "=IQ", self.interface, self.cookie
        )


class BytecodeRefused(RefusalError):  # noqa: N818 - said of the bytecode
    """The kernel does not take the bytecode: an instruction it does not know (EINVAL) or may not do for us (EPERM).

    It checks the program when the dump begins (``inet_diag_bc_audit()``), so no socket has come before. EINVAL may
    stand for another part of the request, and then comes again without the bytecode. EMSGSIZE: too long to be sent.
    """


@dataclass(frozen=True)
class DumpReport:
    """How a dump went."""

    interrupted: bool
    """The kernel says that the table changed under the dump, or a part of it was lost."""
    skipped: int
    """Messages that are none of ours or too short to be a socket."""
    receive_s: float
    """Time in the kernel."""
    decode_s: float
    """Time spent on what it gave, the sink's included."""


class SockDiag:
    """A netlink socket for dumps; belongs to the network namespace of the thread that makes it."""

    def __init__(self) -> None:
        """Open the socket.

        Raises:
            SourceError: no sock_diag here (seccomp, gVisor, a kernel without it).
        """
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _RECEIVE_TIMEOUT)
            self._socket.bind((0, 0))
        except OSError as error:
            raise RefusalError(error.errno or errno.EIO) from error
        # What has not been written to takes no memory: most namespaces fill a page or two of it.
        self._words: Words = np.empty(_BUFFER_BYTES // 4, np.uint32)
        self._buffer = self._words.data.cast("B")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def dump(self, query: DumpQuery, sink: Sink) -> DumpReport:
        """Hand ``sink`` every TCP socket that ``query`` asks for.

        Raises:
            BytecodeRefused: the kernel refuses the query's bytecode; without it the query may do.
            RefusalError: the kernel refuses.
        """
        if len(query.bytecode) > LONGEST_BYTECODE:
            raise BytecodeRefused(errno.EMSGSIZE)
        try:
            return self._exchange(query, sink)
        except RefusalError as error:
            if query.bytecode and error.number in (errno.EINVAL, errno.EPERM):
                raise BytecodeRefused(error.number) from error
            raise

    def look_up(self, wanted: SocketId) -> FoundSocket | None:
        """All that the kernel tells of one socket; None where it is gone.

        Raises:
            RefusalError: the kernel refuses, or what it says is not understood.
        """
        try:
            lookup = self._ask(wanted)
        except RefusalError as error:
            # Before 4.5 a socket with another cookie is ESTALE. A dump says ENOENT only where no table is to be had.
            if error.number in (errno.ENOENT, errno.ESTALE) and not wanted.is_listener:
                return None
            raise
        if lookup.found is None and lookup.is_damaged:
            raise RefusalError(errno.EBADMSG)
        return lookup.found

    def _ask(self, wanted: SocketId) -> Lookup:
        """Send the question and take what comes until it is answered."""
        sequence = _new_sequence()
        lookup = Lookup(sequence, wanted.cookie, is_dump=wanted.is_listener)
        self._send(lookup_request(wanted, sequence))
        while not lookup.done:
            size = self._receive_datagram(0)
            if size is None:
                raise RefusalError(errno.ENOBUFS)
            lookup.feed(self._words[: size + 3 >> 2])
        return lookup

    def _exchange(self, query: DumpQuery, sink: Sink) -> DumpReport:
        """Send the request and take what comes until the dump is done."""
        sequence = _new_sequence()
        decoder = Decoder(sequence, sink, wants_marks=query.wants_marks, wants_info=query.wants_info)
        started = time.perf_counter()
        self._send(dump_request(query, sequence))
        receive_s = time.perf_counter() - started
        decode_s = 0.0
        while not decoder.done:
            started = time.perf_counter()
            filled, lost = self._receive()
            received = time.perf_counter()
            decoder.feed(self._words[: filled // 4])
            decoder.interrupted |= lost
            receive_s += received - started
            decode_s += time.perf_counter() - received
        return DumpReport(decoder.interrupted, decoder.skipped, receive_s, decode_s)

    def _send(self, request: bytes) -> None:
        # After an exchange that was given up: the kernel begins no dump before it has told the rest of the last one.
        while self._discard_leftover():
            pass
        try:
            self._socket.send(request)
        except OSError as error:
            raise RefusalError(error.errno or errno.EIO) from error

    def _discard_leftover(self) -> bool:
        """Take a datagram that nobody has waited for out of the queue; whether there may be more."""
        try:
            self._socket.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise RefusalError(error.errno or errno.EIO) from error
        return True

    def _receive(self) -> tuple[int, bool]:
        """Fill the buffer with datagrams until it is full or the dump ends: bytes filled, and whether any was lost."""
        filled = 0
        view = memoryview(self._buffer)
        while filled <= _BUFFER_BYTES - _LARGEST_DATAGRAM:
            size = self._receive_datagram(filled)
            if size is None:
                return filled, True
            last_type = struct.unpack_from("=H", view, filled + 4)[0]
            filled += (size + 3) & ~3
            if last_type in (NLMSG_DONE, NLMSG_ERROR) or _ends_with_done(view, filled):
                break
        return filled, False

    def _receive_datagram(self, start: int) -> int | None:
        """Put one datagram into the buffer from byte ``start`` on: its size, or None where one was lost."""
        try:
            size = self._socket.recv_into(memoryview(self._buffer)[start:], 0, socket.MSG_TRUNC)
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return None
            raise RefusalError(error.errno or errno.EIO) from error
        return size if size <= _BUFFER_BYTES - start else None


def _ends_with_done(view: memoryview, end: int) -> bool:
    """Whether the 20 bytes before ``end`` are an NLMSG_DONE: the kernel appends it to the last datagram."""
    return end >= 20 and struct.unpack_from("=IH", view, end - 20) == (20, NLMSG_DONE)


def _new_sequence() -> int:
    """A sequence number above any length, type or flag word, so that the search for it seldom meets another."""
    return random.randrange(1 << 24, 1 << 31)


def dump_request(query: DumpQuery, sequence: int) -> bytes:
    """The request for a dump, with the bytecode if any."""
    extensions = _extension(INET_DIAG_INFO) if query.wants_info else 0
    body = _request_body(query.family, extensions, query.states_mask)
    body += struct.pack(">HH44x", query.local_port, query.remote_port)
    if query.bytecode:
        body += struct.pack("=HH", 4 + len(query.bytecode), INET_DIAG_REQ_BYTECODE) + query.bytecode
    return _with_header(body, NLM_F_REQUEST | NLM_F_DUMP, sequence)


def lookup_request(wanted: SocketId, sequence: int) -> bytes:
    """The request for one socket with all its details.

    For a listener it is a dump of those with its local port: an exact lookup of an address and port finds any one of
    the listeners that share them (SO_REUSEPORT), and then complains about its cookie.
    """
    extensions = sum(map(_extension, DETAIL_ATTRIBUTES))
    body = _request_body(wanted.family, extensions, _LISTEN_MASK if wanted.is_listener else 0) + wanted.packed()
    return _with_header(body, NLM_F_REQUEST | (NLM_F_DUMP if wanted.is_listener else 0), sequence)


def _extension(attribute: int) -> int:
    """The bit of ``idiag_ext`` that asks for an attribute."""
    return 1 << attribute - 1


def _request_body(family: int, extensions: int, states_mask: int) -> bytes:
    """``struct inet_diag_req_v2`` up to its sockid."""
    return struct.pack("=BBBBI", family, socket.IPPROTO_TCP, extensions, 0, states_mask)


def _with_header(body: bytes, flags: int, sequence: int) -> bytes:
    """``struct nlmsghdr`` and what follows it."""
    return struct.pack("=IHHII", 16 + len(body), SOCK_DIAG_BY_FAMILY, flags, sequence, 0) + body

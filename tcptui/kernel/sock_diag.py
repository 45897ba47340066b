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

import numpy as np

from tcptui.kernel.decode import NLMSG_DONE, NLMSG_ERROR, SOCK_DIAG_BY_FAMILY, Decoder, RefusalError, Sink, Words

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
        self._buffer = bytearray(_BUFFER_BYTES)
        self._words: Words = np.frombuffer(self._buffer, np.uint32)

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

    def _exchange(self, query: DumpQuery, sink: Sink) -> DumpReport:
        """Send the request and take what comes until the dump is done."""
        # A sequence number above any length, type or flag word, so that the search for it seldom meets another.
        sequence = random.randrange(1 << 24, 1 << 31)
        decoder = Decoder(sequence, sink, wants_marks=query.wants_marks)
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
        try:
            self._socket.send(request)
        except OSError as error:
            raise RefusalError(error.errno or errno.EIO) from error

    def _receive(self) -> tuple[int, bool]:
        """Fill the buffer with datagrams until it is full or the dump ends: bytes filled, and whether any was lost."""
        filled = 0
        view = memoryview(self._buffer)
        while filled <= _BUFFER_BYTES - _LARGEST_DATAGRAM:
            try:
                size = self._socket.recv_into(view[filled:], 0, socket.MSG_TRUNC)
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    return filled, True
                raise RefusalError(error.errno or errno.EIO) from error
            if size > _BUFFER_BYTES - filled:
                return filled, True
            last_type = struct.unpack_from("=H", view, filled + 4)[0]
            filled += (size + 3) & ~3
            if last_type in (NLMSG_DONE, NLMSG_ERROR) or _ends_with_done(view, filled):
                break
        return filled, False


def _ends_with_done(view: memoryview, end: int) -> bool:
    """Whether the 20 bytes before ``end`` are an NLMSG_DONE: the kernel appends it to the last datagram."""
    return end >= 20 and struct.unpack_from("=IH", view, end - 20) == (20, NLMSG_DONE)


def dump_request(query: DumpQuery, sequence: int) -> bytes:
    """``struct nlmsghdr`` and ``struct inet_diag_req_v2`` for a dump without extensions, and the bytecode if any."""
    body = struct.pack("=BBBBI", query.family, socket.IPPROTO_TCP, 0, 0, query.states_mask)
    body += struct.pack(">HH44x", query.local_port, query.remote_port)
    if query.bytecode:
        body += struct.pack("=HH", 4 + len(query.bytecode), INET_DIAG_REQ_BYTECODE) + query.bytecode
    header = struct.pack("=IHHII", 16 + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0)
    return header + body

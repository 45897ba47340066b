"""A chain of netlink messages as arrays.

Two ways lead to the same rows. The fast one takes every word that equals the request's sequence number for part of a
header, and proves the guess: each message must begin where the one before ends, the first at the beginning, and the
last must end at the end. Where the proof fails, the chain is walked message by message.
"""

import errno
import os
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import SourceError
from tcptui.kernel.tcp_info import INET_DIAG_INFO, INFO_OFFSETS, Details, details
from tcptui.language import tr

NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR = 2
NLMSG_DONE = 3
SOCK_DIAG_BY_FAMILY = 20
INET_DIAG_MARK = 15
INET_DIAG_CGROUP_ID = 21

INET_DIAG_MSG = np.dtype(
    {
        "names": [
            *("idiag_family", "idiag_state", "idiag_timer", "idiag_retrans", "idiag_sport", "idiag_dport"),
            *("idiag_src_hi", "idiag_src_lo", "idiag_dst_hi", "idiag_dst_lo", "idiag_if", "idiag_cookie"),
            *("idiag_expires", "idiag_rqueue", "idiag_wqueue", "idiag_uid", "idiag_inode"),
        ],
        "formats": [
            *("u1", "u1", "u1", "u1", ">u2", ">u2"),
            *(">u8", ">u8", ">u8", ">u8", "u4", "u8"),
            *("u4", "u4", "u4", "u4", "u4"),
        ],
        "offsets": [0, 1, 2, 3, 4, 6, 8, 16, 24, 32, 40, 44, 52, 56, 60, 64, 68],
        "itemsize": 72,
    }
)
"""``struct inet_diag_msg``. An IPv4 address fills the upper four bytes of ``idiag_src_hi`` and ``idiag_dst_hi``."""

HIGHEST_ERRNO = 4095
"""``MAX_ERRNO`` of ``include/linux/err.h``."""

Words = NDArray[np.uint32]
Index = NDArray[np.int64]

_HEADER_WORDS = 4
_MESSAGE_WORDS = INET_DIAG_MSG.itemsize // 4
_SHORTEST_ROW = (_HEADER_WORDS + _MESSAGE_WORDS) * 4
_ROW_WORDS = np.arange(_HEADER_WORDS, _HEADER_WORDS + _MESSAGE_WORDS)
_CGROUP_HEADER = np.frombuffer(struct.pack("=HH", 12, INET_DIAG_CGROUP_ID), np.uint32)[0]
"""First word of ``struct nlattr`` for a cgroup id: 4 bytes of header, 8 of value."""
_MARK_HEADER = np.frombuffer(struct.pack("=HH", 8, INET_DIAG_MARK), np.uint32)[0]
_NLA_TYPE_MASK = 0x3FFF
"""The upper two bits of an attribute's type are flags."""
_RTT_WORD = 1 + INFO_OFFSETS["tcpi_rtt"] // 4
"""Counted from the attribute's header."""
_TOTAL_RETRANS_WORD = 1 + INFO_OFFSETS["tcpi_total_retrans"] // 4
_LAST_DATA_WORD = 1 + INFO_OFFSETS["tcpi_last_data_recv"] // 4
_LAST_ACK_WORD = 1 + INFO_OFFSETS["tcpi_last_ack_recv"] // 4
_SHORTEST_INFO_WORDS = _TOTAL_RETRANS_WORD + 1


class Infos(NamedTuple):
    """Out of ``struct tcp_info``: one value a row, 0 where it has none (FACTS section 6.2)."""

    rtt_us: NDArray[np.uint32]
    """``tcpi_rtt``, smoothed; 0 also where nothing has been measured yet."""
    total_retransmits: NDArray[np.uint32]
    """``tcpi_total_retrans``, since the connection was opened."""
    idle_ms: NDArray[np.uint32]
    """Since the peer was last heard: the less of ``tcpi_last_data_recv`` and ``tcpi_last_ack_recv``."""


class Attributes(NamedTuple):
    """What rows bring along behind ``INET_DIAG_MSG``: one value a row, 0 where it has none."""

    cgroup_ids: NDArray[np.uint64]
    marks: NDArray[np.uint32] | None
    """``SO_MARK``; None where nobody asked. The kernel tells them to CAP_NET_ADMIN alone (FACTS section 6.2)."""
    infos: Infos | None = None
    """None where nobody asked."""


Sink = Callable[[NDArray[np.void], Attributes], None]
"""Takes rows of dtype ``INET_DIAG_MSG`` and their attributes. Both may be reused after it returns."""


class RefusalError(SourceError):
    """The kernel answers with an errno instead of a dump."""

    def __init__(self, number: int) -> None:
        is_missing = number == errno.ENOENT
        hint = tr("load the module tcp_diag, or use --source proc") if is_missing else tr("use --source proc")
        super().__init__(tr("the kernel gives no sock_diag dump ({reason})", reason=tr(os.strerror(number))), hint)
        self.number = number


class Decoder:
    """Rows out of the datagrams of one dump, fed in order and handed on while they are still in the cache."""

    def __init__(self, sequence: int, sink: Sink, *, wants_marks: bool = False, wants_info: bool = False) -> None:
        self.done = False
        """The kernel has said that the dump is complete."""
        self.interrupted = False
        self.skipped = 0
        """Messages that are not a socket of this dump, and tails that are not a whole message."""
        self._sequence = np.uint32(sequence)
        self._sink = sink
        self._wants_marks = wants_marks
        self._wants_info = wants_info

    def feed(self, words: Words) -> None:
        """Take whole datagrams, each padded to 4 bytes. The buffer may be reused afterwards.

        Raises:
            RefusalError: the kernel answered with an error.
        """
        starts = message_starts(words, self._sequence)
        if not is_whole(words, starts):
            self.skipped += 1
        if not len(starts):
            return
        halves = words.view(np.uint16)
        types, flags = halves[starts * 2 + 2], halves[starts * 2 + 3]
        self.interrupted |= bool(np.any(flags & NLM_F_DUMP_INTR))
        is_row = (types == SOCK_DIAG_BY_FAMILY) & (words[starts + 2] == self._sequence)
        is_row &= words[starts] >= _SHORTEST_ROW
        if not is_row.all():
            self._control(words, starts[~is_row])
            starts = starts[is_row]
        if len(starts):
            rows = words[starts[:, None] + _ROW_WORDS].view(INET_DIAG_MSG)[:, 0]
            attributes = _attributes(words, starts, wants_marks=self._wants_marks, wants_info=self._wants_info)
            self._sink(rows, attributes)

    def _control(self, words: Words, starts: Index) -> None:
        """Take messages that are not rows: the end, an error, something unknown."""
        for start in starts.tolist():
            kind = int(words.view(np.uint16)[start * 2 + 2])
            if kind not in (NLMSG_DONE, NLMSG_ERROR) or words[start + 2] != self._sequence:
                self.skipped += 1
                continue
            self.done = True
            _raise_refusal(words, start)


class FoundSocket(NamedTuple):
    """One socket with all that was asked about it."""

    row: np.void
    """Of dtype ``INET_DIAG_MSG``."""
    details: Details


class Lookup:
    """One socket, told by its cookie, out of the datagrams that answer one request, fed in order."""

    def __init__(self, sequence: int, cookie: int, *, is_dump: bool) -> None:
        self.done = False
        """Nothing more will come."""
        self.found: FoundSocket | None = None
        self.is_damaged = False
        """Something was not understood: a socket that was not found may be there all the same."""
        self._sequence = np.uint32(sequence)
        self._cookie = cookie
        self._is_dump = is_dump
        """Whether the answer is a dump of several sockets, or one message."""

    def feed(self, words: Words) -> None:
        """Take whole datagrams, each padded to 4 bytes. Answers to other requests are passed over.

        Raises:
            RefusalError: the kernel answered with an error; ENOENT stands for a socket that is gone.
        """
        starts = message_starts(words, self._sequence)
        self.is_damaged |= not is_whole(words, starts)
        for start in starts.tolist():
            if words[start + 2] == self._sequence:
                self._take(words, start)
        self.done |= self.is_damaged and not self._is_dump

    def _take(self, words: Words, start: int) -> None:
        length, kind = int(words[start]), int(words.view(np.uint16)[start * 2 + 2])
        if kind == SOCK_DIAG_BY_FAMILY and length >= _SHORTEST_ROW:
            self._take_row(words[start : start + (length + 3 >> 2)].tobytes()[_HEADER_WORDS * 4 : length])
            self.done |= not self._is_dump
        elif kind in (NLMSG_DONE, NLMSG_ERROR):
            self.done = True
            _raise_refusal(words, start)
        else:
            self.is_damaged = True

    def _take_row(self, payload: bytes) -> None:
        row = np.frombuffer(payload[: INET_DIAG_MSG.itemsize], INET_DIAG_MSG)[0]
        if row["idiag_cookie"] == self._cookie:
            self.found = FoundSocket(row, details(dict(_attribute_values(payload[INET_DIAG_MSG.itemsize :]))))


def _attribute_values(chain: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each ``struct nlattr`` of ``chain``, as far as they are whole."""
    position = 0
    while position + 4 <= len(chain):
        length, kind = struct.unpack_from("=HH", chain, position)
        if length < 4 or position + length > len(chain):
            return
        yield kind & _NLA_TYPE_MASK, chain[position + 4 : position + length]
        position += length + 3 & ~3


def _raise_refusal(words: Words, start: int) -> None:
    """Raise the error that an NLMSG_DONE or NLMSG_ERROR brings, if any."""
    status = int(words[start + _HEADER_WORDS : start + _HEADER_WORDS + 1].view(np.int32).sum())
    if status < 0:
        raise RefusalError(min(-status, HIGHEST_ERRNO))


def message_starts(words: Words, sequence: np.uint32) -> Index:
    """Index of the first word of every message in ``words``; a damaged tail is left out."""
    guessed = np.flatnonzero(words == sequence) - 2
    return guessed if _is_chain(words, guessed) else _walk(words)


def is_whole(words: Words, starts: Index) -> bool:
    """Whether the messages at ``starts``, which follow one another, leave nothing over."""
    if not len(starts):
        return not len(words)
    return int(starts[-1]) + (int(words[starts[-1]]) + 3 >> 2) == len(words)


def _is_chain(words: Words, starts: Index) -> bool:
    """Whether messages at ``starts`` follow one another without a gap and fill ``words``."""
    if not len(starts) or starts[0] != 0:
        return False
    ends = starts + (words[starts].astype(np.int64) + 3 >> 2)
    return bool(ends[-1] == len(words) and np.array_equal(ends[:-1], starts[1:]))


def _walk(words: Words) -> Index:
    """Follow the chain one message at a time."""
    lengths = memoryview(words.data)
    starts = []
    position, end = 0, len(words)
    while position + _HEADER_WORDS <= end:
        length = lengths[position] + 3 >> 2
        if length < _HEADER_WORDS or position + length > end:
            break
        starts.append(position)
        position += length
    return np.array(starts, np.int64)


def _attributes(words: Words, starts: Index, *, wants_marks: bool, wants_info: bool) -> Attributes:
    """The attributes of the messages at ``starts``: all messages are walked in step.

    The kernel writes each attribute once at most. Where the cgroup id is all that is wanted, the walk ends there.
    """
    count = len(starts)
    cgroup_ids = np.zeros(count, np.uint64)
    marks = np.zeros(count, np.uint32) if wants_marks else None
    infos = Infos(*(np.zeros(count, np.uint32) for _ in Infos._fields)) if wants_info else None
    rows = np.arange(count)
    ends = starts + (words[starts] >> 2)
    at = starts + (_HEADER_WORDS + _MESSAGE_WORDS)
    while len(rows):
        inside = at < ends
        if not inside.all():
            rows, at, ends = rows[inside], at[inside], ends[inside]
        headers = words[at]
        has_cgroup = (headers == _CGROUP_HEADER) & (at + 3 <= ends)
        value_at = at[has_cgroup] + 1
        cgroup_ids[rows[has_cgroup]] = words[value_at] | words[value_at + 1].astype(np.uint64) << np.uint64(32)
        sizes = words.view(np.uint16)[at * 2].astype(np.int64) + 3 >> 2
        more = sizes > 0
        if marks is None and infos is None:
            more &= ~has_cgroup
        if marks is not None:
            has_mark = (headers == _MARK_HEADER) & (at + 2 <= ends)
            marks[rows[has_mark]] = words[at[has_mark] + 1]
        if infos is not None:
            _take_infos(infos, words, rows, at, at + sizes <= ends)
        rows, at, ends = rows[more], at[more] + sizes[more], ends[more]
    return Attributes(cgroup_ids, marks, infos)


def _take_infos(infos: Infos, words: Words, rows: Index, at: Index, is_whole: NDArray[np.bool_]) -> None:
    """Take what is wanted of ``struct tcp_info`` where the attributes at ``at`` are one of at least 104 bytes."""
    halves = words.view(np.uint16)
    has_info = (halves[at * 2 + 1] == INET_DIAG_INFO) & (halves[at * 2] >= _SHORTEST_INFO_WORDS * 4) & is_whole
    info_at, rows = at[has_info], rows[has_info]
    infos.rtt_us[rows] = words[info_at + _RTT_WORD]
    infos.total_retransmits[rows] = words[info_at + _TOTAL_RETRANS_WORD]
    infos.idle_ms[rows] = np.minimum(words[info_at + _LAST_DATA_WORD], words[info_at + _LAST_ACK_WORD])

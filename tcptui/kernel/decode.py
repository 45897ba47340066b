"""A chain of netlink messages as arrays.

Two ways lead to the same rows. The fast one takes every word that equals the request's sequence number for part of a
header, and proves the guess: each message must begin where the one before ends, the first at the beginning, and the
last must end at the end. Where the proof fails, the chain is walked message by message.
"""

import errno
import os
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import SourceError

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


class Attributes(NamedTuple):
    """What rows bring along behind ``INET_DIAG_MSG``: one value a row, 0 where it has none."""

    cgroup_ids: NDArray[np.uint64]
    marks: NDArray[np.uint32] | None
    """``SO_MARK``; None where nobody asked. The kernel tells them to CAP_NET_ADMIN alone (FACTS section 6.2)."""


Sink = Callable[[NDArray[np.void], Attributes], None]
"""Takes rows of dtype ``INET_DIAG_MSG`` and their attributes. Both may be reused after it returns."""


class RefusalError(SourceError):
    """The kernel answers with an errno instead of a dump."""

    def __init__(self, number: int) -> None:
        hint = "load the module tcp_diag, or use --source proc" if number == errno.ENOENT else "use --source proc"
        super().__init__(f"the kernel gives no sock_diag dump ({os.strerror(number)})", hint)
        self.number = number


class Decoder:
    """Rows out of the datagrams of one dump, fed in order and handed on while they are still in the cache."""

    def __init__(self, sequence: int, sink: Sink, *, wants_marks: bool = False) -> None:
        self.done = False
        """The kernel has said that the dump is complete."""
        self.interrupted = False
        self.skipped = 0
        """Messages that are not a socket of this dump, and tails that are not a whole message."""
        self._sequence = np.uint32(sequence)
        self._sink = sink
        self._wants_marks = wants_marks

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
            self._sink(rows, _attributes(words, starts, wants_marks=self._wants_marks))

    def _control(self, words: Words, starts: Index) -> None:
        """Take messages that are not rows: the end, an error, something unknown."""
        for start in starts.tolist():
            kind = int(words.view(np.uint16)[start * 2 + 2])
            if kind not in (NLMSG_DONE, NLMSG_ERROR) or words[start + 2] != self._sequence:
                self.skipped += 1
                continue
            self.done = True
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


def _attributes(words: Words, starts: Index, *, wants_marks: bool) -> Attributes:
    """The attributes of the messages at ``starts``: all messages are walked in step.

    The kernel writes each attribute once at most. Where the cgroup id is all that is wanted, the walk ends there.
    """
    cgroup_ids = np.zeros(len(starts), np.uint64)
    marks = np.zeros(len(starts), np.uint32) if wants_marks else None
    rows = np.arange(len(starts))
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
        if marks is None:
            more &= ~has_cgroup
        else:
            has_mark = (headers == _MARK_HEADER) & (at + 2 <= ends)
            marks[rows[has_mark]] = words[at[has_mark] + 1]
        rows, at, ends = rows[more], at[more] + sizes[more], ends[more]
    return Attributes(cgroup_ids, marks)

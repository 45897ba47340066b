"""What the descriptors of one process are, kept and brought up to date with as few readings as may be."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from tcptui.analysis.matching import positions
from tcptui.kernel.processes import CLOSED, NO_SOCKET, Numbers, ProcessFolder
from tcptui.model.owners import Descriptors, Process

CHUNK = 1024
"""Links that are read at a time: 3 ms."""
MISSES = 32
"""Free numbers in a row behind which no more descriptors are looked for."""
NEVER = -1

_READ, _DOUBTFUL, _UNREAD = range(3)
"""Of a link: it says what is known; it may say something new; it has not been read since a reading of all began."""

Inodes = NDArray[np.int64]
Turn = int
"""The number of a look: tells what was before what, which clocks of two readings do not."""


class DescriptorTable:
    """The descriptors of one process, as far as they have been read.

    What reads does so a chunk at a time, and gives the sockets that each chunk has told of. It may be left off behind
    any of them: what was read is kept, what a link said before stands until it is read anew, and ``go_on`` or
    ``read_doubtful`` reads the rest.
    """

    def __init__(self, process: Process) -> None:
        """Know nothing yet."""
        self.process = process
        self.is_described = False
        """Whether ``process`` is as it was when the links were last read."""
        self.count = Descriptors(0, None)
        self.is_refused = False
        """Whether it does not show its descriptors."""
        self.has_sockets = False
        self.had_sockets = False
        """Whether it had any in an earlier reading."""
        self.has_news = False
        """Whether a socket has come or gone since that was last set to false."""
        self.listed_in: Turn = NEVER
        """The last look that listed the descriptors."""
        self.read_in: Turn = NEVER
        """The look as of which all descriptors are known: it began a reading of them all that has been finished."""
        self.begun_in: Turn = NEVER
        """The same of a reading that may not be finished."""
        self.begun_s = self.counted_s = -np.inf
        """When that was begun, and when the descriptors were counted last."""
        self.checked_in: Turn = NEVER
        """The last look that read links to sockets that were gone by then."""
        self._numbers: Numbers = np.zeros(0, np.uint32)
        """Rising."""
        self._inodes: Inodes = np.zeros(0, np.int64)
        """Of the socket that each is, or ``NO_SOCKET``."""
        self._due = np.zeros(0, np.uint8)
        """Which links are to be read."""

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def sockets(self) -> Inodes:
        """Inodes of its sockets; one that it has two descriptors of stands twice."""
        return self._inodes[self._inodes > NO_SOCKET]

    @property
    def is_half_read(self) -> bool:
        """Whether a reading of all links was left off."""
        return bool((self._due == _UNREAD).any())

    @property
    def is_doubtful(self) -> bool:
        """Whether there are links left that may say something new."""
        return bool((self._due == _DOUBTFUL).any())

    def refuse(self, turn: Turn, now_s: float) -> None:
        """Note that it does not show its descriptors, which is all that there is to be read of it."""
        self.has_news |= self.has_sockets
        self._numbers, self._inodes, self._due = self._numbers[:0], self._inodes[:0], self._due[:0]
        self.is_refused = True
        self._note_sockets()
        self.listed_in = self.read_in = self.begun_in = turn
        self.begun_s = now_s

    def read_all(self, folder: ProcessFolder, turn: Turn, now_s: float) -> Iterator[Inodes]:
        """List the descriptors and read every link."""
        self._list(folder, turn)
        self.is_refused = self.is_described = False
        self.begun_in, self.begun_s = turn, now_s
        self._due[:] = _UNREAD
        return self.go_on(folder)

    def read_new(self, folder: ProcessFolder, turn: Turn, alive: NDArray[np.uint32]) -> Iterator[Inodes]:
        """List the descriptors and read the links that may say something new.

        A link to a socket that is ``alive`` (rising inodes) is taken to say what it said.
        """
        self._list(folder, turn)
        self._due[(self._due == _READ) & (positions(alive, self._inodes) < 0)] = _DOUBTFUL
        return self.read_doubtful(folder)

    def go_on(self, folder: ProcessFolder) -> Iterator[Inodes]:
        """Go on with a reading of every link."""
        self._note_end()
        yield from self._in_chunks(folder, self._numbers[self._due == _UNREAD])

    def read_doubtful(self, folder: ProcessFolder) -> Iterator[Inodes]:
        """Read the links that are left of those that may say something new."""
        yield from self._in_chunks(folder, self._numbers[self._due == _DOUBTFUL])

    def probe(self, folder: ProcessFolder, turn: Turn, gone: NDArray[np.uint32]) -> Iterator[Inodes]:
        """Read, without listing, the links that would say something new if sockets had been opened.

        That is those to sockets that are ``gone`` (rising inodes), and the free numbers: the kernel gives out the
        lowest (``fs/file.c: alloc_fd()``).
        """
        yield from self._in_chunks(folder, self._numbers[positions(gone, self._inodes) >= 0])
        self.checked_in = turn
        free = _gaps(self._numbers)
        size = MISSES
        while True:
            numbers = np.fromiter(islice(free, size), np.uint32)
            inodes = self._read(folder, numbers)
            yield inodes[inodes > NO_SOCKET]
            if (inodes[-MISSES:] == CLOSED).all():
                return
            size = min(size * 2, CHUNK)

    def recount(self, folder: ProcessFolder) -> None:
        """Note how many descriptors there are; before Linux 6.2 that is how many are known."""
        told = folder.descriptor_count()
        self.count = replace(self.count, open=len(self) if told is None else told)

    def _list(self, folder: ProcessFolder, turn: Turn) -> None:
        numbers = folder.descriptors()
        at = positions(self._numbers, numbers)
        known = at[at >= 0]
        inodes, due = np.full(len(numbers), NO_SOCKET), np.full(len(numbers), _DOUBTFUL, np.uint8)
        inodes[at >= 0], due[at >= 0] = self._inodes[known], self._due[known]
        self.has_news |= np.count_nonzero(inodes > NO_SOCKET) != np.count_nonzero(self._inodes > NO_SOCKET)
        self._numbers, self._inodes, self._due = numbers, inodes, due
        self._note_sockets()
        self.listed_in = turn
        self.recount(folder)

    def _in_chunks(self, folder: ProcessFolder, numbers: Numbers) -> Iterator[Inodes]:
        for start in range(0, len(numbers), CHUNK):
            inodes = self._read(folder, numbers[start : start + CHUNK])
            yield inodes[inodes > NO_SOCKET]

    def _read(self, folder: ProcessFolder, numbers: Numbers) -> Inodes:
        """What the links of ``numbers``, which rise, say; noted."""
        said = folder.socket_inodes(numbers.tolist())
        at = positions(self._numbers, numbers)
        is_known = at >= 0
        before = np.full(len(numbers), CLOSED)
        before[is_known] = self._inodes[at[is_known]]
        self.has_news |= bool(((before != said) & ((before > NO_SOCKET) | (said > NO_SOCKET))).any())
        self._inodes[at[is_known]], self._due[at[is_known]] = said[is_known], _READ
        if (is_known & (said == CLOSED)).any():
            self._drop_closed()
        is_new = ~is_known & (said != CLOSED)
        if is_new.any():
            self._insert(numbers[is_new], said[is_new])
        self._note_sockets()
        self._note_end()
        return said

    def _insert(self, numbers: Numbers, inodes: Inodes) -> None:
        at = np.searchsorted(self._numbers, numbers)
        self._numbers = np.insert(self._numbers, at, numbers)
        self._inodes = np.insert(self._inodes, at, inodes)
        self._due = np.insert(self._due, at, _READ)

    def _drop_closed(self) -> None:
        is_open = self._inodes != CLOSED
        self._numbers, self._inodes, self._due = self._numbers[is_open], self._inodes[is_open], self._due[is_open]

    def _note_sockets(self) -> None:
        self.had_sockets |= self.has_sockets
        self.has_sockets = bool((self._inodes > NO_SOCKET).any())

    def _note_end(self) -> None:
        """Where nothing is left unread, the reading of all descriptors has come to its end."""
        if not self.is_half_read:
            self.read_in = self.begun_in


def _gaps(numbers: Numbers) -> Iterator[int]:
    """What is not among ``numbers``, which rise; rising without an end."""
    ends = numbers.astype(np.int64)
    starts = np.append(0, ends + 1)
    is_gap = starts[:-1] < ends
    for start, end in zip(starts[:-1][is_gap].tolist(), ends[is_gap].tolist(), strict=True):
        yield from range(start, end)
    yield from count(int(starts[-1]))

"""Which TCP sockets the kernel frees, as it tells in the destroy events of sock_diag(7) (FACTS section 6.6).

Any user may subscribe, one network namespace at a time. An event is one datagram: header, ``inet_diag_msg``,
``tcp_info``; the first two are taken. What it means, and what it does not (Linux 6.18, tried):

- A socket is freed when its program has closed it and the connection needs no full socket any more: at the active
  closer that is the entry into TIME_WAIT or orphan FIN_WAIT2, which go on as a mini-socket. That has the same cookie
  only if the socket had one, and it has none before somebody first asks. The end of a mini-socket and of SYN_RECV makes
  no event.
- A connection that ended while its program keeps the descriptor makes its event at ``close(2)``, however late.
- The kernel sends events from a workqueue, a moment after the socket has left the table.
- A socket that never had a peer, listeners among them, has no remote address: its event is left out. An attempt to
  connect that failed has one.
- ``tcp_disconnect()`` clears the remote port, and a local address that was not bound explicitly: so it is with a
  connection that its own side has reset (SO_LINGER 0, a listener closed over its accept queue), and with a
  ``connect(2)`` that was refused.

A subscription makes the kernel work for every socket that is closed, in every namespace of the machine: it looks for
listeners without regard to namespaces (``netlink_has_listeners()``; measured too). So a flood is not listened to for
long, and nowhere.
"""

import ctypes
import math
import os
import select
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tcptui.errors import SourceError, system_reason
from tcptui.kernel.decode import INET_DIAG_MSG, SOCK_DIAG_BY_FAMILY, Words
from tcptui.kernel.sock_diag import NETLINK_SOCK_DIAG
from tcptui.language import tr

GROUPS = {4: 1, 6: 3}
"""``SKNLGRP_INET_TCP_DESTROY`` and ``SKNLGRP_INET6_TCP_DESTROY``."""

BUFFER_BYTES = 4 * 1024 * 1024
"""Receive buffer to ask for. The kernel doubles it and counts 1,280 bytes an event: 6,553 events. A user without
CAP_NET_ADMIN gets ``net.core.rmem_max`` at most, of which the usual 212,992 are 332 events."""
CAPACITY = 65_536
"""Events kept between two takes."""
REST_S = 0.015
"""Pause before the queues are emptied, so that a busy machine wakes us 66 times a second and not for every socket."""

WINDOW_S = 1.0
"""What is judged: at least so much time at once."""
MOST_PER_SECOND = 20_000
"""Each event costs the kernel 2 to 3 µs and us 1 to 2 (measured where a connection over loopback costs 32): so many are
a tenth of a processor."""
MOST_OVERFLOWS = 3
"""Windows in a row in which the kernel found a receive buffer full."""
PAUSE_S = 60.0

_SOL_NETLINK = 270
_NETLINK_ADD_MEMBERSHIP, _NETLINK_DROP_MEMBERSHIP = 1, 2
_SO_RCVBUFFORCE = 33
_HEADER_WORDS = 4
_SLOT_WORDS = _HEADER_WORDS + INET_DIAG_MSG.itemsize // 4
_SLOT_BYTES = _SLOT_WORDS * 4
_SLOTS = 1024
_MOST_READS = CAPACITY // _SLOTS
_REMOTE_PORT_HALF = 11
_REMOTE_ADDRESS = slice(10, 14)

_VECTOR = np.dtype([("base", np.uintp), ("length", np.uintp)], align=True)
"""``struct iovec``."""
_MESSAGE_HEADER = np.dtype(
    [
        *(("name", np.uintp), ("name_length", np.uint32), ("vectors", np.uintp), ("vector_count", np.uintp)),
        *(("control", np.uintp), ("control_length", np.uintp), ("flags", np.uint32)),
    ],
    align=True,
)
"""``struct msghdr``."""
_MESSAGE = np.dtype([("header", _MESSAGE_HEADER), ("received", np.uint32)], align=True)
"""``struct mmsghdr``."""


class Mailbox:
    """Room for the beginnings of many datagrams, which one ``recvmmsg(2)`` fills.

    A call for each of them would take the interpreter's lock as often: 300 events took 180 ms beside a thread that
    computes, and take 6 so.
    """

    def __init__(self, slot_count: int = _SLOTS) -> None:
        """Make the room.

        Raises:
            SourceError: the C library has no ``recvmmsg``.
        """
        try:
            self._recvmmsg = ctypes.CDLL(None, use_errno=True).recvmmsg
        except AttributeError as error:
            raise _refusal(tr("no recvmmsg")) from error
        self._recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
        self._slots: Words = np.zeros((slot_count, _SLOT_WORDS), np.uint32)
        self._vectors = np.zeros(slot_count, _VECTOR)
        self._vectors["base"] = self._slots.ctypes.data + np.arange(slot_count) * _SLOT_BYTES
        self._vectors["length"] = _SLOT_BYTES
        self._messages = np.zeros(slot_count, _MESSAGE)
        self._messages["header"]["vectors"] = self._vectors.ctypes.data + np.arange(slot_count) * _VECTOR.itemsize
        self._messages["header"]["vector_count"] = 1

    def fill_from(self, descriptor: int) -> Words:
        """The datagrams that wait, one a row of ``_SLOT_WORDS``; shorter ones are left out.

        Raises:
            BlockingIOError: none waits.
            OSError: ENOBUFS says that the kernel has dropped some; those that it kept can still be read.
        """
        slot_count = len(self._slots)
        filled = self._recvmmsg(descriptor, self._messages.ctypes.data, slot_count, socket.MSG_DONTWAIT, None)
        if filled < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return self._slots[:filled][self._messages["received"][:filled] == _SLOT_BYTES]


def connections_among(slots: Words) -> Words:
    """The ``inet_diag_msg`` of each destroy event in ``slots`` whose socket ever had a peer: 18 words a row."""
    halves = slots.view(np.uint16)
    is_event = (slots[:, 0] >= _SLOT_BYTES) & (halves[:, 2] == SOCK_DIAG_BY_FAMILY)
    had_peer = (halves[:, _REMOTE_PORT_HALF] != 0) | slots[:, _REMOTE_ADDRESS].any(axis=1)
    return slots[is_event & had_peer, _HEADER_WORDS:]


def _refusal(reason: str) -> SourceError:
    return SourceError(tr("the kernel does not tell which sockets it frees ({reason})", reason=reason))


class EventSocket(Protocol):
    """Where the events of one network namespace come from."""

    def fileno(self) -> int:
        """The descriptor that is readable when there are some."""

    def receive(self, mailbox: Mailbox) -> Words:
        """What ``mailbox`` is filled with, and the errors of that."""

    def join(self) -> None:
        """Ask for events."""

    def leave(self) -> None:
        """Ask for no more; those that wait stay."""

    def close(self) -> None:
        """Give it back."""


class DestroyEvents:
    """A netlink socket that is told of each TCP socket freed in the network namespace of the thread that makes it.

    Like any socket it keeps that namespace alive, whoever else has left it.
    """

    def __init__(self, families: Iterable[int] = (4, 6), buffer_bytes: int = BUFFER_BYTES) -> None:
        """Subscribe.

        Raises:
            SourceError: no such events here (seccomp, gVisor, Linux before 4.2).
        """
        self._groups = tuple(GROUPS[family] for family in families)
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
        except OSError as error:
            raise _refusal(system_reason(error)) from error
        try:
            self._socket.bind((0, 0))
            self._enlarge_buffer(buffer_bytes)
            self.join()
        except OSError as error:
            self._socket.close()
            raise _refusal(system_reason(error)) from error

    def _enlarge_buffer(self, size: int) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self, mailbox: Mailbox) -> Words:
        return mailbox.fill_from(self._socket.fileno())

    def join(self) -> None:
        for group in self._groups:
            self._socket.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)

    def leave(self) -> None:
        for group in self._groups:
            self._socket.setsockopt(_SOL_NETLINK, _NETLINK_DROP_MEMBERSHIP, group)

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True, eq=False)
class Taken:
    """The events since the take before."""

    messages: NDArray[np.void]
    """Dtype ``INET_DIAG_MSG``."""
    netns: NDArray[np.uint16]
    """For each message the namespace's index."""
    lost: int = 0
    """Events beyond ``CAPACITY``."""
    overflowed: bool = False
    """The kernel dropped some more, because it found a receive buffer full."""
    paused: bool = False
    """There was too much to tell: nobody listened since the last take, or will from here on, for ``PAUSE_S``."""


@dataclass(eq=False)
class _Pace:
    """How fast events come, judged by windows of ``WINDOW_S`` or more."""

    started_s: float = math.inf
    """Of the window; before the first take there is none."""
    received: int = 0
    """Datagrams in the window."""
    overflowed: bool = False
    """In the window."""
    overflows_in_a_row: int = 0
    """Windows."""

    def ends_in_flood(self, now_s: float) -> bool:
        """Whether a window ends here that had too many events; then another begins."""
        if self.started_s == math.inf:
            self.begin(now_s)
        window_s = now_s - self.started_s
        if window_s < WINDOW_S:
            return False
        self.overflows_in_a_row = self.overflows_in_a_row + 1 if self.overflowed else 0
        is_flood = self.overflows_in_a_row >= MOST_OVERFLOWS or self.received > MOST_PER_SECOND * window_s
        self.begin(now_s)
        return is_flood

    def begin(self, now_s: float) -> None:
        """Begin a window here."""
        self.started_s, self.received, self.overflowed = now_s, 0, False


@dataclass(eq=False)
class _Store:
    """The messages between two takes: room for a fixed number of them."""

    capacity: int
    filled: int = 0
    lost: int = 0
    _messages: Words = field(init=False)
    _netns: NDArray[np.uint16] = field(init=False)

    def __post_init__(self) -> None:
        self._messages = np.empty((self.capacity, INET_DIAG_MSG.itemsize // 4), np.uint32)
        self._netns = np.empty(self.capacity, np.uint16)

    def put(self, messages: Words, netns: int) -> None:
        start = self.filled
        self.filled = min(start + len(messages), self.capacity)
        kept = self.filled - start
        self._messages[start : self.filled] = messages[:kept]
        self._netns[start : self.filled] = netns
        self.lost += len(messages) - kept

    def empty(self) -> tuple[NDArray[np.void], NDArray[np.uint16], int]:
        """All that is kept and the number of what is not; then begin anew."""
        messages = self._messages[: self.filled].copy().view(INET_DIAG_MSG)[:, 0]
        netns, lost = self._netns[: self.filled].copy(), self.lost
        self.filled = self.lost = 0
        return messages, netns, lost


class DestroyCollector:
    """Gathers the events of any number of namespaces in one thread. All methods may be called from any thread.

    The thread waits where it was made, so make it outside of the namespaces that are watched: a thread keeps its
    namespace alive.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start the thread; it sleeps until the first event.

        Raises:
            SourceError: the C library lacks what is needed.
        """
        self._mailbox = Mailbox()
        self._store = _Store(capacity)
        self._namespaces: dict[int, tuple[int, EventSocket]] = {}
        """Index and events by descriptor."""
        self._pace = _Pace()
        self._paused_until_s: float | None = None
        self._overflowed = False
        """Since the last take."""
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._alarm = os.eventfd(0)
        self._epoll = select.epoll()
        self._epoll.register(self._alarm, select.EPOLLIN)
        self._thread = threading.Thread(target=self._listen, name="tcptui-destroyed", daemon=True)
        self._thread.start()

    def add(self, events: EventSocket, netns: int) -> None:
        """Listen to ``events`` too, of the namespace with index ``netns``; the socket is ours from here on."""
        with self._lock:
            self._namespaces[events.fileno()] = netns, events
            self._epoll.register(events.fileno(), select.EPOLLIN)
            if self._paused_until_s is not None:
                events.leave()

    def remove(self, netns: int) -> None:
        """Close what listens to the namespace with index ``netns``; its events since the last take stay."""
        with self._lock:
            for descriptor in [each for each, (index, _) in self._namespaces.items() if index == netns]:
                self._drain(descriptor)
                self._close(descriptor)

    def close(self) -> None:
        """Close everything and end the thread."""
        self._closing.set()
        os.eventfd_write(self._alarm, 1)
        self._thread.join()
        with self._lock:
            for descriptor in list(self._namespaces):
                self._close(descriptor)
        self._epoll.close()
        os.close(self._alarm)

    @property
    def has_room(self) -> bool:
        """Whether as many events again as are kept would find room: then there is no hurry to take them."""
        return self._store.filled <= self._store.capacity // 2

    def take(self, now_s: float) -> Taken:
        """The events since the last take, those that wait in the kernel included; pause what has too many of them.

        Take before the table is dumped: a socket of the events is then in the table as a mini-socket at most.

        Args:
            now_s: monotonic time.
        """
        with self._lock:
            was_paused = self._paused_until_s is not None
            self._drain_all()
            if self._paused_until_s is None:
                if self._pace.ends_in_flood(now_s):
                    self._pause(now_s)
            elif now_s >= self._paused_until_s:
                self._resume(now_s)
            messages, netns, lost = self._store.empty()
            overflowed, self._overflowed = self._overflowed, False
            paused = was_paused or self._paused_until_s is not None
        return Taken(messages, netns, lost, overflowed, paused)

    def _pause(self, now_s: float) -> None:
        for _, events in self._namespaces.values():
            events.leave()
        self._drain_all()
        self._paused_until_s = now_s + PAUSE_S

    def _resume(self, now_s: float) -> None:
        for _, events in self._namespaces.values():
            events.join()
        self._paused_until_s = None
        self._pace = _Pace(now_s)

    def _listen(self) -> None:
        """Wait for events, let some more come, gather them; until we close."""
        while not self._closing.is_set():
            ready = [descriptor for descriptor, _ in self._epoll.poll()]
            if self._closing.wait(REST_S):
                return
            with self._lock:
                for descriptor in ready:
                    if descriptor in self._namespaces:
                        self._drain(descriptor)

    def _drain_all(self) -> None:
        for descriptor in self._namespaces:
            self._drain(descriptor)

    def _drain(self, descriptor: int) -> None:
        """Keep what waits; no more than fits, for this must end where events come faster than they are read."""
        netns, events = self._namespaces[descriptor]
        for _ in range(_MOST_READS):
            try:
                slots = events.receive(self._mailbox)
            except BlockingIOError:
                return
            except OSError:
                self._overflowed = self._pace.overflowed = True
                continue
            self._store.put(connections_among(slots), netns)
            self._pace.received += len(slots)

    def _close(self, descriptor: int) -> None:
        _, events = self._namespaces.pop(descriptor)
        self._epoll.unregister(descriptor)
        events.close()

"""Destroy events: from datagrams to messages, and what becomes of them between two takes."""

import errno
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcptui.kernel.decode import INET_DIAG_MSG, Words
from tcptui.kernel.destroyed import (
    MOST_OVERFLOWS,
    MOST_PER_SECOND,
    PAUSE_S,
    DestroyCollector,
    EventSocket,
    Mailbox,
    Taken,
    connections_among,
)
from tcptui.model.address import address_text
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.sources.destroyed import trouble_of
from tcptui.sources.tables import rows_of_destroyed
from tests.kernel.messages import (
    AF_INET,
    AF_INET6,
    SOCK_DIAG_BY_FAMILY,
    Attribute,
    DiagSocket,
    message,
)
from tests.support.waiting import wait_for

FINAL_INFO = Attribute(2, bytes(280))
NO_IPV4, NO_IPV6 = IPv4Address(0), IPv6Address(0)
CLOSED = 7
SLOT_BYTES = 88


def event(described: DiagSocket) -> bytes:
    return message(SOCK_DIAG_BY_FAMILY, 0, described.packed(), flags=0)


def ended(cookie: int, **fields: object) -> DiagSocket:
    """A connection as the kernel tells of it: in CLOSE, its last ``tcp_info`` behind it."""
    return DiagSocket(state=CLOSED, cookie=cookie, attributes=[FINAL_INFO], **fields)  # type: ignore[arg-type]


def slots_of(*datagrams: bytes) -> Words:
    return np.frombuffer(b"".join(datagram[:SLOT_BYTES] for datagram in datagrams), np.uint32).reshape(-1, 22)


def cookies_of(messages: Words) -> list[int]:
    return [struct.unpack_from("=Q", each.tobytes(), 44)[0] for each in messages]


# -- Datagrams ---------------------------------------------------------------------------------------------------------


@contextmanager
def queue_of(datagrams: Sequence[bytes]) -> Iterator[socket.socket]:
    """A socket in which ``datagrams`` wait."""
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reader, writer:
        for datagram in datagrams:
            writer.send(datagram)
        yield reader


def received(datagrams: Sequence[bytes], slot_count: int) -> list[bytes]:
    """What a mailbox makes of ``datagrams``, to the last."""
    mailbox = Mailbox(slot_count)
    found: list[bytes] = []
    with queue_of(datagrams) as queue:
        while True:
            try:
                slots = mailbox.fill_from(queue.fileno())
            except BlockingIOError:
                return found
            assert len(slots) <= slot_count
            found += [slot.tobytes() for slot in slots]


@given(st.lists(st.binary(min_size=1, max_size=400), max_size=40), st.integers(1, 9))
@example([bytes(87), bytes(88), bytes(89)], 2)
def test_of_each_datagram_comes_the_beginning_and_short_ones_are_left_out(
    datagrams: list[bytes], slot_count: int
) -> None:
    wanted = [datagram[:SLOT_BYTES] for datagram in datagrams if len(datagram) >= SLOT_BYTES]
    assert received(datagrams, slot_count) == wanted


def test_an_error_of_the_socket_is_raised_with_its_number() -> None:
    mailbox = Mailbox(4)
    with open("/dev/null", "rb") as no_socket, pytest.raises(OSError, match="socket") as caught:
        mailbox.fill_from(no_socket.fileno())
    assert caught.value.errno == errno.ENOTSOCK


# -- Which of them are connections -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        pytest.param(ended(5), True, id="connection"),
        pytest.param(ended(5, dport=0), True, id="disconnected: the port is forgotten, the address is not"),
        pytest.param(ended(5, dport=0, dst=NO_IPV4), False, id="listener or unconnected"),
        pytest.param(ended(5, family=AF_INET6, dport=0, src=NO_IPV6, dst=NO_IPV6), False, id="IPv6 listener"),
        pytest.param(ended(5, family=AF_INET6, dport=0, dst=IPv6Address("::1")), True, id="IPv6, last word alone"),
        pytest.param(ended(5, dst=NO_IPV4), True, id="port alone"),
    ],
)
def test_a_socket_that_never_had_a_peer_is_left_out(told: DiagSocket, counts: bool) -> None:  # noqa: FBT001
    assert cookies_of(connections_among(slots_of(event(told)))) == ([5] if counts else [])


def test_a_message_of_another_kind_is_left_out() -> None:
    other = message(SOCK_DIAG_BY_FAMILY + 1, 0, ended(1).packed(), flags=0)
    too_short = struct.pack("=I", SLOT_BYTES - 1) + event(ended(2))[4:]
    assert cookies_of(connections_among(slots_of(other, too_short, event(ended(3))))) == [3]


half = st.integers(0, 2**16 - 1)
ipv4 = st.one_of(st.just(NO_IPV4), st.integers(0, 2**32 - 1).map(IPv4Address))
ipv6 = st.one_of(st.just(NO_IPV6), st.integers(0, 2**128 - 1).map(IPv6Address))
common = {"sport": half, "dport": st.one_of(st.just(0), half), "cookie": st.integers(0, 2**64 - 1)}
ended_sockets = st.one_of(
    st.builds(ended, family=st.just(AF_INET), src=ipv4, dst=ipv4, **common),
    st.builds(ended, family=st.just(AF_INET6), src=ipv6, dst=ipv6, **common),
)
kinds = st.sampled_from((SOCK_DIAG_BY_FAMILY, SOCK_DIAG_BY_FAMILY, 3, 2))


@given(st.lists(st.tuples(ended_sockets, kinds), max_size=20))
def test_connections_are_found_among_all_that_is_told(told: list[tuple[DiagSocket, int]]) -> None:
    slots = slots_of(*(message(kind, 0, each.packed(), flags=0) for each, kind in told))
    assert [found.tobytes() for found in connections_among(slots)] == [
        each.packed()[:72] for each, kind in told if kind == SOCK_DIAG_BY_FAMILY and (each.dport or int(each.dst))
    ]


# -- As rows of the table ----------------------------------------------------------------------------------------------

KNOWN = ("cookie", "netns", "family", "state", "local_hi", "local_lo", "remote_hi", "remote_lo")
UNKNOWN = [name for name in ROW.names or () if name not in {*KNOWN, "local_port", "remote_port"}]


@given(st.lists(ended_sockets, max_size=12), st.data())
def test_rows_say_who_the_sockets_were_and_nothing_else(told: list[DiagSocket], data: st.DataObject) -> None:
    """Messages of both families come in any order."""
    messages = np.frombuffer(b"".join(each.packed()[:72] for each in told), INET_DIAG_MSG)
    netns = data.draw(st.lists(st.integers(0, 9), min_size=len(told), max_size=len(told)))
    rows = rows_of_destroyed(messages, np.array(netns, np.uint16))
    assert [(int(row["cookie"]), int(row["netns"]), int(row["family"])) for row in rows] == [
        (each.cookie, index, 4 if each.family == AF_INET else 6) for each, index in zip(told, netns, strict=True)
    ]
    for row, each in zip(rows, told, strict=True):
        assert ip_address(address_text(int(row["local_hi"]), int(row["local_lo"]))) == each.src
        assert ip_address(address_text(int(row["remote_hi"]), int(row["remote_lo"]))) == each.dst
        assert (row["local_port"], row["remote_port"], row["state"]) == (each.sport, each.dport, TcpState.CLOSE)
    assert not any(rows[name].any() for name in UNKNOWN)


# -- Between two takes -------------------------------------------------------------------------------------------------


class ScriptedEvents:
    """The events of a namespace as a test wants them; wakes nobody, so that they come at ``take`` alone."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0)
        self.waiting: deque[Words | int] = deque()
        """Batches of slots, or errnos."""
        self.is_member = True
        self.is_closed = False

    def fileno(self) -> int:
        return self._descriptor

    def receive(self, mailbox: Mailbox) -> Words:
        answer = self.waiting.popleft() if self.waiting else errno.EAGAIN
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer))
        return answer

    def join(self) -> None:
        self.is_member = True

    def leave(self) -> None:
        self.is_member = False

    def close(self) -> None:
        self.is_closed = True
        os.close(self._descriptor)

    def tell(self, *cookies: int) -> None:
        self.waiting.append(slots_of(*(event(ended(cookie)) for cookie in cookies)))

    def flood(self, count: int) -> None:
        self.waiting.append(np.repeat(slots_of(event(ended(1))), count, axis=0))

    def overflow(self) -> None:
        self.waiting.append(errno.ENOBUFS)


@contextmanager
def collecting(*events: EventSocket, capacity: int = 100) -> Iterator[DestroyCollector]:
    """A collector that listens to ``events`` as namespaces 0, 1, 2, ..."""
    collector = DestroyCollector(capacity)
    try:
        for netns, each in enumerate(events):
            collector.add(each, netns)
        yield collector
    finally:
        collector.close()


def told(taken: Taken) -> list[tuple[int, int]]:
    """Namespace and cookie of each message."""
    return list(zip(taken.netns.tolist(), taken.messages["idiag_cookie"].tolist(), strict=True))


def test_what_waits_is_taken_once_with_its_namespace() -> None:
    first, second = ScriptedEvents(), ScriptedEvents()
    with collecting(first, second) as collector:
        first.tell(11, 12)
        second.tell(21)
        first.tell(13)
        taken = collector.take(0.0)
        assert sorted(told(taken)) == [(0, 11), (0, 12), (0, 13), (1, 21)]
        assert taken.messages.dtype == INET_DIAG_MSG
        assert (taken.lost, taken.overflowed, taken.paused) == (0, False, False)
        second.tell(22)
        assert told(collector.take(1.0)) == [(1, 22)]
        assert told(taken)[0] == (0, 11)
        assert told(collector.take(2.0)) == []


def test_what_finds_no_room_is_counted() -> None:
    """Listeners among them need none."""
    events = ScriptedEvents()
    with collecting(events, capacity=4) as collector:
        events.tell(1, 2, 3)
        events.waiting.append(slots_of(event(ended(9, dport=0, dst=NO_IPV4))))
        events.tell(4, 5)
        events.tell(6)
        taken = collector.take(0.0)
        assert ([cookie for _, cookie in told(taken)], taken.lost, taken.overflowed) == ([1, 2, 3, 4], 2, False)
        events.tell(7)
        taken = collector.take(1.0)
        assert ([cookie for _, cookie in told(taken)], taken.lost) == ([7], 0)


def test_what_the_kernel_kept_when_its_buffer_was_full_is_read_all_the_same() -> None:
    events = ScriptedEvents()
    with collecting(events) as collector:
        events.tell(1)
        events.overflow()
        events.tell(2)
        taken = collector.take(0.0)
        assert ([cookie for _, cookie in told(taken)], taken.overflowed) == ([1, 2], True)
        events.tell(3)
        assert not collector.take(1.0).overflowed


def test_a_source_that_never_runs_dry_or_always_fails_does_not_hold_a_take_up() -> None:
    class Endless(ScriptedEvents):
        def receive(self, mailbox: Mailbox) -> Words:
            return slots_of(event(ended(1)))

    class Broken(ScriptedEvents):
        def receive(self, mailbox: Mailbox) -> Words:
            raise OSError(errno.EPERM, "no")

    with collecting(Endless()) as collector:
        assert len(collector.take(0.0).messages) > 0
    with collecting(Broken()) as collector:
        assert collector.take(0.0).overflowed


def test_a_namespace_that_is_removed_is_closed_and_what_it_told_stays() -> None:
    leaving, staying = ScriptedEvents(), ScriptedEvents()
    with collecting(leaving, staying) as collector:
        leaving.tell(1)
        collector.remove(0)
        assert (leaving.is_closed, staying.is_closed) == (True, False)
        leaving.tell(2)
        staying.tell(3)
        assert told(collector.take(0.0)) == [(0, 1), (1, 3)]
        collector.remove(0)
        collector.remove(7)
    assert staying.is_closed


# -- Too many ----------------------------------------------------------------------------------------------------------


def test_a_flood_is_not_listened_to_for_a_minute() -> None:
    """Nowhere: a subscription in one namespace makes the kernel work in all of them."""
    flooded, calm, late = ScriptedEvents(), ScriptedEvents(), ScriptedEvents()
    with collecting(flooded, calm) as collector:
        collector.take(100.0)
        flooded.flood(2 * MOST_PER_SECOND)
        calm.tell(5)
        taken = collector.take(102.0)
        assert (taken.paused, taken.lost) == (True, 2 * MOST_PER_SECOND + 1 - 100)
        collector.add(late, 2)
        assert (flooded.is_member, calm.is_member, late.is_member) == (False, False, False)
        assert collector.take(102.0 + PAUSE_S - 0.1).paused
        assert not calm.is_member
        # It is listened to from here on, but of the time before nothing is known.
        assert collector.take(102.0 + PAUSE_S).paused
        assert (flooded.is_member, calm.is_member, late.is_member) == (True, True, True)
        late.tell(6)
        taken = collector.take(103.0 + PAUSE_S)
        assert (taken.paused, told(taken)) == (False, [(2, 6)])


def test_calm_namespaces_can_be_a_flood_together() -> None:
    namespaces = [ScriptedEvents() for _ in range(4)]
    with collecting(*namespaces) as collector:
        collector.take(0.0)
        for now_s, more in ((1.0, 0), (2.0, 1)):
            for each in namespaces:
                each.flood(MOST_PER_SECOND // 4 + more)
            assert collector.take(now_s).paused is bool(more)


def test_what_waits_when_a_pause_begins_is_taken() -> None:
    class Leaving(ScriptedEvents):
        def leave(self) -> None:
            super().leave()
            self.tell(77)

    events = Leaving()
    with collecting(events, capacity=2 * MOST_PER_SECOND) as collector:
        collector.take(0.0)
        events.flood(MOST_PER_SECOND + 1)
        assert told(collector.take(1.0))[-1] == (0, 77)


def test_a_flood_that_goes_on_is_paused_again() -> None:
    events = ScriptedEvents()
    with collecting(events) as collector:
        now_s = 0.0
        for _ in range(3):
            collector.take(now_s)
            events.flood(MOST_PER_SECOND + 1)
            now_s += 1.0
            assert collector.take(now_s).paused
            assert not events.is_member
            now_s += PAUSE_S


def test_takes_that_follow_closely_are_judged_together() -> None:
    """A burst within a tenth of a second is no flood."""
    events = ScriptedEvents()
    with collecting(events) as collector:
        collector.take(0.0)
        for step in range(1, 10):
            events.flood(MOST_PER_SECOND // 10)
            assert collector.take(step / 10).paused is False
        events.flood(MOST_PER_SECOND // 10 + 10)
        assert collector.take(1.0).paused


def test_what_came_before_the_first_take_is_not_judged() -> None:
    """Nobody knows in what time it came."""
    events = ScriptedEvents()
    with collecting(events) as collector:
        events.flood(9 * MOST_PER_SECOND)
        assert collector.take(500.0).paused is False
        assert collector.take(501.0).paused is False


def test_a_buffer_that_is_full_again_and_again_is_a_flood() -> None:
    events = ScriptedEvents()
    with collecting(events) as collector:
        collector.take(0.0)
        for now_s in range(1, MOST_OVERFLOWS):
            events.overflow()
            assert collector.take(now_s).paused is False
        assert collector.take(MOST_OVERFLOWS).paused is False
        for now_s in range(1, MOST_OVERFLOWS + 1):
            assert events.is_member
            events.overflow()
            taken = collector.take(10 + now_s)
        assert (taken.paused, taken.overflowed, events.is_member) == (True, True, False)


@pytest.mark.parametrize(
    ("taken", "codes", "words"),
    [
        ({}, [], ""),
        ({"lost": 3}, ["destroyed.lost"], "3 of the connections"),
        ({"overflowed": True}, ["destroyed.lost"], "could queue"),
        ({"paused": True}, ["destroyed.paused"], "for 60 s connections shorter than the interval"),
        ({"lost": 1, "paused": True}, ["destroyed.paused", "destroyed.lost"], "too many"),
    ],
)
def test_what_is_missing_is_said(taken: dict[str, object], codes: list[str], words: str) -> None:
    nothing = np.zeros(0, INET_DIAG_MSG), np.zeros(0, np.uint16)
    trouble = trouble_of(Taken(*nothing, **taken))  # type: ignore[arg-type]
    assert [each.code for each in trouble] == codes
    assert words in " ".join(map(str, trouble))
    assert all(each.hint for each in trouble)


# -- The thread --------------------------------------------------------------------------------------------------------


class QueuedEvents(ScriptedEvents):
    """Datagrams through a socket that wakes the thread."""

    def __init__(self) -> None:
        super().__init__()
        self._reader, self.writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def fileno(self) -> int:
        return self._reader.fileno()

    def receive(self, mailbox: Mailbox) -> Words:
        return mailbox.fill_from(self._reader.fileno())

    def close(self) -> None:
        super().close()
        self._reader.close()
        self.writer.close()

    def is_empty(self) -> bool:
        try:
            return not self._reader.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True


def test_the_thread_empties_the_queues_before_they_are_full() -> None:
    """Nobody takes until all is sent; the writer of a full queue would wait for ever."""
    queues = [QueuedEvents() for _ in range(3)]
    count = 5_000
    with collecting(*queues, capacity=3 * count) as collector:

        def send(netns: int) -> None:
            for number in range(count):
                queues[netns].writer.send(event(ended(netns << 32 | number)))

        senders = [threading.Thread(target=send, args=(netns,)) for netns in range(3)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        wait_for(lambda: [queue.is_empty() for queue in queues], all, wanted="empty queues")
        taken = collector.take(0.0)
    assert taken.lost == 0
    assert sorted(told(taken)) == [(netns, netns << 32 | number) for netns in range(3) for number in range(count)]


def test_every_event_is_taken_once_while_it_is_being_sent() -> None:
    queue = QueuedEvents()
    count = 5_000

    def send() -> None:
        for number in range(count):
            queue.writer.send(event(ended(number)))

    with collecting(queue, capacity=2 * count) as collector:
        sender = threading.Thread(target=send)
        sender.start()
        taken = []
        while sender.is_alive():
            taken.append(collector.take(0.0))
        taken.append(collector.take(0.0))
    assert [cookie for each in taken for _, cookie in told(each)] == list(range(count))


def test_closing_ends_the_thread_and_leaves_no_descriptor() -> None:
    def threads() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name == "tcptui-destroyed"]

    before = len(os.listdir("/proc/self/fd"))
    running_before = threads()
    queue, silent = QueuedEvents(), ScriptedEvents()
    with collecting(queue, silent):
        assert len(threads()) == len(running_before) + 1
        queue.writer.send(event(ended(1)))
    assert threads() == running_before
    assert len(os.listdir("/proc/self/fd")) == before

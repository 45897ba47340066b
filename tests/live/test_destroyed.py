"""The kernel's own destroy events, in namespaces where nobody else closes a socket."""

import contextlib
import errno
import json
import os
import select
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

import numpy as np
import pytest

from tcptui.kernel.destroyed import BUFFER_BYTES, DestroyEvents, Mailbox, connections_among
from tcptui.kernel.sock_diag import DumpQuery, SockDiag
from tcptui.model.address import address_text
from tcptui.model.sample import Degradation
from tcptui.model.states import TcpState
from tcptui.model.table import Rows
from tcptui.query.request import GLANCE
from tcptui.sources.destroyed import DestroyedSockets
from tcptui.sources.live import LiveSource
from tests.support.netns import NetworkNamespace
from tests.support.program import NOBODY
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

SO_COOKIE = 57
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
AT_ONCE = 50
"""Connections that are open at the same time: each lives for a few milliseconds."""


class End(NamedTuple):
    """One end of a connection, as its program knows it."""

    family: int
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    cookie: int


def cookie_of(each: socket.socket) -> int:
    return int(struct.unpack("=Q", each.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0])


def plain_address(text: str) -> str:
    """A mapped IPv4 address as IPv4."""
    address = ip_address(text)
    return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)


def end_of(each: socket.socket) -> End:
    local, remote = each.getsockname(), each.getpeername()
    addresses = [plain_address(end[0]) for end in (local, remote)]
    family = 4 if each.family == socket.AF_INET else 6
    return End(family, addresses[0], local[1], addresses[1], remote[1], cookie_of(each))


def ends_in(rows: Rows) -> list[End]:
    def address(row: np.void, end: str) -> str:
        return plain_address(address_text(int(row[f"{end}_hi"]), int(row[f"{end}_lo"])))

    return [
        End(
            int(row["family"]),
            *(address(row, "local"), int(row["local_port"])),
            *(address(row, "remote"), int(row["remote_port"])),
            int(row["cookie"]),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Server:
    """A listener inside a namespace, and how to reach it."""

    listener: socket.socket
    host: str

    def connection(self) -> tuple[socket.socket, socket.socket]:
        """A new connection: the client's end and the server's. Call it inside the namespace."""
        client = socket.create_connection((self.host, self.listener.getsockname()[1]))
        return client, self.listener.accept()[0]


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[Server]:
    """A listener at ``host``; at the IPv6 wildcard for a mapped address."""
    family = socket.AF_INET if host == "127.0.0.1" else socket.AF_INET6
    listens_at = "::" if host.startswith("::ffff:") else host
    with socket.create_server(
        (listens_at, 0), family=family, backlog=AT_ONCE, dualstack_ipv6=listens_at == "::"
    ) as made:
        yield Server(made, host)


def live_and_die(server: Server, count: int) -> tuple[list[End], list[End]]:
    """``count`` connections that talk and end: the ends that closed first, and the others."""
    closed_first, closed_last = [], []
    for _ in range(count // AT_ONCE):
        pairs = [server.connection() for _ in range(AT_ONCE)]
        for client, accepted in pairs:
            client.sendall(b"?")
            assert accepted.recv(1) == b"?"
        for client, accepted in pairs:
            closed_first.append(end_of(client))
            closed_last.append(end_of(accepted))
            client.close()
            accepted.close()
    return closed_first, closed_last


def cookies_in(ends: tuple[list[End], list[End]]) -> set[int]:
    return {end.cookie for part in ends for end in part}


class Watch:
    """What the source of destroyed sockets has told so far."""

    def __init__(self, *namespaces: NetworkNamespace) -> None:
        self.sockets = DestroyedSockets()
        self.parts: list[Rows] = []
        self.trouble: list[Degradation] = []
        for index, namespace in enumerate(namespaces):
            with namespace.entered():
                self.sockets.open(index)

    def take(self) -> Rows:
        """All rows since the beginning."""
        destroyed = self.sockets.take(0.0, self.trouble)
        assert destroyed is not None
        assert destroyed.is_complete
        self.parts.append(destroyed.rows)
        return np.concatenate(self.parts)

    def rows(self, count: int) -> Rows:
        """The rows when there are ``count``: the kernel tells of a socket a moment after it is closed."""
        return wait_for(
            self.take, lambda rows: len(rows) >= count, wanted=f"{count} events", show=lambda rows: f"{len(rows)}"
        )


@contextmanager
def watching(*namespaces: NetworkNamespace) -> Iterator[Watch]:
    watch = Watch(*namespaces)
    try:
        yield watch
    finally:
        watch.sockets.close()


# -- Connections that nobody saw ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_both_ends_of_each_short_connection_are_told_once(namespace: NetworkNamespace, host: str) -> None:
    count = 1_000
    with watching(namespace) as watch:
        with namespace.entered(), serving(host) as server:
            clients, servers = live_and_die(server, count)
        rows = watch.rows(2 * count)
    assert Counter(ends_in(rows)) == Counter([*clients, *servers])
    assert len({end.cookie for end in ends_in(rows)}) == 2 * count
    assert set(rows["state"].tolist()) == {TcpState.CLOSE}
    assert not watch.trouble


def test_a_socket_gets_its_cookie_with_its_event_at_the_latest(namespace: NetworkNamespace) -> None:
    with watching(namespace) as watch:
        with namespace.entered(), serving() as server:
            for _ in range(100):
                for each in server.connection():
                    each.close()
        rows = watch.rows(200)
    assert len(set(rows["cookie"].tolist()) - {0}) == len(rows) == 200


def test_what_goes_on_in_time_wait_has_the_cookie_of_its_event(namespace: NetworkNamespace) -> None:
    found: list[int] = []
    with watching(namespace) as watch, namespace.entered(), serving() as server:
        clients, _ = live_and_die(server, AT_ONCE)
        rows = watch.rows(2 * AT_ONCE)
        table = SockDiag()
        table.dump(
            DumpQuery(socket.AF_INET, 1 << TcpState.TIME_WAIT),
            lambda messages, _attributes: found.extend(messages["idiag_cookie"].tolist()),
        )
        table.close()
    assert sorted(found) == sorted(end.cookie for end in clients)
    assert set(found) <= set(rows["cookie"].tolist())


def test_one_family_alone(namespace: NetworkNamespace) -> None:
    seen: list[int] = []
    with contextlib.closing(DestroyedSockets([6])) as sockets, namespace.entered():
        sockets.open(0)
        for host in ("127.0.0.1", "::1"):
            with serving(host) as server:
                live_and_die(server, AT_ONCE)

        def families() -> list[int]:
            destroyed = sockets.take(0.0, [])
            seen.extend([] if destroyed is None else destroyed.rows["family"].tolist())
            return seen

        wait_for(families, lambda all_seen: len(all_seen) >= 2 * AT_ONCE, wanted="the IPv6 events")
    assert seen == [6] * (2 * AT_ONCE)


# -- Which events come -------------------------------------------------------------------------------------------------


def reset(each: socket.socket) -> None:
    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    each.close()


def client_resets(server: Server) -> None:
    client, accepted = server.connection()
    reset(client)
    accepted.close()


def server_resets(server: Server) -> None:
    client, accepted = server.connection()
    reset(accepted)
    client.close()


def unread_data_resets(server: Server) -> None:
    client, accepted = server.connection()
    client.sendall(b"?")
    accepted.close()
    client.close()


def listener_closes_over_its_queue(server: Server) -> None:
    with socket.create_server((server.host, 0)) as other:
        client = socket.create_connection(other.getsockname())
    client.close()


def connecting_is_refused(server: Server) -> None:
    with socket.socket() as each, contextlib.suppress(ConnectionRefusedError):
        each.connect((server.host, 1))


def connecting_is_refused_later(server: Server) -> None:
    with socket.socket() as each:
        each.setblocking(False)
        assert each.connect_ex((server.host, 1)) in (errno.EINPROGRESS, errno.ECONNREFUSED)


def nothing_is_connected(server: Server) -> None:
    socket.socket().close()
    with socket.socket() as each:
        each.bind((server.host, 0))
    socket.create_server((server.host, 0)).close()


@pytest.mark.parametrize(
    ("happening", "remote_ports"),
    [
        pytest.param(client_resets, ["known", "forgotten"], id="reset by the client"),
        pytest.param(server_resets, ["known", "forgotten"], id="reset by the server"),
        pytest.param(unread_data_resets, ["known", "known"], id="reset because of unread data"),
        pytest.param(listener_closes_over_its_queue, ["known", "forgotten"], id="listener closed over its queue"),
        pytest.param(connecting_is_refused, ["forgotten"], id="refused"),
        pytest.param(connecting_is_refused_later, ["known"], id="refused without waiting"),
        pytest.param(nothing_is_connected, [], id="unconnected, bound, listener"),
    ],
)
def test_an_event_comes_for_each_socket_that_had_a_peer(
    namespace: NetworkNamespace, happening: Callable[[Server], None], remote_ports: list[str]
) -> None:
    """A last connection of which both ends are told shows that nothing else came."""
    with watching(namespace) as watch:
        with namespace.entered(), serving() as server:
            happening(server)
            watch.rows(len(remote_ports))
            last = cookies_in(live_and_die(server, AT_ONCE))
        rows = wait_for(
            watch.take, lambda rows: last <= set(rows["cookie"].tolist()), wanted="the last events", show=str
        )
    others = rows[~np.isin(rows["cookie"], list(last))]
    assert Counter("known" if port else "forgotten" for port in others["remote_port"]) == Counter(remote_ports)
    assert {end.remote_address for end in ends_in(others)} <= {"127.0.0.1"}


def test_an_orphan_that_waits_for_its_peer_has_had_its_event(namespace: NetworkNamespace) -> None:
    """It is in FIN_WAIT2 as a mini-socket, whose end makes no second event."""
    with watching(namespace) as watch, namespace.entered(), serving() as server:
        client, accepted = server.connection()
        cookies = [cookie_of(client), cookie_of(accepted)]
        client.close()
        assert watch.rows(1)["cookie"].tolist() == cookies[:1]
        accepted.close()
        assert watch.rows(2)["cookie"].tolist() == cookies


def test_the_event_of_a_connection_that_ended_comes_when_its_program_closes_it(namespace: NetworkNamespace) -> None:
    with watching(namespace) as watch, namespace.entered(), serving() as server:
        client, accepted = server.connection()
        cookies = [cookie_of(accepted), cookie_of(client)]
        client.shutdown(socket.SHUT_RDWR)
        accepted.shutdown(socket.SHUT_RDWR)
        accepted.close()
        assert watch.rows(1)["cookie"].tolist() == cookies[:1]
        client.close()
        assert watch.rows(2)["cookie"].tolist() == cookies


# -- Namespaces --------------------------------------------------------------------------------------------------------


def test_two_namespaces_do_not_mix(namespace: NetworkNamespace) -> None:
    with NetworkNamespace("other") as other, watching(namespace, other) as watch:
        expected: set[tuple[int, int]] = set()
        for index, each in ((0, namespace), (1, other), (0, namespace)):
            with each.entered(), serving() as server:
                expected |= {(index, end.cookie) for ends in live_and_die(server, 100) for end in ends}
        rows = watch.rows(len(expected))
        assert set(zip(rows["netns"].tolist(), rows["cookie"].tolist(), strict=True)) == expected
        assert len(rows) == 600
        watch.sockets.drop(0)
        for index, each in ((0, namespace), (1, other)):
            with each.entered(), serving() as server:
                ends = {(index, end.cookie) for ends in live_and_die(server, 100) for end in ends}
            expected |= ends if index else set()
        rows = watch.rows(len(expected))
    assert set(zip(rows["netns"].tolist(), rows["cookie"].tolist(), strict=True)) == expected


def test_a_namespace_without_a_name_is_listened_to_until_it_is_dropped(namespace: NetworkNamespace) -> None:
    """The listening keeps it alive, and nothing else does: its end takes the cable to the other namespace away."""

    def links() -> list[str]:
        return [link["ifname"] for link in json.loads(namespace.ip("-json", "link"))]

    with ExitStack() as undo:
        with NetworkNamespace("ending") as ending:
            watch = undo.enter_context(watching(ending))
            namespace.ip("link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", ending.name)
            with ending.entered(), serving() as server:
                pair = server.connection()
        for each in pair:
            each.close()
        assert len(watch.rows(2)) == 2
        assert "cable" in links()
        watch.sockets.drop(0)
        wait_for(links, lambda names: "cable" not in names, wanted="the end of the namespace")
        assert watch.sockets.take(0.0, watch.trouble) is None
        assert not watch.trouble


# -- Where it is refused, and where there is little room ---------------------------------------------------------------

_TELL = f"""
import json, os, socket, sys
import tcptui.sources.destroyed
from tests.support.seccomp import deny_netlink
if sys.argv[1] == "nobody":
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
else:
    deny_netlink()
sockets, trouble, cookies = tcptui.sources.destroyed.DestroyedSockets(), [], []
sockets.open(0)
with socket.create_server(("127.0.0.1", 0)) as listener:
    for _ in range(100):
        # Without create_connection(): it loads an encoding, and a clone may lie where nobody may read.
        with socket.socket() as client:
            client.connect(listener.getsockname())
            listener.accept()[0].close()
destroyed = sockets.take(0.0, trouble)
while destroyed is not None and len(cookies) + len(destroyed.rows) < 200:
    cookies += destroyed.rows["cookie"].tolist()
    destroyed = sockets.take(0.0, trouble)
if destroyed is not None:
    cookies += destroyed.rows["cookie"].tolist()
sockets.close()
print(json.dumps({{"uid": os.getuid(), "cookies": cookies, "trouble": [[e.code, str(e)] for e in trouble]}}))
"""


def told_to(namespace: NetworkNamespace, whom: str) -> dict[str, Any]:
    command = namespace.argv(sys.executable, "-c", _TELL, whom)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def test_nobody_in_particular_is_told_too(namespace: NetworkNamespace) -> None:
    told = told_to(namespace, "nobody")
    assert (told["uid"], told["trouble"]) == (NOBODY, [])
    assert len(set(told["cookies"])) == 200


def test_a_sandbox_without_netlink_is_said_once_for_each_take(namespace: NetworkNamespace) -> None:
    told = told_to(namespace, "sandbox")
    assert told["cookies"] == []
    assert [code for code, _ in told["trouble"]] == ["destroyed.unavailable"]
    assert "Operation not permitted" in told["trouble"][0][1]
    assert "connections shorter than the interval" in told["trouble"][0][1]


@contextmanager
def listening(buffer_bytes: int = BUFFER_BYTES) -> Iterator[DestroyEvents]:
    """A socket of the kernel's events, of the namespace that we are in."""
    events = DestroyEvents(buffer_bytes=buffer_bytes)
    try:
        yield events
    finally:
        events.close()


def batch(events: DestroyEvents, mailbox: Mailbox) -> list[int] | None:
    """Cookies of some events that wait; None where the kernel says that it has dropped some.

    Raises:
        BlockingIOError: none waits.
    """
    try:
        messages = connections_among(events.receive(mailbox))
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            return None
        raise
    return [struct.unpack_from("=Q", message.tobytes(), 44)[0] for message in messages]


def drained(events: DestroyEvents, mailbox: Mailbox) -> tuple[list[int], bool]:
    """Cookies of all events that wait, and whether the kernel says that it has dropped some."""
    batches: list[list[int] | None] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            batches.append(batch(events, mailbox))
    return [cookie for each in batches if each for cookie in each], None in batches


def test_a_full_buffer_is_said_and_what_was_kept_can_be_read(namespace: NetworkNamespace) -> None:
    mailbox = Mailbox(16)
    with namespace.entered(), serving() as server, listening(16 * 1024) as events:
        first = cookies_in(live_and_die(server, 100))
        waits = select.poll()
        waits.register(events, select.POLLIN)
        wait_for(
            lambda: [state for _, state in waits.poll(0)],
            lambda states: bool(states and states[0] & select.POLLERR),
            wanted="the kernel's word that its buffer is full",
        )
        told, overflowed = drained(events, mailbox)
        assert overflowed
        assert 0 < len(told) < 200
        assert set(told) <= first
        later: set[int] = set()

        def told_of_later() -> set[int]:
            """Some of what comes late about the first may fill the buffer once more."""
            later.update(cookies_in(live_and_die(server, AT_ONCE)))
            return later & set(drained(events, mailbox)[0])

        wait_for(told_of_later, bool, wanted="events after that")


def test_who_has_left_is_told_nothing_until_it_joins_again(namespace: NetworkNamespace) -> None:
    """A witness that stays shows when the kernel has told of a socket."""
    mailbox = Mailbox()
    with namespace.entered(), serving() as server, listening() as events, listening() as witness:

        def told_to_witness(seen: set[int]) -> set[int]:
            seen.update(drained(witness, mailbox)[0])
            return seen

        def await_telling(wanted: set[int]) -> None:
            seen: set[int] = set()
            wait_for(lambda: told_to_witness(seen), wanted.issubset, wanted=f"{len(wanted)} events")

        events.leave()
        await_telling(cookies_in(live_and_die(server, AT_ONCE)))
        assert drained(events, mailbox) == ([], False)
        events.join()
        later = cookies_in(live_and_die(server, AT_ONCE))
        await_telling(later)
        told, _ = drained(events, mailbox)
    assert (set(told), len(told)) == (later, 2 * AT_ONCE)


def test_a_socket_asks_for_a_large_buffer(namespace: NetworkNamespace) -> None:
    with namespace.entered(), listening() as events, socket.socket(fileno=os.dup(events.fileno())) as same:
        assert same.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * BUFFER_BYTES


def test_a_glance_leaves_what_was_freed_to_the_next_sample(namespace: NetworkNamespace) -> None:
    source = LiveSource(netns=str(namespace.path), destroyed=True)
    try:
        source.sample()
        with namespace.entered(), serving() as server:
            ended = cookies_in(live_and_die(server, AT_ONCE))
        seen: set[int] = set()

        def seen_so_far() -> set[int]:
            assert source.sample(GLANCE).destroyed is None
            destroyed = source.sample().destroyed
            assert destroyed is not None
            seen.update(destroyed.rows["cookie"].tolist())
            return seen

        wait_for(seen_so_far, lambda cookies: bool(ended & cookies), wanted="a freed socket")
    finally:
        source.close()

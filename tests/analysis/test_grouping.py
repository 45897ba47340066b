"""Every view against the same view computed socket by socket."""

import ipaddress
from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grid import Grid
from tcptui.analysis.grouping import build_grid
from tcptui.model.fields import FIELDS, SortKey, ViewKind
from tcptui.model.states import DISPLAY_ORDER, TcpState
from tcptui.model.table import Mask
from tests.analysis.naive import (
    Group,
    endpoint,
    endpoint_of,
    grouped,
    groups_in,
    in_its_namespace,
    peer_network,
)
from tests.model.random_tables import ANY_IPV4, ANY_IPV6, Known, Socket, plain, sample_of, sockets
from tests.query.placed import KnownPlaces, Placed, known_sample_of, namespace_of, samples

masks = st.one_of(st.none(), st.lists(st.booleans(), min_size=24, max_size=24))
Seen = tuple[list[Socket], Known]


def selected(described: list[Socket], keep: list[bool] | None) -> tuple[list[Socket], Mask | None]:
    """The sockets that a mask keeps, and the mask; None keeps all of them."""
    if keep is None:
        return described, None
    mask = np.array(keep[: len(described)], bool)
    return [socket for socket, kept in zip(described, keep, strict=False) if kept], mask


@given(samples(), masks)
def test_peers_are_grouped_by_remote_address(seen: Seen, keep: list[bool] | None) -> None:
    described, known = seen
    kept, mask = selected(described, keep)
    grid = build_grid(attributed(known_sample_of(*seen)), ViewKind.PEERS, mask)
    expected = grouped(kept, in_its_namespace(known, lambda socket: plain(socket.remote)))
    assert groups_in(grid, ipaddress.ip_address) == expected


SELF = KnownPlaces()


@given(samples(), masks, st.integers(1, 128))
@example(([Socket(remote=IPv4Address("192.0.2.255")), Socket(remote=IPv6Address("::ffff:192.0.2.1"))], SELF), None, 24)
@example(([Socket(remote=IPv6Address("2001:db8:1::1"))], SELF), None, 32)
@example(([Socket(remote=IPv6Address("2001:db8:1::1"))], SELF), None, 33)
def test_peers_are_grouped_by_the_network_that_ipaddress_says(seen: Seen, keep: list[bool] | None, prefix: int) -> None:
    described, known = seen
    kept, mask = selected(described, keep)
    grid = build_grid(attributed(known_sample_of(*seen)), ViewKind.PEERS, mask, prefix)
    expected = grouped(kept, in_its_namespace(known, lambda socket: peer_network(socket.remote, prefix)))
    assert groups_in(grid, ipaddress.ip_network) == expected


@given(samples(), masks)
def test_ports_are_grouped_by_local_port(seen: Seen, keep: list[bool] | None) -> None:
    described, known = seen
    kept, mask = selected(described, keep)
    grid = build_grid(attributed(known_sample_of(*seen)), ViewKind.PORTS, mask)
    assert groups_in(grid, int) == grouped(kept, in_its_namespace(known, lambda socket: socket.local_port))


@given(samples(), masks)
def test_listeners_have_the_connections_that_came_in_there(seen: Seen, keep: list[bool] | None) -> None:
    """Accept queue and backlog are the listener's, whatever the filter; those of SO_REUSEPORT listeners add up."""
    described, known = seen
    kept, mask = selected(described, keep)

    def key(socket: Socket) -> Hashable:
        found = endpoint_of(described, socket)
        return None if found is None else (namespace_of(socket, known), found)

    expected = grouped(kept, key)
    for socket in described:
        group = expected.get((namespace_of(socket, known), (plain(socket.local), socket.local_port)))
        if socket.state is TcpState.LISTEN and group is not None:
            group.accept_queue += socket.recv_queue
            group.backlog += socket.send_queue
    grid = build_grid(attributed(known_sample_of(*seen)), ViewKind.LISTENERS, mask)
    assert groups_in(grid, endpoint) == expected


@given(sockets, masks)
def test_states_are_counted_with_their_queues(described: list[Socket], keep: list[bool] | None) -> None:
    kept, mask = selected(described, keep)
    grid = build_grid(sample_of(described), ViewKind.STATES, mask)
    expected = grouped(kept, lambda socket: socket.state)
    shown = [*DISPLAY_ORDER, *([TcpState.CLOSE] if TcpState.CLOSE in expected else [])]
    assert [grid.human(row, FIELDS["state"]) for row in grid.members.tolist()] == [state.name for state in shown]
    for row, state in enumerate(shown):
        group = expected.get(state, Group())
        assert int(grid.columns["total"][0][row]) == group.states[state]
        assert int(grid.columns["recv_queue_bytes"][0][row]) == group.recv_queue_bytes
        assert int(grid.columns["send_queue_bytes"][0][row]) == group.send_queue_bytes


@given(samples(), masks)
def test_connections_are_the_rows_themselves(seen: Seen, keep: list[bool] | None) -> None:
    described, known = seen
    kept, mask = selected(described, keep)
    sample = attributed(known_sample_of(described, known))
    grid = build_grid(sample, ViewKind.CONNECTIONS, mask)
    fields = [field for field in ViewKind.CONNECTIONS.fields if field.id in grid.columns]
    columns = [grid.plain(field, grid.members) for field in fields]
    shown = [dict(zip((field.id for field in fields), values, strict=True)) for values in zip(*columns, strict=True)]
    assert [row["cookie"] for row in shown] == [socket.cookie for socket in kept]
    for row, socket in zip(shown, kept, strict=True):
        assert row["state"] == socket.state.name
        assert ipaddress.ip_address(str(row["local_address"])) == plain(socket.local)
        assert ipaddress.ip_address(str(row["remote_address"])) == plain(socket.remote)
        assert (row["local_port"], row["remote_port"]) == (socket.local_port, socket.remote_port)
        assert (row["recv_queue_bytes"], row["send_queue_bytes"]) == (socket.recv_queue, socket.send_queue)
        assert (row["timer_ms"], row["retransmits"]) == (socket.timer_ms, socket.retransmits)
        assert (row["uid"], row["inode"]) == (socket.uid, socket.inode)
        assert row["netns"] == namespace_of(socket, known)


SUMMABLE = [ViewKind.STATES, ViewKind.PEERS, ViewKind.PORTS, ViewKind.SERVICES, ViewKind.NAMESPACES]
"""Connections that came in nowhere are missing from the listeners; those that processes share count for each."""


@given(samples(), masks, st.sampled_from(SUMMABLE))
def test_no_socket_is_lost_or_counted_twice(seen: Seen, keep: list[bool] | None, kind: ViewKind) -> None:
    kept, mask = selected(seen[0], keep)
    grid = build_grid(attributed(known_sample_of(*seen)), kind, mask)
    assert grid.sum("total") == len(kept)


# -- Cases worth a name ------------------------------------------------------------------------------------------------

LISTEN = TcpState.LISTEN
SPECIFIC = IPv4Address("10.0.0.5")
OTHER = IPv4Address("10.0.0.6")
V6 = IPv6Address("2001:db8::1")


def listeners_of(*described: Socket) -> dict[str, int]:
    """Total by listener."""
    numbered = [Socket(**{**vars(socket), "cookie": index}) for index, socket in enumerate(described, start=1)]
    grid = build_grid(sample_of(numbered), ViewKind.LISTENERS, None)
    return {grid.human(row, FIELDS["local"]): int(grid.columns["total"][0][row]) for row in grid.members.tolist()}


def test_a_connection_goes_to_the_most_specific_listener() -> None:
    """``net/ipv4/inet_hashtables.c: compute_score()``."""
    assert listeners_of(
        Socket(LISTEN, SPECIFIC, 443),
        Socket(LISTEN, ANY_IPV4, 443),
        Socket(LISTEN, ANY_IPV6, 443),
        Socket(local=SPECIFIC),
        Socket(local=SPECIFIC, state=TcpState.TIME_WAIT),
        Socket(local=OTHER),
        Socket(local=V6),
    ) == {"10.0.0.5:443": 3, "0.0.0.0:443": 2, "[::]:443": 2}


def test_a_dual_stack_listener_takes_ipv4_and_mapped_connections() -> None:
    mapped = IPv6Address("::ffff:10.0.0.5")
    assert listeners_of(
        Socket(LISTEN, ANY_IPV6, 443), Socket(local=mapped), Socket(local=SPECIFIC), Socket(local=V6)
    ) == {"[::]:443": 4}


def test_an_ipv4_listener_takes_no_ipv6_connection() -> None:
    assert listeners_of(Socket(LISTEN, ANY_IPV4, 443), Socket(local=V6)) == {"0.0.0.0:443": 1}


def test_a_connection_from_an_ephemeral_port_belongs_to_no_listener() -> None:
    assert listeners_of(Socket(LISTEN, ANY_IPV4, 443), Socket(local_port=50000)) == {"0.0.0.0:443": 1}


def test_listeners_that_share_address_and_port_are_one_row() -> None:
    """SO_REUSEPORT: the kernel does not tell which of them a connection chose."""
    shared = [
        Socket(LISTEN, ANY_IPV4, 443, recv_queue=2, send_queue=128, cookie=1),
        Socket(LISTEN, ANY_IPV4, 443, recv_queue=3, send_queue=128, cookie=2),
        Socket(local=SPECIFIC, cookie=3),
    ]
    grid = build_grid(sample_of(shared), ViewKind.LISTENERS, None)
    (row,) = grid.members.tolist()
    numbers = [grid.human(row, FIELDS[field_id]) for field_id in ("accept_queue", "backlog", "total", "LISTEN")]
    assert numbers == ["5", "256", "3", "2"]


def test_a_listener_stays_in_view_when_the_filter_keeps_only_its_connections() -> None:
    described = [Socket(LISTEN, ANY_IPV4, 443, recv_queue=2, send_queue=128, cookie=1), Socket(cookie=2)]
    grid = build_grid(sample_of(described), ViewKind.LISTENERS, np.array([False, True]))
    (row,) = grid.members.tolist()
    assert [grid.human(row, FIELDS[each]) for each in ("local", "backlog", "total")] == ["0.0.0.0:443", "128", "1"]
    nobody = build_grid(sample_of(described), ViewKind.LISTENERS, np.array([False, False]))
    assert len(nobody) == 0


def test_a_close_row_is_shown_only_where_there_is_one() -> None:
    """Such a socket is in no table of the kernel (FACTS section 1.7), but a pasted one may have it."""
    assert len(build_grid(sample_of([]), ViewKind.STATES, None)) == 10
    closed = build_grid(sample_of([Socket(TcpState.CLOSE)]), ViewKind.STATES, None)
    assert closed.human(10, FIELDS["state"]) == "CLOSE"


def test_queues_far_above_32_bits_add_up_exactly() -> None:
    described = [Socket(cookie=cookie, send_queue=2**32 - 1) for cookie in range(1, 2001)]
    grid = build_grid(sample_of(described), ViewKind.PORTS, None)
    assert grid.sum("send_queue_bytes") == 2000 * (2**32 - 1)


@pytest.mark.parametrize("kind", ViewKind)
def test_an_empty_table_makes_an_empty_view(kind: ViewKind) -> None:
    grid = build_grid(attributed(sample_of([])), kind, None)
    assert isinstance(grid, Grid)
    assert grid.sum("total" if kind is not ViewKind.CONNECTIONS else "uid") == 0


@pytest.mark.parametrize("kind", [ViewKind.LISTENERS, ViewKind.CONNECTIONS])
def test_what_a_source_cannot_know_is_unknown(kind: ViewKind) -> None:
    described = [Socket(LISTEN, ANY_IPV4, 443)]
    absent = frozenset({"recv_queue_bytes", "backlog", "cookie"})
    grid = build_grid(sample_of(described, absent=absent), kind, None)
    for field in kind.fields:
        if field.id in absent:
            assert grid.value(0, field) is None
            assert grid.human(0, field) == "?"


@pytest.mark.parametrize("kind", [ViewKind.STATES, ViewKind.PEERS, ViewKind.PORTS])
def test_what_a_source_cannot_know_is_unknown_in_groups_too(kind: ViewKind) -> None:
    grid = build_grid(sample_of([Socket()], absent=frozenset({"recv_queue_bytes"})), kind, None)
    assert grid.human(0, FIELDS["recv_queue_bytes"]) == "?"


def test_a_matrix_counts_every_state_of_a_group() -> None:
    described = [Socket(state, cookie=state) for state in TcpState]
    grid = build_grid(sample_of(described), ViewKind.PORTS, None)
    (group,) = groups_in(grid, int).values()
    assert group.states == Counter(TcpState)


# -- Several namespaces ------------------------------------------------------------------------------------------------

TWO = ("self", "blue")


def in_both(socket: Socket) -> list[Socket]:
    """The same socket in two namespaces, and a second one in the other."""
    in_self, in_blue, again = (
        Placed(**{**vars(socket), "cookie": number, "netns": netns}) for number, netns in ((1, 0), (2, 1), (3, 1))
    )
    return [in_self, in_blue, again]


@pytest.mark.parametrize(
    ("kind", "prefix", "key"),
    [
        (ViewKind.PEERS, None, "198.51.100.7"),
        (ViewKind.PEERS, 24, "198.51.100.0/24"),
        (ViewKind.PORTS, None, "443"),
        (ViewKind.LISTENERS, None, "0.0.0.0:443"),
    ],
)
def test_what_two_namespaces_have_stands_once_for_each(kind: ViewKind, prefix: int | None, key: str) -> None:
    """10.0.0.1 in one container and 10.0.0.1 in another are two peers."""
    described = in_both(Socket())
    if kind is ViewKind.LISTENERS:
        described += [
            Placed(LISTEN, ANY_IPV4, 443, ANY_IPV4, 0, cookie=10 + netns, netns=netns) for netns in range(len(TWO))
        ]
    grid = build_grid(replace(sample_of(described), namespaces=TWO), kind, None, prefix)
    shown = [
        [grid.human(row, FIELDS[name]) for name in (kind.key.id, "netns", "ESTABLISHED")]
        for row in grid.members.tolist()
    ]
    assert shown == [[key, "self", "1"], [key, "blue", "2"]]
    assert grid.plain(FIELDS["netns"], grid.members) == list(TWO)
    assert len({grid.identity(row) for row in grid.members.tolist()}) == 2


def test_a_connection_goes_to_no_listener_of_another_namespace() -> None:
    described = [
        Placed(LISTEN, ANY_IPV4, 443, ANY_IPV4, 0, cookie=1, netns=1),
        Placed(LISTEN, SPECIFIC, 443, ANY_IPV4, 0, cookie=2, netns=2),
        *(Placed(cookie=3 + netns, netns=netns) for netns in range(3)),
    ]
    sample = replace(sample_of(described), namespaces=("self", "blue", "red"))
    grid = build_grid(sample, ViewKind.LISTENERS, None)
    shown = [[grid.human(row, FIELDS[name]) for name in ("local", "netns", "ESTABLISHED")] for row in grid.members]
    assert sorted(shown) == [["0.0.0.0:443", "blue", "1"], ["10.0.0.5:443", "red", "1"]]


def test_namespaces_order_by_their_labels_in_any_case() -> None:
    described = [Placed(cookie=netns + 1, netns=netns) for netns in range(4)]
    sample = replace(sample_of(described), namespaces=("self", "Blue", "", "amber"))
    grid = build_grid(sample, ViewKind.PORTS, None)
    order = grid.ordered(SortKey("netns", descending=False))
    assert grid.plain(FIELDS["netns"], order) == ["", "amber", "Blue", "self"]

"""What a grid must hold, computed socket by socket with dictionaries."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from tcptui.analysis.grid import Grid
from tcptui.model.fields import FIELDS
from tcptui.model.states import ALL_STATES, TcpState
from tests.model.random_tables import ANY_IPV4, ANY_IPV6, Address, Known, Socket, plain
from tests.query.placed import Placed, namespace_of

Network = IPv4Network | IPv6Network


@dataclass
class Group:
    """One row of a matrix."""

    states: Counter[TcpState] = field(default_factory=Counter)
    recv_queue_bytes: int = 0
    send_queue_bytes: int = 0
    accept_queue: int = 0
    backlog: int = 0

    def add(self, socket: Socket) -> None:
        """Count one socket; a listener's queues hold connections, not bytes."""
        self.states[socket.state] += 1
        if socket.state is not TcpState.LISTEN:
            self.recv_queue_bytes += socket.recv_queue
            self.send_queue_bytes += socket.send_queue


def grouped(sockets: Iterable[Socket], key: Callable[[Socket], Hashable]) -> dict[Hashable, Group]:
    """The groups by their key; a socket whose key is None is in none."""
    return grouped_by_each(sockets, lambda socket: [name for name in [key(socket)] if name is not None])


def grouped_by_each(sockets: Iterable[Socket], keys: Callable[[Socket], Sequence[Hashable]]) -> dict[Hashable, Group]:
    """The same where a socket may be in several groups."""
    groups: dict[Hashable, Group] = {}
    for socket in sockets:
        for name in keys(socket):
            groups.setdefault(name, Group()).add(socket)
    return groups


def in_its_namespace(known: Known, key: Callable[[Socket], Hashable]) -> Callable[[Socket], Hashable]:
    """``key`` with the label of the socket's namespace: what two namespaces have is not the same thing."""
    return lambda socket: (namespace_of(socket, known), key(socket))


def peer_network(address: Address, prefix: int) -> Network:
    """The network that ``--prefix`` puts a peer in."""
    unmapped = plain(address)
    if isinstance(unmapped, IPv4Address):
        return ipaddress.IPv4Network((unmapped, min(prefix, 32)), strict=False)
    return ipaddress.IPv6Network((unmapped, 64 if prefix <= 32 else prefix), strict=False)


def place_of(socket: Socket) -> int:
    """The index of the namespace that it is in."""
    return socket.netns if isinstance(socket, Placed) else 0


def listener_of(everything: Sequence[Socket], socket: Socket) -> int | None:
    """The index of the first listener at the address and port that a socket belongs to.

    In its namespace: at the very address, at any IPv4 one, at any of both families.
    """
    listening: dict[tuple[int, Address, int], int] = {}
    for index, each in enumerate(everything):
        if each.state is TcpState.LISTEN:
            listening.setdefault((place_of(each), plain(each.local), each.local_port), index)
    address = plain(socket.local)
    candidates = [address, *([ANY_IPV4] if isinstance(address, IPv4Address) else []), ANY_IPV6]
    ends = ((place_of(socket), each, socket.local_port) for each in candidates)
    return next((listening[end] for end in ends if end in listening), None)


def endpoint_of(everything: Sequence[Socket], socket: Socket) -> tuple[Address, int] | None:
    """The address and port of that listener."""
    index = listener_of(everything, socket)
    return None if index is None else (plain(everything[index].local), everything[index].local_port)


def groups_in(grid: Grid, key: Callable[[str], Hashable]) -> dict[Hashable, Group]:
    """The rows of a grid in the same form, ``key`` making the text of a row's key comparable.

    Where rows are of one namespace, its label goes before that.
    """
    found: dict[Hashable, Group] = {}
    is_placed = "netns" in grid.columns and grid.kind.key.id != "netns"
    for row in grid.members.tolist():
        name = key(grid.human(row, grid.kind.key))
        if is_placed:
            name = (grid.human(row, FIELDS["netns"]), name)
        assert name not in found, f"two rows for {name}"
        found[name] = group_in(grid, row)
    return found


def group_in(grid: Grid, row: int) -> Group:
    """One row of a matrix in the same form."""
    names = (
        "total",
        "recv_queue_bytes",
        "send_queue_bytes",
        "accept_queue",
        "backlog",
        *(each.name for each in ALL_STATES),
    )
    numbers = {name: int(grid.columns[name][0][row]) for name in names if name in grid.columns}
    group = Group(
        Counter({state: numbers[state.name] for state in ALL_STATES if numbers[state.name]}),
        numbers["recv_queue_bytes"],
        numbers["send_queue_bytes"],
        numbers.get("accept_queue", 0),
        numbers.get("backlog", 0),
    )
    assert numbers["total"] == sum(group.states.values())
    return group


def endpoint(text: str) -> tuple[Address, int]:
    """``10.0.0.5:443`` or ``[::1]:22`` read back."""
    address, _, port = text.rpartition(":")
    return ipaddress.ip_address(address.strip("[]")), int(port)

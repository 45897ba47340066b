"""What a grid must hold, computed socket by socket with dictionaries."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from tcptui.analysis.grid import Grid
from tcptui.model.states import ALL_STATES, TcpState
from tests.model.random_tables import ANY_IPV4, ANY_IPV6, Address, Socket, plain

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
    groups: dict[Hashable, Group] = {}
    for socket in sockets:
        name = key(socket)
        if name is not None:
            groups.setdefault(name, Group()).add(socket)
    return groups


def peer_network(address: Address, prefix: int) -> Network:
    """The network that ``--prefix`` puts a peer in."""
    unmapped = plain(address)
    if isinstance(unmapped, IPv4Address):
        return ipaddress.IPv4Network((unmapped, min(prefix, 32)), strict=False)
    return ipaddress.IPv6Network((unmapped, 64 if prefix <= 32 else prefix), strict=False)


def listener_of(everything: Iterable[Socket], socket: Socket) -> tuple[Address, int] | None:
    """The address and port of the listener that a socket belongs to: the very address, any IPv4, any of both."""
    listening = {(plain(each.local), each.local_port) for each in everything if each.state is TcpState.LISTEN}
    address = plain(socket.local)
    candidates = [address, *([ANY_IPV4] if isinstance(address, IPv4Address) else []), ANY_IPV6]
    return next((pair for pair in ((each, socket.local_port) for each in candidates) if pair in listening), None)


def groups_in(grid: Grid, key: Callable[[str], Hashable]) -> dict[Hashable, Group]:
    """The rows of a grid in the same form, ``key`` making the text of a row's key comparable."""
    found: dict[Hashable, Group] = {}
    for row in grid.members.tolist():
        value = grid.value(row, grid.kind.key)
        assert value is not None
        name = key(str(grid.kind.key.type.plain(value)))
        assert name not in found, f"two rows for {name}"
        numbers = {field_id: int(column[0][row]) for field_id, column in grid.columns.items() if len(column) == 1}
        group = Group(
            Counter({state: numbers[state.name] for state in ALL_STATES if numbers[state.name]}),
            numbers["recv_queue_bytes"],
            numbers["send_queue_bytes"],
            numbers.get("accept_queue", 0),
            numbers.get("backlog", 0),
        )
        assert numbers["total"] == sum(group.states.values())
        found[name] = group
    return found


def endpoint(text: str) -> tuple[Address, int]:
    """``10.0.0.5:443`` or ``[::1]:22`` read back."""
    address, _, port = text.rpartition(":")
    return ipaddress.ip_address(address.strip("[]")), int(port)

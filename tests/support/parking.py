"""How sockets are brought into a TCP state and kept there, and what that takes on either side.

Each state is one recipe: a few steps in an order that leaves the box's kernel no choice. Where the state needs the
peer's kernel to stay silent, the box's packets are lost from that step on (``Veth.lose``) while the peer's still
arrive. The states and what ends them are in FACTS section 1.
"""

import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tcptui.model.states import TcpState
from tests.support.netns import NetworkNamespace
from tests.support.veth import BOX_INET, BOX_INET6, BOX_MAPPED, Veth
from tests.support.waiting import wait_for

Family: TypeAlias = socket.AddressFamily | Literal["mapped"]
"""``AF_INET``, ``AF_INET6``, or ``"mapped"``: an AF_INET6 dual-stack socket of the box that talks IPv4."""

Role: TypeAlias = Literal["client", "server"]
"""Which end opened the connection: the box (its sockets have the port as peer port) or the peer (as local port)."""

STEP_DEADLINE_S = 5.0
"""A handshake or an end of file that takes longer than this in a veth pair does not come."""

_IP_FREEBIND = 15  # include/uapi/linux/in.h; the socket module has neither
_IP_BIND_ADDRESS_NO_PORT = 24
_ABORT = struct.pack("ii", 1, 0)  # struct linger: close() sends RST and forgets


@dataclass(frozen=True)
class Addressing:
    """How a family looks from either end."""

    box_family: socket.AddressFamily
    peer_family: socket.AddressFamily
    box_address: str
    """The box's own address as the peer dials it; a listener of the box binds to it."""

    def seen_by_box(self, address: str) -> str:
        """``address`` as a socket of the box spells it."""
        return f"::ffff:{address}" if self.box_family != self.peer_family else address


ADDRESSING: dict[Family, Addressing] = {
    socket.AF_INET: Addressing(socket.AF_INET, socket.AF_INET, BOX_INET),
    socket.AF_INET6: Addressing(socket.AF_INET6, socket.AF_INET6, BOX_INET6),
    "mapped": Addressing(socket.AF_INET6, socket.AF_INET, BOX_MAPPED),
}


@dataclass(frozen=True, eq=False)
class Parked:
    """One group of sockets that the box holds, in the words of the box's socket table; each is equal to itself only."""

    state: TcpState
    count: int
    family: Family
    role: Role
    port: int
    """Peer port of a client's sockets, local port of a server's; 0 when each listener has a port of its own."""
    peer_address: str
    """The group's own peer address, as ss prints it for the box; empty for listeners."""
    half_closed: bool
    """The box's program keeps the descriptor and has only shut down sending."""


class Listeners:
    """The listeners that the box needs for connections from the peer: one for each family and port, reused."""

    def __init__(self, box: NetworkNamespace) -> None:
        """Keep listeners in ``box``; none is opened before it is asked for."""
        self._box = box
        self._open: dict[tuple[Family, int], socket.socket] = {}
        self._queued: dict[tuple[Family, int], int] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)

    def ready_for(self, family: Family, port: int, arrivals: int) -> socket.socket:
        """The listener, with a queue that ``arrivals`` more half-open connections cannot fill by half.

        From half full on the kernel prunes SYN_RECV early (FACTS section 1.3), so the backlog is four times what may
        ever wait. Calling listen() again on an open listener sets its backlog anew (FACTS section 1.10, E-15).
        """
        key = (family, port)
        if key not in self._open:
            addressing = ADDRESSING[family]
            address = addressing.seen_by_box(addressing.box_address)
            self._open[key] = open_listener(self._box, addressing.box_family, address, port, dual=family == "mapped")
        self._queued[key] = self._queued.get(key, 0) + arrivals
        backlog = 4 * max(self._queued[key], 32)
        self._box.raise_sysctl("net.core.somaxconn", backlog)
        self._open[key].listen(backlog)
        return self._open[key]

    def close(self) -> None:
        """Close all."""
        close_all(self._open.values())


@dataclass
class Group:
    """The sockets behind one ``Parked`` on both sides, and the steps that recipes are made of."""

    parked: Parked
    box_namespace: NetworkNamespace
    peer_namespace: NetworkNamespace
    veth: Veth
    listeners: Listeners
    far_address: str
    """The group's peer address as the peer spells it."""
    box: list[socket.socket] = field(default_factory=list)
    peer: list[socket.socket] = field(default_factory=list)

    @property
    def addressing(self) -> Addressing:
        """How the group's family looks from either end."""
        return ADDRESSING[self.parked.family]

    def connect(self) -> None:
        """Establish all connections; both ends are held."""
        if self.parked.role == "client":
            self._connect_from_box()
        else:
            self._connect_from_peer()

    def lose_outgoing(self) -> None:
        """Lose what the box sends to this group from here on; what the peer sends still arrives."""
        self.veth.lose(self.far_address)

    def dial(self) -> None:
        """Begin connections from the box and do not wait for an answer."""
        self._open_box_sockets()
        begin_all(self.box, self._far_endpoint())

    def knock(self) -> None:
        """Begin connections from the peer to the box's listener and do not wait for an answer."""
        self.listeners.ready_for(self.parked.family, self.parked.port, self.parked.count)
        self._open_peer_sockets()
        begin_all(self.peer, (self.addressing.box_address, self.parked.port))

    def listen(self) -> None:
        """Open listeners on the wildcard address; several on one port share it (SO_REUSEPORT)."""
        family = self.addressing.box_family
        wildcard = "::" if family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - nobody outside reaches the namespace
        for _ in range(self.parked.count):
            dual = self.parked.family == "mapped"
            self.box.append(open_listener(self.box_namespace, family, wildcard, self.parked.port, dual=dual))

    def close_box(self) -> None:
        """The box's program closes its end, or only shuts down sending if the group is half-closed."""
        if self.parked.half_closed:
            for each in self.box:
                each.shutdown(socket.SHUT_WR)
        else:
            close_all(self.box)

    def close_peer(self) -> None:
        """The peer's program closes its end."""
        close_all(self.peer)

    def half_close_peer(self) -> None:
        """The peer's program shuts down sending and keeps its descriptor; returns when the box has taken the FIN.

        A full close would do it for 60 s only: an orphan FIN_WAIT2 that became one while its socket was locked is no
        mini-socket, and ends with an RST (``tcp_keepalive_timer()``), which takes the box's socket with it.
        """
        for each in self.peer:
            each.shutdown(socket.SHUT_WR)
        wait_for(
            lambda: Counter(kernel_state(each) for each in self.peer),
            lambda seen: set(seen) == {TcpState.FIN_WAIT2},
            wanted="the box to acknowledge the FIN of the peer's sockets",
        )

    def abort(self) -> None:
        """Forget all sockets of the group that have a descriptor, with RST instead of FIN."""
        for each in (*self.box, *self.peer):
            if each.fileno() >= 0:
                with contextlib.suppress(OSError):  # a listener has no linger time to set, and no connection to reset
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        close_all(self.box)
        close_all(self.peer)

    def _connect_from_box(self) -> None:
        listener = open_listener(
            self.peer_namespace, self.addressing.peer_family, self.far_address, self.parked.port, dual=False
        )
        with listener:
            self._open_box_sockets()
            for each in self.box:
                each.connect(self._far_endpoint())
                self.peer.append(accept_one(listener))

    def _connect_from_peer(self) -> None:
        listener = self.listeners.ready_for(self.parked.family, self.parked.port, 1)
        self._open_peer_sockets()
        for each in self.peer:
            each.connect((self.addressing.box_address, self.parked.port))
            self.box.append(accept_one(listener))

    def _far_endpoint(self) -> tuple[str, int]:
        return self.parked.peer_address, self.parked.port

    def _open_box_sockets(self) -> None:
        self.box += open_sockets(self.box_namespace, self.addressing.box_family, self.parked.count)

    def _open_peer_sockets(self) -> None:
        """Open sockets of the peer that speak from the group's address.

        IP_FREEBIND, because IPv6 demands an address that a device has and does not look at the ``local`` route.
        IP_BIND_ADDRESS_NO_PORT leaves the choice of port to connect() (FACTS section 2.3, E-27).
        """
        self.peer += open_sockets(self.peer_namespace, self.addressing.peer_family, self.parked.count)
        for each in self.peer:
            each.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            each.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            each.bind((self.far_address, 0))


def park_established(group: Group) -> None:
    """Both ends hold the connection and say nothing; lasts as long as the lab."""
    group.connect()


def park_syn_sent(group: Group) -> None:
    """The SYN is lost; the kernel gives up after about 131 s (FACTS section 1.2)."""
    group.lose_outgoing()
    group.dial()


def park_syn_recv(group: Group) -> None:
    """The SYN arrives, the SYN-ACK is lost; the kernel forgets it after about 64 s (FACTS section 1.3, E-7b)."""
    group.lose_outgoing()
    group.knock()


def park_fin_wait1(group: Group) -> None:
    """The FIN is lost; an orphan lives about 107 s, a half-closed one about 924 s (FACTS section 1.4, E-5)."""
    group.connect()
    group.lose_outgoing()
    group.close_box()


def park_fin_wait2(group: Group) -> None:
    """The FIN is acknowledged and the peer does not close; an orphan lives 60 s, a half-closed one for ever.

    The orphan is a timewait mini-socket (FACTS section 1.5, E-2), but for about one in four thousand on a busy machine:
    when the acknowledgement comes while close() still has the socket locked, it stays a full socket under the keepalive
    timer for the same 60 s (``tcp_rcv_state_process()``).
    """
    group.connect()
    group.close_box()


def park_time_wait(group: Group) -> None:
    """The box closes first, then the peer; lives 60 s (FACTS section 1.6).

    Should the peer's FIN overtake the box's, both ends close at once and the box is in TIME_WAIT all the same.
    """
    group.connect()
    group.close_box()
    group.close_peer()


def park_close_wait(group: Group) -> None:
    """The peer shuts down sending, the box's program neither reads the end of file nor closes; lasts as the lab does.

    Recv-Q is 1, the unread FIN (FACTS section 1).
    """
    group.connect()
    group.half_close_peer()


def park_last_ack(group: Group) -> None:
    """The peer shuts down sending, the box closes and its FIN is lost; lives about 107 s (FACTS section 1.9, E-5)."""
    group.connect()
    group.half_close_peer()
    group.lose_outgoing()
    group.close_box()


def park_closing(group: Group) -> None:
    """The box closes, its FIN is lost, then the peer's FIN arrives; lives about 107 s (FACTS section 1.11)."""
    group.connect()
    group.lose_outgoing()
    group.close_box()
    group.close_peer()


def park_listen(group: Group) -> None:
    """Listeners; last as long as the lab."""
    group.listen()


RECIPES: dict[TcpState, Callable[[Group], None]] = {
    TcpState.ESTABLISHED: park_established,
    TcpState.SYN_SENT: park_syn_sent,
    TcpState.SYN_RECV: park_syn_recv,
    TcpState.FIN_WAIT1: park_fin_wait1,
    TcpState.FIN_WAIT2: park_fin_wait2,
    TcpState.TIME_WAIT: park_time_wait,
    TcpState.CLOSE_WAIT: park_close_wait,
    TcpState.LAST_ACK: park_last_ack,
    TcpState.CLOSING: park_closing,
    TcpState.LISTEN: park_listen,
}
"""Every state that a socket table can show."""

ONLY_ROLE: dict[TcpState, Role] = {
    TcpState.SYN_SENT: "client",
    TcpState.SYN_RECV: "server",
    TcpState.LISTEN: "server",
}
"""States that one end alone can be in."""

HALF_CLOSABLE = frozenset({TcpState.FIN_WAIT1, TcpState.FIN_WAIT2, TcpState.LAST_ACK, TcpState.CLOSING})
"""States that the box enters by shutting down sending as well as by closing."""


def check_parkable(state: TcpState, role: Role, *, half_closed: bool) -> None:
    """Refuse what no recipe can do.

    Raises:
        ValueError: no socket of that role can be parked in that state.
    """
    if state not in RECIPES or ONLY_ROLE.get(state, role) != role:
        raise ValueError(f"no {role} can be parked in {state.name}")
    if half_closed and state not in HALF_CLOSABLE:
        raise ValueError(f"{state.name} is not entered by shutting down sending")


def open_sockets(namespace: NetworkNamespace, family: socket.AddressFamily, count: int) -> list[socket.socket]:
    """``count`` unconnected sockets of ``namespace``, or none if one of them cannot be had."""
    with contextlib.ExitStack() as undo, namespace.entered():
        sockets = [undo.enter_context(socket.socket(family, socket.SOCK_STREAM)) for _ in range(count)]
        for each in sockets:
            each.settimeout(STEP_DEADLINE_S)
        undo.pop_all()
    return sockets


def open_listener(
    namespace: NetworkNamespace, family: socket.AddressFamily, address: str, port: int, *, dual: bool
) -> socket.socket:
    """A listener of ``namespace``; ``dual`` lets one of AF_INET6 take IPv4 connections as well.

    A chosen port is shared by SO_REUSEPORT, so that IPv4, IPv6 and dual-stack listeners may all have it.
    """
    (listener,) = open_sockets(namespace, family, 1)
    with contextlib.ExitStack() as undo:
        undo.enter_context(listener)
        listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        if port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
        listener.listen()
        undo.pop_all()
    return listener


def accept_one(listener: socket.socket) -> socket.socket:
    """The next connection, with the deadline that all sockets of the lab have."""
    accepted, _ = listener.accept()
    accepted.settimeout(STEP_DEADLINE_S)
    return accepted


def kernel_state(each: socket.socket) -> TcpState:
    """State of a socket that has a descriptor: the first byte of struct tcp_info (``include/uapi/linux/tcp.h``)."""
    return TcpState(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0])


def begin_all(sockets: Sequence[socket.socket], endpoint: tuple[str, int]) -> None:
    """Send a SYN from each socket without waiting for what comes back."""
    for each in sockets:
        each.settimeout(0)
        with contextlib.suppress(BlockingIOError):  # EINPROGRESS: the SYN is on its way
            each.connect(endpoint)


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Close each of ``sockets``; one that is closed already stays so."""
    for each in sockets:
        each.close()

"""The lab: a network namespace whose socket table holds exactly what a test asked for, made of real kernel sockets.

Two namespaces are joined by a veth pair: ``box`` is the machine being watched, ``peer`` the other end. Each call of
``Lab.park`` has a peer address of its own, and so its own fate on the wire: more sockets never disturb earlier ones,
and the order of the calls does not matter.

Nothing lasts for ever: TIME_WAIT and orphan FIN_WAIT2 live 60 s, SYN_RECV about 64 s, orphan FIN_WAIT1, LAST_ACK and
CLOSING about 107 s, SYN_SENT about 131 s (FACTS section 1). ESTABLISHED, CLOSE_WAIT and LISTEN stay.
"""

import contextlib
import socket
from collections import Counter
from types import TracebackType
from typing import final

from tcptui.model.states import TcpState
from tests.support.commands import CommandError, run_command
from tests.support.limits import raise_descriptor_limit
from tests.support.netns import NetworkNamespace
from tests.support.parking import (
    ADDRESSING,
    ONLY_ROLE,
    RECIPES,
    Family,
    Group,
    Listeners,
    Parked,
    Role,
    check_parkable,
)
from tests.support.ss import SsRow, count_text, difference_text, ss_counts, ss_rows
from tests.support.veth import Veth
from tests.support.waiting import wait_for

DEFAULT_PORT = 7000
"""Port of a group whose test does not care."""

_RESERVED_DESCRIPTORS = 200
_WIDE_PORT_RANGE = "1024 65535"
_PORTS_PER_ADDRESS = 28_000
"""The default ip_local_port_range has 28,232 ports for one peer address and port (FACTS section 2.3)."""
_MINI_SOCKETS = frozenset({TcpState.TIME_WAIT, TcpState.FIN_WAIT2})
"""What tcp_max_tw_buckets counts (FACTS section 2.1)."""


@final
class Lab:
    """Sockets parked in chosen states and counts; a context manager that leaves nothing behind."""

    def __init__(self) -> None:
        """Choose the namespaces' names; nothing is made before the context is entered."""
        self.box = NetworkNamespace("box")
        self.peer = NetworkNamespace("peer")
        self._veth = Veth(self.box, self.peer)
        self._listeners = Listeners(self.box)
        self._groups: list[Group] = []
        self._parked: dict[Parked, Group] = {}
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> "Lab":
        """Make and join the namespaces."""
        with contextlib.ExitStack() as undo:
            undo.enter_context(self.box)
            undo.enter_context(self.peer)
            undo.enter_context(self._veth.joined())
            undo.callback(self._forget_sockets)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Forget all sockets, then remove the namespaces."""
        self._undo.close()

    def park(
        self,
        state: TcpState,
        count: int,
        *,
        family: Family = socket.AF_INET,
        port: int | None = None,
        role: Role | None = None,
        half_closed: bool = False,
    ) -> Parked:
        """Bring exactly ``count`` more sockets of the box into ``state`` and wait until ss shows them there.

        Args:
            state: any state of ``RECIPES``.
            count: how many.
            family: of the box's sockets.
            port: peer port of a client's sockets, local port of a server's. Listeners without one get one each.
            role: whether the box opened the connections (``"client"``, the default where possible) or the peer did;
                a server's sockets need one listener for each family and port, which ``expected`` counts.
            half_closed: the box's program keeps its descriptor and only shuts down sending (``HALF_CLOSABLE``): the
                sockets have an inode and live longer.
        """
        role = role or ONLY_ROLE.get(state, "client")
        check_parkable(state, role, half_closed=half_closed)
        addressing = ADDRESSING[family]
        far_address = self._veth.far_address(addressing.peer_family)
        listening = state is TcpState.LISTEN
        port = (0 if listening else DEFAULT_PORT) if port is None else port
        peer_address = "" if listening else addressing.seen_by_box(far_address)
        parked = Parked(state, count, family, role, port, peer_address, half_closed)
        self._make_room(parked)
        self._bring_about(Group(parked, self.box, self.peer, self._veth, self._listeners, far_address))
        return parked

    def ends(self, parked: Parked) -> tuple[list[socket.socket], list[socket.socket]]:
        """The group's sockets in the box and in the peer, for a test that moves one on; closed ones are among them."""
        group = self._parked[parked]
        return group.box, group.peer

    def lose(self, parked: Parked) -> None:
        """Lose what the box sends to the group's peer from here on; what the peer sends still arrives."""
        self._parked[parked].lose_outgoing()

    def release(self, parked: Parked) -> None:
        """Take the group's sockets out of the box's table at once, without leaving TIME_WAIT.

        Sockets without a descriptor need ``ss -K`` (SOCK_DESTROY, FACTS section 6.7).
        """
        self._parked.pop(parked).abort()
        if parked.state is TcpState.LISTEN:
            return
        if self._states_of(parked):
            run_command("ss", "-N", self.box.name, "-KtanH", "dst", f"[{parked.peer_address}]")
        self._await_states(parked, Counter())

    def expected(self) -> Counter[TcpState]:
        """How many sockets of each state the box holds, the listeners that others need included."""
        counts: Counter[TcpState] = Counter()
        for parked in self._parked:
            counts[parked.state] += parked.count
        counts[TcpState.LISTEN] += len(self._listeners)
        return +counts

    def settle(self, seconds: float = 10.0) -> None:
        """Wait until ss counts in the box what ``expected`` says."""
        expected = self.expected()
        wait_for(
            self.ss_counts,
            lambda seen: seen == expected,
            wanted=f"{count_text(expected)} in {self.box.name}",
            seconds=seconds,
            show=lambda seen: f"{count_text(seen)} ({difference_text(expected, seen)})",
        )

    def ss(self, *arguments: str) -> list[SsRow]:
        """What ``ss -tanH`` prints in the box; ``arguments`` are more options (``-o``, ``-e``) or a filter."""
        return ss_rows(self.box, *arguments)

    def ss_counts(self) -> Counter[TcpState]:
        """How many sockets of each state ss finds in the box."""
        return ss_counts(self.box)

    def sysctl(self, name: str, value: int | str | None = None) -> str:
        """Value of a kernel parameter in the box, after setting it if ``value`` is given."""
        if value is not None:
            self.box.write_sysctl(name, value)
        return self.box.read_sysctl(name)

    def _bring_about(self, group: Group) -> None:
        """Follow the recipe and wait until ss shows the result."""
        parked = group.parked
        self._groups.append(group)
        RECIPES[parked.state](group)
        if parked.state is not TcpState.LISTEN:  # listen() returns when it is done
            self._await_states(parked, Counter({parked.state: parked.count}))
        if parked.state is TcpState.SYN_RECV:
            group.close_peer()  # no packet leaves a SYN_SENT socket that is closed; open, it would knock again
        self._parked[parked] = group

    def _make_room(self, parked: Parked) -> None:
        """Widen what the kernel limits, and only when the count asks for it: tests also look at the parameters.

        Raises:
            ValueError: the process may not open that many descriptors, two for each connection.
        """
        limit = raise_descriptor_limit()
        if 2 * parked.count + self._descriptors() > limit - _RESERVED_DESCRIPTORS:
            raise ValueError(f"{parked.count} more connections do not fit into {limit} descriptors")
        if parked.count > _PORTS_PER_ADDRESS:
            for namespace in (self.box, self.peer):
                namespace.write_sysctl("net.ipv4.ip_local_port_range", _WIDE_PORT_RANGE)
        expected = self.expected()
        mini_sockets = sum(expected[state] for state in _MINI_SOCKETS) + parked.count
        self.box.raise_sysctl("net.ipv4.tcp_max_tw_buckets", mini_sockets)

    def _descriptors(self) -> int:
        return sum(each.fileno() >= 0 for group in self._groups for each in (*group.box, *group.peer))

    def _states_of(self, parked: Parked) -> Counter[TcpState]:
        """States of the box's sockets that have the group's peer address."""
        return Counter(row.state for row in self.ss() if row.peer_address == parked.peer_address)

    def _await_states(self, parked: Parked, wanted: Counter[TcpState]) -> None:
        wait_for(
            lambda: self._states_of(parked),
            lambda seen: seen == wanted,
            wanted=f"{count_text(wanted)} with peer {parked.peer_address} in {self.box.name}",
            show=lambda seen: f"{count_text(seen)}; all of the box: {count_text(self.ss_counts())}",
        )

    def _forget_sockets(self) -> None:
        """Close everything without leaving orphans, which would keep a namespace alive for up to 107 s more."""
        for group in self._groups:
            group.abort()
        self._listeners.close()
        for namespace in (self.box, self.peer):
            with contextlib.suppress(CommandError):  # a kernel without SOCK_DESTROY: they end by themselves
                run_command("ss", "-N", namespace.name, "-KtanH")

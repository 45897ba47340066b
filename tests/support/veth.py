"""Two namespaces joined by a veth pair, where each far address can be made unreachable in one direction only.

No packet filter is needed: a second veth pair of the box has a far end that is down, and a route to it for one far
address swallows what the box sends there, while what comes from that address still arrives on the first pair. A
device without carrier drops silently: its queue is the kernel's ``noop_qdisc``, which answers NET_XMIT_CN, and TCP
takes that for sent.

A wrong neighbour entry would lose packets as well, but only at the other end, after they went through the receive
queue of a processor (``net.core.netdev_max_backlog``, 1000 packets, machine-wide). When the SYN-ACKs of more than a
thousand SYN_RECV are sent again in one timer tick that queue overflows, the sending fails, and
``reqsk_timer_handler()`` forgets each request whose SYN-ACK it could not send: of 2,000 SYN_RECV 1,001 were left after
one second (Linux 6.18).

Addresses: the box has a few of its own; the peer answers for two whole prefixes, which a ``local`` route gives it, so
that a far address costs nothing. Everything that would send packets by itself (duplicate address detection, router
solicitation, link-local addresses) is off.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import final

from tests.support.netns import NetworkNamespace
from tests.support.waiting import wait_for

BOX_INET = "10.77.0.1"
BOX_MAPPED = "10.77.0.2"
"""A second IPv4 address of the box for its IPv4-mapped sockets: a listener there never meets the IPv4 one's port."""
BOX_INET6 = "fd00:77::1"

_CABLE = "veth0"
_SINK = "sink0"
_BOX_HARDWARE = "02:00:00:77:00:01"
_PEER_HARDWARE = "02:00:00:77:00:02"
_GATEWAYS = {socket.AF_INET: "10.77.0.3", socket.AF_INET6: "fd00:77::3"}
"""The peer's addresses on the cable."""
_FAR_PREFIXES = {
    socket.AF_INET: ipaddress.ip_network("10.78.0.0/16"),
    socket.AF_INET6: ipaddress.ip_network("fd00:78::/64"),
}
_DISCARD_PORT = 9
"""Nobody listens there: a connection attempt is refused at once, which shows that both directions work."""


@final
class Veth:
    """The joined pair; ``far_address`` hands out addresses of the peer, ``lose`` decides their fate."""

    def __init__(self, box: NetworkNamespace, peer: NetworkNamespace) -> None:
        """Take two namespaces that exist; nothing is made in them yet."""
        self._box = box
        self._peer = peer
        self._serial = count(1)

    @contextmanager
    def joined(self) -> Iterator["Veth"]:
        """Join the two for the time of the block, which begins when packets really pass in both families."""
        for namespace in (self._box, self._peer):
            _silence(namespace)
        self._box.ip_batch(
            f"link add {_CABLE} address {_BOX_HARDWARE} type veth"
            f" peer {_CABLE} address {_PEER_HARDWARE} netns {self._peer.name}",
            f"link add {_SINK} type veth peer {_SINK}-down",
        )
        try:
            self._set_up_box()
            self._set_up_peer()
            for family in _FAR_PREFIXES:
                self._await_carrier(family)
            yield self
        finally:
            self._box.ip_batch(*(f"link delete {device}" for device in (_CABLE, _SINK)))

    def far_address(self, family: socket.AddressFamily) -> str:
        """An address of the peer that was never handed out before, so that nobody else's fate depends on it."""
        return str(_FAR_PREFIXES[family][next(self._serial)])

    def lose(self, address: str) -> None:
        """Lose the box's packets for ``address``, from now on and also those of sockets that exist."""
        source = BOX_INET6 if ":" in address else BOX_INET
        self._box.ip("route", "replace", address, "dev", _SINK, "src", source)

    def _set_up_box(self) -> None:
        self._box.ip_batch(
            *(_address(address) for address in (BOX_INET, BOX_MAPPED, BOX_INET6)),
            f"link set {_CABLE} up",
            f"link set {_SINK} arp off up",
            *(_neighbour(gateway, _PEER_HARDWARE) for gateway in _GATEWAYS.values()),
            *(f"route add {prefix} via {_GATEWAYS[family]}" for family, prefix in _FAR_PREFIXES.items()),
        )

    def _set_up_peer(self) -> None:
        self._peer.ip_batch(
            *(_address(address) for address in _GATEWAYS.values()),
            f"link set {_CABLE} up",
            *(_neighbour(address, _BOX_HARDWARE) for address in (BOX_INET, BOX_MAPPED, BOX_INET6)),
            *(f"route add local {prefix} dev lo" for prefix in _FAR_PREFIXES.values()),
        )

    def _await_carrier(self, family: socket.AddressFamily) -> None:
        """Wait until a connection attempt is refused by the peer.

        The kernel brings up the carrier and IPv6 addresses from work queues; a SYN sent before that is lost and sent
        again a second later.
        """
        address = self.far_address(family)
        wait_for(
            lambda: self._attempt(family, address),
            lambda outcome: outcome == "ConnectionRefusedError",
            wanted=f"packets to pass between {self._box.name} and {self._peer.name} ({family.name})",
        )

    def _attempt(self, family: socket.AddressFamily, address: str) -> str:
        """Name of the error that a connection attempt to a closed port of ``address`` ends with."""
        with self._box.entered(), socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(0.1)
            try:
                client.connect((address, _DISCARD_PORT))
            except OSError as error:
                return type(error).__name__
            return "connected"


def _silence(namespace: NetworkNamespace) -> None:
    """Keep devices made later from sending anything by themselves (ip-sysctl: ``conf/default``).

    And let packets come in on another device than the one that answers would take, whatever the distribution set.
    """
    for name, value in (("accept_dad", 0), ("accept_ra", 0), ("router_solicitations", 0), ("addr_gen_mode", 1)):
        namespace.write_sysctl(f"net.ipv6.conf.default.{name}", value)
    for scope in ("all", "default"):
        namespace.write_sysctl(f"net.ipv4.conf.{scope}.rp_filter", 0)


def _address(address: str) -> str:
    if ":" in address:
        return f"address add {address}/64 dev {_CABLE} nodad"
    return f"address add {address}/16 dev {_CABLE}"


def _neighbour(address: str, hardware: str) -> str:
    return f"neighbour replace {address} lladdr {hardware} nud permanent dev {_CABLE}"

"""Two namespaces joined by a veth pair, where each far address can be made unreachable in one direction only.

No packet filter is needed: a permanent neighbour entry with a hardware address that nobody has makes the box's frames
for that address arrive as somebody else's (``PACKET_OTHERHOST``) and be dropped, while the other direction works.

Addresses: the box has a few of its own; the peer answers for two whole prefixes, which a ``local`` route gives it, so
that a far address costs nothing but its neighbour entry in the box. Everything that would send packets by itself
(duplicate address detection, router solicitation, link-local addresses) is off.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from tests.support.netns import NetworkNamespace
from tests.support.waiting import wait_for

BOX_INET = "10.77.0.1"
BOX_MAPPED = "10.77.0.2"
"""A second IPv4 address of the box for its IPv4-mapped sockets: a listener there never meets the IPv4 one's port."""
BOX_INET6 = "fd00:77::1"

_DEVICE = "veth0"
_BOX_HARDWARE = "02:00:00:77:00:01"
_PEER_HARDWARE = "02:00:00:77:00:02"
_NOBODYS_HARDWARE = "02:00:00:77:00:ff"
_FAR_PREFIXES = {
    socket.AF_INET: ipaddress.ip_network("10.78.0.0/16"),
    socket.AF_INET6: ipaddress.ip_network("fd00:78::/64"),
}
_DISCARD_PORT = 9
"""Nobody listens there: a connection attempt is refused at once, which shows that both directions work."""


class Veth:
    """The joined pair; ``far_address`` hands out addresses of the peer, ``reach`` and ``lose`` decide their fate."""

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
        self._connect_devices()
        try:
            self._set_addresses()
            for family in _FAR_PREFIXES:
                self._await_carrier(family)
            yield self
        finally:
            self._box.ip("link", "delete", _DEVICE)

    def far_address(self, family: socket.AddressFamily) -> str:
        """An address of the peer that was never handed out before; unreachable until ``reach``."""
        return str(_FAR_PREFIXES[family][next(self._serial)])

    def reach(self, address: str) -> None:
        """Let the box's packets for ``address`` arrive."""
        self._set_neighbour(address, _PEER_HARDWARE)

    def lose(self, address: str) -> None:
        """Lose the box's packets for ``address``, from now on and also those of sockets that exist."""
        self._set_neighbour(address, _NOBODYS_HARDWARE)

    def _set_neighbour(self, address: str, hardware: str) -> None:
        self._box.ip(*_neighbour(address, hardware).split())

    def _connect_devices(self) -> None:
        near = f"link add name {_DEVICE} address {_BOX_HARDWARE} type veth"
        self._box.ip(*f"{near} peer name {_DEVICE} address {_PEER_HARDWARE} netns {self._peer.name}".split())

    def _set_addresses(self) -> None:
        box_addresses = (BOX_INET, BOX_MAPPED, BOX_INET6)
        self._box.ip_batch(
            *(_address(address) for address in box_addresses),
            f"link set {_DEVICE} up",
            *(f"route add {prefix} dev {_DEVICE}" for prefix in _FAR_PREFIXES.values()),
        )
        self._peer.ip_batch(
            _address("10.77.0.3"),
            _address("fd00:77::3"),
            f"link set {_DEVICE} up",
            *(f"route add local {prefix} dev lo" for prefix in _FAR_PREFIXES.values()),
            *(_neighbour(address, _BOX_HARDWARE) for address in box_addresses),
        )

    def _await_carrier(self, family: socket.AddressFamily) -> None:
        """Wait until a connection attempt is refused by the peer.

        The kernel brings up the carrier and IPv6 addresses from work queues; a SYN sent before that is lost and sent
        again a second later.
        """
        address = self.far_address(family)
        self.reach(address)
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
    """Keep devices made later from sending anything by themselves (ip-sysctl: ``conf/default``)."""
    for name, value in (("accept_dad", 0), ("accept_ra", 0), ("router_solicitations", 0), ("addr_gen_mode", 1)):
        namespace.write_sysctl(f"net.ipv6.conf.default.{name}", value)


def _address(address: str) -> str:
    if ":" in address:
        return f"address add {address}/64 dev {_DEVICE} nodad"
    return f"address add {address}/16 dev {_DEVICE}"


def _neighbour(address: str, hardware: str) -> str:
    return f"neighbour replace {address} lladdr {hardware} nud permanent dev {_DEVICE}"

"""An address with its port, in the notations of all programs that list sockets.

``10.0.0.1:443``, ``[::1]:22``, ``[fe80::1]%eth0:546``, ``:::80`` (net-tools), ``*:22``, ``10.0.0.1.443`` (BSD),
``web-3.example:https``, ``*:*``. What is not an address is taken for a name, and gets an address that stands for it.
"""

import re
import socket
from collections.abc import Callable, Mapping
from functools import cached_property

from tcptui.model.address import HALF_BITS, LOW_HALF, MAPPED_PREFIX, UNTOLD_ADDRESS, stand_in

ANY_IPV4 = (0, MAPPED_PREFIX)
ANY_IPV6 = (0, 0)
UNTOLD = "(not told)"
"""What stands in the place of an address that the text does not tell."""
MOST_NAMES = 100_000
"""Names to tell apart; further ones are not told."""
_MOST_REMEMBERED = 200_000
_HIGHEST_PORT = 0xFFFF
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_NAME = re.compile(r"[\w.%*:/-]{1,255}")
_PORT_WORD = re.compile(r"[\w.+-]{1,40}")

Halves = tuple[int, int]


Endpoint = tuple[int, int, int, int]
"""One end of a socket: both halves of the address, its family, and the port.

The family is 4 or 6, and 0 for ``*`` and for a name. The port is 0 for any, and ``UNTOLD_PORT`` where it is not known.
A plain tuple: a named one takes as long to make as all else that is done for it.
"""
UNTOLD_PORT = -1


class _Ports(dict[str, int | None]):
    """The port that each text is, None for any other text; remembers the ports."""

    def __missing__(self, text: str) -> int | None:
        if _PORT.fullmatch(text) is None or int(text) > _HIGHEST_PORT:
            return None
        port = self[text] = int(text)
        return port


class Endpoints:
    """Reads endpoints, and keeps the names that are among them."""

    def __init__(self, services: Callable[[], Mapping[str, int]]) -> None:
        """``services`` gives the ports by their names; asked for when the first name comes."""
        self._services_source = services
        self._ports = _Ports()
        self._addresses: dict[str, tuple[int, int, int]] = {}
        self._numbers: dict[str, int] = {}
        self.unknown_services = 0
        """How often a port was a name that stands for nothing here."""

    @property
    def names(self) -> dict[Halves, str]:
        """The names that were met, by the addresses that stand for them."""
        return {stand_in(number): name for name, number in self._numbers.items()} | {UNTOLD_ADDRESS: UNTOLD}

    def read(self, text: str) -> Endpoint:
        """The endpoint that ``text`` is.

        Raises:
            ValueError: it is none.
        """
        address, _, port_text = text.rpartition(":")
        port = self._ports[port_text]
        if port is None or not address:
            address, port = self._split(text)
        hi, lo, family = self._addresses.get(address) or self._remember(address)
        return hi, lo, family, port

    def address(self, text: str) -> tuple[int, int, int]:
        """Both halves and the family of an address without a port.

        Raises:
            ValueError: it is neither an address nor a name.
        """
        return self._addresses.get(text) or self._remember(text)

    def _split(self, text: str) -> tuple[str, int]:
        """Address and port where the port is no number, or stands behind a dot."""
        address, colon, port_text = text.rpartition(":")
        if not colon or ("." in port_text and "]" not in port_text):
            address, colon, port_text = text.rpartition(".")
        if not colon or not address:
            raise ValueError(text)
        if port_text == "*":
            return address, 0
        port = self._ports[port_text]
        if port is not None:
            return address, port
        if not _PORT_WORD.fullmatch(port_text) or port_text.isdigit():
            raise ValueError(text)
        named = self._services.get(port_text, UNTOLD_PORT)
        self.unknown_services += named == UNTOLD_PORT
        return address, named

    @cached_property
    def _services(self) -> Mapping[str, int]:
        return self._services_source()

    def _remember(self, text: str) -> tuple[int, int, int]:
        found = _number(text) or (*self._stand_in(text), 0)
        if len(self._addresses) >= _MOST_REMEMBERED:
            self._addresses.clear()
        self._addresses[text] = found
        return found

    def _stand_in(self, name: str) -> Halves:
        """What stands for a name, the same whenever it comes."""
        if not _NAME.fullmatch(name):
            raise ValueError(name)
        name = name.lower()
        if name not in self._numbers and len(self._numbers) >= MOST_NAMES:
            return UNTOLD_ADDRESS
        return stand_in(self._numbers.setdefault(name, len(self._numbers) + 1))


def _number(text: str) -> tuple[int, int, int] | None:
    """Both halves and the family of an address; None for a name.

    The zone is left out: its name is that of an interface of another machine.
    """
    address = text.partition("%")[0]
    if address.startswith("["):
        address = address[1:].removesuffix("]")
    if address in {"*", ""}:
        return (*ANY_IPV6, 0)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None
    number = int.from_bytes(packed, "big")
    if family == socket.AF_INET:
        return 0, MAPPED_PREFIX | number, 4
    return number >> HALF_BITS, number & LOW_HALF, 6

"""Where to listen: ``[HOST:]PORT`` read, bound, and named for people, with the tunnel that leads there."""

from __future__ import annotations

import contextlib
import errno
import getpass
import ipaddress
import os
import re
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from tcptui.errors import OutputError, RequestError, system_reason
from tcptui.language import tr
from tcptui.text import printable

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65535
SSH_PORT = "22"

_PLACE = re.compile(r"(?:(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^\[\]:]+)):)?(?P<port>[0-9]{1,9})", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where to listen, as it was asked for; port 0 is any that is free."""

    host: str
    port: int


@dataclass(frozen=True)
class Listener:
    """A socket that listens, and what the place is called."""

    socket: socket.socket
    host: str
    """As people write it: what was asked for, or this machine's name where that was every address."""
    port: int
    is_loopback: bool
    """Whether only this machine can connect."""

    @property
    def authority(self) -> str:
        """``HOST:PORT`` of a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_place(text: str) -> Place:
    """What ``[HOST:]PORT`` says; without HOST it is this machine alone.

    Raises:
        RequestError: it says nothing of that kind.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        problem = tr("'{text}' is no [HOST:]PORT", text=printable(text))
        raise RequestError(problem, tr("write 8000 for this machine alone, or 0.0.0.0:8000, or [::]:8000"))
    port = int(found["port"])
    if port > HIGHEST_PORT:
        raise RequestError(tr("port {port} does not exist", port=port), tr("write 0 to 65535; 0 is any that is free"))
    return Place(found["bracketed"] or found["plain"] or LOOPBACK, port)


def listen(place: Place) -> Listener:
    """A socket that listens at ``place``.

    Raises:
        RequestError: there is no such host.
        OutputError: the port is taken, or may not be had.
    """
    family, address = _resolved(place)
    is_any_address = ipaddress.ip_address(address).is_unspecified
    try:
        listening = socket.create_server(
            (address, place.port),
            family=family,
            dualstack_ipv6=is_any_address and family == socket.AF_INET6 and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        reason = tr(os.strerror(error.errno or 0))  # Python adds to the error's own words what it has tried
        problem = tr("cannot listen at {place} ({reason})", place=_written(place), reason=reason)
        raise OutputError(problem, _remedy(error)) from error
    host = os.uname().nodename if is_any_address else place.host
    return Listener(listening, host, listening.getsockname()[1], ipaddress.ip_address(address).is_loopback)


def _resolved(place: Place) -> tuple[socket.AddressFamily, str]:
    """One address of the host, IPv4 before IPv6: ``localhost`` is both, and one port is enough."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter for what could be no name at all
        reason = system_reason(error) if isinstance(error, OSError) else tr("not a host's name")
        problem = tr("no host {host} ({reason})", host=printable(place.host), reason=reason)
        raise RequestError(problem, tr("name an address of this machine, or leave the host out")) from error
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, str(address[0]).partition("%")[0]


def _written(place: Place) -> str:
    host = printable(place.host)
    return f"[{host}]:{place.port}" if ":" in host else f"{host}:{place.port}"


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return tr("choose another port; 0 is any that is free")
    if isinstance(error, PermissionError):
        return tr("choose a port from 1024 on")
    return tr("name an address of this machine, or leave the host out")


def tunnel_command(listener: Listener, environ: Mapping[str, str]) -> str:
    """What makes the same port of another machine lead here when it is run there.

    For a listener that everybody can reach, it is for one on the loopback in its place.
    """
    end = listener.authority if listener.is_loopback else f"{LOOPBACK}:{listener.port}"
    ssh_port = environ.get("SSH_CONNECTION", "").rpartition(" ")[2]
    login = [f"{user}@{os.uname().nodename}"] if (user := _user(environ)) else [os.uname().nodename]
    options = ["-p", ssh_port] if ssh_port.isdecimal() and ssh_port != SSH_PORT else []
    return shlex.join(["ssh", *options, "-L", f"{listener.port}:{end}", *map(printable, login)])


def _user(environ: Mapping[str, str]) -> str:
    """Who has logged in here, also where they have become somebody else by sudo; empty if nobody knows."""
    if environ.get("SUDO_USER"):
        return environ["SUDO_USER"]
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return ""

"""What is known of a socket without asking the program: one row of ``ss -tanH -o -e -p``."""

import ipaddress
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from tcptui.kernel.cgroups import process_cgroup
from tcptui.model.states import TcpState
from tests.support.commands import run_command
from tests.support.netns import NetworkNamespace
from tests.support.ss import parse_row

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOLDER = re.compile(r'\("([^"]*)",pid=(\d+),fd=\d+\)')
_MARK = re.compile(r"\bfwmark:(0x[0-9a-f]+)")
_CGROUP = re.compile(r"\bcgroup:(\S+)")
_COOKIE = re.compile(r"\bsk:([0-9a-f]+)")


@dataclass(frozen=True)
class Known:
    """One socket. Compares equal as long as nothing that a filter may ask about has changed."""

    cookie: int
    state: TcpState
    family: int
    """4 or 6: the table that it is in."""
    local: Address
    """A mapped address as the IPv4 one that it is."""
    local_port: int
    remote: Address
    remote_port: int
    recv_q: int
    send_q: int
    timer: str
    retransmits: int
    uid: int
    inode: int
    mark: int
    device: str
    """The interface that it is bound to; empty if to none."""
    cgroup: str
    holders: frozenset[tuple[str, int]]
    """Name and id of each process that has it open, or has the listener open at which it came in if nobody has."""
    is_autobound: bool
    service: str = ""
    """Its cgroup; where that is not told, that of the first of those processes."""

    @property
    def ports(self) -> tuple[int, int]:
        """Of both ends."""
        return self.local_port, self.remote_port

    @property
    def ends(self) -> tuple[Address, Address]:
        """The addresses of both ends."""
        return self.local, self.remote

    @property
    def names(self) -> set[str]:
        """Of the processes that have it open."""
        return {name for name, _ in self.holders}

    @property
    def is_mini(self) -> bool:
        """Whether the kernel keeps it without an owner (FACTS section 6.2)."""
        return self.state in (TcpState.TIME_WAIT, TcpState.SYN_RECV) or self.timer == "timewait"

    @property
    def row(self) -> tuple[int, str, int, str, int, str]:
        """What both sides of a comparison show."""
        return (
            *(self.cookie, str(self.local), self.local_port),
            *(str(self.remote), self.remote_port, self.state.name),
        )


class Onlooker:
    """Looks at the TCP sockets of a namespace; what takes time to find out it asks once of each socket."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._namespace = namespace
        self._found_out: dict[tuple[int, TcpState, int], Known] = {}

    def look(self) -> dict[int, Known]:
        """All sockets by cookie."""
        seen = [_known(line) for line in _ss_lines(self._namespace, "-oe")]
        if not self._found_out.keys() >= {_identity(each) for each in seen}:
            self._find_out()
        completed = [self._completed(each) for each in seen]
        listeners = [each for each in completed if each.state is TcpState.LISTEN]
        return {each.cookie: _with_service(_with_listener(each, listeners)) for each in completed}

    def _find_out(self) -> None:
        autobound = ss_cookies(self._namespace, "autobound")
        for each in map(_known, _ss_lines(self._namespace, "-oep")):
            self._found_out[_identity(each)] = replace(each, is_autobound=each.cookie in autobound)

    def _completed(self, seen: Known) -> Known:
        """With who holds it and whether it is autobound, which only a change of state changes."""
        known = self._found_out.get(_identity(seen), seen)
        return replace(seen, holders=known.holders, is_autobound=known.is_autobound)


def _with_listener(socket: Known, listeners: list[Known]) -> Known:
    """Nobody has it open: it waits at a listener, or its program has closed it (FACTS section 1.1, 6.2)."""
    if socket.inode or socket.holders:
        return socket
    at = [each for each in listeners if each.local_port == socket.local_port]
    bound_to = (str(socket.local), "0.0.0.0", "::") if socket.local.version == 4 else (str(socket.local), "::")  # noqa: S104 - not a place to bind
    found = next((each for local in bound_to for each in at if str(each.local) == local), None)
    return socket if found is None else replace(socket, holders=found.holders)


def _with_service(socket: Known) -> Known:
    """A root cgroup says nothing of a service."""
    if socket.cgroup not in ("", "/") or not socket.holders:
        return replace(socket, service=socket.cgroup)
    pid = min(pid for _, pid in socket.holders)
    return replace(socket, service=process_cgroup(Path(f"/proc/{pid}/cgroup").read_text()))


def _identity(socket: Known) -> tuple[int, TcpState, int]:
    return socket.cookie, socket.state, socket.inode


def ss_cookies(namespace: NetworkNamespace, *words: str) -> set[int]:
    """The sockets that ``ss -tanH`` shows for ``words``; by cookie, for one state alone ss leaves out its column."""
    return cookies_in(_ss_lines(namespace, "-e", *words))


def cookies_in(lines: list[str]) -> set[int]:
    """The sockets in what ``ss -e`` printed."""
    return {int(cookie, 16) for line in lines for cookie in _COOKIE.findall(line)}


def _ss_lines(namespace: NetworkNamespace, *words: str) -> list[str]:
    """Run in the namespace, but not by ``-N``, with which ss does not see the cgroup tree."""
    with namespace.entered():
        return run_command("ss", "-tanH", *words).splitlines()


def _known(line: str) -> Known:
    row = parse_row(line)
    assert row.cookie is not None  # asked for with -e
    local, _, device = row.local_address.partition("%")
    mark, cgroup = _MARK.search(line), _CGROUP.search(line)
    return Known(
        cookie=row.cookie,
        state=row.state,
        family=6 if line.split(None, 4)[3].startswith(("[", "*")) else 4,
        local=_address(local),
        local_port=row.local_port,
        remote=_address(row.peer_address),
        remote_port=row.peer_port,
        recv_q=row.recv_q,
        send_q=row.send_q,
        timer=row.timer.name if row.timer else "off",
        retransmits=row.timer.retransmits if row.timer else 0,
        uid=row.uid,
        inode=row.inode or 0,
        mark=int(mark[1], 16) if mark else 0,
        device=device,
        cgroup=cgroup[1] if cgroup else "",
        holders=frozenset((name, int(pid)) for name, pid in _HOLDER.findall(line)),
        is_autobound=False,
    )


def _address(text: str) -> Address:
    """An address as ss prints it; ``*`` is that of a listener for both families."""
    address = ipaddress.ip_address("::" if text == "*" else text.strip("[]"))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address

"""What ``ss`` says about the TCP sockets of a namespace: the second opinion of every live test.

Parsed from ``ss -tanH`` and, when the caller asks, the extra words of ``-o`` (timer) and ``-e`` (uid, inode, cookie).
"""

import re
from collections import Counter
from dataclasses import dataclass

from tcptui.model.states import TcpState
from tests.support.commands import run_command
from tests.support.netns import NetworkNamespace

_OWN_NAMES = {
    TcpState.ESTABLISHED: "ESTAB",
    TcpState.FIN_WAIT1: "FIN-WAIT-1",
    TcpState.FIN_WAIT2: "FIN-WAIT-2",
    TcpState.CLOSE: "UNCONN",
}
SS_NAMES = {state: _OWN_NAMES.get(state, state.name.replace("_", "-")) for state in TcpState}
"""How ``ss`` prints each state (``sstate_name``, iproute2 ``misc/ss.c``)."""
_STATES = {name: state for state, name in SS_NAMES.items()}
_WORD = re.compile(r"(?P<name>timer|uid|ino|sk):(?:\((?P<inner>[^)]*)\)|(?P<plain>\S+))")
_SPAN = re.compile(r"(?:(?P<minutes>\d+)min)?(?:(?P<seconds>\d+)(?:sec|\.))?(?:(?P<milliseconds>\d+)ms)?")


@dataclass(frozen=True)
class SsTimer:
    """The socket's running timer."""

    name: str
    """``on``, ``keepalive``, ``timewait`` or ``persist``; ss prints nothing when no timer runs."""
    expires_ms: int
    """Milliseconds left, as far as ss prints them: whole seconds from 10 s on, whole minutes from 10 min on."""
    retransmits: int
    """Retransmissions or probes sent."""


@dataclass(frozen=True)
class SsRow:
    """One socket as ss prints it; addresses keep ss's text, without the brackets of IPv6."""

    state: TcpState
    recv_q: int
    send_q: int
    local_address: str
    local_port: int
    peer_address: str
    peer_port: int
    """0 where ss prints ``*``."""
    timer: SsTimer | None = None
    """Only with ``-o``; None when no timer runs."""
    uid: int = 0
    """Only with ``-e``; ss leaves uid 0 out."""
    inode: int | None = None
    """Only with ``-e``."""
    cookie: int | None = None
    """Only with ``-e``."""


def ss_rows(namespace: NetworkNamespace, *arguments: str) -> list[SsRow]:
    """The TCP sockets of ``namespace``; ``arguments`` are more options (``-o``, ``-e``) or a filter of ss.

    No filter by ``state``: ss leaves the column out when it can have one value only.
    """
    return [parse_row(line) for line in _ss_lines(namespace, *arguments)]


def ss_counts(namespace: NetworkNamespace) -> Counter[TcpState]:
    """How many sockets of each state ``namespace`` has.

    Only the first word of a row is read, so that it stays usable on a namespace with a hundred thousand sockets.
    """
    spelled = Counter(line.split(None, 1)[0] for line in _ss_lines(namespace))
    return Counter({_STATES[name]: count for name, count in spelled.items()})


def parse_row(line: str) -> SsRow:
    """One line of ``ss -tanH``.

    Raises:
        ValueError: the line is not a socket's.
    """
    try:
        state, recv_q, send_q, local, peer, *rest = line.split(None, 5)
    except ValueError as error:
        raise ValueError(f"not a row of ss -tanH: {line!r}") from error
    local_address, local_port = _endpoint(local)
    peer_address, peer_port = _endpoint(peer)
    words = _words("".join(rest))
    return SsRow(
        state=_STATES[state],
        recv_q=int(recv_q),
        send_q=int(send_q),
        local_address=local_address,
        local_port=local_port,
        peer_address=peer_address,
        peer_port=peer_port,
        timer=_timer(words["timer"]) if "timer" in words else None,
        uid=int(words.get("uid", "0")),
        inode=int(words["ino"]) if "ino" in words else None,
        cookie=int(words["sk"], 16) if "sk" in words else None,
    )


def count_text(counts: Counter[TcpState]) -> str:
    """``counts`` in words, in the kernel's order of states."""
    return ", ".join(f"{state.name} {counts[state]}" for state in sorted(counts) if counts[state]) or "no socket"


def difference_text(expected: Counter[TcpState], seen: Counter[TcpState]) -> str:
    """Where ``seen`` departs from ``expected``, state by state."""
    states = sorted(expected.keys() | seen.keys())
    parts = [f"{s.name} {seen[s]} instead of {expected[s]}" for s in states if seen[s] != expected[s]]
    return ", ".join(parts) or "no difference"


def _ss_lines(namespace: NetworkNamespace, *arguments: str) -> list[str]:
    return run_command("ss", "-N", namespace.name, "-tanH", *arguments).splitlines()


def _endpoint(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address.strip("[]"), 0 if port == "*" else int(port)


def _words(text: str) -> dict[str, str]:
    return {match["name"]: match["inner"] or match["plain"] or "" for match in _WORD.finditer(text)}


def _timer(text: str) -> SsTimer:
    name, span, retransmits = text.split(",")
    return SsTimer(name, _milliseconds(span), int(retransmits))


def _milliseconds(span: str) -> int:
    """``1min29sec``, ``59sec``, ``200ms``; and ``2.708ms``, which is how ss 6.1 spells 2,708 ms (FACTS section 1)."""
    match = _SPAN.fullmatch(span)
    if match is None:
        raise ValueError(f"not a time as ss prints it: {span!r}")
    minutes, seconds, milliseconds = (int(part or 0) for part in match.group("minutes", "seconds", "milliseconds"))
    return (minutes * 60 + seconds) * 1000 + milliseconds

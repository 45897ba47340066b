"""A line of ``ss`` or ``netstat`` as the socket that it tells of.

====================  ===================================================================================
``ss``                ``[NETID] [STATE] [RECV-Q SEND-Q] LOCAL PEER [words]``: the state is missing with
                      ``state …``, the queues with ``--no-queues``
net-tools, BusyBox    ``PROTO RECV-Q SEND-Q LOCAL FOREIGN STATE [USER INODE] [PID/NAME] [TIMER]``
BSD, macOS            the same, with a dot before the port
Windows               ``PROTO LOCAL FOREIGN STATE [PID]``
====================  ===================================================================================
"""

from enum import Enum
from typing import NamedTuple

from tcptui.model.states import TcpState
from tcptui.sources.pasted import facets
from tcptui.sources.pasted.details import take_netstat_words, take_ss_words
from tcptui.sources.pasted.endpoints import ANY_IPV4, ANY_IPV6, Endpoint, Endpoints
from tcptui.sources.pasted.row import ParsedRow
from tcptui.sources.pasted.vocabulary import TCP, States

class Program(Enum):
    """Which program's output a line is of."""

    SS = "ss"
    NETSTAT = "netstat"
    PROC = "/proc/net/tcp"


class StatelessError(ValueError):
    """The line is a socket's and does not tell its state."""


class Socket(NamedTuple):
    """What a line tells of."""

    row: ParsedRow
    program: Program


def read_socket(words: list[str], states: States, endpoints: Endpoints, only_state: TcpState | None) -> Socket:
    """The socket that a line's words tell of; the last of them may hold the rest of the line.

    ``only_state`` is the state of all rows that do not tell one, where that is known.

    Raises:
        StatelessError: the state is not known.
        ValueError: the line is not a socket's.
    """
    protocol = words[0] if words[0] in TCP else ""
    rest = words[1:] if protocol else words
    state = states[rest[0]] if rest else None
    if state is not None:
        return Socket(_ss_row(state, rest[1:], endpoints), Program.SS)
    if protocol and len(rest) > 4 and _is_number(rest[0]) and states[rest[4]] is not None:
        return Socket(_netstat_row(protocol, rest, states, endpoints), Program.NETSTAT)
    if protocol and len(rest) > 2 and not _is_number(rest[0]) and states[rest[2]] is not None:
        return Socket(_windows_row(rest, states, endpoints), Program.NETSTAT)
    if protocol and len(rest) > 4 and _is_number(rest[0]) and ":" not in rest[4]:
        raise ValueError(rest[4])  # a state by a name that is not known
    row = _ss_row(only_state or TcpState.CLOSE, rest, endpoints)
    if not row.told & facets.QUEUES and not row.family:
        raise ValueError(rest)  # any two words with a colon in them
    if only_state is None:
        raise StatelessError
    return Socket(row, Program.SS)


def _is_number(word: str) -> bool:
    return word.isdecimal() and word.isascii()


def _number(word: str) -> int:
    if not _is_number(word):
        raise ValueError(word)
    return int(word)


def _ss_row(state: TcpState, words: list[str], endpoints: Endpoints) -> ParsedRow:
    has_queues = len(words) > 3 and _is_number(words[0])
    ends = words[2:] if has_queues else words
    if len(ends) < 2:
        raise ValueError(words)
    local, remote = endpoints.read(ends[0]), endpoints.read(ends[1])
    row = _row(state, local, remote, local.family or remote.family)
    if has_queues:
        row.recv_queue, row.send_queue = _number(words[0]), _number(words[1])
        row.told |= facets.QUEUES | facets.BACKLOG
    if len(ends) > 2:
        take_ss_words(row, " ".join(ends[2:]))
    return row


def _netstat_row(protocol: str, words: list[str], states: States, endpoints: Endpoints) -> ParsedRow:
    local, remote = endpoints.read(words[2]), endpoints.read(words[3])
    by_text = local.family or remote.family
    # BusyBox calls those of both families tcp; net-tools writes mapped addresses of tcp6 as IPv4 ones.
    family = 6 if protocol.endswith("6") or by_text == 6 else 4 if protocol in ("tcp", "tcp4") else by_text
    row = _row(states[words[4]] or TcpState.CLOSE, local, remote, family)
    row.recv_queue, row.send_queue = _number(words[0]), _number(words[1])
    row.told |= facets.QUEUES
    if len(words) > 5:
        take_netstat_words(row, " ".join(words[5:]))
    return row


def _windows_row(words: list[str], states: States, endpoints: Endpoints) -> ParsedRow:
    local, remote = endpoints.read(words[0]), endpoints.read(words[1])
    row = _row(states[words[2]] or TcpState.CLOSE, local, remote, local.family or remote.family)
    if len(words) > 3 and _is_number(words[3]) and int(words[3]):
        row.holders = [(int(words[3]), "")]
        row.told |= facets.HOLDERS
    return row


def _row(state: TcpState, local: Endpoint, remote: Endpoint, family: int) -> ParsedRow:
    if state is TcpState.LISTEN and remote.port:  # Windows writes 0 for the port of nobody
        raise ValueError(remote)
    if family:
        local, remote = _with_any(local, family), _with_any(remote, family)
    told = facets.ENDS
    told &= ~(0 if local.has_port else facets.LOCAL_PORT)
    told &= ~(0 if remote.has_port else facets.REMOTE_PORT)
    return ParsedRow(state, local, remote, family, told)


def _with_any(end: Endpoint, family: int) -> Endpoint:
    """``*`` as the address of that family which means any."""
    if end.family or end.hi:
        return end
    hi, lo = ANY_IPV4 if family == 4 else ANY_IPV6
    return end._replace(hi=hi, lo=lo)

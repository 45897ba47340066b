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

from tcptui.model.states import TcpState
from tcptui.sources.pasted import facets
from tcptui.sources.pasted.details import take_netstat_words, take_ss_words
from tcptui.sources.pasted.endpoints import ANY_IPV4, ANY_IPV6, UNTOLD_PORT, Endpoint, Endpoints
from tcptui.sources.pasted.row import ParsedRow
from tcptui.sources.pasted.vocabulary import TCP, States


class Program(Enum):
    """Which program's output a line is of."""

    SS = "ss"
    NETSTAT = "netstat"
    PROC = "/proc/net/tcp"


class StatelessError(ValueError):
    """The line is a socket's and does not tell its state."""


def read_socket(
    words: list[str], states: States, endpoints: Endpoints, only_state: TcpState | None
) -> tuple[ParsedRow, Program]:
    """The socket that a line's words tell of, and by whom; the last of them may hold the rest of the line.

    ``only_state`` is the state of all rows that do not tell one, where that is known.

    Raises:
        StatelessError: the state is not known.
        ValueError: the line is not a socket's.
    """
    protocol = words[0] if words[0] in TCP else ""
    rest = words[1:] if protocol else words
    state = states[rest[0]] if rest else None
    if state is not None:
        return _ss_row(state, rest[1:], endpoints), Program.SS
    if protocol and len(rest) > 4 and rest[0].isdigit() and states[rest[4]] is not None:
        return _netstat_row(protocol, rest, states, endpoints), Program.NETSTAT
    if protocol and len(rest) > 2 and not rest[0].isdigit() and states[rest[2]] is not None:
        return _windows_row(rest, states, endpoints), Program.NETSTAT
    if protocol and len(rest) > 4 and rest[0].isdigit() and ":" not in rest[4]:
        raise ValueError(rest[4])  # a state by a name that is not known
    row = _ss_row(only_state or TcpState.CLOSE, rest, endpoints)
    if not row.told & facets.QUEUES and not row.family:
        raise ValueError(rest)  # any two words with a colon in them
    if only_state is None:
        raise StatelessError
    return row, Program.SS


def _ss_row(state: TcpState, words: list[str], endpoints: Endpoints) -> ParsedRow:
    has_queues = len(words) > 3 and words[0].isdigit()
    ends = words[2:] if has_queues else words
    if len(ends) < 2:
        raise ValueError(words)
    local, remote = endpoints.read(ends[0]), endpoints.read(ends[1])
    row = _row(state, local, remote, local[2] or remote[2])
    if has_queues:
        row.recv_queue, row.send_queue = int(words[0]), int(words[1])
        row.told |= facets.QUEUES | facets.BACKLOG
    if len(ends) > 2:
        take_ss_words(row, " ".join(ends[2:]))
    return row


def _netstat_row(protocol: str, words: list[str], states: States, endpoints: Endpoints) -> ParsedRow:
    local, remote = endpoints.read(words[2]), endpoints.read(words[3])
    by_text = local[2] or remote[2]
    # BusyBox calls those of both families tcp; net-tools writes mapped addresses of tcp6 as IPv4 ones.
    family = 6 if protocol[-1] == "6" or by_text == 6 else 4 if protocol in ("tcp", "tcp4") else by_text
    row = _row(states[words[4]] or TcpState.CLOSE, local, remote, family)
    row.recv_queue, row.send_queue = int(words[0]), int(words[1])
    row.told |= facets.QUEUES
    if len(words) > 5:
        take_netstat_words(row, " ".join(words[5:]))
    return row


def _windows_row(words: list[str], states: States, endpoints: Endpoints) -> ParsedRow:
    local, remote = endpoints.read(words[0]), endpoints.read(words[1])
    row = _row(states[words[2]] or TcpState.CLOSE, local, remote, local[2] or remote[2])
    if len(words) > 3 and words[3].isdigit() and int(words[3]):
        row.holders = [(int(words[3]), "")]
        row.told |= facets.HOLDERS
    return row


def _row(state: TcpState, local: Endpoint, remote: Endpoint, family: int) -> ParsedRow:
    if state is TcpState.LISTEN and remote[3] > 0:
        raise ValueError(remote)
    if family:
        if not local[2]:
            local = _with_any(local, family)
        if not remote[2]:
            remote = _with_any(remote, family)
    row = ParsedRow(state, local, remote, family)
    row.told = facets.ENDS
    if local[3] == UNTOLD_PORT:
        row.told &= ~facets.LOCAL_PORT
    if remote[3] == UNTOLD_PORT:
        row.told &= ~facets.REMOTE_PORT
    return row


def _with_any(end: Endpoint, family: int) -> Endpoint:
    """``*`` as the address of that family which means any."""
    hi, _lo, _, port = end
    return end if hi else (*(ANY_IPV4 if family == 4 else ANY_IPV6), 0, port)

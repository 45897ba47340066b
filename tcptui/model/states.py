"""TCP states with the kernel's numbers and every spelling in use.

Numbers: ``include/net/tcp_states.h``. Kept free of numpy: the screen needs the names before anything else is loaded.
"""

import re
from enum import IntEnum


class TcpState(IntEnum):
    """One TCP state; the member's name is what the program prints, never cut short."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11


ALL_STATES = tuple(TcpState)
"""Every state, in the kernel's order."""

DISPLAY_ORDER = (
    TcpState.LISTEN,
    TcpState.SYN_SENT,
    TcpState.SYN_RECV,
    TcpState.ESTABLISHED,
    TcpState.FIN_WAIT1,
    TcpState.FIN_WAIT2,
    TcpState.CLOSING,
    TcpState.TIME_WAIT,
    TcpState.CLOSE_WAIT,
    TcpState.LAST_ACK,
)
"""The states a socket table can show, in the order a connection lives through them: opening, open, closed by this side
first, closed by the other side first. CLOSE is not in it: such a socket is in no table (FACTS section 1.7)."""


ALL_STATE_COLUMNS = "states"
"""Stands for the columns of all states where columns are chosen."""

STATE_COUNT = 16
"""Length of an array indexed by state number: the next power of two above the highest number."""

NEW_SYN_RECV = 12
"""Kernel-internal; counts as SYN_RECV (``include/net/tcp_states.h``, FACTS section 1)."""

_OTHER_SPELLINGS = {
    "estab": TcpState.ESTABLISHED,
    "synrcvd": TcpState.SYN_RECV,
    "synrcv": TcpState.SYN_RECV,
    "synreceived": TcpState.SYN_RECV,
    "newsynrecv": TcpState.SYN_RECV,
    "closed": TcpState.CLOSE,
    "unconn": TcpState.CLOSE,
    "unconnected": TcpState.CLOSE,
    "listening": TcpState.LISTEN,
}

_SPELLINGS = {state.name.replace("_", "").lower(): state for state in TcpState} | _OTHER_SPELLINGS


def find_state(text: str) -> TcpState | None:
    """The state that ``text`` names in any spelling in use, or None.

    Case, hyphens, underscores and blanks do not matter: ``TIME-WAIT``, ``time_wait``, ``timewait``, ``fin-wait-2``.
    """
    return _SPELLINGS.get(re.sub(r"[-_\s]", "", text).lower())


def state_beside(state: TcpState, step: int) -> TcpState:
    """The state ``step`` further on in ``DISPLAY_ORDER``, round and round; from one that is not in it, the first."""
    index = DISPLAY_ORDER.index(state) + step if state in DISPLAY_ORDER else 0
    return DISPLAY_ORDER[index % len(DISPLAY_ORDER)]

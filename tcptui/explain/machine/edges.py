"""The state machine as data: its states' names and the moves between them.

May not know how it is drawn, nor what any socket does.
"""

from dataclasses import dataclass
from typing import Literal

from tcptui.model.states import TcpState

Sight = Literal["moved", "opened", "closed", "unseen", "absent"]
"""How a move along an edge shows in two samples: as a move, as a new socket, as one that vanished, not as such, or
never, because Linux does not have it."""


@dataclass(frozen=True)
class Edge:
    """A move from one state to another."""

    before: TcpState
    after: TcpState
    sight: Sight

    @property
    def name(self) -> str:
        """Its key among the words."""
        return f"{self.before.name}-{self.after.name}"


EDGES = (
    Edge(TcpState.CLOSE, TcpState.LISTEN, "opened"),
    Edge(TcpState.LISTEN, TcpState.CLOSE, "closed"),
    Edge(TcpState.CLOSE, TcpState.SYN_SENT, "opened"),
    Edge(TcpState.SYN_SENT, TcpState.CLOSE, "closed"),
    Edge(TcpState.LISTEN, TcpState.SYN_RECV, "unseen"),
    Edge(TcpState.SYN_RECV, TcpState.LISTEN, "unseen"),
    Edge(TcpState.LISTEN, TcpState.SYN_SENT, "absent"),
    Edge(TcpState.SYN_SENT, TcpState.SYN_RECV, "moved"),
    Edge(TcpState.SYN_SENT, TcpState.ESTABLISHED, "moved"),
    Edge(TcpState.SYN_RECV, TcpState.ESTABLISHED, "moved"),
    Edge(TcpState.SYN_RECV, TcpState.FIN_WAIT1, "moved"),
    Edge(TcpState.ESTABLISHED, TcpState.FIN_WAIT1, "moved"),
    Edge(TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, "moved"),
    Edge(TcpState.FIN_WAIT1, TcpState.FIN_WAIT2, "moved"),
    Edge(TcpState.FIN_WAIT1, TcpState.CLOSING, "moved"),
    Edge(TcpState.FIN_WAIT1, TcpState.TIME_WAIT, "moved"),
    Edge(TcpState.FIN_WAIT2, TcpState.TIME_WAIT, "moved"),
    Edge(TcpState.CLOSING, TcpState.TIME_WAIT, "moved"),
    Edge(TcpState.CLOSE_WAIT, TcpState.LAST_ACK, "moved"),
    Edge(TcpState.TIME_WAIT, TcpState.CLOSE, "closed"),
    Edge(TcpState.LAST_ACK, TcpState.CLOSE, "closed"),
)
"""The figure's, and FIN_WAIT1 to TIME_WAIT, which RFC 9293 has in note 2 to it and Linux takes for a FIN with the ACK
(FACTS section 1.4)."""

EDGE_BETWEEN = {(edge.before, edge.after): edge for edge in EDGES}

CLOSED_NAME = "CLOSED"
"""The RFC's name for CLOSE, where a connection begins and ends."""


def drawn_name(state: TcpState) -> str:
    """The name of a state in the drawing."""
    return CLOSED_NAME if state is TcpState.CLOSE else state.name

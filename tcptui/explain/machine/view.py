"""What to draw: how many sockets each state has, and how often each move was seen.

Each number of two compared samples gets one place. May not choose words, nor how a number is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcptui.explain.machine.edges import CLOSED_NAME, EDGE_BETWEEN, EDGES, Edge, drawn_name
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, TcpState

if TYPE_CHECKING:
    from tcptui.model.history import Transitions


@dataclass(frozen=True)
class MachineView:
    """What to draw."""

    counts: Mapping[TcpState, int]
    transitions: Transitions | None = None
    """None if there are no two samples to compare."""
    highlighted: TcpState | None = None

    def emphasises(self, edge: Edge) -> bool:
        """Whether the edge leads into or out of the highlighted state."""
        return self.highlighted in (edge.before, edge.after)


@dataclass(frozen=True)
class Flow:
    """Everything a ``Transitions`` holds, a second, each number once."""

    edges: Mapping[Edge, float]
    opened: Mapping[TcpState, float]
    closed: Mapping[TcpState, float]
    jumps: tuple[tuple[str, float], ...]
    """What neither an edge nor a drawn state shows, most first: the move, and how often."""
    brief: float | None
    """Connections that were in no sample; None where the kernel does not tell."""
    is_brief_exact: bool

    @property
    def jumps_per_s(self) -> float:
        """All jumps."""
        return sum(rate for _, rate in self.jumps)


def flow(moves: Transitions) -> Flow:
    """Sort the rates by where they are shown."""
    return Flow(
        edges={edge: moves.moved_per_s(edge.before, edge.after) for edge in EDGES if edge.sight == "moved"},
        opened={state: moves.opened_in_per_s(state) for state in DISPLAY_ORDER},
        closed={state: moves.closed_in_per_s(state) for state in DISPLAY_ORDER},
        jumps=tuple(sorted((jump for jump in _jumps(moves) if jump[1] > 0), key=lambda jump: -jump[1])),
        brief=None if moves.brief is None else moves.brief_per_s,
        is_brief_exact=moves.is_brief_exact,
    )


def _jumps(moves: Transitions) -> Iterator[tuple[str, float]]:
    """Every move that no edge shows as one, and how often it was seen."""
    for before in ALL_STATES:
        for after in ALL_STATES:
            edge = EDGE_BETWEEN.get((before, after))
            if before is not after and (edge is None or edge.sight != "moved"):
                yield f"{drawn_name(before)}→{drawn_name(after)}", moves.moved_per_s(before, after)
    yield f"→{CLOSED_NAME}", moves.opened_in_per_s(TcpState.CLOSE)
    yield f"{CLOSED_NAME}→", moves.closed_in_per_s(TcpState.CLOSE)

"""The machine as a list, where there is no room for a drawing: the edges by the state they leave.

May not decide how a number is written (``figures``).
"""

from tcptui.explain.machine.edges import EDGES, Edge, drawn_name
from tcptui.explain.machine.figures import Figures
from tcptui.explain.machine.pieces import Piece, width_of
from tcptui.explain.machine.view import MachineView
from tcptui.explain.machine.words import MachineWords
from tcptui.model.states import DISPLAY_ORDER, TcpState
from tcptui.text import cell_count

LIST_WIDTH = 40
"""The smallest width at which no line of the list is broken."""

_LIST_WIDEST = 72
_COUNTS_END = 21
"""The column after the counts."""
_MARK = "▸ "


def list_lines(view: MachineView, words: MachineWords, width: int) -> list[list[Piece]]:
    """Every state with its edges, the highlighted one first, then the jumps and the legend."""
    figures = Figures(view, words)
    widest = min(width, _LIST_WIDEST)
    lines: list[list[Piece]] = []
    for state in sorted((TcpState.CLOSE, *DISPLAY_ORDER), key=lambda state: state is not view.highlighted):
        lines.append(_state_line(state, figures, widest))
        lines += [_edge_line(edge, figures, widest) for edge in EDGES if edge.before is state]
    return [*lines, [], *figures.below(width)]


def _state_line(state: TcpState, figures: Figures, widest: int) -> list[Piece]:
    """Name, count, and at the right what came and went."""
    text, tone = figures.count(state)
    ends = figures.ends(state)
    name = f"{_MARK if state is figures.view.highlighted else ''}{drawn_name(state)}"
    gap = " " * max(_COUNTS_END - cell_count(name) - cell_count(text), 1)
    line: list[Piece] = [(name, "strong", state), (gap, "text", None), (text, tone, None)]
    if ends:
        gap = " " * max(widest - width_of(line) - cell_count(ends), 2)
        line += [(gap, "text", None), (ends, "rate", None)]
    return line


def _edge_line(edge: Edge, figures: Figures, widest: int) -> list[Piece]:
    """Event, action if there is room, the state it leads to, and the rate at the right."""
    is_marked = figures.view.emphasises(edge)
    rate, tone = figures.edge(edge) or ("", "dim")
    mark, target = _MARK if is_marked else " " * cell_count(_MARK), f" → {drawn_name(edge.after)}"
    words = figures.words.edges[edge.name]
    event = words.full if cell_count(f"{mark}{words.full}{target} {rate}") <= widest else words.event
    line: list[Piece] = [(mark, "mark", None), (event, "strong" if is_marked else "text", None), (target, "edge", None)]
    if rate:
        gap = " " * max(widest - width_of(line) - cell_count(rate), 1)
        line += [(gap, "text", None), (rate, tone, None)]
    return line

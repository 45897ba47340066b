"""One view drawn by a plan: boxes, edges and labels on a canvas, with the jumps and the legend below.

May not decide where anything stands (``plan``) nor how a number is written (``figures``).
"""

from collections.abc import Iterator, Sequence

from tcptui.explain.machine.canvas import HEAVY, LIGHT, Box, Canvas
from tcptui.explain.machine.edges import CLOSED_NAME, Edge, drawn_name
from tcptui.explain.machine.figures import Figures
from tcptui.explain.machine.grid import Grid, Part
from tcptui.explain.machine.pieces import BLANK, Lines, Piece, Tone, width_of
from tcptui.explain.machine.plan import Plan, Route, Slot
from tcptui.explain.machine.view import MachineView
from tcptui.explain.machine.words import MachineWords
from tcptui.model.states import TcpState
from tcptui.text import cell_count
from tcptui.wrapping import wrap

_FLAT = 3
"""Height of a box without a line of its own for what came and went."""
_ENDS_WIDTH = len("+1.2k/s −1.2k/s")
"""Room for both in the border of a box."""
_TO_LEFT, _TO_RIGHT = "◂", "▸"


class Diagram:
    """One view, put on a canvas."""

    def __init__(self, view: MachineView, words: MachineWords, grid: Grid, width: int) -> None:
        self._view = view
        self._words = words
        self._width = width
        self._plan = Plan(grid, width)
        self._figures = Figures(view, words)
        self._canvas = Canvas(self._plan.width, grid.footer_y)

    def lines(self) -> Lines:
        """Boxes first, then the edges, those of the highlighted state last, so that they cover the others."""
        for state, box in self._plan.boxes.items():
            weight = HEAVY if state is self._view.highlighted else LIGHT
            self._canvas.frame(box, weight, state, is_dashed=state is TcpState.CLOSE)
        routes = sorted(self._plan.routes, key=lambda route: self._view.emphasises(route.edge))
        for route in routes:
            self._canvas.arrow(route.points, *self._line_style(route.edge))
        for route in routes:
            self._label(route)
        for state, box in self._plan.boxes.items():
            self._fill(state, box)
        self._name_second_closed()
        self._name_sides()
        return tuple(self._placed_lines())

    # -- edges -------------------------------------------------------------------------------------------------------

    def _line_style(self, edge: Edge) -> tuple[int, Tone, TcpState | None]:
        if self._view.emphasises(edge):
            return HEAVY, "strong", self._view.highlighted
        return LIGHT, "edge" if self._view.highlighted is None else "dim", None

    def _label(self, route: Route) -> None:
        for part, slot in route.over:
            pieces = self._label_pieces(route.edge, part)
            self._centred(slot, _with_direction(route, pieces) if pieces and route.is_shared else pieces)
        x, y = min(route.points, key=lambda point: point[1])
        labels = [pieces for part in route.beside if (pieces := self._label_pieces(route.edge, part))]
        for below, pieces in enumerate(labels, start=1):
            self._put(x + 2, y + below, pieces)

    def _label_pieces(self, edge: Edge, part: Part) -> list[Piece]:
        """A label in its tones; empty where there is nothing to say."""
        words = self._words.edges[edge.name]
        texts: dict[str, tuple[str, Tone]] = {
            "short": (words.short, "text"),
            "event": (words.event, "text"),
            "action": (words.action, "text"),
            "full": (words.full, "text"),
            "rate": self._figures.edge(edge) or ("", "text"),
        }
        pieces: list[Piece] = []
        for text, tone in map(texts.__getitem__, part.split()):
            if text:
                pieces += [BLANK] if pieces else []
                pieces.append((text, self._label_tone(edge, tone), None))
        return pieces

    def _label_tone(self, edge: Edge, tone: Tone) -> Tone:
        if self._view.highlighted is None:
            return tone
        return "strong" if self._view.emphasises(edge) else "dim"

    # -- boxes -------------------------------------------------------------------------------------------------------

    def _fill(self, state: TcpState, box: Box) -> None:
        """Name and number in a box, and what came and went."""
        count, count_tone = self._figures.count(state)
        name: Piece = (drawn_name(state), self._name_tone(state), state)
        if state is TcpState.CLOSE:
            self._centred(Slot(box.x + 1, box.right, box.y + 1), [name])
            self._centred(Slot(box.x + 1, box.right, box.y + 2), [(count, count_tone, None)])
            return
        pad = 0 if box.height == _FLAT else 1
        self._put(box.x + 1 + pad, box.y + 1, [name])
        self._put(box.right - pad - cell_count(count), box.y + 1, [(count, count_tone, state)])
        self._fill_ends(box, self._figures.ends(state))

    def _fill_ends(self, box: Box, ends: str) -> None:
        """At the right of the last line; of a flat box in the lower border, or in the upper one if that has room."""
        width = cell_count(ends)
        if box.height == _FLAT:
            y = box.bottom
            start, end = self._canvas.plain_run(y, box.x + 1, box.right)
            if end - start < _ENDS_WIDTH:
                y = box.y
                start, end = self._canvas.plain_run(y, box.x + 1, box.right)
            end -= end - start > width
        else:
            y, end = box.y + 2, box.right - 1
        self._put(end - width, y, [(ends, "rate", None)])

    def _name_tone(self, state: TcpState) -> Tone:
        return "strong" if self._view.highlighted in (None, state) else "text"

    # -- the rest ----------------------------------------------------------------------------------------------------

    def _name_second_closed(self) -> None:
        self._centred(self._plan.end, [(CLOSED_NAME, self._name_tone(TcpState.CLOSE), TcpState.CLOSE)])

    def _name_sides(self) -> None:
        """Which side closes first, and, where there is room, which one opens how."""
        words = self._words
        self._head(self._plan.closing_headings(), words.active_close, words.passive_close)
        opening = self._plan.opening_headings()
        if opening is not None:
            self._head(opening, words.passive_open, words.active_open)

    def _head(self, slots: tuple[Slot, Slot], left: str, right: str) -> None:
        self._centred(slots[0], [(f"{_TO_LEFT} {left}", "heading", None)])
        self._centred(slots[1], [(f"{right} {_TO_RIGHT}", "heading", None)])

    def _placed_lines(self) -> Iterator[tuple[Piece, ...]]:
        """Canvas and footer in the middle of the width."""
        margin = (self._width - self._plan.width) // 2
        indent: list[Piece] = [(" " * margin, "text", None)] if margin else []
        for line in (*self._canvas.lines(), *self._footer()):
            yield (*indent, *line)

    def _footer(self) -> list[list[Piece]]:
        """As many lines as the form has: jumps, legend, and what the words on the edges stand for."""
        grid, width = self._plan.grid, self._plan.width
        letters: list[list[Piece]] = [[(text, "dim", None)] for text in wrap(self._words.letters, width)]
        return [*self._figures.below(width), *letters][: grid.height - grid.footer_y]

    def _centred(self, slot: Slot, pieces: Sequence[Piece]) -> None:
        """In the middle of ``slot``, with a blank on both sides if some of the line can still be seen then."""
        room, used = slot.end - slot.start, width_of(pieces)
        if used and used + 4 <= room:
            pieces, used = [BLANK, *pieces, BLANK], used + 2
        self._put(slot.start + (room - used) // 2, slot.y, pieces)

    def _put(self, x: int, y: int, pieces: Sequence[Piece]) -> None:
        for text, tone, state in pieces:
            x = self._canvas.text(x, y, text, tone, state)


def _with_direction(route: Route, pieces: Sequence[Piece]) -> list[Piece]:
    """A label that says which way its edge leads."""
    if route.points_left:
        return [(_TO_LEFT, "edge", None), *pieces]
    return [*pieces, (_TO_RIGHT, "edge", None)]

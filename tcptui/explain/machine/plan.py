"""Where boxes, lines and labels stand in one form at one width.

May not know a number, a word or a tone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tcptui.explain.machine.canvas import Box, Point
from tcptui.explain.machine.edges import CLOSED_NAME, EDGE_BETWEEN, Edge
from tcptui.explain.machine.grid import Grid, Part
from tcptui.model.states import TcpState
from tcptui.text import cell_count

_COLUMNS = (
    (TcpState.LISTEN, TcpState.SYN_RECV, TcpState.FIN_WAIT1, TcpState.FIN_WAIT2),
    (TcpState.CLOSE, TcpState.ESTABLISHED, TcpState.CLOSING, TcpState.TIME_WAIT),
    (TcpState.SYN_SENT, None, TcpState.CLOSE_WAIT, TcpState.LAST_ACK),
)
"""Opening on top; below, the side that closes first on the left and the other one on the right."""

_CLOSED_WIDTH = 13
_DOWN = 1
"""Column within a box where lines straight down leave it."""
_ENTRY_RIGHT = 6
"""Column within CLOSE_WAIT where the line from ESTABLISHED comes in."""


@dataclass(frozen=True)
class Slot:
    """Room on one line: the columns ``start`` up to and without ``end``; text stands in the middle."""

    start: int
    end: int
    y: int


@dataclass(frozen=True)
class Route:
    """How an edge runs and where its labels stand."""

    edge: Edge
    points: tuple[Point, ...]
    """From the border it leaves to the cell of its head."""
    over: tuple[tuple[Part, Slot], ...] = ()
    """Labels above, on and below a horizontal line."""
    beside: tuple[Part, ...] = ()
    """Labels one under the other, two columns right of the upper end of a vertical line; empty ones leave no gap."""
    is_shared: bool = False
    """Whether its line is that of the opposite edge too, so that its label has to say the direction."""

    @property
    def points_left(self) -> bool:
        """Whether it ends left of where it starts."""
        return self.points[-1][0] < self.points[0][0]


class Plan:
    """Where boxes, lines and labels stand in one form at one width."""

    def __init__(self, grid: Grid, width: int) -> None:
        self.grid = grid
        used = sum(grid.column_widths)
        self.gap = min((width - used) // 2, grid.widest_gap)
        self.width = used + 2 * self.gap
        self.boxes = dict(self._boxes())
        self.end = self._second_closed()
        self.routes = (*self._opening(), *self._closing(), *self._ending())

    def closing_headings(self) -> tuple[Slot, Slot]:
        """Where the headings of the closing sides stand: left and right of the middle."""
        left, right = self.grid.entry_x + 1, self.boxes[TcpState.CLOSE_WAIT].x + _ENTRY_RIGHT
        return self._halves(left, right, self.grid.rows[2] - 1)

    def opening_headings(self) -> tuple[Slot, Slot] | None:
        """The same for the opening sides; None where boxes are in the way."""
        y = self.grid.idle_y - 1
        if y <= self.boxes[TcpState.LISTEN].bottom:
            return None
        return self._halves(self.boxes[TcpState.LISTEN].right + 1, self.boxes[TcpState.SYN_SENT].x, y)

    def _halves(self, left: int, right: int, y: int) -> tuple[Slot, Slot]:
        """The room from ``left`` to ``right``, parted below the middle of the drawing."""
        middle = (self.boxes[TcpState.ESTABLISHED].x + self.boxes[TcpState.ESTABLISHED].right) // 2
        return Slot(left, middle, y), Slot(middle + 1, right, y)

    def _boxes(self) -> Iterator[tuple[TcpState, Box]]:
        x = 0
        for column, width in zip(_COLUMNS, self.grid.column_widths, strict=True):
            for state, y in zip(column, self.grid.rows, strict=True):
                if state is not None:
                    box_width = _CLOSED_WIDTH if state is TcpState.CLOSE else width
                    yield state, Box(x + (width - box_width) // 2, y, box_width, self.grid.box_height)
            x += width + self.gap

    def _second_closed(self) -> Slot:
        """The name where connections end, between the lines from both sides."""
        width = cell_count(f" {CLOSED_NAME} ")
        start = (self.boxes[TcpState.TIME_WAIT].x + self.boxes[TcpState.LAST_ACK].x + 2 - width) // 2
        return Slot(start, start + width, self.grid.rows[3] + self.grid.turn)

    # -- the edges ---------------------------------------------------------------------------------------------------

    def _opening(self) -> Iterator[Route]:
        grid = self.grid
        listen, client = self.boxes[TcpState.LISTEN], self.boxes[TcpState.SYN_SENT]
        for state in (TcpState.LISTEN, TcpState.SYN_SENT):
            yield self._beside_closed(TcpState.CLOSE, state, grid.closed_lines[0], above=True)
            yield self._beside_closed(state, TcpState.CLOSE, grid.closed_lines[1], above=False)
        yield self._straight(TcpState.LISTEN, TcpState.SYN_RECV, _DOWN, grid.beside)
        yield self._straight(TcpState.SYN_RECV, TcpState.LISTEN, grid.back_x, ("short", "rate"))
        idle = Slot(listen.right - 1, client.x + 2, grid.idle_y)
        yield self._bridge(TcpState.LISTEN, TcpState.SYN_SENT, idle, client.bottom)
        both = Slot(client.x + 5, grid.entry_x, grid.rows[1] - 1)
        yield self._bridge(TcpState.SYN_SENT, TcpState.SYN_RECV, both, grid.rows[1])
        yield self._across(TcpState.SYN_RECV, TcpState.ESTABLISHED)
        x, y, side = client.x + 11, grid.rows[1] + 1, self.boxes[TcpState.ESTABLISHED].right + 1
        points = ((x, client.bottom), (x, y), (side, y))
        yield self._labelled(TcpState.SYN_SENT, TcpState.ESTABLISHED, points, Slot(side + 1, x, y), grid.across)

    def _closing(self) -> Iterator[Route]:
        grid, open_box, first = self.grid, self.boxes[TcpState.ESTABLISHED], self.boxes[TcpState.FIN_WAIT1]
        entry_right = self.boxes[TcpState.CLOSE_WAIT].x + _ENTRY_RIGHT
        yield self._straight(TcpState.SYN_RECV, TcpState.FIN_WAIT1, _DOWN, grid.beside)
        yield self._bent(TcpState.ESTABLISHED, TcpState.FIN_WAIT1, open_box.x + _DOWN, grid.entry_x)
        yield self._bent(TcpState.ESTABLISHED, TcpState.CLOSE_WAIT, open_box.right - 1, entry_right)
        yield self._across(TcpState.FIN_WAIT1, TcpState.CLOSING)
        yield self._straight(TcpState.FIN_WAIT1, TcpState.FIN_WAIT2, _DOWN, grid.beside_low)
        yield self._bent(TcpState.FIN_WAIT1, TcpState.TIME_WAIT, first.right - 1, open_box.x + _ENTRY_RIGHT)
        yield self._across(TcpState.FIN_WAIT2, TcpState.TIME_WAIT)
        yield self._straight(TcpState.CLOSING, TcpState.TIME_WAIT, open_box.width - 3, grid.beside_low)
        yield self._straight(TcpState.CLOSE_WAIT, TcpState.LAST_ACK, _DOWN, grid.beside_low)

    def _ending(self) -> Iterator[Route]:
        """The lines into the second CLOSED, from both sides."""
        for state, head_x in ((TcpState.TIME_WAIT, self.end.start - 1), (TcpState.LAST_ACK, self.end.end)):
            x, y = self.boxes[state].x + _DOWN, self.end.y
            slot = Slot(min(x, head_x) + 1, max(x, head_x), y)
            points = ((x, self.boxes[state].bottom), (x, y), (head_x, y))
            yield self._labelled(state, TcpState.CLOSE, points, slot, (self.grid.close,))

    # -- their shapes ------------------------------------------------------------------------------------------------

    def _beside_closed(self, before: TcpState, after: TcpState, y: int, *, above: bool) -> Route:
        """A line between CLOSED and the box next to it, with its label above or below."""
        points, slot = self._side_to_side(before, after, y)
        label = (self.grid.close, Slot(slot.start, slot.end, y - 1 if above else y + 1))
        is_shared = self.grid.closed_lines[0] == self.grid.closed_lines[1]
        return Route(EDGE_BETWEEN[before, after], points, over=(label,), is_shared=is_shared)

    def _across(self, before: TcpState, after: TcpState) -> Route:
        """A horizontal line between two neighbours."""
        points, slot = self._side_to_side(before, after, self.boxes[before].y + 1)
        return self._labelled(before, after, points, slot, self.grid.across)

    def _side_to_side(self, before: TcpState, after: TcpState, y: int) -> tuple[tuple[Point, ...], Slot]:
        source, target = self.boxes[before], self.boxes[after]
        if source.x < target.x:
            return ((source.right, y), (target.x - 1, y)), Slot(source.right + 1, target.x, y)
        return ((source.x, y), (target.right + 1, y)), Slot(target.right + 1, source.x, y)

    def _straight(self, before: TcpState, after: TcpState, column: int, parts: tuple[Part, ...]) -> Route:
        """A vertical line between two boxes one above the other."""
        source, target = self.boxes[before], self.boxes[after]
        x = source.x + column
        points = ((x, source.bottom), (x, target.y)) if source.y < target.y else ((x, source.y), (x, target.bottom))
        return Route(EDGE_BETWEEN[before, after], points, beside=parts)

    def _bent(self, before: TcpState, after: TcpState, out_x: int, in_x: int) -> Route:
        """Down, to the side and down again."""
        source, target = self.boxes[before], self.boxes[after]
        y = source.y + self.grid.turn
        points = ((out_x, source.bottom), (out_x, y), (in_x, y), (in_x, target.y))
        return self._labelled(before, after, points, Slot(min(out_x, in_x) + 1, max(out_x, in_x), y), self.grid.bent)

    def _bridge(self, before: TcpState, after: TcpState, line: Slot, end_y: int) -> Route:
        """A long line from the upper row, past the middle; ``line`` names the columns where it turns."""
        points = (
            (line.start, self.boxes[before].bottom),
            (line.start, line.y),
            (line.end, line.y),
            (line.end, end_y),
        )
        middle = Slot(self.boxes[TcpState.LISTEN].right, self.boxes[TcpState.SYN_SENT].x, line.y)
        return self._labelled(before, after, points, middle, (self.grid.open,))

    def _labelled(
        self, before: TcpState, after: TcpState, points: tuple[Point, ...], slot: Slot, parts: tuple[Part, ...]
    ) -> Route:
        """With one label on its horizontal line, or with several from the line above on."""
        first_y = slot.y - (len(parts) > 1)
        over = tuple((part, Slot(slot.start, slot.end, first_y + at)) for at, part in enumerate(parts))
        return Route(EDGE_BETWEEN[before, after], points, over=over)

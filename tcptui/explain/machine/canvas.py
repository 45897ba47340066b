"""A canvas of terminal cells: lines that join where they meet, frames, heads of arrows, and text over them.

May not know what is drawn on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from tcptui.explain.machine.pieces import Piece, Tone
from tcptui.model.states import TcpState
from tcptui.text import cell_count

LIGHT, HEAVY = 1, 2
"""Weights of a line."""

Point = tuple[int, int]

_BOX_CHARACTERS = " ╴╸╷┐┑╻┒┓╶─╾┌┬┭┎┰┱╺╼━┍┮┯┏┲┳╵┘┙│┤┥╽┧┪└┴┵├┼┽┟╁╅┕┶┷┝┾┿┢╆╈╹┚┛╿┦┩┃┨┫┖┸┹┞╀╃┠╂╉┗┺┻┡╄╇┣╊╋"
"""By the weights 0, 1 (light) and 2 (heavy) of the arms up, right, down and left, as digits of a number to base 3."""
_ROUND = {"┌": "╭", "┐": "╮", "└": "╰", "┘": "╯"}
_DASHED = {"─": "╌", "│": "┊", "━": "╍", "┃": "┋"}
_DIRECTIONS = {(0, -1): 0, (1, 0): 1, (0, 1): 2, (-1, 0): 3}
_HEADS = "▲▶▼◀"


@dataclass(frozen=True)
class Box:
    """A frame, borders included."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The column of its right border."""
        return self.x + self.width - 1

    @property
    def bottom(self) -> int:
        """The line of its lower border."""
        return self.y + self.height - 1

    @property
    def corners(self) -> tuple[Point, ...]:
        """The way around it, back to the start."""
        left, top, right, bottom = self.x, self.y, self.right, self.bottom
        return (left, top), (right, top), (right, bottom), (left, bottom), (left, top)


class Canvas:
    """Cells that hold text, or arms of lines that join where they meet."""

    def __init__(self, width: int, height: int) -> None:
        self._text: list[list[str | None]] = [[None] * width for _ in range(height)]
        self._arms = [[[0, 0, 0, 0] for _ in range(width)] for _ in range(height)]
        self._styles: list[list[tuple[Tone, TcpState | None]]] = [[("text", None)] * width for _ in range(height)]
        self._dashed: set[Point] = set()

    def line(self, points: Sequence[Point], weight: int, tone: Tone, state: TcpState | None) -> None:
        """A line through ``points``, over what is there."""
        for start, end in pairwise(points):
            arm = _direction(start, end)
            for (x, y), (next_x, next_y) in pairwise(_way(start, end)):
                self._add_arm(x, y, arm, weight)
                self._add_arm(next_x, next_y, (arm + 2) % 4, weight)
        for x, y in cells_between(points):
            self._styles[y][x] = (tone, state)

    def arrow(self, points: Sequence[Point], weight: int, tone: Tone, state: TcpState | None) -> None:
        """A line with a head in the last cell; a light one leaves its first cell the style of the frame it is in."""
        tail_x, tail_y = points[0]
        kept = self._styles[tail_y][tail_x]
        self.line(points, weight, tone, state)
        if weight == LIGHT:
            self._styles[tail_y][tail_x] = kept
        head_x, head_y = points[-1]
        self._text[head_y][head_x] = _HEADS[_direction(*points[-2:])]

    def frame(self, box: Box, weight: int, state: TcpState, *, is_dashed: bool) -> None:
        """A box, its corners round if its lines are light."""
        self.line(box.corners, weight, "frame", state)
        if is_dashed:
            self._dashed |= set(cells_between(box.corners))

    def text(self, x: int, y: int, text: str, tone: Tone, state: TcpState | None = None) -> int:
        """Write over what is there; returns the column after the text."""
        for character in text:
            wide = cell_count(character)
            for offset in range(wide):
                self._text[y][x + offset] = "" if offset else character
                self._styles[y][x + offset] = (tone, state)
            x += wide
        return x

    def plain_run(self, y: int, start: int, end: int) -> tuple[int, int]:
        """The longest stretch of line ``y`` between two columns where nothing joins the border: start and end."""
        best, run_start = (start, start), start
        for x in range(start, end + 1):
            is_plain = x < end and self._text[y][x] is None and not (self._arms[y][x][0] or self._arms[y][x][2])
            if not is_plain:
                best = max(best, (run_start, x), key=lambda run: run[1] - run[0])
                run_start = x + 1
        return best

    def lines(self) -> Iterator[list[Piece]]:
        """What was drawn, in runs of one style."""
        for y, row in enumerate(self._styles):
            styled = ((self._character(x, y), *style) for x, style in enumerate(row))
            yield [
                ("".join(character for character, _, _ in run), tone, state)
                for (tone, state), run in groupby(styled, key=lambda cell: cell[1:])
            ]

    def _add_arm(self, x: int, y: int, arm: int, weight: int) -> None:
        arms = self._arms[y][x]
        arms[arm] = max(arms[arm], weight)

    def _character(self, x: int, y: int) -> str:
        text = self._text[y][x]
        if text is not None:
            return text
        up, right, down, left = self._arms[y][x]
        character = _BOX_CHARACTERS[((up * 3 + right) * 3 + down) * 3 + left]
        character = _ROUND.get(character, character)
        return _DASHED.get(character, character) if (x, y) in self._dashed else character


def cells_between(points: Sequence[Point]) -> Iterator[Point]:
    """Every cell on the way through ``points``, the ends included."""
    for start, end in pairwise(points):
        yield from _way(start, end)


def _way(start: Point, end: Point) -> Iterator[Point]:
    """The cells of a straight line, in its direction."""
    (x, y), (to_x, to_y) = start, end
    step_x, step_y = _step(start, end)
    for at in range(max(abs(to_x - x), abs(to_y - y)) + 1):
        yield x + step_x * at, y + step_y * at


def _direction(start: Point, end: Point) -> int:
    """The number of the arm that points from ``start`` to ``end``."""
    return _DIRECTIONS[_step(start, end)]


def _step(start: Point, end: Point) -> Point:
    (x, y), (to_x, to_y) = start, end
    return (to_x > x) - (to_x < x), (to_y > y) - (to_y < y)

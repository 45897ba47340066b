"""What the two drawn forms differ in: sizes, lines and columns, and how much a label says.

Measures alone: what stands where by them is for ``plan`` to say.
"""

from dataclasses import dataclass
from typing import Literal

Part = Literal["short", "short rate", "event", "action", "full", "full rate", "rate"]
"""What a label holds: the short event, the event or the action of the edge, its rate or mark, or two of these."""


@dataclass(frozen=True)
class Grid:
    """The measures of one form; columns and lines are counted from the left and from the top."""

    least_width: int
    column_widths: tuple[int, int, int]
    widest_gap: int
    """Between two columns of boxes; it grows with the width of the drawing."""
    rows: tuple[int, int, int, int]
    """The upper lines of the boxes."""
    box_height: int
    closed_lines: tuple[int, int]
    """The lines of the edges from CLOSED and to CLOSED."""
    idle_y: int
    """The line of LISTEN to SYN_SENT."""
    back_x: int
    """The column of SYN_RECV to LISTEN."""
    entry_x: int
    """Where lines from the right come down into the boxes of the left column."""
    turn: int
    """How far below the upper line of its box an edge turns to the side."""
    across: tuple[Part, ...]
    """On a line from a box to the one beside it."""
    beside: tuple[Part, ...]
    """Beside a line straight down."""
    beside_low: tuple[Part, ...]
    """The same between the two lowest rows."""
    bent: tuple[Part, ...]
    """On a line that goes down, to the side and down again."""
    open: Part
    """On the two long lines between the two highest rows."""
    close: Part
    """At the lines from and to CLOSED."""
    footer_y: int
    height: int


COMPACT_GRID = Grid(
    least_width=78,
    column_widths=(19, 21, 20),
    widest_gap=16,
    rows=(0, 5, 10, 14),
    box_height=3,
    closed_lines=(1, 1),
    idle_y=3,
    back_x=7,
    entry_x=14,
    turn=3,
    across=("short", "rate"),
    beside=("short", "rate"),
    beside_low=("short rate",),
    bent=("short rate",),
    open="short rate",
    close="short",
    footer_y=18,
    height=20,
)
"""Boxes of three lines with ``+`` and ``−`` in their borders, and events in one word."""

LARGE_GRID = Grid(
    least_width=100,
    column_widths=(26, 24, 22),
    widest_gap=22,
    rows=(0, 8, 16, 23),
    box_height=4,
    closed_lines=(1, 2),
    idle_y=5,
    back_x=17,
    entry_x=22,
    turn=5,
    across=("event", "rate", "action"),
    beside=("event", "action", "rate"),
    beside_low=("event", "action", "rate"),
    bent=("event", "rate", "action"),
    open="full rate",
    close="full",
    footer_y=30,
    height=34,
)
"""Boxes with a line for ``+`` and ``−``, and edges with event and action."""

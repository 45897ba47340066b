"""What a drawing consists of: lines of pieces, each a run of text with a tone, and the state whose colour it takes.

May not know a colour: a front end gives each tone its style.
"""

from collections.abc import Sequence
from typing import Literal

from tcptui.model.states import TcpState
from tcptui.text import cell_count

Tone = Literal["text", "dim", "strong", "frame", "edge", "rate", "mark", "heading"]
"""What a piece is, for a front end to give it a style."""
Piece = tuple[str, Tone, TcpState | None]
"""A run of text; with a state, in that state's colour."""
Lines = tuple[tuple[Piece, ...], ...]

BLANK: Piece = (" ", "text", None)


def plain(line: Sequence[Piece]) -> str:
    """A line without its tones."""
    return "".join(text for text, _, _ in line).rstrip()


def width_of(pieces: Sequence[Piece]) -> int:
    """How many cells they take, one after the other."""
    return sum(cell_count(text) for text, _, _ in pieces)

"""The machine in the richest form that has room: a large drawing, a compact one or a list; and as plain text.

The one place that chooses a form. May not place anything itself.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

from tcptui.explain.machine.diagram import Diagram
from tcptui.explain.machine.grid import COMPACT_GRID, LARGE_GRID, Grid
from tcptui.explain.machine.listing import list_lines
from tcptui.explain.machine.pieces import Lines, Piece, plain
from tcptui.explain.machine.view import MachineView
from tcptui.explain.machine.words import MachineWords, machine_words
from tcptui.wrapping import wrap

Form = Literal["large", "compact", "list"]

_GRIDS: Mapping[Form, Grid] = {"large": LARGE_GRID, "compact": COMPACT_GRID}
"""The richest first."""
_ANY_HEIGHT = 1000
_BULLET = "- "


def fits(width: int, height: int) -> Form:
    """The richest form that has room."""
    drawn = (form for form, grid in _GRIDS.items() if width >= grid.least_width and height >= grid.height)
    return next(drawn, "list")


def draw(view: MachineView, width: int, height: int, language: str = "en") -> Lines:
    """The richest form that has room, at most ``width`` cells by ``height`` lines."""
    words = machine_words(language)
    form = fits(width, height)
    if form == "list":
        return _cut(list_lines(view, words, width), height, words)
    return Diagram(view, words, _GRIDS[form], width).lines()


def machine_text(view: MachineView, width: int = 80, language: str = "en") -> str:
    """The drawing as plain text, with nothing highlighted, and what the numbers cannot tell."""
    words = machine_words(language)
    drawing = draw(dataclasses.replace(view, highlighted=None), width, _ANY_HEIGHT, language)
    lines = [*wrap(words.title, width), "", *(plain(line) for line in drawing), ""]
    is_large = fits(width, _ANY_HEIGHT) == "large"
    for note in words.notes if is_large else (words.letters, *words.notes):
        lines += wrap(_BULLET + note, width, hanging=" " * len(_BULLET))
    return "".join(f"{line}\n" for line in lines)


def _cut(lines: Sequence[Sequence[Piece]], height: int, words: MachineWords) -> Lines:
    """As many lines as have room; the last one says how many more there are."""
    shown = tuple(tuple(line) for line in lines)
    if len(shown) <= height:
        return shown
    rest: Piece = (words.more.format(n=len(shown) - height + 1), "dim", None)
    return (*shown[: max(height - 1, 0)], (rest,))[: max(height, 0)]

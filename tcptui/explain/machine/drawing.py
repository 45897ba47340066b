"""The machine in the richest form that has room: a large drawing, a compact one or a list; and as plain text.

The one place that chooses a form. May not place anything itself.
"""

import dataclasses
from collections.abc import Mapping
from typing import Literal

from tcptui.explain.machine.diagram import Diagram
from tcptui.explain.machine.grid import COMPACT_GRID, LARGE_GRID, Grid
from tcptui.explain.machine.listing import list_lines
from tcptui.explain.machine.pieces import Lines, plain
from tcptui.explain.machine.view import MachineView
from tcptui.explain.machine.words import machine_words
from tcptui.wrapping import wrap

Form = Literal["large", "compact", "list"]

_GRIDS: Mapping[Form, Grid] = {"large": LARGE_GRID, "compact": COMPACT_GRID}
_BULLET = "- "


def fits(width: int, height: int) -> Form:
    """The richest form that has room; a list where nothing is wide enough."""
    if width >= LARGE_GRID.least_width and height >= LARGE_GRID.height:
        return "large"
    return "compact" if width >= COMPACT_GRID.least_width else "list"


def draw(view: MachineView, width: int, height: int, language: str = "en") -> Lines:
    """The richest form that has room, at most ``width`` cells wide. It may be taller than ``height``, and then scrolls.

    Only the choice of the large form depends on the height.
    """
    words = machine_words(language)
    form = fits(width, height)
    if form == "list":
        return tuple(tuple(line) for line in list_lines(view, words, width))
    return Diagram(view, words, _GRIDS[form], width).lines()


def machine_text(view: MachineView, width: int = 80, language: str = "en") -> str:
    """The drawing as plain text, with nothing highlighted, and what the numbers cannot tell."""
    words = machine_words(language)
    drawing = draw(dataclasses.replace(view, highlighted=None), width, LARGE_GRID.height, language)
    lines = [*wrap(words.title, width), "", *(plain(line) for line in drawing), ""]
    is_large = fits(width, LARGE_GRID.height) == "large"
    for note in words.notes if is_large else (words.letters, *words.notes):
        lines += wrap(_BULLET + note, width, hanging=" " * len(_BULLET))
    return "".join(f"{line}\n" for line in lines)

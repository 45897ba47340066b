"""What is drawn where only ASCII can be shown: for every glyph of the screen something of the same width.

Panels draw with the glyphs that say most, and know nothing of this: all lines of all panels, borders and scrollbars
too, go through one filter on their way to the terminal. Letters are not glyphs: names and words stay what they are,
unless the terminal's own characters lack them.

May not know a panel.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_MARKS = {
    "·": "-",
    "…": "~",
    "×": "x",
    "−": "-",
    "–": "-",
    "—": "-",
    "≥": ">",
    "≤": "<",
    "≈": "~",
    "±": "+",
    "µ": "u",
    "∅": "/",
    "•": "*",
    "●": "*",
    "○": "o",
    "◎": "@",
    "◉": "@",
    "⬤": "*",
    "◇": "x",
    "◆": "&",
    "△": "A",
    "▲": "^",
    "▽": "V",
    "▼": "v",
    "□": "0",
    "■": "#",
    "▪": "#",
    "▸": ">",
    "◂": "<",
    "▶": ">",
    "◀": "<",
    "›": ">",
    "‹": "<",
    "»": ">",
    "«": "<",
    "←": "<",
    "→": ">",
    "↑": "^",
    "↓": "v",
    "↔": "-",
    "↕": "|",
    "⇄": "=",
    "✖": "!",
    "✗": "x",
    "✘": "x",
    "✔": "*",
    "✓": "*",
    "‖": "=",
    "⏸": "=",
    "⏵": ">",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "′": "'",
    "°": "o",
    "§": "S",
    "⌫": "<",
    "⏎": "<",
    "🔎": "? ",
    "⭘": "o",
    "\ufffd": "?",
}
_LEVELS = ".:-=+*%#"
"""By how much ink they have."""
_LEVEL_OF_BLOCKS = {
    **{chr(0x2580 + eighths): _LEVELS[eighths - 1] for eighths in range(1, 9)},
    **dict(zip("▏▎▍▌▋▊▉", "---===#", strict=True)),
    **dict(zip("▀▐▔▕░▒▓", '"#-|:%#', strict=True)),
    **dict.fromkeys("▖▗▘▝", "."),
    **dict.fromkeys("▚▞", "="),
    **dict.fromkeys("▙▛▜▟", "#"),
}
_DASHED = {"╌": ".", "┄": ".", "┈": ".", "╍": "=", "┅": "=", "┉": "="} | {
    **dict.fromkeys("╎┆┊", ":"),
    **dict.fromkeys("╏┇┋", "#"),
}


def _box(char: str) -> str:
    """A box-drawing character by which ways it goes, as its name tells."""
    if char in _DASHED:
        return _DASHED[char]
    name = unicodedata.name(char)
    is_across = "HORIZONTAL" in name or "LEFT" in name or "RIGHT" in name
    is_upright = "VERTICAL" in name or "UP" in name or "DOWN" in name
    is_heavy = "HEAVY" in name or "DOUBLE" in name
    if "DIAGONAL" in name:
        return "/" if "RIGHT TO LOWER LEFT" in name else "\\" if "CROSS" not in name else "x"
    if is_across and is_upright:
        return "+"
    return ("=" if is_heavy else "-") if is_across else ("#" if is_heavy else "|")


def _braille(code: int) -> str:
    """Dots by how many there are."""
    dots = (code & 0xFF).bit_count()
    return _LEVELS[dots - 1] if dots else " "


def _table() -> Iterator[tuple[str, str]]:
    yield from _MARKS.items()
    yield from ((chr(code), _box(chr(code))) for code in range(0x2500, 0x2580))
    yield from _LEVEL_OF_BLOCKS.items()
    yield from ((chr(code), _braille(code)) for code in range(0x2800, 0x2900))


IN_ASCII = dict(_table())
"""For each glyph what stands for it, in as many cells."""


class AsciiFilter(LineFilter):
    """Draws with ASCII alone."""

    def __init__(self, encoding: str = "utf-8") -> None:
        """``encoding`` is the terminal's: what that does not have becomes a question mark for each cell."""
        super().__init__()
        self._replacements = str.maketrans(IN_ASCII)
        self._codec = codecs.lookup(encoding)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(self._shown(segment.text), segment.style, segment.control)
            for segment in segments
        ]

    def _shown(self, text: str) -> str:
        drawn = text.translate(self._replacements)
        if drawn.isascii() or self._codec.name == "utf-8":
            return drawn
        return "".join(char if self._is_known(char) else "?" * cell_len(char) for char in drawn)

    def _is_known(self, char: str) -> bool:
        try:
            self._codec.encode(char)
        except UnicodeEncodeError:
            return False
        return True

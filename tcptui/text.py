"""Making text from outside printable: once, where it enters; and how wide a terminal shows it.

Process names, host names, namespace names and pasted files can hold escape sequences, bidi overrides and newlines, and
no terminal library removes them. Also numbers as a line of blocks.
"""

import unicodedata
from collections.abc import Sequence


def printable(text: str) -> str:
    r"""``text`` with every character that is not printable written as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    ``str.isprintable`` is false for control characters, bidi overrides, zero-width spaces, line breaks and surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def shown(text: str, longest: int = 40) -> str:
    """``text`` from outside as it may stand in a message: printable, and shortened."""
    return printable(text if len(text) <= longest else text[: longest - 1] + "…")


def cell_count(text: str) -> int:
    """How wide a terminal shows ``text``: East Asian wide characters take two cells, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(each) in "WF" else 0 if unicodedata.combining(each) else 1 for each in text
    )


_LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[int], width: int) -> str:
    """The newest ``width`` values as blocks over a base of zero; nothing at all is a blank."""
    shown = values[-width:]
    highest = max(shown, default=0)
    blocks = [" " if value <= 0 else _LEVELS[min(value * 8 // max(highest, 1), 7)] for value in shown]
    return "".join(blocks).rjust(width)


def _escaped(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

"""Making text from outside printable: once, where it enters; and how wide a terminal shows it.

Process names, host names, namespace names and pasted files can hold escape sequences, bidi overrides and newlines, and
no terminal library removes them.
"""

import unicodedata


def printable(text: str) -> str:
    r"""``text`` with every character that is not printable written as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    ``str.isprintable`` is false for control characters, bidi overrides, zero-width spaces, line breaks and surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def cell_count(text: str) -> int:
    """How wide a terminal shows ``text``: East Asian wide characters take two cells, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(each) in "WF" else 0 if unicodedata.combining(each) else 1 for each in text
    )


def _escaped(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

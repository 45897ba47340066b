"""Making text from outside printable: once, where it enters.

Process names, host names, namespace names and pasted files can hold escape sequences, bidi overrides and newlines, and
no terminal library removes them.
"""


def printable(text: str) -> str:
    r"""``text`` with every character that is not printable written as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    ``str.isprintable`` is false for control characters, bidi overrides, zero-width spaces, line breaks and surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

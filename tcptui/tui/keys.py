"""Keys by name: as Textual calls them, as a person may write them, and as a person reads them.

May not know Textual: a keymap is checked before the screen is loaded. A test compares.
"""

import string
import unicodedata

_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "space": "Space",
    "backspace": "Backspace",
    "insert": "Ins",
    "delete": "Del",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
} | {f"f{number}": f"F{number}" for number in range(1, 25)}
"""Keys that type no character, and how they are shown."""
_ARROWS = {"up": "Up", "down": "Down", "left": "Left", "right": "Right"}
"""The same where there are no arrows to show them by."""
_MODIFIERS = ("alt", "ctrl", "shift", "super", "hyper", "meta")
_RENAMED = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_SAME = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
    "return": "enter",
    "esc": "escape",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "del": "delete",
    "ins": "insert",
}
"""Other names of keys; of some that a terminal cannot tell apart."""


def _name_of(char: str) -> str:
    """What Textual calls the key that types a letter, a digit or a punctuation mark of ASCII; empty for others."""
    if char.isalnum():
        return char
    if char not in string.punctuation:
        return ""
    name = unicodedata.name(char).lower().replace("-", "_").replace(" ", "_")
    return _RENAMED.get(name, name)


_CHARACTERS = {_name_of(char): char for char in string.punctuation}

KEY_NAMES = (*_NAMES, *_CHARACTERS)
"""All names but letters and digits, which are their own."""


def key_called(text: str) -> str:
    """Textual's name of the key that a person calls so; empty if there is none.

    That is a character, or a name, of which capitals do not matter, and before it ctrl+, alt+ and shift+.
    """
    *modifiers, base = (part.strip() for part in text.strip().split("+"))
    if text.strip() == "+":
        modifiers, base = [], "+"
    modifiers = sorted({each.lower() for each in modifiers})
    name = _name_of(base) if len(base) == 1 else _SAME.get(base.lower(), base.lower())
    is_key = len(name) == 1 or name in KEY_NAMES
    if not is_key or not set(modifiers) <= set(_MODIFIERS) or (modifiers and not name.isascii()):
        return ""
    if modifiers == ["shift"] and len(name) == 1:
        return name.upper()
    key = "+".join([*modifiers, name.lower() if modifiers else name])
    return _SAME.get(key, key)


def key_text(key: str, *, has_arrows: bool = True) -> str:
    """A key as a person reads it."""
    *modifiers, base = key.split("+")
    shown = _CHARACTERS.get(base, base if len(base) == 1 else _NAMES.get(base, base))
    if not has_arrows:
        shown = _ARROWS.get(base, shown)
    return "+".join(
        [*(each.capitalize() for each in modifiers), shown.upper() if modifiers and len(shown) == 1 else shown]
    )

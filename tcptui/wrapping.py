"""Text in lines, measured in cells: wide characters take two, and a line may end after each of them."""

import re
from collections.abc import Iterator
from functools import lru_cache

from tcptui.text import cell_count

WIDE = "[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]"
"""Ideographs, kana, hangul and full-width forms: a line may end after each of them."""
_CLOSING = "[\u2019\u201d\u3001\u3002\u300b\u300d\u300f\uff01\uff09\uff0c\uff1a\uff1b\uff1f]"
"""Marks that must not start a line."""
_OPENING = "[\u2018\u201c\u300a\u300c\u300e\uff08]"
"""Marks that must not end a line."""
_WIDE_OR_NOT = f"{_OPENING}*(?:{WIDE}|(?:(?!{_OPENING}|{WIDE}).)+){_CLOSING}*\\s*|{_OPENING}+"
_WORD = r"(?:= )?(?:\S*\d (?=(?:s|ms|µs|min|h|MiB)\b))?\S+\s*|\s+"
"""A word with the blanks after it; a number stays with its unit, and "= 15" together."""
# Left to re's own cache: to compile them takes 3 ms, which the first frame can do without.


def wrap(text: str, width: int, hanging: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` cells; later lines start with ``hanging``.

    Breaks at blanks, between wide characters, and inside a word that is too long, there after ``_``, ``.``, ``/``
    or ``,`` if it can. The blanks that ``text`` starts with stay.
    """
    return list(_wrapped(text, width, hanging))


@lru_cache(maxsize=4096)
def _wrapped(text: str, width: int, hanging: str) -> tuple[str, ...]:
    start = len(text) - len(text.lstrip(" "))
    lines, line = [], text[:start]
    room = max(width, cell_count(hanging) + 1, start + 1)
    for piece in _pieces(text[start:], room - max(cell_count(hanging), start)):
        if line.strip() and cell_count(line) + cell_count(piece.rstrip()) > room:
            lines.append(line.rstrip())
            line = hanging
        line += piece
    return (*lines, line.rstrip())


def _pieces(text: str, room: int) -> Iterator[str]:
    """The parts between which a line may end, each no wider than ``room``."""
    for word in re.findall(_WORD, text):
        for part in [word] if word.isascii() else re.findall(_WIDE_OR_NOT, word):
            if cell_count(part.rstrip()) <= room:
                yield part
            else:
                yield from _broken(part, room)


def _broken(word: str, room: int) -> Iterator[str]:
    piece = ""
    for fragment in re.findall(r"[^_./,]*[_./,]|[^_./,]+", word):
        if piece and cell_count(piece) + cell_count(fragment.rstrip()) > room:
            yield piece
            piece = ""
        for character in fragment:
            if cell_count(piece) + cell_count(character.rstrip()) > room:
                yield piece
                piece = ""
            piece += character
    yield piece

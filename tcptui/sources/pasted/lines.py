"""The lines of a text that somebody pasted: in whatever encoding, with escape sequences, and however long.

Read in blocks, so that a text of any size takes little memory, and one line without an end as little.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 1 << 16
"""Characters; what follows them in the line is left out. ``ss -O`` with every option prints some 1,500."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""PowerShell writes UTF-16 where its output is redirected to a file."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?|\x9b[0-?]*[ -/]*[@-~]")
"""Control sequences, operating system commands and shorter ones (ECMA-48), such as ``grep --color=always`` writes."""
_QUOTED = re.compile(r"(?:> ?)+")
"""How a line stands in an answered mail."""


class Line(NamedTuple):
    """One line of a text."""

    text: str
    """Without what ends it."""
    had_escapes: bool
    """Whether escape sequences have been taken out of it."""


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """The lines of ``file``, which is read to its end.

    Raises:
        OSError: it cannot be read.
    """
    for raw in _whole_lines(file):
        text = raw.rstrip("\r")
        had_escapes = "\x1b" in text or "\x9b" in text
        if had_escapes:
            text = _ESCAPES.sub("", text)
        if text.startswith(">"):
            text = _QUOTED.sub("", text, count=1)
        yield Line(text, had_escapes)


def _whole_lines(file: BinaryIO) -> Iterator[str]:
    rest = ""
    for block in _decoded(file):
        first, *others = block.split("\n")
        rest = (rest + first)[:LONGEST_LINE]
        if others:
            yield rest
            *whole, rest = others
            for each in whole:
                yield each[:LONGEST_LINE]
            rest = rest[:LONGEST_LINE]
    if rest:
        yield rest


def _decoded(file: BinaryIO) -> Iterator[str]:
    """The text in blocks; what is not in its encoding becomes U+FFFD."""
    block = file.read(BLOCK_BYTES)
    mark, encoding = next((each for each in _MARKS if block.startswith(each[0])), (b"", "utf-8"))
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    block = block[len(mark) :]
    while block:
        yield decoder.decode(block)
        block = file.read(BLOCK_BYTES)
    yield decoder.decode(b"", final=True)

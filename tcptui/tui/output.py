"""What the terminal is sent: only the cells that differ from what it shows, and no more than it has taken in time.

Textual writes whole spans of a line, with all of a style before each piece and a reset behind it. Here an update goes
into a picture of what is wanted (``Picture``); what is written is the difference between that and what the terminal has
been sent. ``Pace`` says how much may be under way: over a slow line the rest waits, and is compared with the newest
picture when its turn comes. So the screen gets fewer frames there, never later ones.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

ASK = "\x1b[6n"
"""Device status report: the terminal answers with the place of its cursor as soon as it has come to this."""

_RESET = "\x1b[0m"
_LONGEST_GAP = 4
"""Cells that are sent again rather than passed over: a move of the cursor takes as many bytes."""


class Look(NamedTuple):
    """A style in the terminal's own numbers (SGR, ECMA-48 8.3.117)."""

    attributes: tuple[str, ...] = ()
    foreground: str = ""
    background: str = ""

    @property
    def on_blanks(self) -> Look:
        """The look without what blanks do not show."""
        return self if self.attributes and not _UNSEEN_ON_BLANKS.issuperset(self.attributes) else _bare(self.background)

    def suits_blanks_of(self, other: Look) -> bool:
        """Whether blanks in ``other`` look the same in this one."""
        return self.background == other.background and _UNSEEN_ON_BLANKS.issuperset(
            (*self.attributes, *other.attributes)
        )


@functools.lru_cache(maxsize=256)
def _bare(background: str) -> Look:
    return Look((), "", background)


_UNSEEN_ON_BLANKS = frozenset(("1", "2", "3", "5"))
"""Bold, dim, italic and blinking."""
PLAIN = Look()
Cell = tuple[str, Look]
"""What one cell shows; the second half of a wide character is an empty text."""

_UNKNOWN: Cell = ("\0", PLAIN)
"""A cell of the terminal that may show anything."""
_ATTRIBUTES = (
    *(("bold", "1"), ("dim", "2"), ("italic", "3"), ("underline", "4"), ("blink", "5"), ("reverse", "7")),
    *(("strike", "9"), ("underline2", "21"), ("overline", "53")),
)


@functools.lru_cache(maxsize=4096)
def look_of(style: Style | None, colours: ColorSystem) -> Look:
    """The look of a style, in as many colours as the terminal has."""
    if style is None:
        return PLAIN
    ends = [
        ";".join(colour.downgrade(colours).get_ansi_codes(foreground=is_foreground)) if colour is not None else ""
        for colour, is_foreground in ((style.color, True), (style.bgcolor, False))
    ]
    return Look(tuple(number for name, number in _ATTRIBUTES if getattr(style, name)), *ends)


@functools.lru_cache(maxsize=4096)
def _change(before: Look, after: Look) -> str:
    """What makes the terminal write in another look."""
    numbers: list[str] = []
    if not set(before.attributes) <= set(after.attributes):
        numbers, before = ["0"], PLAIN
    numbers += [number for number in after.attributes if number not in before.attributes]
    if after.foreground != before.foreground:
        numbers.append(after.foreground or "39")
    if after.background != before.background:
        numbers.append(after.background or "49")
    return f"\x1b[{';'.join(numbers)}m" if numbers else ""


@functools.lru_cache(maxsize=4096)
def _cell_texts(text: str) -> tuple[str, ...]:
    """``text`` cell by cell; what would do something to a terminal is a question mark."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "?" for character in text)
    if text.isascii():
        return tuple(text)
    spans, _ = split_graphemes(text)
    return tuple(itertools.chain.from_iterable((text[a:b], *("",) * (width - 1)) for a, b, width in spans if width))


class Picture:
    """Two screens of the same size: what is wanted, and what the terminal shows once all has arrived."""

    def __init__(self, colours: ColorSystem) -> None:
        self._colours = colours
        self._size = Size(0, 0)
        self._wanted: list[list[Cell]] = []
        self._sent: list[list[Cell]] = []
        self._changed: dict[int, int] = {}
        """Lines that may differ, with how often had been sent something when they changed last."""
        self._sent_times = 0
        self._cursor: tuple[int, int] | None = None
        """Column and line where the terminal writes next; None where that is not sure."""

    @property
    def is_sent(self) -> bool:
        """Whether nothing is left to send."""
        return not self._changed

    def forget(self) -> None:
        """Take nothing for granted of what the terminal shows."""
        self._sent = [[_UNKNOWN] * self._size.width for _ in range(self._size.height)]
        self._changed = dict.fromkeys(range(self._size.height), self._sent_times)
        self._cursor = None

    def take(self, update: CompositorUpdate, size: Size) -> None:
        """Want what ``update`` shows, on a screen of ``size``."""
        if size != self._size:
            self._size = size
            self._wanted = [[(" ", PLAIN)] * size.width for _ in range(size.height)]
            self.forget()
        for x, y, strip in _placed_strips(update):
            self._put(x, y, strip)

    def _put(self, x: int, y: int, strip: Strip) -> None:
        if not 0 <= y < self._size.height:
            return
        cells: list[Cell] = []
        for text, style, _ in strip:
            look = look_of(style, self._colours)
            if text.isspace():
                look = look.on_blanks
            cells += zip(_cell_texts(text), itertools.repeat(look), strict=False)
        del cells[self._size.width - x :]
        line, end = self._wanted[y], x + len(cells)
        if line[x:end] == cells:
            return
        if not line[x][0]:  # half a wide character is left: a terminal shows none of it
            line[x - 1] = (" ", line[x - 1][1])
        line[x:end] = cells
        if end < len(line) and not line[end][0]:
            line[end] = (" ", line[end][1])
        self._changed[y] = self._sent_times

    def next_bytes(self, most: int) -> str:
        """What to send next, some ``most`` bytes of it: first the lines that changed last, from top to bottom."""
        parts: list[str] = []
        room, look = most, PLAIN
        self._sent_times += 1
        for y in sorted(self._changed, key=lambda y: (-self._changed[y], y)):
            for start, end in self._runs(y):
                if room <= 0:
                    return "".join([*parts, *((_RESET,) if look != PLAIN else ())])
                text, look = self._run(y, start, end, look)
                parts.append(text)
                room -= len(text)
            del self._changed[y]
        return "".join([*parts, *((_RESET,) if look != PLAIN else ())])

    def _runs(self, y: int) -> list[tuple[int, int]]:
        """The stretches of a line that must be sent, as columns from and before."""
        wanted, sent = self._wanted[y], self._sent[y]
        runs: list[tuple[int, int]] = []
        for x in [x for x, (one, other) in enumerate(zip(wanted, sent, strict=True)) if one != other]:
            start, end = x, x + 1
            while start > 0 and not wanted[start][0]:
                start -= 1
            while end < len(wanted) and not wanted[end][0]:
                end += 1
            if runs and start - runs[-1][1] <= _LONGEST_GAP:
                runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
            else:
                runs.append((start, end))
        return runs

    def _run(self, y: int, start: int, end: int, look: Look) -> tuple[str, Look]:
        """One stretch of a line as bytes, and the look that the terminal then writes in."""
        cells = self._wanted[y][start:end]
        parts = [self._move(start, y)]
        for text, wanted in cells:
            if wanted is not look and not (text == " " and look.suits_blanks_of(wanted)):
                parts.append(_change(look, wanted))
                look = wanted
            parts.append(text)
        self._sent[y][start:end] = cells
        # Terminals disagree about the widths of some characters, and about what is behind the last column.
        is_sure = end < self._size.width and all(len(text) == 1 for text, _ in cells)
        self._cursor = (end, y) if is_sure else None
        return "".join(parts), look

    def _move(self, x: int, y: int) -> str:
        """What brings the terminal's cursor to a place."""
        if self._cursor == (x, y):
            return ""
        if self._cursor is not None and self._cursor[1] == y and x > self._cursor[0]:
            return f"\x1b[{x - self._cursor[0]}C"
        return f"\x1b[{y + 1};{x + 1}H"

    def place_cursor(self, x: int, y: int) -> str:
        """What puts the cursor where an input method shows what is being typed."""
        moved = self._move(x, y)
        self._cursor = (x, y)
        return moved


def _placed_strips(update: CompositorUpdate) -> Iterable[tuple[int, int, Strip]]:
    """The strips of an update with the column and line of each; what ``render_segments`` of Textual writes."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield x, y, strip
                x += strip.cell_length
    elif isinstance(update, ChopsUpdate):
        for y, first, last in update.spans:
            for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if chop is not None and x <= last and end > first:
                    yield x, y, chop if end <= last else chop.crop(0, last - x)


class Pace:
    """How much the terminal may be sent, by how long it took for what it was sent before. Reads no clock.

    Where it counts, a question stands before and behind what is sent; the time from one answer to the other is how long
    the line and the terminal took for what stands between them, however long the way. A terminal that does not answer
    is sent everything; then only the operating system holds the program back.
    """

    FIRST_BYTES = 8192
    """Sent before anything is known: a frame of 120 x 40."""
    LEAST_BYTES = 256
    WANTED_S = 0.5
    """What is under way may take so long, for a key that is pressed meanwhile is answered behind it."""
    WORTH_ASKING_BYTES = 512
    """Less than that says nothing about a fast line."""
    SLOW_BYTES_PER_S = 20_000
    """Below that everything is measured."""
    PATIENCE_S = 30.0
    """After that an answer is taken for lost."""
    FIRST_PATIENCE_S = 0.3
    """The same while it is not known whether the terminal answers at all."""

    def __init__(self) -> None:
        self.bytes_per_s: float | None = None
        """What the terminal takes; None where it has not told."""
        self._asked_at_s: float | None = None
        self._bytes = 0
        self._answered_at_s: list[float] = []
        self._late_answers = 0
        self.does_answer = False

    @property
    def is_slow(self) -> bool:
        """Whether the line is so slow that people notice."""
        return self.bytes_per_s is not None and self.bytes_per_s < self.SLOW_BYTES_PER_S

    def allowance(self, now_s: float) -> int:
        """How many bytes may be sent now."""
        if self._asked_at_s is not None:
            patience = self.PATIENCE_S if self.does_answer else self.FIRST_PATIENCE_S
            waited_s = now_s - self._asked_at_s
            if waited_s < patience:
                is_in_time = waited_s < self.WANTED_S and self.bytes_per_s is not None and not self.is_slow
                return self.FIRST_BYTES if is_in_time else 0
            self._late_answers += 2 - len(self._answered_at_s)
            self._asked_at_s = None
        if self.bytes_per_s is None:
            return self.FIRST_BYTES
        return max(int(self.bytes_per_s * self.WANTED_S), self.LEAST_BYTES)

    def framed(self, text: str, now_s: float) -> str:
        """``text`` as it is to be sent now: with questions, where the answers would tell something."""
        size = len(text)
        if self._asked_at_s is not None or (size < self.WORTH_ASKING_BYTES and not self.is_slow):
            return text
        self._asked_at_s, self._bytes, self._answered_at_s = now_s, size, []
        return f"{ASK}{text}{ASK}"

    def answered(self, now_s: float) -> None:
        """Note that the terminal has come to a question."""
        self.does_answer = True
        if self._late_answers:
            self._late_answers -= 1
            return
        if self._asked_at_s is None:
            return
        self._answered_at_s.append(now_s)
        if len(self._answered_at_s) == 2:
            first, second = self._answered_at_s
            measured = self._bytes / max(second - first, 1e-3)
            known = self.bytes_per_s
            self.bytes_per_s = measured if known is None or measured < known else (known + measured) / 2
            self._asked_at_s = None

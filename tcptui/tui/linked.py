"""Lines to read of which some lead somewhere, mostly to an entry: the cursor goes from one of those to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message

from tcptui.tui.lines import SEPARATOR, LinePanel, LineWidget, Piece

Tone = Literal["text", "strong", "heading", "dim", "warning"]
Line = list[tuple[str, Tone]]
"""A line of text in pieces, each with the tone to say it in."""


@dataclass(frozen=True)
class Linked:
    """A line, and what can be done with it."""

    line: Line
    topic: str = ""
    """The name of the entry that it leads to; empty for none."""
    command: str = ""
    """The command to copy; empty for none."""
    target: object = None
    """What else it leads to, in words of who made the line; None for nothing."""

    @property
    def is_of_use(self) -> bool:
        """Whether the cursor stops at it."""
        return self.target is not None or bool(self.topic or self.command)

    @property
    def leads_to(self) -> tuple[object, str, str]:
        """What it is the same line by when its numbers are newer."""
        return self.target, self.topic, self.command


@dataclass
class TopicChosen(Message):
    """An entry is to be opened."""

    topic: str


@dataclass
class CommandChosen(Message):
    """A command is to be copied."""

    command: str


@dataclass
class TargetChosen(Message):
    """What a line leads to otherwise was chosen."""

    target: object


class LinkedPanel(LinePanel, can_focus=True):
    """Linked lines; Enter or a click follows a link, or copies a command."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "go_down", "Down", show=False),
        Binding("up,k", "go_up", "Up", show=False),
        Binding("pagedown,ctrl+f", "page_down", "Page down", show=False),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False),
        Binding("home,g", "scroll_home", "To the beginning", show=False),
        Binding("end,G", "scroll_end", "To the end", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[Linked] = []
        self._chosen: int | None = None

    @property
    def chosen_topic(self) -> str:
        """The entry that the line under the cursor leads to; empty for none."""
        if self._chosen is None or not self._is_in_sight(self._chosen):
            return ""
        return self._lines[self._chosen].topic

    @property
    def is_on_something(self) -> bool:
        """Whether the cursor is on a link or a command in sight."""
        return self._chosen is not None and self._is_in_sight(self._chosen)

    def use_chosen(self) -> None:
        """Follow the link under the cursor or copy the command; where it is on neither, go to the first in sight."""
        if self._chosen is not None and self.is_on_something:
            self._use(self._lines[self._chosen])
        else:
            self._chosen = None
            self._go(1)

    def _use(self, linked: Linked) -> None:
        if linked.target is not None:
            self.post_message(TargetChosen(linked.target))
        else:
            self.post_message(TopicChosen(linked.topic) if linked.topic else CommandChosen(linked.command))

    def show_lines(self, lines: list[Linked], *, keeps_place: bool) -> None:
        """Show other lines; ``keeps_place`` where they are the same text with newer numbers."""
        before = self._lines[self._chosen] if self._chosen is not None else None
        self._lines = lines
        if not keeps_place:
            self._chosen = None
            self.scroll_to(y=0, animate=False, immediate=True)
        elif before is not None:
            same = [index for index, each in enumerate(lines) if each.leads_to == before.leads_to]
            self._chosen = min(same, key=lambda index: abs(index - (self._chosen or 0)), default=None)
        self.virtual_size = Size(0, len(lines))
        self.redraw()

    def choose_first(self) -> None:
        """Put the cursor on the first line in sight that leads somewhere, if there is one."""
        found = (index for index, each in enumerate(self._lines) if each.is_of_use and self._is_in_sight(index))
        self._chosen = next(found, None)
        self.redraw()

    def action_go_down(self) -> None:
        """To the next link if it is in sight, else a line further."""
        self._go(1)

    def action_go_up(self) -> None:
        """To the link before if it is in sight, else a line back."""
        self._go(-1)

    def _go(self, step: int) -> None:
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        in_sight = range(top, min(top + height, len(self._lines)))
        begin = in_sight.start - 1 if step > 0 else in_sight.stop
        if self._chosen is not None and self._chosen in in_sight:
            begin = self._chosen
        on_the_way = range(begin + 1, in_sight.stop) if step > 0 else range(begin - 1, in_sight.start - 1, -1)
        found = next((index for index in on_the_way if self._lines[index].is_of_use), None)
        if found is not None:
            self._chosen = found
            self.redraw()
        else:
            self.scroll_relative(y=step, animate=False, immediate=True)

    def _is_in_sight(self, index: int) -> bool:
        top = round(self.scroll_y)
        return index < len(self._lines) and top <= index < top + self.scrollable_content_region.height

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        index = offset.y + round(self.scroll_y) if offset is not None else len(self._lines)
        if index < len(self._lines) and self._lines[index].is_of_use:
            self._chosen = index
            self.redraw()
            self._use(self._lines[index])

    def line(self, y: int, width: int) -> Iterable[Piece]:
        index = y + round(self.scroll_y)
        if index >= len(self._lines):
            return []
        linked = self._lines[index]
        pieces = list(styled(self, linked.line))
        if index == self._chosen and self.has_focus:
            cursor = self.palette.cursor
            return [("▸", self.palette.strong), *((text, cursor) for text, _ in pieces)]
        return [("›" if linked.is_of_use else " ", self.palette.dim), *pieces]


def fitting_keys(ranks: dict[str, int | None], room: int) -> str:
    """Keys for the lower border, as many as ``room`` has cells for: of the highest rank are left out first.

    Those without a rank do nothing now.
    """
    shown = sorted((rank, key) for key, rank in ranks.items() if rank is not None)
    while len(shown) > 1 and cell_len(SEPARATOR.join(key for _, key in shown)) > room:
        shown.pop()
    kept = {key for _, key in shown}
    return SEPARATOR.join(key for key in ranks if key in kept)


def styled(panel: LineWidget | LinePanel, line: Line) -> Iterable[Piece]:
    """The pieces of a line in the styles of the panel's theme."""
    palette = panel.palette
    styles = {
        "text": palette.text,
        "strong": palette.strong,
        "heading": palette.heading,
        "dim": palette.dim,
        "warning": palette.warning,
    }
    return ((text, styles[tone]) for text, tone in line)

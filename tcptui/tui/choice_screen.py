"""A short list over the panels to choose one thing from, by its key, by Enter or by a click."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message

from tcptui.language import tr
from tcptui.tui.lines import LinePanel, Piece
from tcptui.tui.over import OverScreen

KEYS = "123456789abcdefghilmnoprstuvwxyz"
"""What chooses a line at once, in their order: without the keys that move the cursor or leave."""


@dataclass(frozen=True)
class Choice:
    """One thing to choose."""

    id: str
    text: str
    about: str = ""
    """Said behind it, dimly."""
    is_on: bool | None = None
    """Whether it is in force; None where that is no question."""


class ChoicePanel(LinePanel, can_focus=True):
    """The choices below one another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j,tab", "move(1)", "Down", show=False),
        Binding("up,k,shift+tab", "move(-1)", "Up", show=False),
        Binding("enter,space", "choose", "Choose", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A choice was made."""

        id: str

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__(id="choices")
        self._title_text = title
        self._choices = choices
        self._at = 0

    def on_mount(self) -> None:
        self.name_panel(title=self._title_text, subtitle=tr("Enter choose · Esc leave"))
        self.virtual_size = Size(0, len(self._choices))
        widths = [sum(cell_len(text) for text, _ in self._pieces(index)) for index in range(len(self._choices))]
        widest = max(widths, default=0)
        self.styles.width = max(widest, cell_len(self._title_text) + 4, 30) + 4
        self.styles.height = len(self._choices) + 2

    def show(self, choices: Sequence[Choice]) -> None:
        """The same choices with another of them in force."""
        self._choices = choices
        self.redraw()

    def action_move(self, step: int) -> None:
        """To another choice; after the last comes the first."""
        self._at = (self._at + step) % max(len(self._choices), 1)
        top, rows = round(self.scroll_y), self.scrollable_content_region.height
        if not top <= self._at < top + rows:
            self.scroll_to(y=self._at if self._at < top else self._at - rows + 1, animate=False, immediate=True)
        self.redraw()

    def action_choose(self) -> None:
        """Take the choice under the cursor."""
        if self._choices:
            self.post_message(self.Chosen(self._choices[self._at].id))

    def choose_by_key(self, key: str) -> None:
        """Take the choice that a key stands for, if there is one."""
        index = KEYS.find(key)
        if 0 <= index < len(self._choices):
            self._at = index
            self.redraw()
            self.action_choose()

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        index = offset.y + round(self.scroll_y) if offset is not None else len(self._choices)
        if index < len(self._choices):
            self._at = index
            self.redraw()
            self.action_choose()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        index = y + round(self.scroll_y)
        if index >= len(self._choices):
            return []
        pieces = self._pieces(index)
        if index != self._at:
            return pieces
        cursor = self.palette.cursor
        rest = width - sum(cell_len(text) for text, _ in pieces)
        return [*((text, cursor) for text, _ in pieces), (" " * max(rest, 0), cursor)]

    def _pieces(self, index: int) -> list[Piece]:
        palette, choice = self.palette, self._choices[index]
        key = KEYS[index] if index < len(KEYS) else " "
        tick = "" if choice.is_on is None else "● " if choice.is_on else "○ "
        about = f"  {choice.about}" if choice.about else ""
        return [(f" {key} ", palette.heading), (f"{tick}{choice.text}", palette.text), (f"{about} ", palette.dim)]


class ChoiceScreen(OverScreen[str]):
    """Ends with the id of what was chosen, empty for nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss('')", "Leave", show=False),
        Binding("ctrl+c", "app.quit", "Leave", show=False, priority=True),
        *(Binding(key, f"choose('{key}')", "Choose", show=False) for key in KEYS),
    ]

    nothing = ""

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._panel = ChoicePanel(title, choices)

    def compose(self) -> ComposeResult:
        yield self._panel

    def action_choose(self, key: str) -> None:
        """What the key stands for."""
        self._panel.choose_by_key(key)

    def on_choice_panel_chosen(self, event: ChoicePanel.Chosen) -> None:
        """The list has done its work."""
        self.dismiss(event.id)

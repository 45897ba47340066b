"""The line at the bottom where the user types: a filter, or a file name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

ROWS = 2
"""Height: the input, and the message under it."""


class Prompt(Vertical):
    """An input with a label, and under it a message that tells whether what is typed will do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", show=False, priority=True),
        Binding("ctrl+o", "overwrite", "Overwrite", show=False, priority=True),
    ]

    @dataclass
    class Edited(Message):
        """The text has changed."""

        prompt: Prompt
        text: str

    @dataclass
    class Accepted(Message):
        """Enter was pressed; ``insists`` when the user asked to overwrite."""

        prompt: Prompt
        text: str
        insists: bool

    @dataclass
    class Cancelled(Message):
        """Escape was pressed."""

        prompt: Prompt

    def __init__(self, label: str, text: str, message: str, purpose: str) -> None:
        super().__init__(id="prompt")
        self.purpose = purpose
        self._label = label
        self._text = text
        self._message = message

    def compose(self) -> ComposeResult:
        with Horizontal(id="prompt-line"):
            yield Static(Content(f" {self._label} "), id="prompt-label")
            yield Input(self._text, id="prompt-input", compact=True, select_on_focus=False)
        yield Static(Content(f" {self._message}"), id="prompt-message")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def say(self, message: str, *, is_error: bool) -> None:
        """Show a message under the input."""
        line = self.query_one("#prompt-message", Static)
        line.update(Content(f" {message}"), layout=False)
        line.set_class(is_error, "error")

    @property
    def text(self) -> str:
        """What is typed."""
        return self.query_one(Input).value

    @on(Input.Changed)
    def _text_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(self, event.value))

    @on(Input.Submitted)
    def _text_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Accepted(self, event.value, insists=False))

    def action_overwrite(self) -> None:
        """Accept, and overwrite what stands in the way."""
        self.post_message(self.Accepted(self, self.text, insists=True))

    def action_cancel(self) -> None:
        """Close without accepting."""
        self.post_message(self.Cancelled(self))

"""The line at the bottom where the user types: a filter, or a file name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static

ROWS = 3
"""Height: the input, and two lines for the message under it."""

Purpose = Literal["filter", "save"]


_EDITING_KEYS = {
    key.strip(): binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
}


class OrderedInput(Input):
    """An input in which editing keys take effect in the order in which they are typed.

    Textual inserts a character at once but sends an editing key around by way of the application, so that over a slow
    line, where keys come in bursts, Ctrl+U would delete what was typed after it. Likewise what is typed after Enter
    waits until it is known who it is for.
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id, compact=True, select_on_focus=False)
        self._held: list[Key] | None = None

    async def _on_key(self, event: Key) -> None:
        if self._held is not None:
            self._held.append(event)
        elif event.key in _EDITING_KEYS:
            await self.run_action(_EDITING_KEYS[event.key])
            if event.key == "enter":
                self._held = []
        else:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()

    def go_on(self) -> None:
        """The Enter has been dealt with: the keys typed since then go wherever the focus is."""
        held, self._held = self._held, None
        for event in held or []:
            self.app.post_message(Key(event.key, event.character))


class Prompt(Vertical):
    """An input with a label, and under it a message that tells whether what is typed will do.

    It is there all the time and shown when it is opened: what is typed right after the key that opens it must not
    fall into another panel.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", show=False, priority=True),
        Binding("ctrl+c", "app.quit", "Leave", show=False, priority=True),
        Binding("ctrl+o", "overwrite", "Overwrite", show=False, priority=True),
    ]

    @dataclass
    class Edited(Message):
        """The text has changed while the prompt is open."""

        text: str

    @dataclass
    class Accepted(Message):
        """Enter was pressed; ``insists`` when the user asked to overwrite."""

        text: str
        insists: bool

    class Cancelled(Message):
        """Escape was pressed."""

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.purpose: Purpose | None = None
        """What is asked for; None while closed."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="prompt-line"):
            yield Static(id="prompt-label")
            yield OrderedInput(id="prompt-input")
        yield Static(id="prompt-message")

    @property
    def input(self) -> OrderedInput:
        """Where the text is typed."""
        return self.query_one(OrderedInput)

    def open(self, purpose: Purpose, label: str, text: str, message: str) -> None:
        """Ask; the next key belongs to the input."""
        self.purpose = purpose
        self.query_one("#prompt-label", Static).update(Content(f" {label} "))
        self.input.value = text
        self.input.cursor_position = len(text)
        self.say(message, is_error=False)
        self.screen.set_focus(self.input)

    def close(self) -> None:
        """Ask no longer."""
        self.purpose = None
        self.input.go_on()

    def refuse(self, message: str) -> None:
        """Say why what was accepted will not do, and go on asking."""
        self.say(message, is_error=True)
        self.input.go_on()

    def say(self, message: str, *, is_error: bool) -> None:
        """Show a message under the input."""
        line = self.query_one("#prompt-message", Static)
        line.update(Content(f" {message}"), layout=False)
        line.set_class(is_error, "error")

    @on(Input.Changed)
    def _text_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.purpose is not None:
            self.post_message(self.Edited(event.value))

    @on(Input.Submitted)
    def _text_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Accepted(event.value, insists=False))

    def action_overwrite(self) -> None:
        """Accept, and overwrite what stands in the way."""
        self.post_message(self.Accepted(self.input.value, insists=True))

    def action_cancel(self) -> None:
        """Close without accepting."""
        self.post_message(self.Cancelled())

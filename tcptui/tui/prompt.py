"""The line at the bottom where the user types: a filter, or a text to find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static

from tcptui.language import tr
from tcptui.tui.lines import LineWidget, Piece
from tcptui.wrapping import wrap

if TYPE_CHECKING:
    from tcptui.query.completion import Completion


Purpose = Literal["filter", "find", "layout"]
Completer = Callable[[str, int], "Completion"]
"""What may stand where the cursor is, for a text and the cursor's place in it."""

_EDITING_KEYS = {
    key.strip(): binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
} | {"tab": "complete(1)", "shift+tab": "complete(-1)", "up": "recall(-1)", "down": "recall(1)"}


class OrderedInput(Input):
    """An input in which editing keys take effect in the order in which they are typed.

    Textual inserts a character at once but sends an editing key around by way of the application, so that over a slow
    line, where keys come in bursts, Ctrl+U would delete what was typed after it. Likewise what is typed after Enter
    waits until it is known who it is for.
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id, compact=True, select_on_focus=False)
        self.completer: Completer | None = None
        self.offers = Offers()
        self._history: list[str] = []
        self._recalled = 0
        self._held: list[Key] | None = None

    def begin(self, text: str, history: Iterable[str], completer: Completer | None) -> None:
        """Start with ``text``, which the arrows replace by one of ``history``, whose last is the newest."""
        self._history = [*history, text]
        self._recalled = len(self._history) - 1
        self.completer = completer
        self._replace(text, len(text))

    def look_for_offers(self, *, anew: bool = False) -> None:
        """Offer what may stand at the cursor, unless the text is an offer that was taken.

        For a text that has not changed this is done ``anew`` only: there may be other values by then.
        """
        if self.completer is None:
            self.offers = Offers()
        elif not self.offers.belong_to(self.value, self.cursor_position) or (anew and self.offers.chosen is None):
            completion = self.completer(self.value, self.cursor_position)
            self.offers = Offers(self.value, self.cursor_position, completion)

    @property
    def is_within_word(self) -> bool:
        """Whether what stands before the cursor begins words on offer, and is none of them."""
        self.look_for_offers()
        completion = self.offers.completion
        if completion is None or self.offers.chosen is not None:
            return False
        typed = self.value[completion.start : self.cursor_position].lower()
        return bool(typed and completion.offered) and typed not in map(str.lower, completion.offered)

    def action_complete(self, step: int) -> None:
        """Put the next offer into the text, or the one before."""
        self.look_for_offers()
        words, completion = self.offers.words, self.offers.completion
        if completion is not None and words:
            first = 0 if step > 0 else len(words) - 1
            chosen = first if self.offers.chosen is None else (self.offers.chosen + step) % len(words)
            text, cursor = completion.applied(self.offers.text, chosen)
            self.offers = Offers() if len(words) == 1 else replace(self.offers, chosen=chosen, taken=(text, cursor))
            self._replace(text, cursor)

    def action_recall(self, step: int) -> None:
        """Go back and forth in the history; what was being typed is at its end."""
        if self._recalled == len(self._history) - 1:
            self._history[-1] = self.value
        self._recalled = max(0, min(self._recalled + step, len(self._history) - 1))
        text = self._history[self._recalled]
        self._replace(text, len(text))

    def _replace(self, text: str, cursor: int) -> None:
        self.value = text
        self.cursor_position = cursor

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


@dataclass(frozen=True)
class Offers:
    """Words that may stand at the cursor, and which of them has been put there."""

    text: str = ""
    cursor: int = 0
    """What was typed, and where the cursor was, when they were looked for."""
    completion: Completion | None = None
    chosen: int | None = None
    taken: tuple[str, int] = ("", 0)
    """The text with the chosen word in it, and where the cursor then is."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words."""
        return () if self.completion is None else self.completion.offered

    def belong_to(self, text: str, cursor: int) -> bool:
        """Whether these are the offers for ``text`` and ``cursor``, or one of them has just been put there."""
        place = self.taken if self.chosen is not None else (self.text, self.cursor)
        return self.completion is not None and place == (text, cursor)


class PromptLines(LineWidget):
    """What there is to say about the text, where in it, and the words on offer."""

    def __init__(self) -> None:
        super().__init__(id="prompt-lines")
        self._message = ""
        self._advice = ""
        self._is_error = False
        self._caret: int | None = None
        self._offers = Offers()

    def say(self, message: str, advice: str = "", *, is_error: bool, caret: int | None = None) -> None:
        """Show a message, with a mark below the cell ``caret``, and what to do behind it or below."""
        self._message, self._advice, self._is_error, self._caret = message, advice, is_error, caret
        self.redraw()

    def offer(self, offers: Offers) -> None:
        """Show words in the second line."""
        self._offers = offers
        self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        style = self.palette.warning if self._is_error else self.palette.dim
        texts = self._texts(width - 1)
        # The second line is for words, unless an error is too long to be understood without it.
        is_cut = self._is_error and texts[1] not in ("", self._advice)
        if y == 1 and self._offers.words and not is_cut:
            return self._offer_line(width)
        return [(f" {texts[y]}", style)]

    def _texts(self, width: int) -> tuple[str, str]:
        """Both lines: all in the first if it fits there."""
        message, advice = self._message, self._advice
        whole = self._marked(tr("{problem}: {advice}", problem=message, advice=advice) if advice else message, width)
        if cell_len(whole) <= width:
            return whole, ""
        first = self._marked(message, width)
        if cell_len(first) <= width:
            return first, advice
        first = wrap(message, max(width, 20))[0]
        return first, message.removeprefix(first).lstrip()

    def _marked(self, message: str, width: int) -> str:
        """The message behind the mark, or in front of it if only there is room."""
        if self._caret is None or self._caret >= width:
            return message
        behind = f"{' ' * (self._caret - 1)}^ {message}"
        in_front = f"{' ' * (self._caret - cell_len(message) - 2)}{message} ^"
        return in_front if cell_len(behind) > width and cell_len(message) + 2 <= self._caret else behind

    def _offer_line(self, width: int) -> Iterable[Piece]:
        """The words on offer, from one that lets the chosen one be seen."""
        palette = self.palette
        words, chosen = self._offers.words, self._offers.chosen
        if not words:
            return
        yield (" Tab ", palette.heading)
        left = width - 5
        first = 0 if chosen is None else chosen
        while first > 0 and sum(cell_len(word) + 2 for word in words[first - 1 : (chosen or 0) + 1]) <= left:
            first -= 1
        for index in range(first, len(words)):
            left -= cell_len(words[index]) + 2
            if left < 0:
                break
            yield (words[index], palette.cursor if index == chosen else palette.text)
            yield ("  ", palette.text)


class Prompt(Vertical):
    """An input with a label, and under it a message that tells whether what is typed will do.

    It is there all the time and shown when it is opened: what is typed right after the key that opens it must not
    fall into another panel.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", show=False, priority=True),
        Binding("ctrl+c", "app.quit", "Leave", show=False, priority=True),
        Binding("f2", "app.explain_filter", "Explain", show=False, priority=True),
    ]

    @dataclass
    class Edited(Message):
        """The text has changed while the prompt is open."""

        text: str

    @dataclass
    class Accepted(Message):
        """Enter was pressed."""

        text: str

    class Cancelled(Message):
        """Escape was pressed."""

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.purpose: Purpose | None = None
        """What is asked for; None while closed."""
        self.input = OrderedInput(id="prompt-input")
        """Where the text is typed."""
        self._lines = PromptLines()
        self._label_cells = 0

    def compose(self) -> ComposeResult:
        with Horizontal(id="prompt-line"):
            yield Static(id="prompt-label")
            yield self.input
        yield self._lines

    def on_mount(self) -> None:
        self.watch(self.input, "selection", self._cursor_moved, init=False)

    def _cursor_moved(self) -> None:
        if self.purpose is not None:
            self.look_for_offers()

    def open(
        self,
        purpose: Purpose,
        label: str,
        text: str,
        message: str,
        *,
        history: Iterable[str] = (),
        completer: Completer | None = None,
    ) -> None:
        """Ask; the next key belongs to the input."""
        self.purpose = purpose
        self._label_cells = cell_len(label) + 2
        self.query_one("#prompt-label", Static).update(Content(f" {label} "))
        self.input.begin(text, history, completer)
        self.say(message)
        self.look_for_offers()
        self.screen.set_focus(self.input)

    def close(self) -> None:
        """Ask no longer."""
        self.purpose = None
        self.input.go_on()

    def say(self, message: str) -> None:
        """Show a message under the input."""
        self._lines.say(message, is_error=False)

    def point(self, problem: str, advice: str, position: int) -> None:
        """Say what is wrong at a place in the text, and what to do."""
        before = cell_len(self.input.value[:position]) - round(self.input.scroll_x)
        is_visible = 0 <= before < self.input.size.width
        self._lines.say(problem, advice, is_error=True, caret=self._label_cells + before if is_visible else None)

    def look_for_offers(self, *, anew: bool = False) -> None:
        """Show what may stand at the cursor."""
        self.input.look_for_offers(anew=anew)
        self._lines.offer(self.input.offers)

    @on(Input.Changed)
    def _text_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.purpose is not None:
            self.look_for_offers()
            self.post_message(self.Edited(event.value))

    @on(Input.Submitted)
    def _text_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Accepted(event.value))

    def action_cancel(self) -> None:
        """Close without accepting."""
        self.post_message(self.Cancelled())

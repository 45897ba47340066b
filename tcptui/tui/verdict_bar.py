"""The line below the header that says what is wrong, always."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from textual.events import Click
from textual.message import Message
from textual.reactive import reactive

from tcptui.language import mark
from tcptui.tui.keymap import Keymap
from tcptui.tui.lines import LineWidget, Piece
from tcptui.tui.linked import Line, styled

if TYPE_CHECKING:
    from tcptui.monitor.presenter import Presentation

_MORE = mark("  (+{count}: press {show_findings})")


class Speaker(Protocol):
    """Puts what is thought into words."""

    def verdict(self, presentation: Presentation, more: Callable[[int], str], width: int) -> Line:
        """The worst, or that all is well, in ``width`` cells; ``more`` says how many other findings there are."""


class VerdictBar(LineWidget):
    """The verdict; a click opens the findings."""

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    speaker: Speaker | None = None
    """Set when the words have been loaded."""

    class Clicked(Message):
        """More is wanted."""

    def __init__(self, id: str, keymap: Keymap) -> None:
        super().__init__(id=id)
        self._keymap = keymap

    def watch_presentation(self) -> None:
        self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        if self.speaker is None or self.presentation is None:
            return []
        return styled(self, self.speaker.verdict(self.presentation, self._more, width))

    def _more(self, count: int) -> str:
        return self._keymap.say(_MORE, count=count)

    def on_click(self, _event: Click) -> None:
        self.post_message(self.Clicked())

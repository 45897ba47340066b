"""What lies over the panels; Esc closes it, a click beside it, and a click on its lower border, which says so."""

from __future__ import annotations

from typing import TypeVar

from textual.events import Click
from textual.screen import ModalScreen

from tcptui.tui.lines import LinePanel

Result = TypeVar("Result")


class OverScreen(ModalScreen[Result]):
    """A screen over the panels."""

    nothing: Result
    """What it ends with when nothing is wanted."""

    def on_click(self, event: Click) -> None:
        """Close where that is what the click means."""
        widget, _ = self.get_widget_at(*event.screen_offset)
        is_beside = widget is self
        if is_beside or (isinstance(widget, LinePanel) and widget.is_at_lower_border(event)):
            event.stop()
            self.dismiss(self.nothing)

"""A screen over the panels whose text follows the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from tcptui.tui.lines import LinePanel
from tcptui.tui.over import OverScreen

if TYPE_CHECKING:
    from tcptui.monitor.presenter import Presentation


class LivePanel(LinePanel):
    """A panel that is told of every presentation."""

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)


class LiveScreen(OverScreen[str]):
    """One panel over all others. Ends with what is wanted next, empty for nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss('')", "Close", show=False),
        Binding("ctrl+c", "app.quit", "Leave", show=False, priority=True),
    ]

    nothing = ""

    def __init__(self, panel: LivePanel) -> None:
        super().__init__()
        self._panel = panel

    def compose(self) -> ComposeResult:
        yield self._panel

    def take(self, presentation: Presentation | None) -> None:
        """Show this presentation's values."""
        self._panel.presentation = presentation

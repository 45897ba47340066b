"""The TCP state machine, with the counts and moves of the sample that is on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from rich.cells import cell_len
from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive

from tcptui.language import tr
from tcptui.model.states import DISPLAY_ORDER, TcpState, state_beside
from tcptui.tui.lines import Piece
from tcptui.tui.live_screen import LivePanel, LiveScreen

if TYPE_CHECKING:
    from tcptui.explain.machine.pieces import Lines
    from tcptui.monitor.frame import Frame


MARK = "▸"
"""What a line of the list begins with that has to do with the highlighted state."""


class Draughtsman(Protocol):
    """Draws the machine."""

    def machine(self, frame: Frame | None, highlighted: TcpState, size: Size) -> Lines:
        """The drawing for a panel of ``size``; longer than that where it has to be scrolled."""


class MachinePanel(LivePanel, can_focus=True):
    """The drawing; one state is highlighted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("pagedown,ctrl+f", "page_down", "Page down", show=False),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False),
    ]

    highlighted: reactive[TcpState] = reactive(TcpState.ESTABLISHED, repaint=False)

    @dataclass
    class StateClicked(Message):
        """A state in the drawing was clicked."""

        state: TcpState

    def __init__(self, draughtsman: Draughtsman, highlighted: TcpState) -> None:
        super().__init__(id="machine")
        self._draughtsman = draughtsman
        self._lines: Lines = ()
        self.set_reactive(MachinePanel.highlighted, highlighted)

    def watch_presentation(self) -> None:
        self._draw()

    def watch_highlighted(self) -> None:
        self._draw()
        marked = (y for y, line in enumerate(self._lines) if line and line[0][0].startswith(MARK))
        self.scroll_to(y=max(next(marked, 0) - 1, 0), animate=False, immediate=True)

    def on_resize(self) -> None:
        self._draw()
        super().on_resize()

    def _draw(self) -> None:
        size = self.scrollable_content_region.size
        if not size.width or not size.height:
            return
        frame = self.presentation.frame if self.presentation is not None else None
        self._lines = self._draughtsman.machine(frame, self.highlighted, size)
        self.virtual_size = Size(0, len(self._lines))
        self.name_panel(title=tr("State machine"))
        self._tell_what_is_below()
        self.redraw()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell_what_is_below()

    def _tell_what_is_below(self) -> None:
        """The keys; there is no scrollbar, since the compact drawing takes the whole width of 80 columns."""
        keys = tr("←→ state · Enter explain · f filter · Esc close")
        self.name_panel(subtitle=f"{tr('↓ more')} · {keys}" if self.is_cut(len(self._lines)) else keys)

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        index = offset.y + round(self.scroll_y) if offset is not None else len(self._lines)
        if offset is None or index >= len(self._lines):
            return
        state = _state_around(self._lines[index], offset.x)
        if state is not None and state in DISPLAY_ORDER:
            self.post_message(self.StateClicked(state))

    def line(self, y: int, width: int) -> Iterable[Piece]:
        index = y + round(self.scroll_y)
        if index >= len(self._lines):
            return []
        palette = self.palette
        tones = {
            "text": palette.text,
            "dim": palette.dim,
            "strong": palette.strong,
            "frame": palette.dim,
            "edge": palette.dim,
            "rate": palette.text,
            "mark": palette.dim,
            "heading": palette.heading,
        }

        def style(tone: str, state: TcpState | None) -> Style:
            return tones[tone] if state is None else palette.state(state) + palette.emphasis(tone == "strong")

        return [(text, style(tone, state)) for text, tone, state in self._lines[index]]


def _state_around(line: Iterable[tuple[str, object, TcpState | None]], x: int) -> TcpState | None:
    """The state whose box a cell of a line is in: both its sides have its colour."""
    before: TcpState | None = None
    end = 0
    for text, _, state in line:
        end += cell_len(text)
        if end > x and state is not None:
            return state if end - cell_len(text) <= x or state is before else None
        before = state if state is not None else before
    return None


class MachineScreen(LiveScreen):
    """The drawing over the panels. Ends with ``explain`` or ``filter`` where that is asked for of a state."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "dismiss('')", "Close", show=False),
        Binding("right,l,tab", "step(1)", "Next state", show=False),
        Binding("left,h,shift+tab", "step(-1)", "Previous state", show=False),
        Binding("enter,question_mark", "dismiss('explain')", "Explain", show=False),
        Binding("f", "dismiss('filter')", "Filter", show=False),
    ]

    def __init__(self, draughtsman: Draughtsman, highlighted: TcpState) -> None:
        self.panel = MachinePanel(draughtsman, highlighted)
        super().__init__(self.panel)

    @property
    def highlighted(self) -> TcpState:
        """The state whose edges stand out."""
        return self.panel.highlighted

    def action_step(self, step: int) -> None:
        """Highlight another state."""
        self.panel.highlighted = state_beside(self.panel.highlighted, step)

    @on(MachinePanel.StateClicked)
    def _state_clicked(self, event: MachinePanel.StateClicked) -> None:
        self.panel.highlighted = event.state

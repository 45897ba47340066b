"""What the highlighted state means here: the full panel, and the gist for a small screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tcptui.model.states import ALL_STATES, TcpState
from tcptui.tui.lines import LinePanel, LineWidget, Piece

if TYPE_CHECKING:
    from tcptui.model.history import Transitions
    from tcptui.monitor.frame import Frame
    from tcptui.monitor.presenter import Presentation

Tone = Literal["text", "strong", "heading", "dim", "warning"]
Line = list[tuple[str, Tone]]
"""A line of text in pieces, each with the tone to say it in."""


class Explainer(Protocol):
    """Knows what a state means."""

    def explanation(self, state: TcpState, parameters: Mapping[str, str], width: int) -> list[Line]:
        """Everything, in lines of at most ``width`` cells, with the live values of ``parameters``."""

    def gist(self, state: TcpState, parameters: Mapping[str, str], width: int) -> list[Line]:
        """The same in two lines."""


class _Explaining(Widget):
    """What both panels know."""

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    highlighted: reactive[TcpState] = reactive(TcpState.ESTABLISHED, repaint=False)
    row: reactive[int | None] = reactive(None, repaint=False)
    """The row of the table that the cursor is on."""
    explainer: Explainer | None = None
    """Set when the explanations have been loaded."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """The live values of the sample that is shown, in the namespace of the row under the cursor."""
        frame = self.presentation.frame if self.presentation else None
        return frame.parameters_at(self._row_in(frame), self.highlighted)[1] if frame is not None else {}

    @property
    def namespace(self) -> str:
        """The name of that namespace, where there are several."""
        frame = self.presentation.frame if self.presentation else None
        return frame.parameters_at(self._row_in(frame), self.highlighted)[0] if frame is not None else ""

    def _row_in(self, frame: Frame) -> int | None:
        """The row, unless the frame is another since it was chosen."""
        return self.row if self.row is not None and self.row < len(frame.grid.identities[0]) else None


class ExplainPanel(LinePanel, _Explaining, can_focus=True):
    """Meaning, side, end, what to do and the parameters of the highlighted state."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("pagedown,ctrl+f", "page_down", "Page down", show=False),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False),
        Binding("home,g", "scroll_home", "To the beginning", show=False),
        Binding("end,G", "scroll_end", "To the end", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._made_for: object = None
        self._lines: list[Line] = []

    def watch_presentation(self) -> None:
        self.name_panel(title=self._panel_title(), subtitle=self._flow())
        self._make()

    def watch_row(self) -> None:
        self.name_panel(title=self._panel_title())
        self._make()

    def _panel_title(self) -> str:
        return f"{self.highlighted.name} in {self.namespace}" if self.namespace else self.highlighted.name

    def watch_highlighted(self) -> None:
        self.name_panel(title=self._panel_title(), subtitle=self._flow())
        self.scroll_to(y=0, animate=False, immediate=True)
        self._make()

    def on_resize(self) -> None:
        self._make()
        super().on_resize()

    def _flow(self) -> str:
        """How fast sockets come into the state and leave it, and where most of them come from and go to."""
        frame = self.presentation.frame if self.presentation else None
        return flow_text(frame.transitions, self.highlighted) if frame is not None and frame.transitions else ""

    def _make(self) -> None:
        """Write the text anew if the state, a parameter or the width has changed."""
        width = self.scrollable_content_region.width - 2
        key = (self.highlighted, self.parameters, width)
        if self.explainer is None or not self.is_on_screen or width < 10 or key == self._made_for:
            return
        self._made_for = key
        self._lines = self.explainer.explanation(self.highlighted, self.parameters, width)
        self.virtual_size = Size(0, len(self._lines))
        self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        index = y + round(self.scroll_y)
        return _styled(self, self._lines[index]) if index < len(self._lines) else []


def flow_text(moves: Transitions, state: TcpState) -> str:
    """``+12/s ESTABLISHED→ · −11/s →TIME_WAIT``: sockets that entered and left ``state`` a second."""
    others = [other for other in ALL_STATES if other is not state]
    entered = {f"{other.name}→": moves.moved_per_s(other, state) for other in others}
    left = {f"→{other.name}": moves.moved_per_s(state, other) for other in others}
    sides = (
        _side("+", entered, moves.opened_in_per_s(state)),
        _side("−", left, moves.closed_in_per_s(state)),
    )
    return " · ".join(side for side in sides if side)


def _side(sign: str, rates: dict[str, float], ends: float) -> str:
    """A rate in all, and the state that most of it comes from or goes to."""
    total = sum(rates.values()) + ends
    if total <= 0:
        return ""
    busiest = max(rates, key=lambda name: rates[name])
    return f"{sign}{total:,.0f}/s" + (f" {busiest}" if rates[busiest] > 0 else "")


class GistBar(LineWidget, _Explaining):
    """Two lines about the highlighted state."""

    def watch_presentation(self) -> None:
        self.redraw()

    def watch_row(self) -> None:
        self.redraw()

    def watch_highlighted(self) -> None:
        self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        if self.explainer is None:
            return []
        lines = self.explainer.gist(self.highlighted, self.parameters, width - 2)
        return _styled(self, lines[y]) if y < len(lines) else []


def _styled(panel: LineWidget | LinePanel, line: Line) -> Iterable[Piece]:
    palette = panel.palette
    styles = {
        "text": palette.text,
        "strong": palette.strong,
        "heading": palette.heading,
        "dim": palette.dim,
        "warning": palette.warning,
    }
    yield (" ", palette.text)
    for text, tone in line:
        yield (text, styles[tone])

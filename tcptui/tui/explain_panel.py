"""What the highlighted state means here: the full panel, and the gist for a small screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from textual.reactive import reactive
from textual.widget import Widget

from tcptui.language import tr
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.tui.lines import LineWidget, Piece
from tcptui.tui.linked import Line, Linked, LinkedPanel, styled
from tcptui.tui.subject import Subject

if TYPE_CHECKING:
    from tcptui.model.history import Transitions
    from tcptui.monitor.frame import Frame
    from tcptui.monitor.judge import Judgement
    from tcptui.monitor.presenter import Presentation


class Explainer(Protocol):
    """Knows what a state means."""

    def explanation(self, frame: Frame, judgement: Judgement | None, subject: Subject, width: int) -> list[Linked]:
        """Everything, in lines of at most ``width`` cells, with the values of ``frame`` and what was found there."""

    def gist(self, frame: Frame, judgement: Judgement | None, subject: Subject, width: int) -> list[Line]:
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
    def frame(self) -> Frame | None:
        """The frame that is shown."""
        return self.presentation.frame if self.presentation else None

    @property
    def judgement(self) -> Judgement | None:
        """What is thought of it."""
        return self.presentation.judgement if self.presentation else None

    @property
    def subject(self) -> Subject:
        """The state that is explained, in the namespace of the row."""
        frame = self.frame
        return Subject(self.highlighted, frame.namespace_at(self.known_row, self.highlighted) if frame else 0)

    @property
    def known_row(self) -> int | None:
        """The row, unless the frame is another since it was chosen."""
        frame, row = self.frame, self.row
        return row if frame is not None and row is not None and row < len(frame.grid.identities[0]) else None

    @property
    def namespace(self) -> str:
        """The namespace whose parameters are shown, where there are several."""
        return self.frame.namespace_name(self.subject.netns) if self.frame is not None else ""


class ExplainPanel(LinkedPanel, _Explaining):
    """Meaning, side, end, what to do and the parameters of the highlighted state."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._made_for: object = None
        self._made_of: object = None

    def watch_presentation(self) -> None:
        self.name_panel(title=self._panel_title(), subtitle=self._flow())
        self._make()

    def watch_row(self) -> None:
        self.name_panel(title=self._panel_title())
        self._make()

    def _panel_title(self) -> str:
        state = self.highlighted.name
        return tr("{state} in {namespace}", state=state, namespace=self.namespace) if self.namespace else state

    def watch_highlighted(self) -> None:
        self.name_panel(title=self._panel_title(), subtitle=self._flow())
        self._make()

    def on_resize(self) -> None:
        self._make()
        super().on_resize()

    def _flow(self) -> str:
        """How fast sockets come into the state and leave it, and where most of them come from and go to."""
        frame = self.presentation.frame if self.presentation else None
        return flow_text(frame.transitions, self.highlighted) if frame is not None and frame.transitions else ""

    def _make(self) -> None:
        """Write the text anew for another state, another sample or another width."""
        width = self.scrollable_content_region.width - 2
        frame, subject = self.frame, self.subject
        if self.explainer is None or frame is None or not self.is_on_screen or width < 10:
            return
        made_for, made_of = (subject.state, width), (frame, self.judgement, subject.netns)
        if (made_for, made_of) != (self._made_for, self._made_of):
            lines = self.explainer.explanation(frame, self.judgement, subject, width)
            self.show_lines(lines, keeps_place=made_for == self._made_for)
            self._made_for, self._made_of = made_for, made_of


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

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []

    def watch_presentation(self) -> None:
        self.redraw()

    def watch_row(self) -> None:
        self.redraw()

    def watch_highlighted(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self._make()
        super().on_resize()

    def redraw(self) -> None:
        self._make()
        super().redraw()

    def _make(self) -> None:
        frame, width = self.frame, self.size.width - 2
        if self.explainer is not None and frame is not None and width > 10:
            self._lines = self.explainer.gist(frame, self.judgement, self.subject, width)

    def line(self, y: int, width: int) -> Iterable[Piece]:
        if y >= len(self._lines):
            return []
        return [(" ", self.palette.text), *styled(self, self._lines[y])]

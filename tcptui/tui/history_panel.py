"""The history of all states as a chart with a legend."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from rich.style import Style
from rich.text import Text
from textual.reactive import reactive

from tcptui.language import mark, tr
from tcptui.model.states import DISPLAY_ORDER, TcpState
from tcptui.tui.lines import LineWidget, Piece

if TYPE_CHECKING:
    from tcptui.model.history import HistoryView
    from tcptui.monitor.presenter import Presentation

LEGEND_WIDTH = 23


class Chart(Protocol):
    """What draws the chart; it is there only after the first frame."""

    def __call__(
        self,
        history: HistoryView,
        size: tuple[int, int],
        highlighted: TcpState,
        colours: Mapping[TcpState, tuple[int, int, int]],
        *,
        is_logarithmic: bool,
    ) -> str:
        """The chart as text with ANSI colours."""

    def column(self, history: HistoryView, width: int) -> int:
        """The number of the newest column of time."""

    def legend(self, history: HistoryView) -> list[tuple[TcpState, str]]:
        """The states in the chart with their marks."""

    def window_s(self, history: HistoryView) -> int:
        """The stretch of time shown, in seconds."""


class HistoryPanel(LineWidget):
    """All states over the last minutes. Drawn anew only when a column of time is complete."""

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    highlighted: reactive[TcpState] = reactive(TcpState.ESTABLISHED, repaint=False)
    is_logarithmic: reactive[bool] = reactive(False, repaint=False)

    chart: Chart | None = None
    """Set when the chart library has been loaded."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._drawn_for: object = None
        self._lines: list[list[Piece]] = []
        self.draw_count = 0
        """How often the chart was drawn; drawing is dear."""

    def watch_presentation(self) -> None:
        self.redraw()

    def watch_highlighted(self) -> None:
        self.redraw()

    def watch_is_logarithmic(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        if self.is_on_screen:
            self._draw_chart()
            super().redraw()

    def on_resize(self) -> None:
        self._draw_chart()
        super().on_resize()

    def _draw_chart(self) -> None:
        frame = self.presentation.frame if self.presentation else None
        width, height = self.content_size
        chart_width = width - LEGEND_WIDTH
        if frame is None or self.chart is None or not len(frame.history) or chart_width < 20 or height < 4:
            self._lines, self._drawn_for = [], None
            return
        history = frame.history
        key = (
            *(width, height, self.highlighted, self.is_logarithmic, frame.view.filter_text),
            *(self.chart.column(history, chart_width), self.app.theme),
        )
        if key == self._drawn_for:
            return
        self._drawn_for = key
        self.draw_count += 1
        palette = self.palette
        colours = {state: palette.state_rgb(state) for state in DISPLAY_ORDER}
        text = self.chart(history, (chart_width, height), self.highlighted, colours, is_logarithmic=self.is_logarithmic)
        self._lines = [_pieces(line) for line in text.splitlines()[:height]]
        narrowed = f" · {frame.view.filter_text}" if frame.view.filter else ""
        title = mark("History, last {minutes} min · logarithmic")
        if not self.is_logarithmic:
            title = mark("History, last {minutes} min · linear")
        self.name_panel(title=tr(title, minutes=self.chart.window_s(history) // 60) + narrowed)

    def line(self, y: int, width: int) -> Iterable[Piece]:
        if y < len(self._lines):
            return [*self._lines[y], *self._legend(y)]
        return [(self._emptiness() if y == 0 and not self._lines else "", self.palette.dim)]

    def _emptiness(self) -> str:
        """Why there is no chart."""
        frame = self.presentation.frame if self.presentation else None
        if frame is not None and frame.sample.origin.is_still:
            return tr("A text is of one moment: it has no history.")
        return tr("The chart begins with the next sample.")

    def _legend(self, y: int) -> list[Piece]:
        """The mark, name and newest count of one state; the fullest state comes first."""
        frame = self.presentation.frame if self.presentation else None
        if frame is None or self.chart is None:
            return []
        legend = self.chart.legend(frame.history)
        if y >= len(legend):
            return []
        state, mark = legend[y]
        palette = self.palette
        style = palette.state(state) + palette.emphasis(state is self.highlighted)
        return [(f" {mark} {state.name:<11}", style), (f"{int(frame.history.counts[-1, state]):>8,}", palette.text)]


def _pieces(ansi: str) -> list[Piece]:
    """A line of ANSI text as styled pieces."""
    text = Text.from_ansi(ansi)
    ends = sorted({0, len(text.plain), *(edge for span in text.spans for edge in (span.start, span.end))})
    pieces: list[Piece] = []
    for start, end in itertools.pairwise(ends):
        style = next((span.style for span in text.spans if span.start <= start and end <= span.end), "")
        pieces.append((text.plain[start:end], style if isinstance(style, Style) else Style()))
    return pieces

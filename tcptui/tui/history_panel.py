"""The history of all states as a chart with a legend, and a cursor that reads it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.reactive import reactive

from tcptui.language import mark, tr
from tcptui.model.states import DISPLAY_ORDER, TcpState, state_beside
from tcptui.tui.chart_choice import GLYPHS, ChartChoice, length_text
from tcptui.tui.lines import SEPARATOR, LineWidget, Piece, clipped
from tcptui.tui.severities import BEGUN, ENDED

if TYPE_CHECKING:
    from tcptui.model.history import HistoryView
    from tcptui.monitor.frame import Frame
    from tcptui.monitor.judge import Episode
    from tcptui.monitor.presenter import Presentation
    from tcptui.tui.chart import ChartSettings, Drawing, Stretch

LEGEND_WIDTH = 23
LEAST_CHART_WIDTH, LEAST_CHART_HEIGHT = 20, 4
_AXIS_LINES = 2
"""Below the lines of the chart itself."""
CLOCK = "%H:%M:%S"


class Chart(Protocol):
    """What draws the chart; it is there only after the first frame."""

    def stretch(self, course: HistoryView, width: int, window_s: int | None, cursor_s: float | None) -> Stretch:
        """The time to show; the chart need not be drawn anew while it is the same."""

    def settings(
        self, size: tuple[int, int], choice: ChartChoice, highlighted: TcpState, end_text: str
    ) -> ChartSettings:
        """All else that the looks depend on, but for the colours."""

    def draw(
        self,
        course: HistoryView,
        stretch: Stretch,
        settings: ChartSettings,
        colours: Mapping[TcpState, tuple[int, int, int]],
    ) -> Drawing:
        """The chart."""


@dataclass(frozen=True)
class _LegendLine:
    """One state beside the chart."""

    state: TcpState
    count: int
    is_drawn: bool


@dataclass(frozen=True)
class ChartMark:
    """A finding began, or ended."""

    at_s: float
    severity: int
    is_begin: bool
    verdict: str

    @property
    def char(self) -> str:
        """What stands in the upper edge of the chart."""
        return BEGUN[self.severity] if self.is_begin else ENDED

    @property
    def rank(self) -> tuple[bool, int]:
        """Of marks in one cell the highest is seen."""
        return self.is_begin, self.severity

    def text(self, clock: str) -> str:
        """What the mark stands for."""
        said = mark("{mark} {time} begins: {verdict}") if self.is_begin else mark("{mark} {time} ends: {verdict}")
        return tr(said, mark=self.char, time=clock, verdict=self.verdict)


def marks_of(episode: Episode) -> Iterable[ChartMark]:
    """The begin, and the end if it has ended."""
    severity, verdict = int(episode.finding.severity), episode.finding.verdict
    yield ChartMark(episode.began_s, severity, is_begin=True, verdict=verdict)
    if episode.ended_s is not None:
        yield ChartMark(episode.ended_s, severity, is_begin=False, verdict=verdict)


class HistoryPanel(LineWidget, can_focus=True):
    """All states over time. Drawn anew only when a column of time is complete; the cursor is laid over it.

    Where a column stands for more than some seconds, it is drawn anew every so often.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "highlight(-1)", "Previous state", show=False),
        Binding("down,j", "highlight(1)", "Next state", show=False),
        Binding("home,g", "move_to_end(-1)", "Oldest", show=False),
        Binding("end,G", "move_to_end(1)", "Newest", show=False),
    ]

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    highlighted: reactive[TcpState] = reactive(TcpState.ESTABLISHED, repaint=False)
    choice: reactive[ChartChoice] = reactive(ChartChoice(), repaint=False)
    cursor_s: reactive[float | None] = reactive(None, repaint=False)
    """The time that is read while samples go on; while they do not, it is that of the moment."""

    chart: Chart | None = None
    """Set when the chart library has been loaded."""

    @dataclass
    class StateChosen(Message):
        """A state was chosen in the legend, or by moving up and down."""

        state: TcpState

    @dataclass
    class MomentChosen(Message):
        """A time was pointed at while samples do not go on."""

        to_s: float
        within_s: float
        """What a cell of the chart stands for."""

    @dataclass
    class Zoomed(Message):
        """More time is wanted, or less where ``step`` is negative."""

        step: int

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._drawn_for: object = None
        self._drawing: Drawing | None = None
        self._stretch: Stretch | None = None
        self._lines: list[list[Piece]] = []
        self._plot = range(0)
        """The cells of a line that are chart, without axis and legend."""
        self._legend: list[_LegendLine] = []
        self._marks: dict[int, list[ChartMark]] = {}
        """What began and ended, by the cell of the upper edge that it is marked in."""
        self.draw_count = 0
        """How often the chart was drawn; drawing is dear."""

    def watch_presentation(self) -> None:
        self.redraw()

    def watch_highlighted(self) -> None:
        self.redraw()

    def watch_choice(self) -> None:
        self.redraw()

    def watch_cursor_s(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        if self.is_on_screen:
            self._draw_chart()
            super().redraw()

    def on_resize(self) -> None:
        self._draw_chart()
        super().on_resize()

    @property
    def _frame(self) -> Frame | None:
        return self.presentation.frame if self.presentation else None

    @property
    def window_s(self) -> int | None:
        """The seconds that are shown; None while there is no chart."""
        return self._stretch.window_s if self._stretch is not None else None

    # -- The chart -----------------------------------------------------------------------------------------------------

    def _draw_chart(self) -> None:
        frame = self._frame
        width, height = self.content_size
        chart_width = width - LEGEND_WIDTH
        is_too_small = chart_width < LEAST_CHART_WIDTH or height < LEAST_CHART_HEIGHT
        if frame is None or self.chart is None or not len(frame.course) or is_too_small:
            self._lines, self._drawn_for, self._drawing, self._stretch = [], None, None, None
            self._marks = {}
            return
        stretch = self.chart.stretch(frame.course, chart_width, self.choice.window_s, self._time_read(frame))
        end_text = _end_text(frame, stretch)
        settings = self.chart.settings((chart_width, height), self.choice, self.highlighted, end_text)
        key = (settings, stretch, frame.view.filter_text, self.app.theme)
        if key != self._drawn_for:
            self._drawn_for, self._stretch = key, stretch
            self.draw_count += 1
            palette = self.palette
            colours = {state: palette.state_rgb(state) for state in DISPLAY_ORDER}
            self._drawing = self.chart.draw(frame.course, stretch, settings, colours)
            self._lines = [_pieces(line) for line in self._drawing.text.splitlines()[:height]]
            self._plot = _plot_in(self._lines[0]) if self._lines else range(0)
        self._legend = self._legend_of(frame)
        self._marks = self._marks_in_sight()
        self.name_panel(title=SEPARATOR.join(self._told(frame, stretch, end_text)), subtitle=self._told_of_marks(frame))

    def _told(self, frame: Frame, stretch: Stretch, end_text: str) -> Iterable[str]:
        """What is shown, for the title."""
        length = length_text(stretch.window_s)
        if end_text == tr("now"):
            yield tr("History, last {length}", length=length)
        else:
            yield tr("History, {length} to {time}", length=length, time=end_text)
        yield tr("logarithmic") if self.choice.is_logarithmic else tr("linear")
        if self.choice.shows_only_highlighted:
            yield tr("only {state}", state=self.highlighted.name)
        at = self._point
        if at is not None and self._drawing is not None and frame.retrospect is None:
            yield self._reading(_clock(frame, float(self._drawing.times_s[at])), int(self._drawing.samples[at]))
        if frame.view.filter:
            yield frame.view.filter_text

    def _reading(self, time: str, samples: int) -> str:
        """What the numbers in the legend are, at a point of the chart."""
        if samples < 2 or self._stretch is None:
            return tr("at {time}", time=time)
        return tr("highest of {length} to {time}", length=length_text(self._stretch.column_s), time=time)

    def _legend_of(self, frame: Frame) -> list[_LegendLine]:
        """The states that occur, the one with most sockets first, with what the cursor reads or the newest counts."""
        assert self._drawing is not None
        at, drawn = self._point, self._drawing.counts
        counts = {state: frame.state_count(state) for state in DISPLAY_ORDER}
        if at is not None and frame.retrospect is None:
            counts = {state: int(drawn[at, state]) for state in DISPLAY_ORDER}
        present = (state for state in DISPLAY_ORDER if counts[state] or drawn[:, state].any())
        return [
            _LegendLine(state, counts[state], self.choice.shows(state, self.highlighted))
            for state in sorted(present, key=lambda state: -counts[state])
        ]

    # -- What was wrong ------------------------------------------------------------------------------------------------

    def _marks_in_sight(self) -> dict[int, list[ChartMark]]:
        """Begin and end of each finding, as far as the chart reaches, at the points that the cursor can be on."""
        stretch, drawing, marks = self._stretch, self._drawing, dict[int, list[ChartMark]]()
        if stretch is None or drawing is None or self.presentation is None:
            return marks
        times_s = drawing.times_s
        for each in (one for episode in self.presentation.episodes for one in marks_of(episode)):
            at = int(times_s.searchsorted(each.at_s))
            if stretch.end_s - stretch.window_s <= each.at_s and at < len(times_s):
                marks.setdefault(self._cell_of(stretch, float(times_s[at])), []).append(each)
        return {cell: sorted(here, key=lambda each: each.rank, reverse=True) for cell, here in marks.items()}

    def _told_of_marks(self, frame: Frame) -> str:
        """What is marked where the cursor is; without one, what the marks mean."""
        cell = self._cursor_cell
        here = self._marks.get(cell, []) if cell is not None else []
        if here:
            text = SEPARATOR.join(each.text(_clock(frame, each.at_s)) for each in here)
            return clipped(text, self.size.width - len("╰─  ─╯"))
        if not self._marks:
            return ""
        *_, warning, critical = BEGUN
        return tr(
            "{critical} {warning} something begins · {ended} it ends", critical=critical, warning=warning, ended=ENDED
        )

    # -- The cursor ----------------------------------------------------------------------------------------------------

    def _time_read(self, frame: Frame) -> float | None:
        """The time under the cursor: of the moment that is looked at again, if there is one."""
        return frame.sample.monotonic_s if frame.retrospect is not None else self.cursor_s

    @property
    def _point(self) -> int | None:
        """The point of the chart that is nearest to the cursor."""
        frame, drawing = self._frame, self._drawing
        time_s = self._time_read(frame) if frame is not None else None
        if time_s is None or drawing is None or not len(drawing.times_s):
            return None
        return int(abs(drawing.times_s - time_s).argmin())

    @property
    def _cursor_cell(self) -> int | None:
        """The cell of a line that the cursor is in."""
        at, stretch, drawing = self._point, self._stretch, self._drawing
        if at is None or stretch is None or drawing is None or not self._plot:
            return None
        return self._cell_of(stretch, float(drawing.times_s[at]))

    def _cell_of(self, stretch: Stretch, monotonic_s: float) -> int:
        """The cell of a line in which a time is."""
        share = 1 - (stretch.end_s - monotonic_s) / stretch.window_s
        return self._plot.start + round(share * (len(self._plot) - 1))

    def action_highlight(self, step: int) -> None:
        """Highlight the state ``step`` further down in the list of states."""
        self.post_message(self.StateChosen(state_beside(self.highlighted, step)))

    def action_move_to_end(self, side: int) -> None:
        """To the oldest moment, or the newest."""
        frame, drawing = self._frame, self._drawing
        if frame is not None and frame.retrospect is not None:
            self.post_message(self.MomentChosen(side * math.inf, 0.0))
        elif frame is not None and drawing is not None and len(drawing.times_s):
            self.cursor_s = float(frame.course.monotonic_s[0]) if side < 0 else float(drawing.times_s[-1])

    def move(self, step: int) -> None:
        """Move the cursor by ``step`` points; it begins at the newest, and beyond that it is gone."""
        frame, drawing = self._frame, self._drawing
        if frame is None or drawing is None or not len(drawing.times_s):
            return
        at = self._point
        wanted = (len(drawing.times_s) if at is None else at) + step
        if wanted < 0:
            earlier = frame.course.until(float(drawing.times_s[0])).monotonic_s[:-1]
            self.cursor_s = float(earlier[-1]) if len(earlier) else self.cursor_s
        else:
            self.cursor_s = float(drawing.times_s[wanted]) if wanted < len(drawing.times_s) else None

    def drop_cursor(self) -> bool:
        """Take the cursor away; False if there is none."""
        had_one, self.cursor_s = self.cursor_s is not None, None
        return had_one

    def on_click(self, event: Click) -> None:
        offset, stretch, frame = event.get_content_offset(self), self._stretch, self._frame
        if offset is None or stretch is None or frame is None:
            return
        if offset.x in self._plot:
            cell_s = stretch.window_s / max(len(self._plot) - 1, 1)
            time_s = stretch.end_s - (self._plot[-1] - offset.x) * cell_s
            if frame.retrospect is None:
                self.cursor_s = time_s
            else:
                self.post_message(self.MomentChosen(time_s, cell_s))
        elif offset.x >= self.content_size.width - LEGEND_WIDTH and offset.y < len(self._legend):
            self.post_message(self.StateChosen(self._legend[offset.y].state))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Zoomed(-1))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Zoomed(1))

    # -- Lines ---------------------------------------------------------------------------------------------------------

    def line(self, y: int, width: int) -> Iterable[Piece]:
        if not self._lines:
            return [(self._emptiness() if y == 0 else "", self.palette.dim)]
        if y >= len(self._lines):
            return []
        pieces, cell = self._lines[y], self._cursor_cell
        if cell is not None and 0 < y < len(self._lines) - _AXIS_LINES:
            pieces = _with_cursor(pieces, cell, self.palette.cursor)
        if y == 0:
            pieces = self._with_marks(pieces)
        return [*pieces, *self._legend_pieces(y)]

    def _emptiness(self) -> str:
        """Why there is no chart."""
        if self._frame is not None and self._frame.sample.origin.is_still:
            return tr("A text is of one moment: it has no history.")
        return tr("The chart begins with the next sample.")

    def _with_marks(self, pieces: list[Piece]) -> list[Piece]:
        """The upper edge with what began and ended."""
        palette, cell = self.palette, self._cursor_cell
        for place, (worst, *_) in self._marks.items():
            style = palette.cursor if place == cell else palette.warning if worst.is_begin else palette.dim
            pieces = _with_cursor(pieces, place, style, worst.char)
        return pieces

    def _legend_pieces(self, y: int) -> list[Piece]:
        """The mark, name and count of one state; those that are not drawn are dim and have no mark."""
        if y >= len(self._legend):
            return []
        told, palette = self._legend[y], self.palette
        if not told.is_drawn:
            return [(f"   {told.state.name:<11}{told.count:>8,}", palette.dim)]
        style = palette.state(told.state) + palette.emphasis(told.state is self.highlighted)
        return [(f" {GLYPHS[told.state]} {told.state.name:<11}", style), (f"{told.count:>8,}", palette.text)]


def _end_text(frame: Frame, stretch: Stretch) -> str:
    """What is at the right edge: now, or the time where that is over."""
    newest_s = float(frame.course.monotonic_s[-1])
    is_over = frame.retrospect is not None or newest_s - stretch.end_s > stretch.column_s
    return _clock(frame, min(stretch.end_s, newest_s)) if is_over else tr("now")


def _clock(frame: Frame, monotonic_s: float) -> str:
    return frame.clock_at(monotonic_s).astimezone().strftime(CLOCK)


def _plot_in(pieces: list[Piece]) -> range:
    """The cells between the upper corners of the chart."""
    text = "".join(text for text, _ in pieces)
    return range(text.find("┌") + 1, text.find("┐"))


def _with_cursor(pieces: list[Piece], cell: int, style: Style, char: str = "") -> list[Piece]:
    """A line of characters of one cell each with one of them marked, or with another one in its place."""
    changed: list[Piece] = []
    for text, text_style in pieces:
        if 0 <= cell < len(text):
            here = (char or text[cell], text_style + style)
            changed += [(text[:cell], text_style), here, (text[cell + 1 :], text_style)]
        else:
            changed.append((text, text_style))
        cell -= len(text)
    return changed


def _pieces(ansi: str) -> list[Piece]:
    """A line of ANSI text as styled pieces."""
    text = Text.from_ansi(ansi)
    ends = sorted({0, len(text.plain), *(edge for span in text.spans for edge in (span.start, span.end))})
    pieces: list[Piece] = []
    for start, end in itertools.pairwise(ends):
        style = next((span.style for span in text.spans if span.start <= start and end <= span.end), "")
        pieces.append((text.plain[start:end], style if isinstance(style, Style) else Style()))
    return pieces

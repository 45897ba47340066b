"""The histogram: one line a state, with count, bar, change and sparkline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive

from tcptui.language import tr
from tcptui.model.states import DISPLAY_ORDER, TcpState, state_beside
from tcptui.text import sparkline
from tcptui.tui.lines import RIGHT_BUTTON, LineWidget, Piece
from tcptui.tui.linked import TopicChosen

if TYPE_CHECKING:
    from tcptui.monitor.presenter import Presentation

NAME_WIDTH = 11
COUNT_WIDTH = 9
CHANGE_WIDTH = 7
GAPS = 3
SMALLEST_BAR = 3
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """``share`` of ``width`` cells, in eighths; anything above nothing shows."""
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)[:width]


class StatesPanel(LineWidget, can_focus=True):
    """The states with their counts; one of them is highlighted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Previous state", show=False),
        Binding("down,j", "move(1)", "Next state", show=False),
    ]

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    highlighted: reactive[TcpState] = reactive(TcpState.ESTABLISHED, repaint=False)

    @dataclass
    class StateHighlighted(Message):
        """The user has moved to a state."""

        state: TcpState

    def on_mount(self) -> None:
        self.name_panel(title=tr("0 States"))

    def watch_presentation(self) -> None:
        self.redraw()
        self.name_panel(subtitle=self._rates())

    def watch_highlighted(self) -> None:
        self.redraw()

    def action_move(self, step: int) -> None:
        """Highlight the state ``step`` further down."""
        self.post_message(self.StateHighlighted(state_beside(self.highlighted, step)))

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        columns, rows, column_width = self._columns()
        index = offset.x // max(column_width, 1) * rows + offset.y
        if offset.y < rows and index < len(DISPLAY_ORDER) and offset.x // max(column_width, 1) < columns:
            self.post_message(self.StateHighlighted(DISPLAY_ORDER[index]))
            if event.button == RIGHT_BUTTON:
                self.post_message(TopicChosen(DISPLAY_ORDER[index].name))

    def line(self, y: int, width: int) -> Iterable[Piece]:
        columns, rows, column_width = self._columns()
        if y >= rows:
            return
        for column in range(columns):
            yield from self._state(DISPLAY_ORDER[column * rows + y], column_width)

    @property
    def _fullest(self) -> int:
        """The largest count, which has the longest bar."""
        frame = self.presentation.frame if self.presentation else None
        return max(map(frame.state_count, DISPLAY_ORDER)) if frame is not None else 0

    def _columns(self) -> tuple[int, int, int]:
        """How many columns of how many states, and their width."""
        width, height = self.content_size
        columns = 1 if height >= len(DISPLAY_ORDER) else 2
        return columns, len(DISPLAY_ORDER) // columns, width // columns

    def _state(self, state: TcpState, width: int) -> Iterable[Piece]:
        palette = self.palette
        frame = self.presentation.frame if self.presentation else None
        is_highlighted = state is self.highlighted
        colour = palette.state(state)
        name_style = colour + Style(bold=is_highlighted, reverse=is_highlighted and self.has_focus)
        yield ("▸" if is_highlighted else " ", palette.strong)
        yield (state.name.ljust(NAME_WIDTH), name_style)
        if frame is None:
            yield ("…".rjust(COUNT_WIDTH).ljust(width - NAME_WIDTH - 1), palette.dim)
            return
        count = frame.state_count(state)
        yield (f"{count:,}".rjust(COUNT_WIDTH), palette.strong if count else palette.dim)
        room = width - 1 - NAME_WIDTH - COUNT_WIDTH
        if room >= CHANGE_WIDTH:
            change = frame.state_change(state)
            changed: Piece = (_change_text(change).rjust(CHANGE_WIDTH), palette.text if change else palette.dim)
            room -= CHANGE_WIDTH + GAPS
            bar_width = max(room - room // 2, 0)
            if bar_width >= SMALLEST_BAR:
                yield (" " + bar(count / max(self._fullest, 1), bar_width), colour)
            yield changed
            if bar_width >= SMALLEST_BAR:
                history = frame.history.counts[-(room - bar_width) :, state].tolist()
                yield (" " + sparkline(history, room - bar_width) + " ", colour)

    def _rates(self) -> str:
        """Sockets opened and closed a second, and those of them that no sample has seen."""
        frame = self.presentation.frame if self.presentation else None
        moves = frame.transitions if frame is not None else None
        if moves is None or moves.elapsed_s <= 0:
            return ""
        opened, closed = f"{moves.opened_per_s:,.0f}/s", f"{moves.closed_per_s:,.0f}/s"
        rates = tr("opened {opened} · gone {closed}", opened=opened, closed=closed)
        if moves.brief or not moves.is_brief_exact:
            brief = tr("brief {rate}", rate=f"{'' if moves.is_brief_exact else '≥'}{moves.brief_per_s:,.0f}/s")
            is_narrow = cell_len(f"{rates} · {brief}") > self.size.width - len("╰─  ─╯")
            return f"+{opened} −{closed} · {brief}" if is_narrow else f"{rates} · {brief}"
        return rates


def _change_text(change: int | None) -> str:
    """A change that fits its column."""
    if not change:
        return "·" if change == 0 else ""
    text = f"{change:+,}"
    return text if len(text) < CHANGE_WIDTH else f"{change / 1000:+,.0f}k"

"""One connection: everything that is known of it, a line each, with the course of what is followed beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive

from tcptui.language import mark, tr
from tcptui.text import sparkline
from tcptui.tui.keymap import Keymap
from tcptui.tui.lines import SEPARATOR, LinePanel, Piece
from tcptui.wrapping import wrap

if TYPE_CHECKING:
    from tcptui.model.detail import SocketKey
    from tcptui.model.sample import Sample
    from tcptui.monitor.presenter import Presentation
    from tcptui.monitor.watch import Series, Watch
    from tcptui.tui.detail_lines import DetailLine, Tone

LABEL_WIDTH = 14
LONGEST_SPARKLINE = 48
_GAP = 1
_READING = mark("reading …")
_PAUSED = mark("paused: {pause} goes on and reads it")


class Describer(Protocol):
    """Puts a connection into words; the module ``detail_lines`` is one."""

    def detail_title(self, watch: Watch, sample: Sample) -> str:
        """Both of its ends."""

    def detail_lines(self, watch: Watch, sample: Sample) -> list[DetailLine]:
        """All that is known of it."""


@dataclass(frozen=True)
class _Row:
    """A line of the panel."""

    label: str
    text: str
    tone: Tone
    sparkline: str = ""


class DetailPanel(LinePanel, can_focus=True):
    """The connection that is watched."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("pagedown,ctrl+f", "page_down", "Page down", show=False),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False),
        Binding("home,g", "scroll_home", "To the beginning", show=False),
        Binding("end,G", "scroll_end", "To the end", show=False),
    ]

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    describer: Describer | None = None
    """Set when the model has been loaded."""

    class LeaveClicked(Message):
        """The line that says how to go back was clicked."""

    def __init__(self, id: str, keymap: Keymap) -> None:
        super().__init__(id=id)
        self._keymap = keymap
        self._key: SocketKey | None = None
        self._rows: list[_Row] = []
        self.path = ""
        """The way that led here."""

    def watch_presentation(self) -> None:
        self._make()

    def on_resize(self) -> None:
        self._make()
        super().on_resize()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell_what_is_below()

    def on_click(self, event: Click) -> None:
        if self.is_at_lower_border(event):
            self.post_message(self.LeaveClicked())

    def _make(self) -> None:
        """Describe the connection as it is now."""
        frame = self.presentation.frame if self.presentation else None
        width = self.scrollable_content_region.width
        if frame is None or self.describer is None or not self.is_on_screen or width <= LABEL_WIDTH:
            return
        watch = frame.watch
        key = watch.key if watch is not None else None
        if key != self._key:
            self._key = key
            self.scroll_to(y=0, animate=False, immediate=True)
        if watch is None:
            self.name_panel(title=tr("Connection"))
            is_paused = self.presentation is not None and self.presentation.is_paused
            self._rows = [_Row("", self._keymap.say(_PAUSED if is_paused else _READING), "dim")]
        else:
            self.name_panel(title=self.describer.detail_title(watch, frame.sample))
            described = self.describer.detail_lines(watch, frame.sample)
            self._rows = [row for line in described for row in _rows_of(line, width)]
        self.virtual_size = Size(0, len(self._rows))
        self._tell_what_is_below()
        self.redraw()

    def _tell_what_is_below(self) -> None:
        keys = tr("↓ more · Esc back") if self.is_cut(len(self._rows)) else tr("Esc back")
        whole = f"{self.path}{SEPARATOR}{keys}"
        self.name_panel(subtitle=whole if self.path and cell_len(whole) <= self.size.width - len("╭─  ─╮") else keys)

    def line(self, y: int, width: int) -> Iterable[Piece]:
        index = y + round(self.scroll_y)
        if index >= len(self._rows):
            return
        palette = self.palette
        styles = {"text": palette.text, "strong": palette.strong, "dim": palette.dim, "warning": palette.warning}
        row = self._rows[index]
        yield (set_cell_size(f" {row.label}", LABEL_WIDTH), palette.dim)
        yield (row.text, styles[row.tone])
        if row.sparkline:
            blank = width - LABEL_WIDTH - cell_len(row.text) - len(row.sparkline)
            yield (" " * blank, palette.text)
            yield (row.sparkline, palette.style("primary"))


def sparkline_width(width: int) -> int:
    """How much of a panel's width the course of a figure takes."""
    return min((width - LABEL_WIDTH) * 3 // 10, LONGEST_SPARKLINE)


def _rows_of(line: DetailLine, width: int) -> list[_Row]:
    """A line as it fits the panel: the label and the sparkline stand at its first row."""
    beside = sparkline_width(width) if line.series is not None else 0
    room = width - LABEL_WIDTH - (beside + _GAP if beside else 0)
    first, *rest = broken(line.text, room)
    course = sparkline(_drawable(line.series), beside) if line.series is not None else ""
    return [_Row(line.label, first, line.tone, course), *(_Row("", text, line.tone) for text in rest)]


def _drawable(series: Series) -> list[int]:
    """What is not known leaves a blank, as nothing at all does."""
    return [value or 0 for value in series]


def broken(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells: parts stay whole where they can, then words."""
    lines: list[str] = []
    for part in text.split(SEPARATOR):
        if lines and cell_len(lines[-1] + SEPARATOR + part) <= width:
            lines[-1] += SEPARATOR + part
        else:
            lines += wrap(" ".join(part.split()), width)
    return lines

"""The table: any view as rows and columns, of which only the visible part is ever drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive

from tcptui.language import mark, tr
from tcptui.model.states import TcpState
from tcptui.tui.columns import Columns, arranged, pinned_count
from tcptui.tui.ghosts import Ghost, Lines, raised, settled
from tcptui.tui.keymap import Keymap
from tcptui.tui.lines import RIGHT_BUTTON, SEPARATOR, LinePanel, Piece
from tcptui.tui.linked import TopicChosen
from tcptui.tui.tabs import Tabs
from tcptui.wrapping import wrap

if TYPE_CHECKING:
    from tcptui.model.fields import Field, Value
    from tcptui.monitor.frame import Frame
    from tcptui.monitor.presenter import Presentation
    from tcptui.monitor.view import View

HEADING_LINES = 2
GUTTER = 1
"""Cells in front of the first column, for what has happened to a row."""
_MOVEMENT_MARKS = {"new": "+", "grows": "↑", "shrinks": "↓"}
GONE_MARK = "−"
MARKED = "◆"
SMALLEST_TEXT = 24
"""Cells that a name may take on any screen; on a large one a third of the panel."""
_STATE_NAMES = frozenset(state.name for state in TcpState)


_WHILE_READING = mark("With very many sockets the first sample takes some seconds. {quit} leaves.")
_FILTERED_OUT = mark("{leave} clears the filter, {filter} changes it, {explain_filter} tells how it is understood.")
_BOTH_WAYS = mark("{earlier} leads to those of {before}, {later} to those of {after}.")
_BACK, _FORTH = mark("{earlier} leads to those of {before}."), mark("{later} leads to those of {after}.")
_ELSEWHERE = mark("Containers have namespaces of their own: tcptui -N all looks into all of them, as root.")


@dataclass(frozen=True)
class _Column:
    """A column on the screen."""

    field: Field
    heading: tuple[str, str]
    width: int


def heading_lines(title: str) -> tuple[str, str]:
    """A title over two lines, broken where it has an underscore or a blank: no name is ever cut short."""
    for index, char in enumerate(title):
        if char in "_ ":
            return title[: index + 1].rstrip(), title[index + 1 :]
    return "", title


class TablePanel(LinePanel, can_focus=True):
    """The rows of the view. The cursor stays on the row that it names, wherever that row goes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+b", "move_page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "move_page(1)", "Page down", show=False),
        Binding("home,g", "move_to(0)", "First row", show=False),
        Binding("end,G", "move_to(-1)", "Last row", show=False),
        *(Binding(f"alt+{number}", f"order_by({number})", "Order", show=False) for number in range(1, 10)),
    ]

    presentation: reactive[Presentation | None] = reactive(None, repaint=False)
    highlighted: reactive[TcpState] = reactive(TcpState.ESTABLISHED, repaint=False)

    @dataclass
    class HeadingClicked(Message):
        """The user wants the rows ordered by a field."""

        field_id: str

    @dataclass
    class ColumnsShown(Message):
        """Other columns are in sight."""

        field_ids: frozenset[str]

    @dataclass
    class RowSelected(Message):
        """The cursor has been moved by the user; a socket's row tells its state."""

        state: TcpState | None

    @dataclass
    class ViewChosen(Message):
        """A tab was clicked."""

        name: str

    @dataclass
    class RowOpened(Message):
        """A row was clicked that the cursor was on already."""

    def __init__(self, id: str, keymap: Keymap, columns: Columns) -> None:
        """``columns`` are those that the user has chosen, by view."""
        super().__init__(id=id)
        self._keymap = keymap
        self._chosen_columns = columns
        self._position = 0
        self._identity: Value | None = None
        self._widths: dict[str, int] = {}
        self._columns: list[_Column] = []
        self._visible: list[_Column] = []
        """Those of them that are in sight."""
        self._texts: dict[tuple[int, str], str] = {}
        """Cells of the frame by row and field id."""
        self._first_column = 0
        self._selection: tuple[View, Callable[[Frame], Value | None]] | None = None
        self._shown_ids: frozenset[str] = frozenset()
        self._lines = Lines([], 0)
        self._path = ""
        self._tabs: Tabs | None = None
        self._marked: set[Value] = set()
        """Identities of rows that the user has marked, of the present grouping."""

    @property
    def frame(self) -> Frame | None:
        """The frame on the screen."""
        return self.presentation.frame if self.presentation else None

    @property
    def cursor_row(self) -> int | None:
        """The grid row under the cursor; None in an empty table."""
        frame = self.frame
        return int(frame.order[self._position]) if frame is not None and self._position < len(frame.order) else None

    def watch_presentation(self, before: Presentation | None, now: Presentation | None) -> None:
        frame = self.frame
        if frame is None:
            return
        self._texts = {}
        old = before.frame if before else None
        if old is None or old.view.kind is not frame.view.kind or old.view.prefix != frame.view.prefix:
            self._widths, self._identity, self._position, self._first_column = {}, None, 0, 0
            self._marked = set()
            self.scroll_to(y=0, animate=False, immediate=True)
        if self._selection is not None and self._selection[0] == frame.view:
            self._identity, self._selection = self._selection[1](frame), None
        self._find_cursor(frame)
        self._lines = Lines(self._ghosts(before, now), len(frame.order))
        self.virtual_size = Size(0, len(self._lines) + HEADING_LINES)
        self._keep_cursor_visible()
        self._lay_out()
        self._tell_position(frame)
        self.redraw()

    def _ghosts(self, before: Presentation | None, now: Presentation | None) -> list[Ghost]:
        """The rows to show although they are gone: only while samples follow one another in one view."""
        old, frame = (each.frame if each is not None else None for each in (before, now))
        if old is None or frame is None or old.view != frame.view or (now is not None and now.is_paused):
            return []
        ghosts = list(self._lines.ghosts)
        if frame.sample.monotonic_s > old.sample.monotonic_s:
            ghosts += raised(old, frame, self._positions_in_sight(len(old.order)), self._shown_ids)
        return settled(ghosts, frame)

    def _positions_in_sight(self, count: int) -> range:
        top = round(self.scroll_y)
        return range(min(top, count), min(top + self._rows_visible, count))

    def show_tabs(self, view_name: str) -> None:
        """Name the views in the border, the present one in brackets."""
        self._tabs = Tabs.fitting(view_name, self.size.width - len("╭─  ─╮"))
        self.name_panel(title=self._tabs.text)

    def _tell_position(self, frame: Frame) -> None:
        """Say which row the cursor is on, and how many there are."""
        rows = len(frame.order)
        place = tr("{row:,} of {rows:,}", row=min(self._position + 1, rows), rows=rows)
        marks = [tr("{count:,} marked", count=len(self._marked))] if self._marked else []
        room = self.size.width - len("╭─  ─╮")
        told = SEPARATOR.join([*marks, place])
        path = self.path if cell_len(self.path + SEPARATOR + told) <= room else ""
        self.name_panel(subtitle=SEPARATOR.join(filter(None, (path, told))))

    def watch_highlighted(self) -> None:
        self._lay_out()
        self.redraw()

    def on_resize(self) -> None:
        self._keep_cursor_visible()
        self._lay_out()
        super().on_resize()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._lay_out()

    def _find_cursor(self, frame: Frame) -> None:
        """Put the cursor where its row is now; if that is gone, on the row in its place."""
        if self._identity is not None:
            found = frame.grid.position(frame.order, self._identity)
            if found is not None:
                self._position = found
                return
            self._identity = None
        self._position = max(min(self._position, len(frame.order) - 1), 0)
        if self._position > 0:
            self._identity = frame.grid.identity(int(frame.order[self._position]))

    @property
    def path(self) -> str:
        """The way that led here."""
        return self._path

    @path.setter
    def path(self, path: str) -> None:
        self._path = path
        if self.frame is not None:
            self._tell_position(self.frame)

    def select(self, view: View, find: Callable[[Frame], Value | None]) -> None:
        """Put the cursor on the row whose identity ``find`` gives, once a frame of ``view`` is here."""
        self._selection = (view, find)

    @property
    def columns_shown(self) -> list[Field]:
        """The columns, those scrolled out of sight too."""
        return [column.field for column in self._columns]

    @property
    def shown_fields(self) -> list[str]:
        """Their ids."""
        return [column.field.id for column in self._columns]

    def action_move(self, step: int) -> None:
        """Move the cursor by ``step`` rows."""
        self._move_to(self._position + step)

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by as many rows as are visible."""
        self._move_to(self._position + pages * max(self._rows_visible - 1, 1))

    def action_move_to(self, position: int) -> None:
        """Move the cursor to a row, -1 is the last; on the first row it stays on top whatever comes there."""
        frame = self.frame
        self._move_to(position if position >= 0 or frame is None else len(frame.order) - 1)
        if position == 0:
            self._identity = None

    def action_order_by(self, number: int) -> None:
        """Order by the column that is so many columns from the left."""
        columns = self._visible
        if number <= len(columns):
            self.post_message(self.HeadingClicked(columns[number - 1].field.id))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        frame, row = self.frame, self.cursor_row
        if frame is not None and row is not None:
            self._marked ^= {frame.grid.identity(row)}
            self._move_to(self._position + 1)
            self._tell_position(frame)
            self.forget_lines()

    def action_unmark(self) -> None:
        """Take all marks away."""
        self._marked = set()
        if self.frame is not None:
            self._tell_position(self.frame)
        self.forget_lines()

    @property
    def marked_rows(self) -> list[int]:
        """The grid rows that are marked, in the order of display; those that are gone are not among them."""
        frame = self.frame
        if frame is None or not self._marked:
            return []
        found = (frame.grid.position(frame.order, identity) for identity in self._marked)
        return [int(frame.order[position]) for position in sorted(each for each in found if each is not None)]

    def go_to_marked(self, step: int) -> bool:
        """Move the cursor to the next marked row, or the one before; False if none is marked."""
        frame = self.frame
        rows = set(self.marked_rows)
        if frame is None or not rows:
            return False
        positions = [position for position, row in enumerate(frame.order.tolist()) if row in rows]
        ahead = [each for each in positions if (each > self._position) == (step > 0) and each != self._position]
        self._move_to((min if step > 0 else max)(ahead or positions))
        return True

    @property
    def chosen_rows(self) -> list[int]:
        """The grid rows that a command is about: the marked ones, else the one under the cursor."""
        return self.marked_rows or ([] if self.cursor_row is None else [self.cursor_row])

    @property
    def position(self) -> int:
        """Where in the order the cursor is."""
        return self._position

    def go_to(self, identity: Value) -> bool:
        """Move the cursor to a row by its identity; False if it is not there."""
        frame = self.frame
        position = frame.grid.position(frame.order, identity) if frame is not None else None
        if position is not None:
            self._move_to(position)
        return position is not None

    def _move_to(self, position: int) -> None:
        frame = self.frame
        if frame is None or not len(frame.order):
            return
        self._position = max(0, min(position, len(frame.order) - 1))
        row = int(frame.order[self._position])
        self._identity = frame.grid.identity(row)
        self._keep_cursor_visible()
        self._lay_out()
        self._tell_position(frame)
        self.redraw()
        state = frame.grid.columns["state"][0][row] if "state" in frame.grid.columns else None
        self.post_message(self.RowSelected(None if state is None else TcpState(int(state))))

    @property
    def _rows_visible(self) -> int:
        return max(self.scrollable_content_region.height - HEADING_LINES, 0)

    def _keep_cursor_visible(self) -> None:
        top = round(self.scroll_y)
        rows = self._rows_visible
        line = self._lines.line_of(self._position) if self._position else 0
        if line < top:
            self.scroll_to(y=line, animate=False, immediate=True)
        elif rows and line >= top + rows:
            self.scroll_to(y=line - rows + 1, animate=False, immediate=True)

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        frame = self.frame
        if offset is None and event.y == 0 and self._tabs is not None:
            name = self._tabs.view_at(event.x - len("╭─ "))
            if name:
                self.post_message(self.ViewChosen(name))
        if offset is None or frame is None:
            return
        if offset.y < HEADING_LINES:
            column = self._column_at(offset.x)
            if column is not None:
                asked = TopicChosen if event.button == RIGHT_BUTTON else self.HeadingClicked
                self.post_message(asked(column.field.id))
            return
        position = self._lines.at(offset.y - HEADING_LINES + round(self.scroll_y))
        if position == self._position and event.chain > 1:
            self.post_message(self.RowOpened())
        elif isinstance(position, int):
            self._move_to(position)
            if event.button == RIGHT_BUTTON:
                self.post_message(TopicChosen(self._state_at(int(frame.order[position])).name))

    def _state_at(self, row: int) -> TcpState:
        """The state of a socket's row, else the highlighted one."""
        columns = self.frame.grid.columns if self.frame is not None else {}
        return TcpState(int(columns["state"][0][row])) if "state" in columns else self.highlighted

    def _column_at(self, x: int) -> _Column | None:
        left = GUTTER
        for column in self._visible:
            left += column.width + 1
            if x < left:
                return column
        return None

    def scroll_columns(self, step: int) -> None:
        """Move the columns behind the key sideways."""
        self._first_column = max(0, min(self._first_column + step, len(self._scrolling) - 1))
        self._tell_columns()
        self.redraw()

    def _tell_columns(self) -> None:
        """Say which columns are in sight, if others were before."""
        self._visible = self._visible_columns()
        shown = frozenset(column.field.id for column in self._visible)
        if shown != self._shown_ids:
            self._shown_ids = shown
            self.post_message(self.ColumnsShown(shown))

    def _lay_out(self) -> None:
        """Choose the columns and their widths; a width only grows, so that nothing jumps about."""
        frame = self.frame
        if frame is None or not self.scrollable_content_region.width:
            return
        shown = self._fields_shown(frame)
        in_sight = self._positions_in_sight(len(frame.order))
        rows = frame.order[in_sight.start : max(in_sight.stop, in_sight.start + 1)].tolist()
        sort = frame.view.effective_sort
        widest = max(self.scrollable_content_region.width // 3, SMALLEST_TEXT)
        columns = []
        for field in shown:
            heading = heading_lines(tr(field.title))
            needed = max(cell_len(heading[0]), cell_len(heading[1]) + (sort is not None and sort.field_id == field.id))
            needed = max(needed, field.width)
            if field.id in self._shown_ids or field.id not in self._widths:  # what is out of sight is not made
                needed = max([needed, *(min(cell_len(self._text(frame, row, field)), widest) for row in rows)])
            width = self._widths[field.id] = max(needed, self._widths.get(field.id, 0))
            columns.append(_Column(field, heading, width))
        self._columns = columns
        if frame.view.kind.is_matrix:
            self._scroll_to_highlighted()
        self._tell_columns()

    def _fields_shown(self, frame: Frame) -> list[Field]:
        """The columns in order; those of states in which there is nobody give way, but for the highlighted one."""
        fields = [field for field in frame.fields if frame.is_shown(field)]
        chosen = self._chosen_columns.get(frame.view.kind, frame.view.kind.usual_columns)
        return list(arranged(fields, chosen, lambda state: state is self.highlighted or frame.state_count(state) > 0))

    def _scroll_to_highlighted(self) -> None:
        """Scroll sideways as little as needed to see the highlighted state's column."""
        ids = [column.field.id for column in self._scrolling]
        wanted = ids.index(self.highlighted.name) if self.highlighted.name in ids else 0
        self._first_column = 0
        pinned = len(self._columns) - len(self._scrolling)
        while self._first_column < wanted and wanted >= self._first_column + len(self._visible_columns()) - pinned:
            self._first_column += 1

    @property
    def _scrolling(self) -> list[_Column]:
        """The columns that are not pinned."""
        frame = self.frame
        if frame is None:
            return []
        ids = [column.field.id for column in self._columns]
        return self._columns[pinned_count(frame.view.kind, ids) :]

    def _visible_columns(self) -> list[_Column]:
        """The pinned columns and the others, from the first that is scrolled to, as far as they fit."""
        rest = self._scrolling
        visible = self._columns[: len(self._columns) - len(rest)]
        left = self.scrollable_content_region.width - GUTTER - sum(column.width + 1 for column in visible)
        for column in rest[self._first_column :]:
            is_text_at_edge = column is rest[-1] and not column.field.type.is_number
            if is_text_at_edge and cell_len(column.heading[1]) < left < column.width:
                visible.append(replace(column, width=left))  # it is cut, not left out
                break
            left -= column.width + 1
            # Only the very last column can do without the gap behind it, which may have to hold a mark.
            if left < (-1 if column is rest[-1] else 0):
                break
            visible.append(column)
        return visible

    def line(self, y: int, width: int) -> Iterable[Piece]:
        frame = self.frame
        if frame is None:
            return self._said(y - HEADING_LINES, (tr("reading the sockets …"), self._keymap.say(_WHILE_READING)), width)
        if y < HEADING_LINES:
            return self._heading(frame, y)
        line = y - HEADING_LINES + round(self.scroll_y)
        there = self._lines.at(line)
        if isinstance(there, Ghost):
            return self._ghost(there)
        if there is not None:
            return self._row(frame, there)
        return [] if len(self._lines) else self._said(line, self._emptiness(frame), width)

    def _said(self, line: int, sentences: tuple[str, str], width: int) -> Iterable[Piece]:
        """A line of what there is to say in place of rows: what is the matter, and below what to do."""
        palette = self.palette
        matter, advice = (wrap(sentence, max(width - 2, 20)) for sentence in sentences)
        lines = [*((text, palette.text) for text in matter), *((text, palette.dim) for text in advice)]
        return [(f" {lines[line][0]}", lines[line][1])] if 0 <= line < len(lines) else []

    def _emptiness(self, frame: Frame) -> tuple[str, str]:
        """Why the table has no rows, and what to do."""
        if frame.retrospect is not None and not frame.retrospect.has_rows:
            way = _way_to_rows(self._keymap, frame)
            return tr("The rows of this moment are not kept, only how many sockets each state had."), way
        if frame.view.filter is not None:
            return (
                tr("No socket matches {filter}.", filter=frame.view.filter_text),
                self._keymap.say(_FILTERED_OUT),
            )
        if frame.view.kind.value == "listeners":
            return tr("Nothing listens in this network namespace."), tr(_ELSEWHERE)
        return tr("No TCP sockets in this network namespace."), tr(_ELSEWHERE)

    def _heading(self, frame: Frame, y: int) -> Iterable[Piece]:
        palette = self.palette
        sort = frame.view.effective_sort
        visible = self._visible
        yield (" " * GUTTER, palette.dim)
        for index, column in enumerate(visible):
            text = column.heading[y]
            if y == 1 and sort is not None and sort.field_id == column.field.id:
                text += "▼" if sort.descending else "▲"
            style = palette.heading
            if column.field.id in _STATE_NAMES:
                style = palette.state(TcpState[column.field.id]) + Style(bold=True)
            blank = " " * (column.width - cell_len(text))
            is_highlighted = column.field.id == self.highlighted.name
            pieces = [(blank, style), (text, style + Style(underline=is_highlighted))]
            yield from pieces if column.field.type.is_number else reversed(pieces)
            yield (self._gap_mark(index, y, visible), palette.dim)

    def _gap_mark(self, index: int, y: int, visible: list[_Column]) -> str:
        """The blank behind a column; an arrow where columns are scrolled out of sight."""
        pinned = len(self._columns) - len(self._scrolling)
        if y == 0 and index == pinned - 1 and self._first_column > 0:
            return "‹"
        is_last = index == len(visible) - 1
        return "›" if y == 0 and is_last and self._first_column + len(visible) < len(self._columns) else " "

    def _row(self, frame: Frame, position: int) -> Iterable[Piece]:
        palette = self.palette
        row = int(frame.order[position])
        is_cursor = position == self._position
        yield self._gutter(frame, row)
        for column in self._visible:
            text = self._text(frame, row, column.field)
            style = palette.cursor if is_cursor and self.has_focus else self._cell_style(column, text)
            yield (_aligned(text, column) + " ", style + palette.emphasis(is_cursor))

    def _text(self, frame: Frame, row: int, field: Field) -> str:
        """A cell: while the frame is the same it is made once, however often the cursor moves."""
        text = self._texts.get((row, field.id))
        if text is None:
            text = self._texts[row, field.id] = frame.grid.shown(row, field)
        return text

    def _gutter(self, frame: Frame, row: int) -> Piece:
        """Whether the row is marked, or what it has gone through."""
        palette = self.palette
        if self._marked and frame.grid.identity(row) in self._marked:
            return (MARKED, palette.heading)
        movement = frame.movement(row)
        if movement is None:
            return (" ", palette.text)
        return (_MOVEMENT_MARKS[movement.value], palette.dim if movement.value == "shrinks" else palette.strong)

    def _ghost(self, ghost: Ghost) -> Iterable[Piece]:
        """A row that is gone, struck through."""
        style = self.palette.dim + Style(strike=True)
        yield (GONE_MARK, self.palette.strong)
        for column in self._visible:
            text = _aligned(ghost.cells.get(column.field.id, ""), column)
            blank = len(text) - len(text.lstrip())
            yield from ((text[:blank], self.palette.dim), (text[blank:].rstrip(), style))
            yield (" " * (len(text) - len(text.rstrip()) + 1), self.palette.dim)

    def _cell_style(self, column: _Column, text: str) -> Style:
        palette = self.palette
        if column.field.id in _STATE_NAMES:
            if text == "0":
                return palette.dim
            is_highlighted = column.field.id == self.highlighted.name
            return palette.state(TcpState[column.field.id]) + Style(bold=is_highlighted)
        if column.field.id == "state":
            return palette.state(TcpState[text])
        return palette.dim if text in ("0", "-", "?") else palette.text


def _way_to_rows(keymap: Keymap, frame: Frame) -> str:
    """How to come from a moment without rows to the nearest with rows."""
    assert frame.retrospect is not None
    before, after = (f"{each.astimezone():%H:%M:%S}" if each is not None else "" for each in frame.retrospect.nearest)
    if before and after:
        return keymap.say(_BOTH_WAYS, before=before, after=after)
    return keymap.say(_BACK, before=before) if before else keymap.say(_FORTH, after=after)


def _aligned(text: str, column: _Column) -> str:
    """``text`` in as many cells as the column has; a name that is too long ends in dots."""
    cells = cell_len(text)
    if cells > column.width:
        return set_cell_size(text, column.width - 1) + "…"
    blank = " " * (column.width - cells)
    return blank + text if column.field.type.is_number else text + blank

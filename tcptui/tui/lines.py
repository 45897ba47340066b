"""Panels that are drawn line by line: only the visible lines exist, and only those that changed are painted again."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.events import Click
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tcptui.tui.theme import Palette

RIGHT_BUTTON = 3
"""Of a mouse, by Textual's number: it asks what something means."""

SEPARATOR = " · "
"""Between things of one kind in a line."""

Piece = tuple[str, Style]
"""Text in one style."""


def clipped(text: str, room: int) -> str:
    """``text`` in at most ``room`` cells; where it is cut it says so."""
    return text if cell_len(text) <= room else set_cell_size(text, max(room - 1, 0)) + "…"


def fitted(pieces: Iterable[Piece], width: int, fill: Style) -> Strip:
    """A line of exactly ``width`` cells: cut at the end, or filled with blanks."""
    segments = []
    left = width
    for text, style in pieces:
        cells = cell_len(text)
        if cells:
            segments.append(Segment(text if cells <= left else set_cell_size(text, left), style))
        left -= cells
        if left <= 0:
            break
    if left > 0:
        segments.append(Segment(" " * left, fill))
    return Strip(Segment.simplify(segments), width)


class _Drawn(Widget):
    """What both kinds of line panel share."""

    repaint_count = 0
    """How often lines had to be painted again."""
    _title = ""
    _subtitle = ""
    _palette: Palette | None = None
    _shown: dict[int, Strip]
    """The visible lines as they were drawn last, by line; belongs to one palette and is dropped with it."""
    _drawn: dict[int, tuple[list[Piece], Strip]]
    """Of what each line was drawn: most lines are of the same again, and making a strip is dearer than comparing."""

    def line(self, y: int, width: int) -> Iterable[Piece]:
        """The pieces of the visible line ``y``."""
        raise NotImplementedError

    @property
    def palette(self) -> Palette:
        """Styles of the theme in force."""
        variables = self.app.theme_variables
        if self._palette is None or self._palette.variables is not variables:
            self._palette = Palette(variables)
            self._shown, self._drawn = {}, {}
        return self._palette

    def name_panel(self, *, title: str | None = None, subtitle: str | None = None) -> None:
        """Set what stands in the border; Textual paints the whole panel for it, so only what is new is set."""
        if title is not None and title != self._title:
            self._title = title
            self.border_title = Content(title)
        if subtitle is not None and subtitle != self._subtitle:
            self._subtitle = subtitle
            self.border_subtitle = Content(subtitle)

    def drawn_line(self, y: int, width: int) -> Strip:
        """The visible line ``y``, from memory if it was drawn for this width."""
        palette = self.palette
        strip = self._shown.get(y)
        if strip is None or strip.cell_length != width:
            pieces = list(self.line(y, width))
            known_pieces, strip = self._drawn.get(y, (None, None))
            if strip is None or strip.cell_length != width or known_pieces != pieces:
                strip = fitted(pieces, width, palette.text).apply_style(self.rich_style)
                self._drawn[y] = pieces, strip
            self._shown[y] = strip
        return strip

    def redraw(self) -> None:
        """Draw the visible lines anew and have those painted that differ."""
        if not self.is_attached or not self.size:
            return
        before = self._shown if self.palette else {}
        self._shown = {}
        width = self.scrollable_content_region.width
        changed = [
            Region(0, y, width, 1) for y in range(self.size.height) if self.drawn_line(y, width) != before.get(y)
        ]
        if changed:
            self.repaint_count += 1
            self.refresh(*changed)

    def watch_has_focus(self, _has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        super().watch_has_focus(_has_focus)
        self.forget_lines()

    def forget_lines(self) -> None:
        """Draw everything anew when it is painted next."""
        self._shown, self._drawn = {}, {}
        self.refresh()


class LineWidget(_Drawn):
    """A widget of lines that does not scroll."""

    def render_line(self, y: int) -> Strip:
        return self.drawn_line(y, self.scrollable_content_region.width)

    def on_resize(self) -> None:
        self.forget_lines()


class LinePanel(ScrollView, _Drawn):
    """A panel of lines that scrolls up and down; Textual takes the style of scrolling from the first base."""

    def render_line(self, y: int) -> Strip:
        return self.drawn_line(y, self.scrollable_content_region.width)

    def on_resize(self) -> None:
        self.forget_lines()

    def is_at_lower_border(self, event: Click) -> bool:
        """Whether the mouse is on the line that tells how to go on."""
        return bool(self.styles.border_bottom[0]) and event.screen_y == self.region.bottom - 1

    def is_cut(self, line_count: int) -> bool:
        """Whether some of ``line_count`` lines are below what is in sight."""
        return round(self.scroll_y) + self.scrollable_content_region.height < line_count

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.forget_lines()

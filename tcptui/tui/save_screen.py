"""The dialog over the panels that asks what to save, in which format and where, and shows how the file begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rich.cells import cell_len, set_cell_size
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.widgets import Input, Static

from tcptui.export.formats import Format
from tcptui.language import tr, tr_n
from tcptui.text import printable
from tcptui.tui.lines import LinePanel, LineWidget, Piece
from tcptui.tui.over import OverScreen
from tcptui.tui.prompt import OrderedInput
from tcptui.tui.saving import FILE_FORMATS, PLACEHOLDERS, Outlook, Savable, Saving, What, formats_of
from tcptui.wrapping import wrap

NUMBERS = "1234"
"""Keys of what can be saved."""
GAP = 2
MESSAGE_ROWS = 2


@dataclass(frozen=True)
class Option:
    """One of several things to choose."""

    id: str
    key: str
    text: str

    @property
    def cells(self) -> int:
        """How wide it is, with its key and its mark."""
        return cell_len(self.key) + cell_len(self.text) + 3


class OptionRow(LineWidget, can_focus=True):
    """Things side by side, of which one is chosen; over several lines where there is no room."""

    @dataclass
    class Chosen(Message):
        """One of them was chosen."""

        row: OptionRow
        id: str

    def __init__(self, label: str, label_cells: int) -> None:
        super().__init__()
        self._label, self._label_cells = label, label_cells
        self._options: Sequence[Option] = ()
        self._chosen = ""

    def offer(self, options: Sequence[Option], chosen: str) -> None:
        """Show these."""
        self._options, self._chosen = options, chosen
        self._fit()
        self.redraw()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """As high as it takes."""
        self.styles.height = max((y for y, _, _ in self._places()), default=0) + 1

    def _places(self) -> list[tuple[int, int, Option]]:
        """Each with the line and the cell that it begins in."""
        places = []
        y, x = 0, self._label_cells
        for option in self._options:
            if x > self._label_cells and x + option.cells > self.size.width > 0:
                y, x = y + 1, self._label_cells
            places.append((y, x, option))
            x += option.cells + GAP
        return places

    def beside(self, step: int) -> str:
        """The one before the chosen one, or after it; after the last comes the first."""
        ids = [option.id for option in self._options]
        return ids[(ids.index(self._chosen) + step) % len(ids)]

    def on_click(self, event: Click) -> None:
        for y, x, option in self._places():
            if event.y == y and x <= event.x < x + option.cells:
                self.post_message(self.Chosen(self, option.id))

    def line(self, y: int, width: int) -> Iterable[Piece]:
        palette = self.palette
        label = f" {self._label}" if y == 0 else ""
        yield (set_cell_size(label, self._label_cells), palette.heading if self.has_focus else palette.dim)
        for line, _, option in self._places():
            if line == y:
                is_chosen = option.id == self._chosen
                text = palette.cursor if is_chosen and self.has_focus else palette.emphasis(is_chosen) + palette.text
                yield (f"{option.key} ", palette.heading)
                yield (f"{'●' if is_chosen else '○'} {option.text}", text)
                yield (" " * GAP, palette.text)


class OutlookLines(LineWidget):
    """Where the file will be, and what there is to say about that."""

    def __init__(self) -> None:
        super().__init__(id="save-outlook")
        self._path = self._message = ""
        self._is_problem = False

    def tell(self, path: str, message: str, *, is_problem: bool) -> None:
        """Show this."""
        self._path, self._message, self._is_problem = path, message, is_problem
        self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        palette = self.palette
        if y == 0:
            return [(f" → {_end_of(printable(self._path), width - 4)}", palette.text)] if self._path else []
        lines = wrap(self._message, max(width - 2, 20))
        style = palette.warning if self._is_problem else palette.dim
        return [(f" {lines[y - 1]}", style)] if y <= len(lines) else []


def _end_of(text: str, width: int) -> str:
    """The last part of a text that is too wide, since a path's end tells most."""
    if cell_len(text) <= width:
        return text
    while cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"


class PreviewPanel(LinePanel, can_focus=False):
    """How the file begins."""

    def __init__(self) -> None:
        super().__init__(id="save-preview")
        self._lines: Sequence[str] = ()

    def show(self, title: str, lines: Sequence[str]) -> None:
        """Show these lines, from the first on if they are others."""
        self.name_panel(title=title)
        if lines is not self._lines:
            self._lines = lines
            self.virtual_size = Size(0, len(lines))
            self.scroll_to(y=0, animate=False, immediate=True)
            self.redraw()

    def line(self, y: int, width: int) -> Iterable[Piece]:
        index = y + round(self.scroll_y)
        return [(f" {printable(self._lines[index])}", self.palette.dim)] if index < len(self._lines) else []


class SaveKeys(LineWidget):
    """The keys, which can be clicked."""

    @dataclass
    class Clicked(Message):
        """One was clicked."""

        action: str

    def __init__(self) -> None:
        super().__init__(id="save-keys")
        self.can_overwrite = False

    @property
    def _keys(self) -> list[tuple[str, str, str]]:
        """Key, label and action."""
        overwrite = [("Ctrl+O", tr("overwrite"), "overwrite")] if self.can_overwrite else []
        return [
            ("Enter", tr("save"), "save"),
            *overwrite,
            ("Tab", tr("next row"), "app.focus_next"),
            ("Esc", tr("leave"), "dismiss('')"),
        ]

    def on_click(self, event: Click) -> None:
        begin = 0
        for key, label, action in self._keys:
            begin += cell_len(f" {key} {label} ")
            if event.x < begin:
                self.post_message(self.Clicked(action))
                return

    def line(self, y: int, width: int) -> Iterable[Piece]:
        for key, label, _ in self._keys:
            yield (f" {key}", self.palette.heading)
            yield (f" {label} ", self.palette.text)


class Save(Protocol):
    """Writes what was chosen, and tells the dialog of it when that is done."""

    def __call__(self, screen: SaveScreen, saving: Saving, *, overwrite: bool) -> None:
        """Begin with it."""


class SaveScreen(OverScreen[str]):
    """Asks what to save, as which format, and where to."""

    # All take effect before the next key, which may belong to another row by then.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Leave", show=False, priority=True),
        Binding("ctrl+c", "app.quit", "Leave", show=False, priority=True),
        Binding("ctrl+o", "overwrite", "Overwrite", show=False, priority=True),
        Binding("tab,down", "app.focus_next", "Next row", show=False, priority=True),
        Binding("shift+tab,up", "app.focus_previous", "Row before", show=False, priority=True),
        Binding("pagedown", "page(1)", "More", show=False, priority=True),
        Binding("pageup", "page(-1)", "Less", show=False, priority=True),
        Binding("enter", "accept", "Save", show=False, priority=True),
        Binding("right", "step(1)", "Next", show=False, priority=True),
        Binding("left", "step(-1)", "Before", show=False, priority=True),
        *(Binding(number, f"choose_what({number})", "What", show=False, priority=True) for number in NUMBERS),
        *(
            Binding(each.key, f"choose_format('{each.id}')", "Format", show=False, priority=True)
            for each in FILE_FORMATS
        ),
    ]
    _OF_ROWS = frozenset({"accept", "step", "choose_what", "choose_format"})
    """Actions whose keys belong to the name while that is typed."""

    nothing = ""

    @dataclass
    class Looked(Message):
        """It was found out what saving would lead to."""

        saving: Saving
        outlook: Outlook

    def __init__(self, savable: Savable, saving: Saving, save: Save) -> None:
        super().__init__()
        self._savable, self._saving, self._save = savable, saving, save
        self._outlook = Outlook("", "", ())
        self._is_writing = False
        labels = tr("what"), tr("format"), tr("file")
        label_cells = max(map(cell_len, labels)) + 3
        self._whats, self._formats = (OptionRow(label, label_cells) for label in labels[:2])
        self._label = set_cell_size(f" {labels[2]}", label_cells)
        self._input = OrderedInput(id="save-path")
        self._lines = OutlookLines()
        self._preview = PreviewPanel()
        self._keys = SaveKeys()

    def compose(self) -> ComposeResult:
        with Vertical(id="save") as box:
            box.border_title = Content(tr("Save"))
            yield self._whats
            yield self._formats
            with Horizontal(id="save-line"):
                yield Static(Content(self._label), id="save-label")
                yield self._input
            yield self._lines
            yield self._preview
            yield self._keys

    def on_mount(self) -> None:
        self._input.begin(self._saving.pattern, (), None)
        self._offer()
        self._look(self._saving)
        self.set_focus(self._formats)

    def _change(self, saving: Saving) -> None:
        """Go on with other choices."""
        if saving == self._saving:
            return
        self._saving = saving
        if self._input.value != saving.pattern:
            self._input.begin(saving.pattern, (), None)
        self._offer()
        self._look(saving)

    def _offer(self) -> None:
        """Show what there is to choose, and what is chosen."""
        whats = [
            Option(what.value, key, self._said(what)) for key, what in zip(NUMBERS, self._savable.offered, strict=False)
        ]
        formats = [Option(each.id, each.key, tr(each.title)) for each in formats_of(self._saving.what)]
        self._whats.offer(whats, self._saving.what.value)
        self._formats.offer(formats, self._saving.format)

    def _said(self, what: What) -> str:
        """One of the things that can be saved, with how much that is."""
        if what is What.SCREEN:
            return tr("the screen")
        count = self._savable.counts[what]
        if what is What.MARKED:
            return tr_n("{count:,} marked row", "{count:,} marked rows", count, count=count)
        if what is What.CONNECTIONS:
            return tr_n("{count:,} connection", "{count:,} connections", count, count=count)
        return tr_n("the view, {count:,} row", "the view, {count:,} rows", count, count=count)

    @work(thread=True, exclusive=True, group="outlook", description="look where a file would be")
    def _look(self, saving: Saving) -> None:
        self.post_message(self.Looked(saving, self._savable.outlook(saving)))

    @on(Looked)
    def _looked(self, event: Looked) -> None:
        if event.saving == self._saving:
            self._outlook = event.outlook
            self._keys.can_overwrite = event.outlook.is_taken
            self._keys.redraw()
            self._preview.show(self._preview_title, event.outlook.preview)
            self._tell(event.outlook.problem)

    @property
    def _preview_title(self) -> str:
        is_read = self._saving.format in (Format.HTML.value, "svg")
        return tr("how it will look") if is_read else tr("how it begins")

    def _tell(self, problem: str) -> None:
        self._lines.tell(self._outlook.path, problem or self._hint, is_problem=bool(problem))

    @property
    def _hint(self) -> str:
        if self._is_writing:
            return tr("writing …")
        if self._saving.format in (Format.CSV.value, Format.JSONL.value):
            return tr("rows alone: not where and when they were taken, nor what could not be read")
        return tr("in the name {names} are filled in", names=" ".join(f"{{{name}}}" for name in PLACEHOLDERS))

    # -- Choosing ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in self._OF_ROWS or self.focused is not self._input

    @on(OptionRow.Chosen)
    def _option_chosen(self, event: OptionRow.Chosen) -> None:
        self._choose(event.row, event.id)

    def _choose(self, row: OptionRow, option_id: str) -> None:
        if row is self._whats:
            self._change(self._saving.with_what(What(option_id)))
        else:
            self._change(self._saving.with_format(option_id))

    def action_step(self, step: int) -> None:
        """To the option beside, in the row with the keys."""
        if isinstance(self.focused, OptionRow):
            self._choose(self.focused, self.focused.beside(step))

    @on(Input.Changed)
    def _name_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value == self._input.value:  # else something has replaced it meanwhile
            self._change(self._saving.with_pattern(event.value))

    def action_choose_what(self, number: int) -> None:
        """By its place in the row."""
        if number <= len(self._savable.offered):
            self._change(self._saving.with_what(self._savable.offered[number - 1]))

    def action_choose_format(self, format: str) -> None:
        """By its letter."""
        self._change(self._saving.with_format(format))

    def action_page(self, pages: int) -> None:
        """Scroll the preview."""
        rows = self._preview.scrollable_content_region.height
        self._preview.scroll_relative(y=pages * rows, animate=False, immediate=True)

    @on(SaveKeys.Clicked)
    async def _key_clicked(self, event: SaveKeys.Clicked) -> None:
        await self.run_action(event.action)

    # -- Writing -------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _name_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_save()

    def action_accept(self) -> None:
        """Enter in a row of options."""
        self.action_save()

    def action_save(self) -> None:
        """Write the file."""
        self._begin(overwrite=False)

    def action_overwrite(self) -> None:
        """Write it in the place of one that is there."""
        self._begin(overwrite=True)

    def _begin(self, *, overwrite: bool) -> None:
        if not self._is_writing:
            self._is_writing = True
            self._tell("")
            self._save(self, self._saving, overwrite=overwrite)

    def refuse(self, message: str) -> bool:
        """Say why nothing was written, and go on asking; False if nobody looks any more."""
        self._is_writing = False
        if not self.is_current:
            return False
        self._tell(message)
        self.set_focus(self._input)
        self._input.go_on()
        return True

    def finish(self) -> None:
        """Close: the file is there."""
        if self.is_current:
            self.dismiss(self.nothing)
            self._input.go_on()

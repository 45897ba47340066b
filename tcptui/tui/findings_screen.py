"""What is wrong, how much room is left and which counters move: three pages over the panels, live while read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType
from textual.events import Click, ScreenResume

from tcptui.diagnosis.finding import Link
from tcptui.language import mark, tr
from tcptui.tui.finding_lines import FindingTarget
from tcptui.tui.linked import Linked, LinkedPanel, TargetChosen, fitting_keys
from tcptui.tui.live_screen import LivePanel, LiveScreen

if TYPE_CHECKING:
    from tcptui.monitor.judge import Judgement
    from tcptui.monitor.presenter import Presentation

PageName = Literal["findings", "capacity", "counters"]
PAGE_TITLES: dict[PageName, str] = {
    "findings": mark("Findings"),
    "capacity": mark("Head-room"),
    "counters": mark("Counters"),
}
"""In their order, said by ``tr``."""
PAGES = tuple(PAGE_TITLES)
TAB_GAP = "  "

Key = tuple[str, str]
"""Of a finding."""


class Reporter(Protocol):
    """Has the lines of the pages."""

    def report(self, presentation: Presentation, page: PageName, key: Key | None, width: int) -> list[Linked]:
        """A page, or the finding with this key, in lines of at most ``width`` cells."""


class FindingsPanel(LinkedPanel, LivePanel):
    """One of the pages, or all about one finding."""

    def __init__(self, reporter: Reporter, page: PageName, key: Key | None) -> None:
        super().__init__(id="findings")
        self._reporter = reporter
        self._page: PageName = page
        self._key = key
        self._left_at: tuple[int, int | None] = (0, None)
        """Where the list was when a finding was opened: first line and link."""
        self._made: object = None
        self.make_count = 0
        """How often the lines were made."""

    @property
    def page(self) -> PageName:
        """The page that is shown."""
        return self._page

    @property
    def key(self) -> Key | None:
        """The finding that is open; None for none."""
        return self._key

    def watch_presentation(self) -> None:
        self.make()

    def on_resize(self) -> None:
        self.make()
        super().on_resize()
        self._tell_what_is_below()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell_what_is_below()

    def show_page(self, page: PageName) -> None:
        """Turn to a page."""
        self._page, self._key = page, None
        self.make()

    def step(self, step: int) -> None:
        """Turn to the page beside this one."""
        self.show_page(PAGES[(PAGES.index(self._page) + step) % len(PAGES)])

    def open(self, key: Key) -> None:
        """Show all about a finding; ``go_back`` leads back to the list."""
        if self._page == "findings" and self._key is None:
            self._left_at = round(self.scroll_y), self._chosen
        self._page, self._key = "findings", key
        self.make()

    def go_back(self) -> bool:
        """Back to the list; False where nothing is open."""
        if self._key is None:
            return False
        self._key = None
        self.make()
        top, self._chosen = self._left_at
        self.scroll_to(y=top, animate=False, immediate=True)
        self.forget_lines()
        return True

    def make(self) -> None:
        """Lay the page out with the newest values, unless something lies over it."""
        width = self.scrollable_content_region.width - 2
        presentation = self.presentation
        if width < 10 or presentation is None or not self.screen.is_active:
            return
        self.make_count += 1
        lines = self._reporter.report(presentation, self._page, self._key, width)
        made = (self._page, self._key)
        self.name_panel(title=self._title_text)
        self.show_lines(lines, keeps_place=made == self._made)
        if made != self._made:
            self.choose_first()
        self._made = made
        self._tell_what_is_below()

    @property
    def _title_text(self) -> str:
        return TAB_GAP.join(self._tab(page) for page in PAGES)

    def _tab(self, page: PageName) -> str:
        title = tr(PAGE_TITLES[page])
        return f"[{title}]" if page == self._page else title

    def on_click(self, event: Click) -> None:
        if event.get_content_offset(self) is None and event.y == 0:
            begin = len("╭─ ")
            for page in PAGES:
                end = begin + cell_len(self._tab(page))
                if begin <= event.x < end:
                    self.show_page(page)
                    return
                begin = end + len(TAB_GAP)

    def _tell_what_is_below(self) -> None:
        keys = {
            tr("↓ more"): 3 if self.is_cut(len(self._lines)) else None,
            tr("Enter open"): 2,
            tr("Backspace back"): 1 if self._key is not None else None,
            tr("Tab page"): 4,
            "Esc": 0,
        }
        self.name_panel(subtitle=fitting_keys(keys, self.size.width - len("╰─  ─╯")))


class FindingsScreen(LiveScreen):
    """The pages over the panels. Ends with ``view`` where the rows behind a fact are wanted: ``link`` leads there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,l", "open_link", "Open", show=False),
        Binding("backspace,left,h", "go_back", "Back", show=False),
        Binding("tab", "step(1)", "Next page", show=False, priority=True),
        Binding("shift+tab", "step(-1)", "Previous page", show=False, priority=True),
        Binding("d", "show_page('findings')", "Findings", show=False),
        Binding("r", "show_page('capacity')", "Head-room", show=False),
        Binding("i", "show_page('counters')", "Counters", show=False),
        Binding("question_mark,f1", "dismiss('help')", "Keys", show=False),
    ]

    def __init__(self, reporter: Reporter, page: PageName, key: Key | None = None) -> None:
        self.panel = FindingsPanel(reporter, page, key)
        super().__init__(self.panel)
        self.link: Link | None = None
        """Where the chosen fact leads."""

    @property
    def judgement(self) -> Judgement | None:
        """What is shown."""
        return self.panel.presentation.judgement if self.panel.presentation is not None else None

    def action_open_link(self) -> None:
        """Follow the link under the cursor; without one go to the first in sight."""
        self.panel.use_chosen()

    def action_go_back(self) -> None:
        """To the list of findings, or back to the panels."""
        if not self.panel.go_back():
            self.dismiss("")

    def action_step(self, step: int) -> None:
        """Turn to another page."""
        self.panel.step(step)

    def action_show_page(self, page: PageName) -> None:
        """Turn to a page; the one that is shown closes, as its key has opened it."""
        if page == self.panel.page and self.panel.key is None:
            self.dismiss("")
        else:
            self.panel.show_page(page)

    def on_screen_resume(self, _event: ScreenResume) -> None:
        """What lay over it is gone."""
        self.panel.make()

    @on(TargetChosen)
    def _target_chosen(self, event: TargetChosen) -> None:
        event.stop()
        if isinstance(event.target, FindingTarget):
            self.panel.open(event.target.key)
        elif isinstance(event.target, Link):
            self.link = event.target
            self.dismiss("view")

"""Entries to read over the panels, with links from one to the next, live while they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on
from textual.binding import Binding, BindingType

from tcptui.language import tr
from tcptui.tui.linked import Linked, LinkedPanel, TopicChosen, fitting_keys
from tcptui.tui.live_screen import LivePanel, LiveScreen

if TYPE_CHECKING:
    from tcptui.monitor.frame import Frame
    from tcptui.tui.subject import Subject


@dataclass(frozen=True)
class Page:
    """An entry laid out."""

    title: str
    lines: list[Linked]


class Library(Protocol):
    """Has an entry for everything."""

    def page(self, topic: str, frame: Frame | None, subject: Subject, width: int) -> Page:
        """The entry called ``topic``, with the values of ``frame``, in lines of at most ``width`` cells."""


class TopicPanel(LinkedPanel, LivePanel):
    """One entry after another."""

    def __init__(self, library: Library, subject: Subject, topic: str) -> None:
        super().__init__(id="topic")
        self._library = library
        self._subject = subject
        self._trail: list[tuple[str, int, int | None]] = []
        """Where Backspace leads back to: entry, first line and link."""
        self._topic = topic
        self._shown_topic = ""

    @property
    def topic(self) -> str:
        """The entry that is open."""
        return self._topic

    def watch_presentation(self) -> None:
        self._make()

    def on_resize(self) -> None:
        self._make()
        super().on_resize()
        self._tell_what_is_below()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell_what_is_below()

    def open(self, topic: str) -> None:
        """Show another entry; ``go_back`` leads back to this one."""
        if topic != self._topic:
            self._trail.append((self._topic, round(self.scroll_y), self._chosen))
            self._topic = topic
            self._make()

    def go_back(self) -> bool:
        """Show the entry before; False if this is the first."""
        if not self._trail:
            return False
        self._topic, top, chosen = self._trail.pop()
        self._make()
        self._chosen = chosen
        self.scroll_to(y=top, animate=False, immediate=True)
        self.forget_lines()
        return True

    def _make(self) -> None:
        """Lay the entry out, with the newest values."""
        width = self.scrollable_content_region.width - 2
        if width < 10:
            return
        frame = self.presentation.frame if self.presentation is not None else None
        page = self._library.page(self._topic, frame, self._subject, width)
        self.name_panel(title=page.title)
        self.show_lines(page.lines, keeps_place=self._topic == self._shown_topic)
        self._shown_topic = self._topic
        self._tell_what_is_below()

    def _tell_what_is_below(self) -> None:
        """The keys, as many as there is room for: what matters less is left out first."""
        keys = {
            tr("↓ more"): 3 if self.is_cut(len(self._lines)) else None,
            tr("Enter open"): 2,
            tr("Backspace back"): 1 if self._trail else None,
            tr("c columns"): 6,
            tr("a all"): 7,
            tr("/ find"): 5,
            tr("? keys"): 4,
            "Esc": 0,
        }
        self.name_panel(subtitle=fitting_keys(keys, self.size.width - len("╰─  ─╯")))


class TopicScreen(LiveScreen):
    """An entry, and those that it leads to. Ends with ``help`` where the keys are asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,l", "open_link", "Open", show=False),
        Binding("backspace,left,h", "go_back", "Back", show=False),
        Binding("c", "open('columns')", "Columns", show=False),
        Binding("a", "open('topics')", "All entries", show=False),
        Binding("slash", "app.command_palette", "Find", show=False),
        Binding("question_mark,f1", "dismiss('help')", "Keys", show=False),
    ]

    def __init__(self, library: Library, subject: Subject, topic: str) -> None:
        self.panel = TopicPanel(library, subject, topic)
        super().__init__(self.panel)

    def action_open_link(self) -> None:
        """Follow the link under the cursor, or copy the command; without either go to the first in sight."""
        self.panel.use_chosen()

    def action_open(self, topic: str) -> None:
        """Open an entry by name."""
        self.panel.open(topic)

    def action_go_back(self) -> None:
        """The entry before, or back to the panels."""
        if not self.panel.go_back():
            self.dismiss("")

    @on(TopicChosen)
    def _topic_chosen(self, event: TopicChosen) -> None:
        event.stop()
        self.panel.open(event.topic)

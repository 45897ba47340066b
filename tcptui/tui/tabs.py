"""The views by their titles, as they stand in the table's border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len

from tcptui.language import mark, tr

VIEW_TITLES = {
    "peers": mark("Peers"),
    "processes": mark("Processes"),
    "services": mark("Services"),
    "listeners": mark("Listeners"),
    "ports": mark("Ports"),
    "connections": mark("Connections"),
    "namespaces": mark("Namespaces"),
}
"""In their order, said by ``tr``."""
VIEW_ORDER = tuple(VIEW_TITLES)
SHORT_TITLES = {"processes": mark("Procs"), "connections": mark("Conns"), "namespaces": mark("Netns")}
"""For views that are not the present one, where there is little room."""
STATES_TITLE = mark("States")
"""Of the one view that has no tab."""


def title_of(view_name: str) -> str:
    """The title of a view, in the language in force."""
    return tr(VIEW_TITLES.get(view_name, STATES_TITLE))


@dataclass(frozen=True)
class Tabs:
    """The titles with their keys, the present one in brackets."""

    texts: tuple[str, ...]
    """In the order of ``VIEW_ORDER``."""
    separator: str

    @classmethod
    def fitting(cls, now: str, room: int) -> Tabs:
        """The most spacious ones that have room; the closest if none has."""
        forms: tuple[tuple[str, Mapping[str, str]], ...] = (("  ", {}), (" ", {}), (" ", SHORT_TITLES))
        tabs = [cls(_texts(now, short), separator) for separator, short in forms]
        return next((each for each in tabs if cell_len(each.text) <= room), tabs[-1])

    @property
    def text(self) -> str:
        """All of them in a line."""
        return self.separator.join(self.texts)

    def view_at(self, x: int) -> str:
        """The view whose title is at a cell of the line; empty for none."""
        begin = 0
        for name, text in zip(VIEW_ORDER, self.texts, strict=True):
            if begin <= x < begin + cell_len(text):
                return name
            begin += cell_len(text + self.separator)
        return ""


def _texts(now: str, short: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"[{key} {tr(title)}]" if name == now else f"{key} {tr(short.get(name, title))}"
        for key, (name, title) in enumerate(VIEW_TITLES.items(), start=1)
    )

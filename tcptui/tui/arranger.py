"""What a person does to the panels: hides, zooms and resizes them, and goes from one layout to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual.geometry import Size

from tcptui.config.remembered import Remembered
from tcptui.errors import RequestError
from tcptui.language import mark, tr
from tcptui.tui.choice_screen import Choice
from tcptui.tui.layout import BUILT_IN, HIDEABLE, LEAST_CHART_ROWS, LEAST_LEFT, LEAST_RIGHT, Arrangement, Plan, regions
from tcptui.tui.preferences import Layouts

SECTION = "layout"
SAVED_SECTION = "layouts"
LONGEST_NAME = 40
MOST_SAVED = 20
SAVE = "save"
"""The choice to keep what is there as a layout with a name."""
LEFT_STEP, CHART_STEP = 4, 2

_FORGET = "forget "

PANEL_TITLES = {"states": mark("states"), "explain": mark("explanation"), "history": mark("chart")}
"""Of those that can be hidden; said by ``tr``."""


class Arranger:
    """Holds the arrangement, and remembers it between runs."""

    def __init__(self, remembered: Remembered, configured: Layouts) -> None:
        """``configured`` are the layouts of the configuration, by name."""
        self._remembered = remembered
        self._lasting = {tr(name): each for name, each in BUILT_IN.items()}
        self._lasting |= {name: Arrangement.of(layout) for name, layout in configured.items()}
        self._saved = _saved_layouts(remembered.section(SAVED_SECTION))
        self.arrangement = Arrangement.of(remembered.section(SECTION))

    @property
    def _layouts(self) -> Mapping[str, Arrangement]:
        """All there are by name; those that were saved on the screen are the last, and hide no other."""
        return {**self._lasting, **{name: each for name, each in self._saved.items() if name not in self._lasting}}

    def take(self, arrangement: Arrangement) -> None:
        """Have another arrangement, and remember it."""
        self.arrangement = arrangement
        self._remembered.remember(SECTION, arrangement.plain())

    def zoom(self, panel: str) -> None:
        """Give a panel all the room, or take it away again."""
        self.take(replace(self.arrangement, zoomed="" if self.arrangement.zoomed == panel else panel))

    def resize(self, size: Size, plan: Plan, left: int = 0, chart: int = 0) -> bool:
        """Move the edge of the left column or of the chart; False where there is none to move, or no room."""
        placed = regions(size, plan)
        before = self.arrangement
        if left and ("states" in placed or "explain" in placed) and placed.get("table", size.region).x > 0:
            now = placed["table"].x
            width = max(LEAST_LEFT, min(now + left * LEFT_STEP, size.width - LEAST_RIGHT))
            self.take(replace(before, left_width=width))
            return width != now
        if chart and "history" in placed and "table" in placed:
            now = placed["history"].height
            self.take(replace(before, chart_height=max(LEAST_CHART_ROWS, now + chart * CHART_STEP)))
            return regions(size, replace(plan, arrangement=self.arrangement)) != placed
        return False

    def next_layout(self) -> str:
        """Go to the next layout, the built-in ones first; its name."""
        names = list(self._layouts)
        now = next((index for index, name in enumerate(names) if self._is(name)), -1)
        return self.choose_layout(names[(now + 1) % len(names)])

    def choose_layout(self, name: str) -> str:
        """Go to a layout by its name; its name."""
        self.take(self._layouts[name])
        return name

    def _is(self, name: str) -> bool:
        return self._layouts[name] == self.arrangement

    def choices(self) -> list[Choice]:
        """What there is to show and hide, and all layouts."""
        arrangement = self.arrangement
        panels = [
            Choice(panel, tr("show {panel}", panel=tr(PANEL_TITLES[panel])), is_on=panel not in arrangement.hidden)
            for panel in HIDEABLE
        ]
        layouts = [
            Choice(f"layout {name}", tr("layout: {name}", name=name), is_on=self._is(name)) for name in self._layouts
        ]
        saved = [Choice(f"{_FORGET}{name}", tr("forget layout: {name}", name=name)) for name in self._saved]
        return [*panels, *layouts, Choice(SAVE, tr("save this layout as …")), *saved]

    def choose(self, choice_id: str) -> None:
        """Do what was chosen of ``choices``."""
        if choice_id in HIDEABLE:
            self.take(self.arrangement.toggled(choice_id))
        elif choice_id.startswith(_FORGET):
            self._keep({name: each for name, each in self._saved.items() if name != choice_id.removeprefix(_FORGET)})
        else:
            self.choose_layout(choice_id.removeprefix("layout "))

    def save(self, name: str) -> None:
        """Keep what is there as a layout, in place of one that was saved under that name.

        Raises:
            RequestError: the name will not do.
        """
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            problem = tr("a name has 1 to {most} characters that can be shown", most=LONGEST_NAME)
            raise RequestError(problem, tr("choose another name"))
        if name in self._lasting:
            raise RequestError(tr("there is a layout of that name that stays"), tr("choose another name"))
        if len(self._saved) >= MOST_SAVED and name not in self._saved:
            raise RequestError(tr("there are {most} saved layouts", most=MOST_SAVED), tr("forget one of them"))
        self._keep({**self._saved, name: replace(self.arrangement, zoomed="")})

    def _keep(self, saved: dict[str, Arrangement]) -> None:
        self._saved = saved
        self._remembered.remember(SAVED_SECTION, {name: each.plain() for name, each in saved.items()})


def _saved_layouts(section: Mapping[str, object]) -> dict[str, Arrangement]:
    """What ``Arranger.save`` has kept; what is no layout is left out."""
    saved = {
        name: Arrangement.of(each)
        for name, each in section.items()
        if isinstance(each, dict) and name.isprintable() and 0 < len(name) <= LONGEST_NAME
    }
    return dict(list(saved.items())[:MOST_SAVED])

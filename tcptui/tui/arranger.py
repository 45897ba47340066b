"""What a person does to the panels: hides, zooms and resizes them, and goes from one layout to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual.geometry import Size

from tcptui.config.remembered import Remembered
from tcptui.language import mark, tr
from tcptui.tui.choice_screen import Choice
from tcptui.tui.layout import BUILT_IN, HIDEABLE, LEAST_CHART_ROWS, LEAST_LEFT, LEAST_RIGHT, Arrangement, Plan, regions

SECTION = "layout"
LEFT_STEP, CHART_STEP = 4, 2

PANEL_TITLES = {"states": mark("states"), "explain": mark("explanation"), "history": mark("chart")}
"""Of those that can be hidden; said by ``tr``."""


class Arranger:
    """Holds the arrangement, and remembers it between runs."""

    def __init__(self, remembered: Remembered, layouts: Mapping[str, Arrangement] | None = None) -> None:
        """``layouts`` are the person's own, by name."""
        self._remembered = remembered
        self._layouts = {**{tr(name): each for name, each in BUILT_IN.items()}, **(layouts or {})}
        self.arrangement = Arrangement.of(remembered.section(SECTION))

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
        return [*panels, *layouts]

    def choose(self, choice_id: str) -> None:
        """Do what was chosen of ``choices``."""
        if choice_id in HIDEABLE:
            self.take(self.arrangement.toggled(choice_id))
        else:
            self.choose_layout(choice_id.removeprefix("layout "))

"""Where the panels go, for any size of terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from textual.content import Content
from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tcptui.language import mark
from tcptui.tui.keymap import Keymap

SMALLEST = Size(60, 16)
"""Below this the screen says so instead of showing panels."""

STATE_ROWS = 10
BORDER = 2
PROMPT_ROWS = 3
GIST_ROWS = 2
LEAST_TABLE_ROWS = 8
LEAST_CHART_ROWS = 8
LEAST_EXPLAIN_ROWS = 12
LEAST_ROWS_FOR_TWO = 20
"""Of a screen on which verdict and notice have a line each."""
LEAST_LEFT, LEAST_RIGHT = 30, 50
"""Of a screen with two columns."""

Centre = Literal["table", "explain", "history", "detail"]
"""Which panel has the middle of a screen that has room for one; of a larger one only "detail" has it in its place."""

PANELS = ("states", "table", "explain", "history")
HIDEABLE = ("states", "explain", "history")
"""Panels that a person may do without; the table stays."""


@dataclass(frozen=True)
class Arrangement:
    """What a person has made of the panels; the rest goes by the size of the terminal."""

    hidden: frozenset[str] = frozenset()
    """Of ``HIDEABLE``."""
    zoomed: str = ""
    """The panel, of ``PANELS``, that has all the room; empty for none."""
    left_width: int | None = None
    """Cells of the left column, where there is one."""
    chart_height: int | None = None
    """Rows of the chart, where it stands with the table."""

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Arrangement:
        """What ``plain`` has given; anything that is not understood is left out."""
        hidden, zoomed = values.get("hidden"), values.get("zoomed")
        return cls(
            frozenset(each for each in HIDEABLE if isinstance(hidden, list) and each in hidden),
            zoomed if isinstance(zoomed, str) and zoomed in PANELS else "",
            _length(values.get("left_width")),
            _length(values.get("chart_height")),
        )

    def plain(self) -> dict[str, object]:
        """As plain values to be remembered."""
        return {
            "hidden": sorted(self.hidden),
            "zoomed": self.zoomed,
            "left_width": self.left_width,
            "chart_height": self.chart_height,
        }

    def toggled(self, panel: str) -> Arrangement:
        """With a panel hidden, or shown again."""
        return replace(self, hidden=self.hidden ^ {panel}, zoomed="")


def _length(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000 else None


BUILT_IN = {
    mark("all panels"): Arrangement(),
    mark("table and chart"): Arrangement(frozenset({"states", "explain"})),
    mark("table and states"): Arrangement(frozenset({"explain", "history"})),
    mark("table alone"): Arrangement(frozenset(HIDEABLE)),
}
"""Layouts by name, said by ``tr``."""


@dataclass(frozen=True)
class Plan:
    """What to place: the middle panel of a small screen, whether there is a line of trouble, the person's wishes."""

    centre: Centre = "table"
    has_notice: bool = False
    prompt_rows: int = 0
    arrangement: Arrangement = Arrangement()

    def shows(self, panel: str) -> bool:
        """Whether the person wants to see a panel where there is room."""
        return panel not in self.arrangement.hidden


def regions(size: Size, plan: Plan) -> dict[str, Region]:
    """The region of each panel, by widget id; a panel that is not in it is not shown.

    Below the header stands the verdict, and below that what cannot be seen; they share a line where lines are few.
    From 110 x 30 the states have a column of their own with the explanation below, and the chart lies under the table.
    Narrower, the states lie on top in two columns; the middle holds one panel at a time, and where the screen is tall
    the chart and the explanation follow below it.
    """
    if size.width < SMALLEST.width or size.height < SMALLEST.height:
        rest, prompt = size.region.split_horizontal(max(size.height - plan.prompt_rows, 0))
        return {"too-small": rest, "prompt": prompt} if plan.prompt_rows else {"too-small": rest}
    bottom = max(plan.prompt_rows, 1)
    placed = {"header": Region(0, 0, size.width, 1), **_said(size, plan)}
    top = max(region.bottom for region in placed.values())
    placed["prompt" if plan.prompt_rows else "keys"] = Region(0, size.height - bottom, size.width, bottom)
    body = Region(0, top, size.width, size.height - top - bottom)
    return placed | _panels(size, body, plan)


def _said(size: Size, plan: Plan) -> dict[str, Region]:
    """Verdict and notice."""
    line = Region(0, 1, size.width, 1)
    if not plan.has_notice:
        return {"verdict": line}
    if size.height < LEAST_ROWS_FOR_TWO:
        verdict, notice = line.split_vertical(size.width * 3 // 5)
        return {"verdict": verdict, "notice": notice}
    return {"verdict": line, "notice": line.translate((0, 1))}


def _panels(size: Size, body: Region, plan: Plan) -> dict[str, Region]:
    zoomed = plan.arrangement.zoomed
    if zoomed:
        return {"detail" if zoomed == "table" and plan.centre == "detail" else zoomed: body}
    if has_room_for_all(size):
        return _wide(body, plan)
    return _tall(body, plan) if has_room_below(size) else _compact(body, plan)


def _compact(body: Region, plan: Plan) -> dict[str, Region]:
    """The states in two columns, two lines that explain, and one panel."""
    placed, rest = _states_on_top(body, plan)
    if rest.height < LEAST_TABLE_ROWS or plan.centre in ("explain", "detail") or not plan.shows("explain"):
        return placed | {plan.centre: rest}
    gist, rest = rest.split_horizontal(GIST_ROWS)
    return placed | {"gist": gist, plan.centre: rest}


def _states_on_top(body: Region, plan: Plan) -> tuple[dict[str, Region], Region]:
    """The states, unless they are hidden, and the room below."""
    if not plan.shows("states"):
        return {}, body
    states, rest = body.split_horizontal(STATE_ROWS // 2 + BORDER)
    return {"states": states}, rest


def _tall(body: Region, plan: Plan) -> dict[str, Region]:
    """One below the other: states, gist, table or one connection of it, chart, and explanation where it has room."""
    centre = "detail" if plan.centre == "detail" else "table"
    placed, rest = _states_on_top(body, plan)
    if plan.shows("history"):
        height = _chart_height(rest, plan, max(LEAST_CHART_ROWS, rest.height // 4))
        rest, placed["history"] = rest.split_horizontal(rest.height - height)
    if plan.shows("explain"):
        if rest.height >= LEAST_TABLE_ROWS * 2 + LEAST_EXPLAIN_ROWS:
            rest, placed["explain"] = rest.split_horizontal(max(rest.height // 2, LEAST_TABLE_ROWS))
        else:
            placed["gist"], rest = rest.split_horizontal(GIST_ROWS)
    return placed | {centre: rest}


def _wide(body: Region, plan: Plan) -> dict[str, Region]:
    """The states and what they mean on the left; on the right the table, or one connection of it, and the chart."""
    centre = "detail" if plan.centre == "detail" else "table"
    placed = {}
    right = body
    if plan.shows("states") or plan.shows("explain"):
        wanted = plan.arrangement.left_width or max(42, min(58, body.width * 3 // 10))
        left, right = body.split_vertical(max(LEAST_LEFT, min(wanted, body.width - LEAST_RIGHT)))
        if not plan.shows("explain"):
            placed["states"] = left
        elif not plan.shows("states"):
            placed["explain"] = left
        else:
            placed["states"], placed["explain"] = left.split_horizontal(STATE_ROWS + BORDER)
    if plan.shows("history"):
        height = _chart_height(right, plan, max(STATE_ROWS + BORDER, right.height // 4 + 2))
        placed[centre], placed["history"] = right.split_horizontal(right.height - height)
    else:
        placed[centre] = right
    return placed


def _chart_height(room: Region, plan: Plan, usual: int) -> int:
    """As high as it is wanted, as long as it can be read and the table too."""
    wanted = plan.arrangement.chart_height or usual
    return max(LEAST_CHART_ROWS, min(wanted, room.height - LEAST_TABLE_ROWS - GIST_ROWS))


def has_room_for_all(size: Size) -> bool:
    """Whether table, explanation and chart stand side by side."""
    return size.width >= 110 and size.height >= 30


def has_room_below(size: Size) -> bool:
    """Whether the chart stands below the table on a screen that is not wide."""
    return size.height >= 36


_TOO_SMALL = mark(
    "{width}×{height} is too small\nmake it {least_width}×{least_height} or larger\n"
    "{quit} leaves; tcptui snapshot needs no room"
)


class TooSmall(Static):
    """What to say when the terminal is too small."""

    def __init__(self, id: str, keymap: Keymap) -> None:
        super().__init__(id=id)
        self._keymap = keymap

    def on_resize(self) -> None:
        size = self.app.size
        text = self._keymap.say(
            _TOO_SMALL,
            width=size.width,
            height=size.height,
            least_width=SMALLEST.width,
            least_height=SMALLEST.height,
        )
        self.update(Content(text), layout=False)


class PanelLayout(Layout):
    """Places children by id as ``regions`` says; the others are left out."""

    name = "panels"

    def __init__(self) -> None:
        self.plan = Plan()
        self.size = Size(0, 0)

    @property
    def has_room_for_all(self) -> bool:
        """Whether table, explanation and chart stand side by side."""
        return has_room_for_all(self.size)

    @property
    def has_room_for_chart(self) -> bool:
        """Whether the chart stands with the table, unless it is hidden."""
        return has_room_for_all(self.size) or has_room_below(self.size)

    def shows(self, panel: str) -> bool:
        """Whether a panel has a place."""
        return panel in regions(self.size, self.plan)

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:  # noqa: FBT001, FBT002
        placed = regions(size, self.plan)
        self.size = size
        return [
            WidgetPlacement(placed[child.id], child.styles.offset.resolve(size, size), child.styles.margin, child)
            for child in children
            if child.id in placed
        ]


class PanelScreen(Screen[None]):
    """The screen that the panels are on."""

    def __init__(self) -> None:
        super().__init__()
        self.panel_layout = PanelLayout()

    @property
    def layout(self) -> Layout:
        """Ours: the style property takes names of Textual's own layouts only."""
        return self.panel_layout

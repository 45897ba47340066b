"""Where the panels go, for any size of terminal."""

from dataclasses import dataclass
from typing import Literal

from textual.content import Content
from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tcptui.language import tr

SMALLEST = Size(60, 16)
"""Below this the screen says so instead of showing panels."""

STATE_ROWS = 10
BORDER = 2
PROMPT_ROWS = 3

Centre = Literal["table", "explain", "history", "detail"]
"""Which panel has the middle of a screen that has room for one; of a larger one only "detail" has it in its place."""


@dataclass(frozen=True)
class Plan:
    """What to place: the middle panel of a small screen, and whether a line of trouble is shown."""

    centre: Centre = "table"
    has_notice: bool = False
    prompt_rows: int = 0
    shows_history: bool = True


def regions(size: Size, plan: Plan) -> dict[str, Region]:
    """The region of each panel, by widget id; a panel that is not in it is not shown.

    From 110 x 30 the states have a column of their own with the explanation below, and the chart lies under the table;
    smaller, the states lie on top in two columns and the middle holds one panel at a time.
    """
    if size.width < SMALLEST.width or size.height < SMALLEST.height:
        rest, prompt = size.region.split_horizontal(max(size.height - plan.prompt_rows, 0))
        return {"too-small": rest, "prompt": prompt} if plan.prompt_rows else {"too-small": rest}
    bottom = max(plan.prompt_rows, 1)
    top = 1 + plan.has_notice
    placed = {"header": Region(0, 0, size.width, 1)}
    if plan.has_notice:
        placed["notice"] = Region(0, 1, size.width, 1)
    placed["prompt" if plan.prompt_rows else "keys"] = Region(0, size.height - bottom, size.width, bottom)
    body = Region(0, top, size.width, size.height - top - bottom)
    return placed | (_wide(body, plan) if has_room_for_all(size) else _compact(body, plan))


def _compact(body: Region, plan: Plan) -> dict[str, Region]:
    """The states in two columns, two lines that explain, and one panel."""
    states, rest = body.split_horizontal(STATE_ROWS // 2 + BORDER)
    if rest.height < 8 or plan.centre in ("explain", "detail"):
        return {"states": states, plan.centre: rest}
    gist, rest = rest.split_horizontal(2)
    return {"states": states, "gist": gist, plan.centre: rest}


def _wide(body: Region, plan: Plan) -> dict[str, Region]:
    """The states and what they mean on the left; on the right the table, or one connection of it, and the chart."""
    centre = "detail" if plan.centre == "detail" else "table"
    left, right = body.split_vertical(max(42, min(58, body.width * 3 // 10)))
    placed = {}
    placed["states"], placed["explain"] = left.split_horizontal(STATE_ROWS + BORDER)
    if plan.shows_history:
        placed[centre], placed["history"] = right.split_horizontal(
            right.height - max(STATE_ROWS + BORDER, right.height // 4 + 2)
        )
    else:
        placed[centre] = right
    return placed


def has_room_for_all(size: Size) -> bool:
    """Whether table, explanation and chart stand side by side."""
    return size.width >= 110 and size.height >= 30


class TooSmall(Static):
    """What to say when the terminal is too small."""

    def on_resize(self) -> None:
        size = self.app.size
        text = tr(
            "{width}×{height} is too small\nmake it {least_width}×{least_height} or larger",
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
        self.has_room_for_all = False

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:  # noqa: FBT001, FBT002
        placed = regions(size, self.plan)
        self.has_room_for_all = has_room_for_all(size)
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

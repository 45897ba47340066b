"""Where panels stand at any size, and what a person does with them."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region, Size

from tcptui.config.remembered import Remembered
from tcptui.sources.demo import DemoSource
from tcptui.tui.arranger import Arranger
from tcptui.tui.layout import BUILT_IN, HIDEABLE, PANELS, SMALLEST, Arrangement, Plan, regions
from tcptui.tui.preferences import Preferences
from tests.support.screens import RunningScreen, running_screen
from tests.tui.test_behaviour import play

sizes = st.builds(Size, st.integers(1, 320), st.integers(1, 120))
arrangements = st.builds(
    Arrangement,
    st.frozensets(st.sampled_from(HIDEABLE)),
    st.sampled_from(("", *PANELS)),
    st.none() | st.integers(1, 400),
    st.none() | st.integers(1, 200),
)
plans = st.builds(
    Plan,
    st.sampled_from(("table", "explain", "history", "detail")),
    st.booleans(),
    st.sampled_from((0, 3)),
    arrangements,
)


@given(sizes, plans)
def test_panels_cover_the_screen_once(size: Size, plan: Plan) -> None:
    placed = [region for region in regions(size, plan).values() if region.area]
    assert all(size.region.contains_region(region) for region in placed)
    assert sum(region.area for region in placed) == size.area
    assert all(not one.overlaps(other) for one in placed for other in placed if one is not other)


@given(sizes, plans)
def test_every_panel_can_be_read(size: Size, plan: Plan) -> None:
    placed = regions(size, plan)
    least = {"table": (40, 6), "detail": (40, 6), "history": (40, 6), "states": (28, 3), "explain": (28, 5)}
    for name, region in placed.items():
        width, height = least.get(name, (0, 0))
        assert (region.width, region.height) >= (0, 0)
        if size.width >= SMALLEST.width and size.height >= SMALLEST.height and not plan.arrangement.zoomed:
            assert region.width >= width
            assert region.height >= height or size.height < 24


@given(sizes, plans)
def test_what_is_hidden_has_no_place_unless_it_is_asked_for(size: Size, plan: Plan) -> None:
    asked_for = {plan.centre, plan.arrangement.zoomed}
    assert not (set(regions(size, plan)) & plan.arrangement.hidden) - asked_for


@given(arrangements)
def test_an_arrangement_is_remembered(arrangement: Arrangement) -> None:
    assert Arrangement.of(arrangement.plain()) == arrangement


@given(
    st.dictionaries(
        st.sampled_from(("hidden", "zoomed", "left_width", "chart_height")),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
        ),
    )
)
def test_anything_may_stand_in_the_file(values: dict[str, object]) -> None:
    regions(Size(120, 40), Plan(arrangement=Arrangement.of(values)))


def placed(running: RunningScreen) -> dict[str, Region]:
    layout = running.app._panel_screen.panel_layout
    return regions(layout.size, layout.plan)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (70, 60), (120, 40), (200, 60)])
def test_a_panel_takes_all_the_room_and_gives_it_back(size: tuple[int, int]) -> None:
    async def scenario(running: RunningScreen) -> None:
        usual = placed(running)
        await running.press("z")
        assert set(placed(running)) <= {"header", "verdict", "notice", "table", "keys"}
        await running.press("z")
        assert placed(running) == usual
        await running.press("0", "z")
        assert "states" in placed(running)
        assert "table" not in placed(running)
        await running.press("escape")
        assert placed(running) == usual

    play(scenario, size=size)


def test_a_zoomed_table_goes_on_working() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("z", "2")
        await running.wait_for("[2 Processes]")
        assert "states" not in placed(running)
        await running.press("enter")
        await running.wait_for("[6 Connections]")
        await running.press("escape")
        await running.wait_for("[2 Processes]")
        await running.press("escape")
        assert "states" in placed(running)

    play(scenario, size=(120, 40))


def test_another_view_leaves_a_zoomed_explanation() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("x", "z")
        assert "table" not in placed(running)
        await running.press("3")
        await running.wait_for("[3 Services]")

    play(scenario, size=(120, 40))


def test_panels_are_hidden_from_the_list_by_key_enter_and_click() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("X")
        await running.wait_for("● show states")
        await running.press("1")
        assert "states" not in placed(running)
        await running.press("X")
        await running.wait_for("○ show states")
        await running.press("down", "enter")
        assert not {"states", "explain"} & set(placed(running))
        await running.press("X", "up", "up")
        line = next(y for y, text in enumerate(running.text.splitlines()) if "all panels" in text)
        await running.pilot.click(offset=(60, line))
        await running.pilot.pause()
        assert {"states", "explain", "history"} <= set(placed(running))
        await running.press("X", "escape")
        await running.wait_for(lambda text: "show states" not in text)

    play(scenario, size=(120, 40))


def test_layouts_one_after_the_other() -> None:
    async def scenario(running: RunningScreen) -> None:
        seen = []
        for _ in BUILT_IN:
            await running.press("L")
            seen.append(running.app.plan.arrangement)
            await running.wait_for("layout: ")
        assert set(seen) == set(BUILT_IN.values())

    play(scenario, size=(120, 40))


def test_edges_are_moved_as_far_as_there_is_room() -> None:
    async def scenario(running: RunningScreen) -> None:
        left, chart = placed(running)["table"].x, placed(running)["history"].height
        await running.press(">", "}")
        assert placed(running)["table"].x == left + 4
        assert placed(running)["history"].height == chart + 2
        await running.press("<", "<", "{", "{")
        assert placed(running)["table"].x == left - 4
        assert placed(running)["history"].height == chart - 2
        await running.press(*["<"] * 10)
        await running.wait_for("no room to move that edge")
        assert placed(running)["states"].width >= 30

    play(scenario, size=(120, 40))


def test_on_a_small_screen_there_is_no_edge() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press(">")
        await running.wait_for("no room to move that edge")

    play(scenario)


def test_an_explanation_that_is_hidden_comes_back_when_it_is_asked_for() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("X", "2")
        assert "explain" not in placed(running)
        await running.press("x")
        assert "explain" in placed(running)

    play(scenario, size=(120, 40))


def test_the_arrangement_is_there_in_the_next_run(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")

    async def run(keys: list[str]) -> Arrangement:
        async with running_screen(DemoSource("leak"), size=(120, 40), remembered=Remembered(path)) as running:
            await running.press(*keys)
            return running.app.plan.arrangement

    first = asyncio.run(run(["X", "1", ">", "}"]))
    assert first != Arrangement()
    assert asyncio.run(run([])) == first


# -- Layouts of one's own ----------------------------------------------------------------------------------------------

OWN_LAYOUTS = Preferences(layouts={"mine": {"hidden": ["states"], "left_width": 50, "chart_height": 14}})


def test_configured_layouts_are_on_the_way_and_in_the_list() -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), preferences=OWN_LAYOUTS) as running:
            await running.press(*["L"] * len(BUILT_IN))
            await running.wait_for("layout: mine")
            assert "states" not in placed(running)
            assert placed(running)["explain"].width == 50
            assert placed(running)["history"].height == 14
            await running.press("X")
            await running.wait_for("● layout: mine")

    asyncio.run(run())


def test_a_layout_is_saved_offered_in_the_next_run_and_forgotten(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")

    async def save() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), remembered=Remembered(path)) as running:
            await running.press("c", "X")
            await choose(running, "save this layout as")
            await running.wait_for("name of the layout:")
            await running.press("enter")
            await running.wait_for("a name has 1 to 40 characters")
            await running.press(*"all panels", "enter")
            await running.wait_for("there is a layout of that name that stays")
            await running.press(*" but it", "enter")
            await running.wait_for("saved layout all panels but it")
            await running.press("c")

    async def use() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), remembered=Remembered(path)) as running:
            await running.press("X")
            await choose(running, "layout: all panels but it")
            assert "history" not in placed(running)
            await running.press("X")
            await choose(running, "forget layout: all panels but it")
            await running.press("X")
            assert "but it" not in running.text

    asyncio.run(save())
    asyncio.run(use())
    assert Remembered(path).section("layouts") == {}


async def choose(running: RunningScreen, text: str) -> None:
    """Choose a line of the list by its key."""
    await running.wait_for(text)
    line = next(line for line in running.text.splitlines() if text in line)
    key = line.partition(text)[0].split("│")[-1].split()[0]
    await running.press(key)


@given(st.dictionaries(st.text(max_size=50), st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=5))))
def test_any_layouts_may_stand_in_the_file(layouts: dict[str, dict[str, object]]) -> None:
    remembered = Remembered()
    remembered.remember("layouts", {**layouts, "no table": 3})
    arranger = Arranger(remembered, {})
    for choice in arranger.choices():
        if choice.id.startswith("layout "):
            arranger.choose(choice.id)

"""The screen goes back in time: freeze, step, and all panels show that moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np

from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import SocketTable
from tcptui.monitor.frame import Frame
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import FIRST_TAKEN_AT, DemoSource
from tests.support.screens import RunningScreen, running_screen

Scenario = Callable[[RunningScreen], Awaitable[None]]


def play(
    scenario: Scenario, *, samples: int = 6, size: tuple[int, int] = (120, 40), source: DemoSource | None = None
) -> None:
    async def run() -> None:
        async with running_screen(source or DemoSource("leak"), size=size, samples=samples) as running:
            await scenario(running)

    asyncio.run(run())


def clock(second: int) -> str:
    """What the header says of a sample."""
    return (FIRST_TAKEN_AT.replace(second=FIRST_TAKEN_AT.second + second)).astimezone().strftime("%H:%M:%S")


def header(running: RunningScreen) -> str:
    return running.text.partition("\n")[0]


def footer(running: RunningScreen) -> str:
    return running.text.splitlines()[-1]


def panels(running: RunningScreen) -> str:
    """The states and the table, without trends, which belong to the present."""
    return "\n".join(line[:112] for line in running.text.splitlines()[3:12])


def test_each_sample_is_on_the_screen_again_as_it_was() -> None:
    async def scenario(running: RunningScreen) -> None:
        were = []
        for _ in range(4):
            await running.take_samples(1)
            were.append(panels(running))
        await running.press("space")
        await running.wait_for("‖ paused")
        for ago, was in enumerate(reversed(were[:-1]), start=1):
            await running.press("left")
            await running.wait_for(f"‖ {clock(9 - ago)} · {ago}s ago")
            assert panels(running) == was
        await running.press("right", "right")
        await running.wait_for(f"‖ {clock(8)} · 1s ago")
        assert panels(running) == were[-2]
        await running.press("space")
        await running.wait_for("● live")
        assert panels(running) == were[-1]

    play(scenario)


def test_the_clock_goes_on_and_so_do_the_samples() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("space", "left", "left")
        await running.wait_for(f"‖ {clock(3)} · 2s ago")
        await running.take_samples(3)
        await running.wait_for(f"‖ {clock(3)} · 5s ago")
        await running.press("right", "right", "right")
        await running.wait_for(f"‖ {clock(6)} · 2s ago")
        await running.press("right_parenthesis")
        await running.wait_for("‖ paused")
        await running.press("left_parenthesis")
        await running.wait_for(f"‖ {clock(0)} · 8s ago")

    play(scenario)


def test_a_minute_at_once_pauses_by_itself() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("left_square_bracket")
        await running.wait_for(f"‖ {clock(9)} · 1m00s ago")
        await running.press("shift+right")
        await running.wait_for("‖ paused")
        await running.press("ctrl+home")
        await running.wait_for("1m09s ago")
        await running.press("ctrl+end")
        await running.wait_for("‖ paused")

    play(scenario, samples=70)


def test_sideways_is_to_another_state_while_samples_go_on() -> None:
    async def scenario(running: RunningScreen) -> None:
        state = running.app.highlighted
        await running.press("right")
        assert running.app.highlighted is not state
        await running.press("left")
        assert running.app.highlighted is state
        await running.press("space", "right", "left", "left")  # there is nothing after the newest
        await running.wait_for("2s ago")
        assert running.app.highlighted is state
        await running.press("l")
        assert running.app.highlighted is not state
        await running.press("h")
        assert running.app.highlighted is state

    play(scenario)


def test_views_filters_and_what_is_opened_are_of_the_moment() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("6")
        await running.wait_for("[6 Connections]")
        await running.press("space", "left", "left", "left")
        await running.wait_for("3s ago")
        await running.press("2")
        await running.wait_for("[2 Processes]")
        await running.press("enter")
        await running.wait_for("[6 Connections]")
        await running.press("slash", "ctrl+u", *"state established", "enter")
        await running.wait_for("filter: state established")
        await running.press("S", "enter")
        await running.wait_for("not asked for")
        assert "3s ago" in running.text
        frame = frame_of(running)
        assert frame.sample.monotonic_s == 2
        assert frame.watch is not None
        assert frame.watch.row is not None
        await running.press("right")
        await running.wait_for("2s ago")
        assert "Esc back" in running.text
        await running.press("space")
        await running.wait_for("● live")
        await running.take_samples(2)
        await running.wait_for(lambda text: "not asked for" not in text)

    play(scenario)


def frame_of(running: RunningScreen) -> Frame:
    assert running.app.presentation is not None
    assert running.app.presentation.frame is not None
    return running.app.presentation.frame


def test_a_click_into_the_chart_goes_to_that_moment() -> None:
    async def scenario(running: RunningScreen) -> None:
        panel = running.app._history
        await running.press("space")
        await running.wait_for("‖ paused")
        y = panel.content_region.y + 1
        for cell in (panel._plot[-5], panel._plot[-8]):
            await running.pilot.click(offset=(panel.content_region.x + cell, y))
            await running.wait_for("s ago")
            assert panel._cursor_cell is not None
            assert abs(panel._cursor_cell - cell) <= 1
        await running.press("home")
        await running.wait_for("5s ago")
        await running.press("end")
        await running.wait_for("‖ paused")

    play(scenario, size=(160, 40))


def test_the_bottom_line_tells_the_keys_that_go_through_time() -> None:
    async def scenario(running: RunningScreen) -> None:
        before = footer(running)
        await running.press("space")
        await running.wait_for("← back  → forward  Space go on")
        y = len(running.text.splitlines()) - 1
        await running.pilot.click(offset=(3, y))
        await running.wait_for("1s ago")
        await running.pilot.click(offset=(footer(running).index("go on"), y))
        await running.wait_for("● live")
        assert footer(running) == before

    play(scenario)


class Crowded(DemoSource):
    """So many sockets that every other sample's rows are not kept."""

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        first = super().sample(request)
        rows = np.repeat(first.table.rows[-1:], 100_500)
        rows["cookie"] = np.arange(1, len(rows) + 1)
        rows["state"][: int(first.monotonic_s)] = TcpState.CLOSE_WAIT
        return replace(first, table=SocketTable(rows))


def test_a_moment_without_rows_says_so_and_where_there_are_some() -> None:
    async def scenario(running: RunningScreen) -> None:
        panel = running.app._history
        await running.press("space")
        await running.wait_for("‖ paused")
        running.app._go_to(to_s=1.0)
        await running.wait_for("The rows of this moment are not kept")
        assert f"← leads to those of {clock(0)}" in running.text
        assert f"→ to those of {clock(2)}" in running.text
        assert frame_of(running).state_count(TcpState.CLOSE_WAIT) == 1
        assert panel._point is not None
        await running.press("left")
        await running.wait_for(f"‖ {clock(0)}")
        assert "not kept" not in running.text

    play(scenario, source=Crowded("leak"))

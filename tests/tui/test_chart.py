"""The chart: what is drawn and how often, its cursor, its window, its series."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from textual.events import MouseScrollDown, MouseScrollUp

from tcptui.config.remembered import Remembered
from tcptui.model.history import STRETCHES, History, HistoryView
from tcptui.model.sample import Sample
from tcptui.model.states import DISPLAY_ORDER, STATE_COUNT, TcpState
from tcptui.model.table import SocketTable
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import DemoSource
from tcptui.tui.chart import LONGEST_WAIT_S, ChartSettings, Drawing, draw_chart, stretch_of
from tcptui.tui.chart_choice import GLYPHS, WINDOWS_S, ChartChoice, ChartChooser, length_text
from tests.support.screens import RunningScreen, running_screen

WIDE = (160, 40)
"""A column of the chart of a minute is shorter than a second there, so that each sample has its own."""
COLOURS = dict.fromkeys(DISPLAY_ORDER, (1, 2, 3))


def course_of(seconds: list[float], counts: Callable[[int], dict[TcpState, int]], capacity: int = 3600) -> HistoryView:
    history = History(capacity)
    for number, second in enumerate(seconds):
        row = np.zeros(STATE_COUNT, np.int64)
        for state, count in counts(number).items():
            row[state] = count
        history.append(second, row)
    return history.view()


def established(count: int) -> dict[TcpState, int]:
    return {TcpState.ESTABLISHED: count}


def settings(width: int = 69, height: int = 14, *, is_logarithmic: bool = False) -> ChartSettings:
    return ChartSettings(width, height, is_logarithmic, TcpState.ESTABLISHED, frozenset(GLYPHS), "now")


def drawn(course: HistoryView, window_s: int | None = None, cursor_s: float | None = None) -> Drawing:
    return draw_chart(course, stretch_of(course, 69, window_s, cursor_s), settings(), COLOURS)


# -- What is drawn -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span_s", "window_s"),
    [(0, 60), (60, 60), (61, 300), (901, 1800), (3599, 3600), (3601, 10_800), (40_000, 43_200), (200_000, 86_400)],
)
def test_the_shortest_window_that_holds_all_there_is_is_chosen(span_s: int, window_s: int) -> None:
    course = course_of([1000.0, 1000.0 + span_s], lambda _: established(1))
    assert stretch_of(course, 69).window_s == window_s
    assert stretch_of(course, 69, 300).window_s == 300


@given(
    st.lists(st.sampled_from((0.2, 1.0, 3.0, 40.0)), min_size=2, max_size=300),
    st.sampled_from(WINDOWS_S),
    st.integers(20, 200),
)
def test_every_column_shows_the_most_that_was_in_it(steps: list[float], window_s: int, width: int) -> None:
    times = np.cumsum(steps)
    course = course_of(times.tolist(), lambda number: established(number * 37 % 101), capacity=50)
    stretch = stretch_of(course, width, window_s)
    drawing = draw_chart(course, stretch, settings(width), COLOURS)
    expected: dict[int, int] = {}
    for time_s, peak in zip(course.monotonic_s.tolist(), course.peaks[:, TcpState.ESTABLISHED].tolist(), strict=True):
        column = math.floor(time_s / stretch.column_s)
        if stretch.end - stretch.columns <= column < stretch.end and time_s <= stretch.until_s:
            expected[column] = max(expected.get(column, 0), peak)
    assert drawing.counts[:, TcpState.ESTABLISHED].tolist() == [expected[column] for column in sorted(expected)]
    assert (np.diff(drawing.times_s) > 0).all()
    assert bool(drawing.text) == bool(expected)


def test_a_peak_of_long_ago_is_still_to_be_seen_a_day_later() -> None:
    """In the window of 24 hours, of a history that keeps older samples by stretches of time."""
    course = course_of(
        [float(second * 5) for second in range(17_000)], lambda number: established(9_000 if number == 4000 else 10)
    )
    assert len(course) < 3600 + STRETCHES
    drawing = drawn(course, 86_400)
    peak = int(drawing.counts[:, TcpState.ESTABLISHED].argmax())
    assert drawing.counts[peak, TcpState.ESTABLISHED] == 9_000
    assert abs(drawing.times_s[peak] - 20_000) < 86_400 / 60


@given(st.floats(0, 5000), st.sampled_from(WINDOWS_S))
def test_whatever_is_read_is_in_sight(cursor_s: float, window_s: int) -> None:
    course = course_of([0.0, 5000.0], lambda _: established(1))
    stretch = stretch_of(course, 69, window_s, cursor_s)
    last_s = stretch_of(course, 69, window_s).end_s
    assert cursor_s >= min(last_s, stretch.end_s) - window_s - 1e-6
    assert cursor_s <= stretch.end_s or stretch.end_s == last_s


def test_a_chart_without_any_series_is_an_empty_one() -> None:
    course = course_of([0.0, 1.0, 2.0, 3.0], lambda _: established(5))
    nothing = replace(settings(), shown=frozenset())
    assert "┌" in draw_chart(course, stretch_of(course, 69), nothing, COLOURS).text


def test_lengths_of_time() -> None:
    assert [length_text(each) for each in WINDOWS_S] == [
        *("1 min", "5 min", "15 min", "30 min", "1 h", "3 h", "6 h", "12 h", "24 h"),
    ]
    assert [length_text(each) for each in (0.5, 12.345, 75)] == ["0.5 s", "12.3 s", "1.25 min"]


# -- What is chosen ----------------------------------------------------------------------------------------------------


def test_what_is_chosen_is_remembered(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    chooser = ChartChooser(Remembered(path))
    for choice_id in ("window 900", "log", "TIME_WAIT", "LISTEN", "LISTEN"):
        chooser.choose(choice_id)
    expected = ChartChoice(900, frozenset({TcpState.TIME_WAIT}), is_logarithmic=True)
    assert chooser.choice == expected
    assert ChartChooser(Remembered(path)).choice == expected
    chooser.choose("window")
    chooser.choose("only")
    assert ChartChooser(Remembered(path)).choice == replace(expected, window_s=None, shows_only_highlighted=True)
    chooser.choose("TIME_WAIT")
    assert chooser.choice == ChartChoice(is_logarithmic=True)


words = st.sampled_from(("", "TIME_WAIT", "LISTEN", "yes"))
json_values = st.one_of(st.none(), st.booleans(), st.integers(-1, 100_000), words, st.lists(words, max_size=3))


@given(st.dictionaries(st.sampled_from(list(ChartChoice().plain())), json_values))
def test_whatever_stands_in_the_file_a_choice_comes_out(values: dict[str, object]) -> None:
    choice = ChartChoice.of(values)
    assert ChartChoice.of(choice.plain()) == choice
    assert choice.window_s is None or choice.window_s in WINDOWS_S


def test_zooming_ends_at_both_ends() -> None:
    chooser = ChartChooser(Remembered())
    seen = [60]
    while chooser.zoom(1, seen[-1]):
        seen.append(chooser.choice.window_s or 0)
    assert seen == list(WINDOWS_S)
    while chooser.zoom(-1, seen[-1]):
        seen.append(chooser.choice.window_s or 0)
    assert seen[len(WINDOWS_S) :] == list(WINDOWS_S)[-2::-1]


# -- On the screen -----------------------------------------------------------------------------------------------------

Scenario = Callable[[RunningScreen], Awaitable[None]]


def play(
    scenario: Scenario, *, samples: int = 8, size: tuple[int, int] = WIDE, remembered: Remembered | None = None
) -> None:
    async def run() -> None:
        source = DemoSource("leak")
        async with running_screen(source, size=size, samples=samples, remembered=remembered) as running:
            await scenario(running)

    asyncio.run(run())


def title_of(running: RunningScreen) -> str:
    return next(line for line in running.text.splitlines() if "History" in line).partition("History")[2].rstrip("─╮")


def legend_of(running: RunningScreen) -> dict[str, int]:
    """The counts beside the chart."""
    counts = {}
    lines = running.text.splitlines()
    for line in lines[next(y for y, line in enumerate(lines) if "History" in line) :]:
        words = line.rstrip("│ ").rpartition("│")[2].split()
        if len(words) >= 2 and words[-2] in TcpState.__members__:
            counts[words[-2]] = int(words[-1].replace(",", ""))
    return counts


def marked_cell(running: RunningScreen) -> tuple[int, int] | None:
    """The cell of the screen that the cursor is in, at the upper edge of the chart."""
    panel = running.app._history
    for y in range(panel.content_size.height):
        x = 0
        for segment in panel.render_line(y):
            if segment.style is not None and segment.style.reverse:
                return panel.content_region.x + x, panel.content_region.y + y
            x += len(segment.text)
    return None


def highlighted(running: RunningScreen) -> str:
    return running.app.highlighted.name


def counts_at(running: RunningScreen, second: int) -> dict[str, int]:
    frame = running.app.presentation.frame if running.app.presentation else None
    assert frame is not None
    at = frame.course.monotonic_s.tolist().index(float(second))
    return {
        state.name: int(frame.course.counts[at, state]) for state in DISPLAY_ORDER if frame.course.counts[at, state]
    }


def test_the_cursor_reads_what_was_at_a_time() -> None:
    async def scenario(running: RunningScreen) -> None:
        assert legend_of(running) == counts_at(running, 7)
        await running.press("H", "left")
        assert running.app._history.has_focus
        assert legend_of(running) == counts_at(running, 6)
        cell = marked_cell(running)
        assert cell is not None
        await running.press("left", "left")
        assert legend_of(running) == counts_at(running, 4)
        moved = marked_cell(running)
        assert moved is not None
        assert moved[0] < cell[0]
        await running.press("home")
        assert legend_of(running) == counts_at(running, 0)
        await running.press("left")
        assert legend_of(running) == counts_at(running, 0)
        await running.press("end", "right")
        assert marked_cell(running) is None
        assert legend_of(running) == counts_at(running, 7)

    play(scenario)


def test_the_cursor_stays_at_its_time_while_samples_come_and_escape_takes_it_away() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("H", "left", "left")
        read = legend_of(running)
        title = title_of(running)
        assert " · at " in title
        await running.take_samples(4)
        assert legend_of(running) == read == counts_at(running, 5)
        assert title_of(running) == title
        await running.press("escape")
        assert " · at " not in title_of(running)
        assert running.app._history.has_focus
        await running.press("escape")
        assert running.app._table.has_focus

    play(scenario)


def test_a_click_sets_the_cursor_and_one_in_the_legend_highlights_a_state() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("H", "left", "left", "left")
        cell = marked_cell(running)
        assert cell is not None
        read = legend_of(running)
        await running.press("end", "right", "escape")
        await running.pilot.click(offset=cell)
        await running.pilot.pause()
        assert running.app._history.has_focus
        assert legend_of(running) == read
        lines = running.text.splitlines()
        y = next(y for y, line in enumerate(lines) if "▲ TIME_WAIT" in line)
        await running.pilot.click(offset=(lines[y].index("▲ TIME_WAIT") + 4, y))
        await running.pilot.pause()
        assert highlighted(running) == "TIME_WAIT"
        await running.press("down")
        assert highlighted(running) == "CLOSE_WAIT"
        await running.press("h")
        assert highlighted(running) == "TIME_WAIT"

    play(scenario)


def test_the_window_is_zoomed_by_keys_and_by_the_wheel_and_comes_back_in_the_next_run(tmp_path: Path) -> None:
    remembered = Remembered(str(tmp_path / "state.json"))

    async def scenario(running: RunningScreen) -> None:
        assert "last 1 min" in title_of(running)
        await running.press("comma", "comma")
        assert "last 15 min" in title_of(running)
        await running.press("full_stop")
        assert "last 5 min" in title_of(running)
        await running.pilot._post_mouse_events([MouseScrollDown], running.app._history, (4, 4))
        await running.pilot.pause()
        assert "last 15 min" in title_of(running)
        for _ in range(2):
            await running.pilot._post_mouse_events([MouseScrollUp], running.app._history, (4, 4))
        await running.pilot.pause()
        assert "last 1 min" in title_of(running)
        await running.press("full_stop")
        await running.wait_for("the chart shows 1 min at least")
        await running.press(*["comma"] * 8)
        assert "last 24 h" in title_of(running)
        assert "● CLOSE" not in running.text
        assert "■" in running.text, "what there is shows at once, although no column is complete yet"
        await running.press("comma")
        await running.wait_for("the chart shows 24 h at most")

    async def later(running: RunningScreen) -> None:
        assert "last 24 h" in title_of(running)

    play(scenario, remembered=remembered)
    play(later, remembered=Remembered(str(tmp_path / "state.json")))


def test_series_are_chosen_from_a_list() -> None:
    async def scenario(running: RunningScreen) -> None:
        marks = GLYPHS[TcpState.ESTABLISHED], GLYPHS[TcpState.CLOSE_WAIT]
        assert all(mark in chart_text(running) for mark in marks)
        await running.press("C")
        await running.wait_for("only the highlighted state")
        await running.press("5")
        assert [mark in chart_text(running) for mark in marks] == [False, True]
        assert "ESTABLISHED" in legend_of(running), "its count is still told"
        await running.press("A")
        assert "only CLOSE_WAIT" in title_of(running)
        await running.press("l", "l", "h")
        assert f"only {running.app.highlighted.name}" in title_of(running)
        await running.press("A", "C", "5", "C", "g")
        assert all(mark in chart_text(running) for mark in marks)
        assert "last 15 min" in title_of(running)
        await running.press("C", "d")
        assert "last 1 min" in title_of(running)

    play(scenario)


def chart_text(running: RunningScreen) -> str:
    """The chart without its legend."""
    panel = running.app._history
    lines = [panel.render_line(y).text for y in range(panel.content_size.height)]
    return "\n".join(line[: panel._plot.stop + 1] for line in lines)


# -- How often ---------------------------------------------------------------------------------------------------------


def test_the_chart_is_drawn_only_when_a_column_is_complete_or_its_looks_change() -> None:
    async def scenario(running: RunningScreen) -> None:
        panel = running.app._history
        await running.press("comma")
        column_s = 300 / (panel.content_size.width - 23 - 9)
        drawn = panel.draw_count
        await running.take_samples(20)
        assert 20 // column_s - 1 <= panel.draw_count - drawn <= 20 // column_s + 1
        for keys in (
            ["H"],
            ["left"],
            ["left"],
            ["right"],
            ["home"],
            ["escape"],
            ["escape"],
            ["2"],
            ["1"],
            ["S"],
            ["down"],
        ):
            before = panel.draw_count
            await running.press(*keys)
            assert panel.draw_count == before, f"{keys} has nothing to do with the chart"
        for keys in (["a"], ["A"], ["A"], ["comma"], ["l"], ["C", "9"]):
            before = panel.draw_count
            await running.press(*keys)
            assert panel.draw_count == before + 1, keys

    play(scenario)


def test_a_wide_column_is_drawn_every_ten_seconds() -> None:
    async def scenario(running: RunningScreen) -> None:
        panel = running.app._history
        await running.press(*["comma"] * 8)
        drawn = panel.draw_count
        await running.take_samples(30)
        assert panel.draw_count - drawn == 30 / LONGEST_WAIT_S

    play(scenario)


def test_stepping_draws_the_chart_no_more_than_once() -> None:
    """Its cursor moves; the right edge says another thing when the screen is paused."""

    async def scenario(running: RunningScreen) -> None:
        panel = running.app._history
        drawn = panel.draw_count
        await running.press("space")
        await running.wait_for("‖ paused")
        assert panel.draw_count == drawn + 1
        for seconds in range(1, 6):
            await running.press("left")
            await running.wait_for(f"· {seconds}s ago")
        assert panel.draw_count == drawn + 1
        await running.take_samples(5)
        assert panel.draw_count == drawn + 1

    play(scenario)


def test_a_hidden_chart_is_not_drawn() -> None:
    async def scenario(running: RunningScreen) -> None:
        panel = running.app._history
        await running.press("c")
        drawn = panel.draw_count
        await running.take_samples(5)
        await running.press("a", "comma", "l")
        assert panel.draw_count == drawn

    play(scenario)


def test_history_of_an_hour_is_drawn_from_a_large_course_without_delay() -> None:
    class Still(DemoSource):
        """Time goes on by a minute from sample to sample, and nothing else changes."""

        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            first = super().sample(request)
            return replace(first, table=SocketTable(first.table.rows[:50]), monotonic_s=first.monotonic_s * 60)

    async def run() -> None:
        async with running_screen(Still("leak"), size=WIDE, samples=40) as running:
            assert "last 1 h" in title_of(running)
            await running.press("H", "home")
            assert legend_of(running) == counts_at(running, 0)

    asyncio.run(run())


def test_marks_take_one_cell_each() -> None:
    """The cursor is laid over cells by counting characters."""
    assert all(Text(mark).cell_len == 1 for mark in GLYPHS.values())

"""What is done with rows: marks, finding, copying, ways from row to row; and rows that come, grow and go."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.analysis.attribution import attributed
from tcptui.model.fields import FIELDS
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.monitor.view import View
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import DemoSource
from tcptui.tui.ghosts import Ghost, Lines
from tests.model.random_tables import Socket, sample_of
from tests.support.screens import RunningScreen, running_screen
from tests.tui.test_behaviour import cursor_line, newest_frame, play


class Scripted(DemoSource):
    """A second apart, so many connections at each local port as the script says."""

    def __init__(self, *script: Mapping[int, int]) -> None:
        super().__init__("calm")
        self._script = list(script)
        self._taken = 0

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        counts = self._script[min(self._taken, len(self._script) - 1)]
        self._taken += 1
        described = [
            Socket(local_port=port, cookie=port * 1000 + number)
            for port, count in counts.items()
            for number in range(count)
        ]
        return replace(attributed(sample_of(described)), monotonic_s=float(self._taken))


def play_script(
    scenario: Callable[[RunningScreen], object], *script: Mapping[int, int], samples: int = 1, view: str = "ports"
) -> None:
    async def run() -> None:
        async with running_screen(Scripted(*script), view=View().of_kind(view), samples=samples) as running:
            await scenario(running)  # type: ignore[misc]

    asyncio.run(run())


def row_with(running: RunningScreen, text: str) -> str:
    return next((line for line in running.text.splitlines() if text in line), "")


# -- Rows that come, grow and go ---------------------------------------------------------------------------------------

STEADY = {22: 4, 80: 50, 443: 50}


def test_a_row_that_is_gone_stays_for_some_seconds_in_its_place() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.take_samples(1)
        lines = running.text.splitlines()
        gone = next(y for y, line in enumerate(lines) if "−" in line and " 443 " in line)
        assert " 80 " in lines[gone - 1]
        assert "1 of 2" in running.text
        await running.take_samples(4)
        assert not row_with(running, " 443 ")

    play_script(scenario, STEADY, STEADY, {22: 4, 80: 50}, samples=2)


def test_the_cursor_goes_past_rows_that_are_gone() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("down")
        await running.take_samples(1)
        assert cursor_line(running) == "443"
        await running.press("up")
        assert cursor_line(running) == "22"

    play_script(scenario, STEADY, STEADY, {22: 60, 443: 50}, samples=2)


def test_rows_that_another_filter_leaves_out_are_not_gone() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":22", "enter")
        await running.take_samples(1)
        assert "−" not in row_with(running, " 80 ")
        assert not row_with(running, " 80 ")

    play_script(scenario, STEADY, samples=2)


def test_rows_that_are_new_or_have_moved_are_marked() -> None:
    async def scenario(running: RunningScreen) -> None:
        for port, mark in ((22, " "), (80, "↑"), (443, "↓"), (8080, "+")):
            assert row_with(running, f" {port} ").strip("│").startswith(mark), running.text

    later = {22: 4, 80: 70, 443: 20, 8080: 1}
    play_script(scenario, *[STEADY] * 10, later, samples=11)


@given(st.lists(st.integers(0, 8)), st.integers(0, 8))
def test_every_row_and_ghost_has_a_line_of_its_own(places: list[int], count: int) -> None:
    ghosts = [Ghost({}, None, 0.0, min(place, count)) for place in sorted(places)]
    lines = Lines(ghosts, count)
    there = [lines.at(line) for line in range(len(lines) + 1)]
    assert [each for each in there if isinstance(each, int)] == list(range(count))
    assert [each for each in there if isinstance(each, Ghost)] == ghosts
    assert there[-1] is None
    assert all(there[lines.line_of(position)] == position for position in range(count))


# -- Marks -------------------------------------------------------------------------------------------------------------


def test_marked_rows_are_kept_to_and_copied() -> None:
    async def scenario(running: RunningScreen) -> None:
        first = cursor_line(running)
        await running.press("t", "down", "t")
        await running.wait_for("2 marked")
        assert row_with(running, f"◆{first}")
        await running.press("y")
        await running.wait_for("copied: 2 rows")
        assert running.app.clipboard.split("\t")[0] == first
        await running.press("F")
        await running.wait_for(f"filter: ( ( dst {first} ) or ( dst")
        assert len((await newest_frame(running)).order) == 2
        await running.press("escape")
        await running.wait_for(lambda text: "filter:" not in text)

    play(scenario)


def test_marks_go_with_their_rows_and_are_taken_away() -> None:
    async def scenario(running: RunningScreen) -> None:
        marked = cursor_line(running)
        await running.press("t", "S")
        await running.wait_for("TOTAL▲")
        await running.press("g", "n")
        assert cursor_line(running) == marked
        await running.press("T")
        await running.wait_for(lambda text: "marked" not in text)
        await running.press("n")
        await running.wait_for("nothing to go to")
        await running.press("F")
        await running.wait_for("no row is marked")

    play(scenario)


def test_one_row_and_the_whole_view_are_copied() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("down", "y")
        await running.wait_for("copied: 1 row")
        assert running.app.clipboard.split("\t")[0] == cursor_line(running)
        await running.press("Y")
        await running.wait_for("copied: the view with")
        assert running.app.clipboard.startswith("tcptui · ")
        assert cursor_line(running) in running.app.clipboard

    play(scenario)


# -- Finding -----------------------------------------------------------------------------------------------------------


def test_text_is_found_as_it_is_typed_and_followed_both_ways() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("f3", *"10.1.2.1")
        await running.wait_for(lambda _: cursor_line(running) == "10.1.2.1")
        await running.press("0")
        await running.wait_for(lambda _: cursor_line(running) == "10.1.2.10")
        await running.press("backspace", "enter")
        await running.wait_for("? explain")
        found: list[str] = []
        for _ in range(4):
            await running.press("n")
            await running.wait_for(lambda _: cursor_line(running) not in found[-1:])
            found.append(cursor_line(running))
        assert all("10.1.2.1" in peer for peer in found)
        await running.press("N")
        await running.wait_for(lambda _: cursor_line(running) == found[-2])

    play(scenario, size=(120, 40))


def test_what_no_row_shows_is_said_and_escape_goes_back() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("down", "down")
        before = cursor_line(running)
        await running.press("f3", *"10.1.2.1")
        await running.wait_for(lambda _: cursor_line(running) == "10.1.2.1")
        await running.press(*"zzz")
        await running.wait_for("no row shows 10.1.2.1zzz")
        await running.press("escape")
        await running.wait_for(lambda _: cursor_line(running) == before)

    play(scenario)


# -- Ways --------------------------------------------------------------------------------------------------------------


async def go(running: RunningScreen, to: str) -> None:
    await running.press("o")
    await running.wait_for("Go to")
    line = next(line for line in running.text.splitlines() if to in line and "│" in line)
    key = line[: line.index(to)].split()[-1]
    await running.press(key)


@pytest.mark.parametrize(
    ("to", "title", "key"), [("peer", "[1 ", "peer"), ("process", "[2 ", "process"), ("service", "[3 ", "service")]
)
def test_from_a_connection_to_what_it_belongs_to(to: str, title: str, key: str) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("6")
        await running.wait_for("[6 ")
        frame = await newest_frame(running)
        row = next(row for row in frame.order.tolist() if frame.grid.columns["state"][0][row] == TcpState.ESTABLISHED)
        running.app._table.go_to(frame.grid.identity(row))
        await running.pilot.pause()
        wanted = frame.grid.human(row, FIELDS["remote_address" if key == "peer" else key])
        await go(running, to)
        await running.wait_for(title)
        assert cursor_line(running) == wanted
        await running.press("escape")
        await running.wait_for("[6 ")
        now = await newest_frame(running)
        assert now.grid.identity(running.app._table.cursor_row or 0) == frame.grid.identity(row)

    play(scenario, size=(120, 40))


def test_from_a_connection_to_its_listener() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"sport = :8080 state established", "enter")
        await running.press("6")
        await running.wait_for("[6 ")
        await newest_frame(running)
        await go(running, "listener")
        await running.wait_for("[4 ")
        assert cursor_line(running).endswith(":8080")
        await running.wait_for(lambda text: "filter:" not in text)

    play(scenario)


def test_to_the_other_end_of_a_connection_on_this_machine() -> None:
    class Both(Scripted):
        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            one = Socket(local_port=40000, remote_port=80, cookie=1)
            other = Socket(local=one.remote, remote=one.local, local_port=80, remote_port=40000, cookie=2)
            self._taken += 1
            return replace(attributed(sample_of([one, other])), monotonic_s=float(self._taken))

    async def run() -> None:
        async with running_screen(Both({}), view=View().of_kind("connections")) as running:
            await go(running, "other end")
            frame = await newest_frame(running)
            await running.wait_for(lambda _: frame.grid.identity(running.app._table.cursor_row or 0)[0] == 2)

    asyncio.run(run())


def test_from_a_group_to_what_is_behind_it() -> None:
    async def scenario(running: RunningScreen) -> None:
        peer = cursor_line(running)
        await go(running, "by process")
        await running.wait_for("[2 ")
        await running.wait_for(f"filter: dst {peer}")
        await running.wait_for("Peers › ")
        await running.press("escape")
        await running.wait_for("[1 ")

    play(scenario, size=(120, 40))


def test_from_nowhere_there_is_no_way() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"10.99.99.99", "enter", "o")
        await running.wait_for("nowhere to go")

    play(scenario)


# -- Where one is ------------------------------------------------------------------------------------------------------


def test_the_way_down_is_told_and_gets_shorter_on_the_way_back() -> None:
    async def scenario(running: RunningScreen) -> None:
        peer = cursor_line(running)
        await running.press("enter")
        await running.wait_for(f"Peers › {peer} · 1 of")
        await running.press("f")
        await running.wait_for(f"Peers › {peer} › Connections › CLOSE_WAIT")
        await running.press("escape")
        await running.wait_for(f"Peers › {peer} · 1 of")
        await running.press("escape")
        await running.wait_for(lambda text: "›" not in text.splitlines()[-2])

    play(scenario, size=(120, 40))


def test_columns_are_ordered_by_their_number() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("alt+1")
        await running.wait_for("PEER▲")
        await running.press("alt+1")
        await running.wait_for("PEER▼")
        await running.press("alt+2")
        await running.wait_for("TOTAL▼")

    play(scenario)

"""What keys and the mouse do, through the real application."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tcptui.model.fields import FIELDS
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import SocketTable
from tcptui.monitor.frame import Frame
from tcptui.monitor.view import View
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import DemoSource
from tcptui.tui.commands import COMMANDS
from tcptui.tui.keymap import Keymap
from tests.support.screens import RunningScreen, running_screen

Scenario = Callable[[RunningScreen], Awaitable[None]]


def play(scenario: Scenario, *, scene: str = "leak", size: tuple[int, int] = (80, 24), samples: int = 3) -> None:
    async def run() -> None:
        async with running_screen(DemoSource(scene), size=size, samples=samples) as running:
            await scenario(running)

    asyncio.run(run())


def cursor_line(running: RunningScreen) -> str:
    """The table's row under the cursor, by the panel's own account."""
    table = running.app._table
    assert table.frame is not None
    assert table.cursor_row is not None
    return table.frame.grid.human(table.cursor_row, table.frame.view.kind.key)


def test_the_cursor_stays_on_its_row_when_the_order_changes() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("down", "down", "down", "down")
        peer = cursor_line(running)
        position = running.app._table._position
        await running.press("S")
        await running.wait_for("TOTAL▲")
        assert cursor_line(running) == peer
        assert running.app._table._position != position
        await running.take_samples(3)
        assert cursor_line(running) == peer

    play(scenario)


def test_an_untouched_cursor_stays_on_top() -> None:
    async def scenario(running: RunningScreen) -> None:
        first = cursor_line(running)
        await running.press("S")
        await running.wait_for("TOTAL▲")
        assert running.app._table._position == 0
        assert cursor_line(running) != first

    play(scenario)


async def newest_frame(running: RunningScreen) -> Frame:
    """The frame of the view that was asked for last."""
    table = running.app._table
    wanted = running.app._view
    await running.wait_for(lambda _: table.frame is not None and table.frame.view == wanted)
    assert table.frame is not None
    return table.frame


def test_every_column_sorts_in_both_directions() -> None:
    async def scenario(running: RunningScreen) -> None:
        fields = running.app._table.shown_fields
        seen = set()
        for _ in range(len(fields)):
            await running.press("s")
            for _ in range(2):
                frame = await newest_frame(running)
                sort = frame.view.effective_sort
                assert sort is not None
                seen.add((sort.field_id, sort.descending))
                values = [frame.grid.value(row, FIELDS[sort.field_id]) for row in frame.order.tolist()]
                assert values == sorted(values, key=lambda value: value or (), reverse=sort.descending)
                await running.press("S")
        assert seen == {(name, descending) for name in fields for descending in (True, False)}

    play(scenario, size=(200, 60))


def test_a_click_on_a_heading_sorts_and_another_turns_it_round() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.pilot.click("#table", offset=(3, 2))
        await running.wait_for("PEER▲")
        await running.pilot.click("#table", offset=(3, 2))
        await running.wait_for("PEER▼")

    play(scenario)


def test_a_click_selects_a_row_and_a_state() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.pilot.click("#table", offset=(3, 5))
        await running.pilot.pause()
        assert running.app._table._position == 2
        await running.pilot.click("#states", offset=(3, 4))
        await running.wait_for("▸ESTABLISHED")
        assert running.app.highlighted is TcpState.ESTABLISHED

    play(scenario)


def test_sideways_moves_the_highlighted_state_and_its_column() -> None:
    async def scenario(running: RunningScreen) -> None:
        assert running.app.highlighted is TcpState.CLOSE_WAIT
        await running.press("right")
        await running.wait_for("▸LAST_ACK")
        await running.wait_for("LAST_")
        await running.press("left", "left")
        await running.wait_for("▸TIME_WAIT")

    play(scenario)


def test_enter_opens_a_row_and_escape_comes_back_to_it() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("down", "down")
        peer = cursor_line(running)
        await running.press("enter")
        await running.wait_for("[6 Connections]")
        await running.wait_for(f"filter: dst {peer}")
        await running.press("escape")
        await running.wait_for("[1 Peers]")
        await running.wait_for(lambda text: "filter:" not in text)
        assert cursor_line(running) == peer

    play(scenario)


def test_enter_on_a_listener_and_a_port() -> None:
    async def scenario(running: RunningScreen) -> None:
        for key in ("4", "5"):
            await running.press(key)
            await running.wait_for(f"[{key} ")
            await running.press("enter")
            await running.wait_for("filter: sport = :8080")
            await running.press("escape")

    play(scenario)


def test_keeping_to_a_state_and_leaving_it() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("f")
        await running.wait_for("filter: state CLOSE_WAIT")
        await running.press("f")
        await running.wait_for(lambda text: "filter:" not in text)
        await running.press("0", "j", "enter")
        await running.wait_for("filter: state LAST_ACK")
        await running.press("escape")
        await running.wait_for(lambda text: "filter:" not in text)

    play(scenario)


def test_what_was_typed_into_a_state_that_is_kept_to_is_not_taken_away_with_it() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("f")
        await running.wait_for("filter: state CLOSE_WAIT")
        await running.press("slash", *" :8080", "enter")
        await running.wait_for("filter: state CLOSE_WAIT :8080")
        await running.press("f")
        await running.wait_for("filter: state CLOSE_WAIT :8080 and state CLOSE_WAIT")
        await running.press("f")
        await running.wait_for(lambda text: "and state CLOSE_WAIT" not in text)
        assert running.app._view is not None
        assert running.app._view.filter_text == "state CLOSE_WAIT :8080"
        await running.press("escape")
        await running.wait_for(lambda text: "filter:" not in text)

    play(scenario, size=(120, 40))


def test_narrowing_further_keeps_what_was_asked_before() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":8080 or :3306", "enter")
        await running.wait_for("filter: :8080 or :3306")
        await running.press("enter")
        await running.wait_for("( :8080 or :3306 ) and dst 10.1.7.1")

    play(scenario, size=(120, 40))


def test_what_is_typed_in_one_burst_arrives_in_order() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press(*"/:9", "ctrl+u", *":8080", "enter", "6")
        await running.wait_for("[6 Connections]")
        await running.wait_for("filter: :8080")

    play(scenario)


def below_the_header(text: str) -> str:
    """The screen without the line that says how long ago it was."""
    return text.partition("\n")[2]


def test_pause_keeps_the_sample_while_history_goes_on() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("space")
        await running.wait_for("paused")
        before = running.text
        await running.take_samples(4)
        await running.press("6")
        await running.wait_for("[6 Connections]")
        await running.press("1")
        await running.wait_for("[1 Peers]")
        assert below_the_header(running.text) == below_the_header(before)
        await running.press("space")
        await running.wait_for("live")
        presentation = running.app.presentation
        assert presentation is not None
        assert presentation.frame is not None
        assert presentation.frame.sample.monotonic_s == 6
        assert len(presentation.frame.history) == 7

    play(scenario)


def test_the_interval_changes_in_steps() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("minus")
        await running.wait_for("every 0.2s")
        await running.press("minus", "minus")
        await running.wait_for("every 1s")
        await running.press("plus")
        await running.wait_for("every 0.5s")

    play(scenario)


def test_tab_goes_round_the_views() -> None:
    async def scenario(running: RunningScreen) -> None:
        for name in ("Processes", "Services", "Listeners", "Ports", "Connections", "Namespaces", "Peers"):
            await running.press("tab")
            await running.wait_for(f" {name}]")
        await running.press("shift+tab")
        await running.wait_for("Namespaces]")

    play(scenario)


def test_the_palette_holds_every_command() -> None:
    async def scenario(running: RunningScreen) -> None:
        offered = {command.title for command in running.app.get_system_commands(running.app.screen)}
        helps = {Keymap().say(command.help) for command in COMMANDS if command.id != "command_palette"}
        assert helps <= offered
        await running.press("ctrl+p", *"logarithmic", "enter")
        await running.wait_for(lambda _: running.app.chart_choice.is_logarithmic)

    play(scenario)


def test_every_command_has_its_action_and_no_key_twice() -> None:
    keys = [key for command in COMMANDS for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))

    async def scenario(running: RunningScreen) -> None:
        for command in COMMANDS:
            assert hasattr(running.app, f"action_{command.id}"), command.id

    play(scenario)


def test_paging_through_many_rows_draws_only_what_is_seen() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("6")
        await running.wait_for("[6 Connections]")
        await running.press("G")
        frame = running.app._table.frame
        assert frame is not None
        assert running.app._table._position == len(frame.order) - 1 > 5000
        last = int(frame.order[-1])
        await running.wait_for(f"{len(frame.order):,} of {len(frame.order):,}")
        ends = [frame.grid.human(last, FIELDS[name]) for name in ("state", "process", "local_address")]
        assert running.text.splitlines()[-3].strip("│")[1:].split()[:3] == ends
        shown_last = running.text.splitlines()[-3]
        await running.press("pageup", "pageup")
        assert running.text.splitlines()[-3] != shown_last
        await running.press("g", "pagedown")
        assert len(running.app._table._shown) <= running.app._table.size.height

    play(scenario)


def test_the_whole_explanation_can_be_read() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("x")
        await running.wait_for("Who must act")
        await running.press("G")
        await running.wait_for("Raising nofile to 8192 solves")
        await running.press("enter")
        await running.wait_for("[1 Peers]")
        assert "filter:" not in running.text

    for size in ((80, 24), (120, 40)):
        play(scenario, size=size)


def test_help_scrolls_to_its_end() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("f1", "end")
        await running.wait_for("WHAT CANNOT BE SEEN HERE")

    play(scenario)


def test_that_there_is_more_below_is_said_only_where_there_is() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("f1")
        await running.wait_for("↓ more · Esc closes")
        await running.press("end")
        await running.wait_for(lambda text: "Esc closes" in text and "↓ more" not in text)
        await running.press("up")
        await running.wait_for("↓ more · Esc closes")
        await running.pilot.resize_terminal(120, 90)
        await running.wait_for(lambda text: "Esc closes" in text and "↓ more" not in text)
        await running.pilot.resize_terminal(80, 24)
        await running.wait_for("↓ more · Esc closes")

    play(scenario)


def test_a_key_for_the_view_before_does_no_harm() -> None:
    async def scenario(running: RunningScreen) -> None:
        running.app.action_show_connections()
        running.app.action_sort_next()
        running.app._sort_by("peer")
        await running.wait_for("[6 Connections]")

    play(scenario)


def test_columns_come_back_when_there_is_room() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.wait_for("‹")
        await running.pilot.resize_terminal(160, 50)
        await running.wait_for(lambda text: "‹" not in text and "CHANGE" in text)
        await running.pilot.resize_terminal(80, 24)
        await running.press("x", "x")
        await running.wait_for("ESTABLISHED WAIT2")

    play(scenario, size=(60, 16))


def test_a_filter_that_has_grown_too_long_is_said() -> None:
    async def scenario(running: RunningScreen) -> None:
        assert running.app._backend is not None
        assert running.app._view is not None
        long = " and ".join(["dst 10.0.0.0/8"] * 214)
        running.app._show(running.app._backend.filtered(running.app._view, long))
        await running.wait_for("filter: dst 10.0.0.0/8 and")
        await running.press("f")
        await running.wait_for(lambda _: running.app._table.frame is not None and running.app._table.frame.total > 0)
        await running.press("1", "enter")
        await running.wait_for("longer than 4,096 characters")
        assert running.text.splitlines()[-1].startswith(" ✖ ")

    play(scenario)


def test_another_state_replaces_the_one_kept_to() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("f")
        await running.wait_for("filter: state CLOSE_WAIT")
        await running.press("left", "f")
        await running.wait_for("filter: state TIME_WAIT")
        await running.press("escape")
        await running.wait_for(lambda text: "filter:" not in text)

    play(scenario)


@pytest.mark.parametrize("opener", ["slash", "question_mark", "f1", "m", "x"])
def test_ctrl_c_leaves_from_everywhere(opener: str) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press(opener, "ctrl+c")
        await running.pilot.pause()
        assert running.app._exit

    play(scenario)


def test_an_unchanged_sample_paints_nothing() -> None:
    class Still(DemoSource):
        """The same sample again and again."""

        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            if not hasattr(self, "_first"):
                self._first = super().sample()
                self._count = -1
            self._count += 1
            return replace(self._first, table=SocketTable(self._first.table.rows), monotonic_s=float(self._count))

    async def run() -> None:
        async with running_screen(Still("leak"), size=(120, 40), samples=12) as running:
            panels = (running.app._states, running.app._table, running.app._explain)
            before = [panel.repaint_count for panel in panels]
            drawn = running.app._history.draw_count
            await running.take_samples(3)
            assert [panel.repaint_count for panel in panels] == before
            assert running.app._history.draw_count <= drawn + 3

    asyncio.run(run())


def test_views_without_a_backend_ignore_keys() -> None:
    async def run() -> None:
        async with running_screen(DemoSource("calm"), view=View(), samples=0) as running:
            await running.press(*"/s124f+wx", "tab", "enter", "escape")
            assert "reading the sockets" in running.text

    asyncio.run(run())

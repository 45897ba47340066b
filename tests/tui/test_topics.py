"""The entries that open over the panels: what ? opens, where links lead, and the state machine."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tcptui.explain.knowledge import load
from tcptui.model.fields import ViewKind
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import SocketTable
from tcptui.monitor.view import View
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import DemoSource
from tcptui.tui.linked import Linked, LinkedPanel
from tcptui.tui.machine_screen import MachineScreen
from tcptui.tui.topic_screen import TopicScreen
from tests.support.screens import RunningScreen, running_screen

Scenario = Callable[[RunningScreen], Awaitable[None]]
RIGHT_BUTTON = 3
CLAIM = max(load().myths.values(), key=lambda myth: len(myth.claim))
"""One that takes several lines."""


def play(scenario: Scenario, *, size: tuple[int, int] = (80, 24), view: str = "peers", scene: str = "leak") -> None:
    async def run() -> None:
        async with running_screen(DemoSource(scene), size=size, view=View().of_kind(view), samples=3) as running:
            await scenario(running)

    asyncio.run(run())


def open_topic(running: RunningScreen) -> str:
    screen = running.app.screen
    assert isinstance(screen, TopicScreen)
    return screen.panel.topic


async def go_to_link(running: RunningScreen, topic: str) -> None:
    """Move down until the cursor is on a link."""
    panel = running.app.focused
    assert isinstance(panel, LinkedPanel)
    for _ in range(400):
        if panel.chosen_topic == topic:
            await running.pilot.pause()
            return
        panel.action_go_down()
    raise AssertionError(f"no way down leads to {topic}: {running.text}")


def lines(running: RunningScreen) -> list[Linked]:
    """All lines of the open entry, those out of sight too."""
    screen = running.app.screen
    assert isinstance(screen, TopicScreen)
    return screen.panel._lines


def said(running: RunningScreen) -> str:
    """What the open entry says."""
    return "\n".join("".join(text for text, _ in line.line) for line in lines(running))


async def right_click(pilot: Pilot[int], where: str, offset: tuple[int, int]) -> None:
    await pilot.click(where, offset=offset, button=RIGHT_BUTTON)
    await pilot.pause()


# -- ? -----------------------------------------------------------------------------------------------------------------


def test_a_question_mark_explains_the_highlighted_state() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark")
        await running.wait_for("╭─ CLOSE_WAIT ─")
        assert "The peer has closed; the program here has not closed its side." in running.text
        await running.press("escape")
        await running.wait_for("[1 Peers]")

    play(scenario)


def test_on_a_connection_it_explains_the_connections_state() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("end")
        state = running.app.highlighted
        table = running.app._table
        assert table.frame is not None
        assert table.cursor_row is not None
        assert table.frame.grid.columns["state"][0][table.cursor_row] == state
        await running.press("question_mark")
        assert open_topic(running) == state.name

    play(scenario, view="connections")


def test_commands_are_about_the_row_under_the_cursor() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("6", "slash", *"state close-wait", "enter", "question_mark", "end")
        await running.wait_for(lambda text: "Raising nofile" in text)
        text = " ".join(said(running).split())
        assert "ss -taneip state close-wait" in text
        assert "src 10.0.0.7" in text
        assert "host 10.0.0.7" in text

    play(scenario, size=(120, 40))


@pytest.mark.parametrize("way_out", ["escape", "q", "backspace", "left"])
def test_there_are_several_ways_out(way_out: str) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark")
        await running.wait_for("╭─ CLOSE_WAIT ─")
        await running.press(way_out)
        await running.wait_for("[1 Peers]")
        assert not running.app._exit

    play(scenario)


def test_twice_shows_the_keys() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark", "question_mark")
        await running.wait_for("╭─ Help ─")
        await running.press("escape")
        await running.wait_for("[1 Peers]")

    play(scenario)


def test_an_open_entry_outlives_the_row_that_it_was_opened_for() -> None:
    class Shrinking(DemoSource):
        """All sockets, and later none; without counters, which move."""

        is_empty = False

        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            sample = replace(super().sample(request), counters={})
            return replace(sample, table=SocketTable(sample.table.rows[:0])) if self.is_empty else sample

    source = Shrinking("leak")

    async def run() -> None:
        async with running_screen(source, view=View().of_kind("connections"), samples=3) as running:
            await running.press("end", "question_mark", "end")
            before = said(running)
            source.is_empty = True
            await running.take_samples(2)
            assert said(running) == before
            await running.press("escape", "m")
            await running.take_samples(1)
            await running.press("enter", "escape")

    asyncio.run(run())


def test_its_commands_stay_those_of_the_row_when_the_order_changes() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("down", "down", "question_mark")
        before = [line.command for line in lines(running) if line.command]
        assert any("dst 10." in command for command in before)
        running.app._show(running.app._view.sorted_by("change"))  # type: ignore[union-attr]
        await running.take_samples(3)
        assert [line.command for line in lines(running) if line.command] == before

    play(scenario)


def test_commands_of_a_listener_are_about_its_port() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark")
        ss, tcpdump = [line.command for line in lines(running) if line.command][:2]
        assert "'sport = :22'" in ss
        assert "port 22 and" in tcpdump
        assert "0.0" not in ss + tcpdump

    async def run() -> None:
        listeners = View(ViewKind.CONNECTIONS, parse_filter("state listen sport = :22"))
        async with running_screen(DemoSource("leak"), view=listeners, samples=3) as running:
            await running.press("down", "up")
            await scenario(running)

    asyncio.run(run())


def test_a_command_is_copied() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark")
        command = next(line.command for line in lines(running) if line.command)
        panel = running.app.focused
        assert isinstance(panel, LinkedPanel)
        for _ in range(400):
            if panel._chosen is not None and lines(running)[panel._chosen].command == command:
                break
            panel.action_go_down()
        await running.press("enter", "escape")
        assert running.app.clipboard == command
        await running.wait_for("copied: ss -tan")

    play(scenario)


def test_a_claim_is_told_whole() -> None:
    async def scenario(running: RunningScreen) -> None:
        running.app._open_topic(CLAIM.name)
        await running.pilot.pause()
        text = " ".join(said(running).split())
        assert CLAIM.claim.rstrip(".") in text
        assert CLAIM.truth in text

    play(scenario)


def test_the_cursor_of_the_side_panel_is_shown_only_while_that_has_the_keys() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("x")
        await go_to_link(running, "net.ipv4.tcp_keepalive_time")
        assert "▸  tcp_keepalive_time" in running.text
        await running.press("x")
        assert "▸  tcp_keepalive_time" not in running.text

    play(scenario, size=(120, 40))


def test_arrows_work_from_a_state_that_no_table_shows() -> None:
    async def scenario(running: RunningScreen) -> None:
        running.app.highlighted = TcpState.CLOSE
        await running.press("right")
        assert running.app.highlighted is TcpState.LISTEN
        running.app.highlighted = TcpState.CLOSE
        await running.press("m", "right", "escape")
        assert running.app.highlighted is TcpState.LISTEN

    play(scenario)


def test_enter_goes_to_the_first_link_in_sight_where_it_is_on_none() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark", "end", "enter")
        panel = running.app.focused
        assert isinstance(panel, LinkedPanel)
        assert panel.chosen_topic
        assert open_topic(running) == "CLOSE_WAIT"

    play(scenario)


def test_slash_finds_an_entry_and_opens_it_in_the_same_place() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark", "slash", *"explain tcp_mem")
        await running.wait_for("Explain net.ipv4.tcp_mem")
        await running.press("enter")
        await running.wait_for("╭─ net.ipv4.tcp_mem ─")
        await running.press("backspace")
        assert open_topic(running) == "CLOSE_WAIT"

    play(scenario)


# -- Links -------------------------------------------------------------------------------------------------------------


def test_links_lead_from_entry_to_entry_and_back_to_the_same_place() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark")
        await go_to_link(running, "net.ipv4.tcp_fin_timeout")
        before = running.text
        await running.press("enter")
        await running.wait_for("╭─ net.ipv4.tcp_fin_timeout ─")
        assert "Backspace back" in running.text
        await go_to_link(running, "TCP_LINGER2")
        await running.press("enter")
        assert open_topic(running) == "TCP_LINGER2"
        await running.press("backspace", "backspace")
        assert open_topic(running) == "CLOSE_WAIT"
        assert running.text == before

    play(scenario)


def test_the_cursor_goes_up_as_it_went_down() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark", "a")
        panel = running.app.focused
        assert isinstance(panel, LinkedPanel)
        seen = []
        for _ in range(12):
            await running.press("down")
            seen.append(panel.chosen_topic)
        assert len(set(seen)) > 8
        for _ in range(200):
            if panel.chosen_topic == seen[0]:
                return
            await running.press("up")
        raise AssertionError(f"no way up leads to {seen[0]}")

    play(scenario)


def test_the_cursor_stays_on_its_link_while_samples_come() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark")
        await go_to_link(running, "net.ipv4.tcp_tw_reuse")
        panel = running.app.focused
        assert isinstance(panel, LinkedPanel)
        top = panel.scroll_y
        await running.take_samples(3)
        assert (panel.chosen_topic, panel.scroll_y) == ("net.ipv4.tcp_tw_reuse", top)

    play(scenario)


def test_a_click_follows_a_link() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark", "c")
        line = next(y for y, text in enumerate(running.text.splitlines()) if "›  ESTABLISHED" in text)
        await running.pilot.click(offset=(10, line))
        await running.pilot.pause()
        assert open_topic(running) == "ESTABLISHED"

    play(scenario)


def test_the_columns_of_the_table_are_listed() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark", "c", "end")
        topics = [line.topic for line in lines(running) if line.topic]
        assert topics[:3] == ["local", "process", "accept_queue"]

    play(scenario, view="listeners", size=(120, 40))


def test_a_parameter_of_the_side_panel_opens_from_there() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("x")
        await go_to_link(running, "net.ipv4.tcp_keepalive_time")
        for key in ("question_mark", "enter"):
            await running.press(key)
            assert open_topic(running) == "net.ipv4.tcp_keepalive_time"
            await running.press("escape")
            await running.pilot.pause()

    for size in ((80, 24), (120, 40)):
        play(scenario, size=size)


def test_the_right_button_explains_what_it_is_on() -> None:
    async def scenario(running: RunningScreen) -> None:
        await right_click(running.pilot, "#table", (3, 2))
        assert open_topic(running) == "peer"
        await running.press("escape")
        await right_click(running.pilot, "#states", (4, 2))
        assert open_topic(running) == "SYN_SENT"
        await running.press("escape")
        await right_click(running.pilot, "#table", (3, 5))
        assert open_topic(running) == "SYN_SENT"

    play(scenario)


def test_the_palette_explains_anything() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("ctrl+p", *"explain so_linger")
        await running.wait_for("Explain SO_LINGER")
        await running.press("enter")
        await running.wait_for("╭─ SO_LINGER ─")

    play(scenario)


def test_a_very_small_screen_can_be_read_too() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("question_mark")
        await running.pilot.resize_terminal(30, 8)
        await running.wait_for("CLOSE_WAIT")
        await running.pilot.resize_terminal(120, 40)
        await running.wait_for("Who must act")

    play(scenario, size=(60, 16))


# -- The state machine -------------------------------------------------------------------------------------------------


def machine_screen(running: RunningScreen) -> MachineScreen:
    screen = running.app.screen
    assert isinstance(screen, MachineScreen)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 16), (200, 60)])
def test_the_machine_has_the_counts_of_the_sample(size: tuple[int, int]) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("m")
        await running.wait_for("State machine")
        await running.take_samples(2)
        frame = running.app._table.frame
        assert frame is not None
        text = "\n".join("".join(piece[0] for piece in line) for line in machine_screen(running).panel._lines)
        for state in (TcpState.CLOSE_WAIT, TcpState.ESTABLISHED, TcpState.TIME_WAIT):
            assert f"{frame.state_count(state):,}" in text

    play(scenario, size=size)


def test_at_80_columns_the_whole_width_of_the_drawing_is_in_sight() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("m")
        await running.wait_for("↓ more")
        panel = machine_screen(running).panel
        texts = ["".join(piece[0] for piece in line) for line in panel._lines]
        assert max(map(cell_len, texts)) == panel.scrollable_content_region.width

    play(scenario, size=(80, 24))


def test_the_arrows_move_the_highlight_and_the_panels_follow() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("m")
        drawn = machine_screen(running).panel._lines
        await running.press("right")
        assert machine_screen(running).highlighted is TcpState.LAST_ACK
        assert machine_screen(running).panel._lines != drawn
        await running.press("left", "left", "escape")
        await running.wait_for("[1 Peers]")
        assert running.app.highlighted is TcpState.TIME_WAIT

    play(scenario)


def test_from_the_machine_a_state_is_explained_or_kept_to() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("m", "enter")
        await running.wait_for("╭─ CLOSE_WAIT ─")
        await running.press("escape", "m", "right", "f")
        await running.wait_for("filter: state LAST_ACK")

    play(scenario)


def test_a_click_highlights_a_state() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("m")
        lines = running.text.splitlines()
        line = next(y for y, text in enumerate(lines) if "LAST_ACK" in text)
        await running.pilot.click(offset=(lines[line].index("LAST_ACK"), line))
        await running.pilot.pause()
        assert machine_screen(running).highlighted is TcpState.LAST_ACK

    play(scenario)


@pytest.mark.parametrize("keys", [("question_mark",), ("question_mark", "c"), ("m",), ("x",)])
def test_a_source_that_knows_little_is_no_trouble(keys: tuple[str, ...]) -> None:
    """As psutil has it: no parameters, no counters, hardly a column."""

    class Bare(DemoSource):
        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            sample = super().sample(request)
            absent = frozenset({"timer", "timer_ms", "retransmits", "uid", "inode", "cookie", "backlog"})
            return replace(
                *(sample,),
                parameters={},
                read_only_parameters={},
                counters={},
                disk=None,
                whereabouts=None,
                absent_fields=absent,
            )

    async def run() -> None:
        async with running_screen(Bare("leak"), samples=3) as running:
            await running.press(*keys)
            await running.take_samples(1)
            assert "CLOSE_WAIT" in running.text or "Columns" in running.text
            if keys == ("question_mark",):
                assert "not read" in said(running)

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["peers", "connections"])
def test_with_several_namespaces_everything_is_about_that_of_the_row(kind: str) -> None:
    class Two(DemoSource):
        """The listeners in one namespace, the rest in another."""

        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            sample = super().sample(request)
            rows = sample.table.rows.copy()
            rows["netns"] = rows["state"] != TcpState.LISTEN
            own = dict(sample.parameters)
            return replace(
                sample,
                table=SocketTable(rows),
                namespaces=("self", "blue"),
                namespace_parameters={0: own, 1: {**own, "net.ipv4.tcp_keepalive_time": "77"}},
                counters={"Tcp.EstabResets": 5},
            )

    async def run() -> None:
        view = View().of_kind(kind)
        async with running_screen(Two("leak"), size=(120, 40), view=view, samples=3) as running:
            await running.press("f")
            await running.wait_for("state CLOSE_WAIT")
            await running.press("question_mark")
            await running.wait_for("CLOSE_WAIT in blue")
            ss, tcpdump, nstat = [line.command for line in lines(running) if line.command]
            assert ss.startswith("ss -taneip -N blue " if kind == "peers" else "ip netns exec blue ss ")
            assert tcpdump.startswith("ip netns exec blue tcpdump ")
            assert nstat.startswith("ip netns exec blue nstat ")
            assert "all namespaces together" in said(running)
            assert "77 s" in said(running)

    asyncio.run(run())

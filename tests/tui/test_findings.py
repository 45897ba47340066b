"""What is wrong, on the screen: verdict, findings with their evidence, head-room, counters, marks in the chart."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tcptui.diagnosis.finding import Link
from tcptui.diagnosis.findings import PATIENCE
from tcptui.diagnosis.rules.catalogue import RULES
from tcptui.explain.topics import find_topic
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.monitor.frame import build_frame
from tcptui.monitor.judge import Episode, Judge
from tcptui.monitor.presenter import Presentation
from tcptui.monitor.view import View
from tcptui.sources.base import Source
from tcptui.sources.demo import DemoSource
from tcptui.tui.chart_choice import GLYPHS
from tcptui.tui.finding_lines import finding_lines, findings_lines, room_lines, verdict_line
from tcptui.tui.findings_screen import FindingsScreen
from tcptui.tui.glyphs import IN_ASCII
from tcptui.tui.linked import Line, Linked
from tcptui.tui.severities import BEGUN, ENDED, NOTHING_MARK, SEVERITY_MARKS
from tests.diagnosis.scenes import JAVA, NGINX, QUIET_COUNTERS, at, listener, part
from tests.monitor.scripted_source import ScriptedSource
from tests.support.screens import RunningScreen, running_screen

Scenario = Callable[[RunningScreen], Awaitable[None]]


def play(
    scenario: Scenario, source: Source | None = None, *, size: tuple[int, int] = (80, 24), samples: int = 3
) -> None:
    async def run() -> None:
        async with running_screen(source or DemoSource("leak"), size=size, samples=samples) as running:
            await scenario(running)

    asyncio.run(run())


def healthy(monotonic_s: float) -> Sample:
    parts = listener(), part(TcpState.ESTABLISHED, 30, holder=NGINX)
    return at(monotonic_s, *parts, counters={**QUIET_COUNTERS, "Tcp.OutRsts": int(monotonic_s) * 3})


def leaking(monotonic_s: float) -> Sample:
    waiting = part(TcpState.CLOSE_WAIT, 1500, local_port=8080, holder=JAVA, recv_queue_bytes=1)
    return at(monotonic_s, listener(), part(TcpState.ESTABLISHED, 30, holder=NGINX), waiting)


STEP_S = 40.0
FIRST, TOLD, LAST = 3, 5, 8


def leak_that_ends(number: int) -> Sample:
    """From the third sample to the eighth; in the fifth it is older than a minute, so that it is told."""
    return (leaking if FIRST <= number <= LAST else healthy)(number * STEP_S)


def presented(*samples: Sample, is_paused: bool = False) -> Presentation:
    judge = Judge(largest_share=math.inf)
    for sample in samples:
        judge.take(sample, None, None, {})
    frame = build_frame(View(), samples[-1])
    return Presentation(frame, 1, 1, is_paused=is_paused, trouble=None, judgement=judge.newest, episodes=judge.episodes)


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


def texts_of(lines: list[Linked]) -> str:
    return "\n".join(text_of(each.line) for each in lines)


# -- The verdict -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 16)])
def test_the_verdict_is_always_there(size: tuple[int, int]) -> None:
    async def scenario(running: RunningScreen) -> None:
        line = running.text.splitlines()[1]
        assert line.startswith(" ▲ critical  java (812) d")
        assert " ! demo leak: these" in running.text  # what cannot be seen has its place beside it
        for keys in (["z"], ["z", "x"], ["x", "c"], ["c", "6", "enter"]):
            await running.press(*keys)
            assert running.text.splitlines()[1].startswith(" ▲ critical")

    play(scenario, size=size)


def test_a_verdict_that_is_cut_says_so() -> None:
    presentation = presented(leaking(0), leaking(1))
    for width in range(30, 130):
        text = text_of(verdict_line(presentation, lambda count: f" (+{count})", width))
        assert len(text) <= width
        whole = presentation.judgement.alarms[0].finding.verdict if presentation.judgement else ""
        assert whole in text or "… (+" in text or "…  +" in text


def test_where_nothing_is_wrong_it_says_what_was_checked() -> None:
    text = text_of(verdict_line(presented(healthy(0), healthy(1)), str, 80))
    assert text.startswith(" ✔ nothing wrong seen: ")
    assert f" of {len(RULES)} rules checked" in text


def test_a_moment_whose_verdict_is_not_kept_says_so_and_what_went_on() -> None:
    presentation = presented(leaking(5), leaking(6), is_paused=True)
    unknown = replace(presentation, judgement=None)
    text = text_of(verdict_line(unknown, str, 120))
    assert "not kept" in text
    assert "R01" in text
    none = replace(unknown, episodes=())
    assert "R01" not in text_of(verdict_line(none, str, 120))
    assert "not kept" in texts_of(findings_lines(none, 70))
    assert "newest sample" in texts_of(room_lines(none, 70))


def test_a_verdict_that_stands_from_before_a_filter_says_of_when() -> None:
    presentation = replace(presented(leaking(5), leaking(6)), is_unjudged=True)
    assert "as of " in text_of(verdict_line(presentation, str, 120))


def test_marks_are_told_apart_without_colour_and_in_ascii() -> None:
    for marks in ((*SEVERITY_MARKS, NOTHING_MARK), (*BEGUN, ENDED)):
        drawn = [IN_ASCII.get(mark, mark) for mark in marks]
        assert all(mark.isascii() for mark in drawn)
        assert len(set(drawn)) == len(drawn)
    assert not set(BEGUN) & set(GLYPHS.values())


def test_each_sample_is_judged_once_and_the_verdict_follows() -> None:
    async def scenario(running: RunningScreen) -> None:
        judge = running.app._backend.presenter._judge  # type: ignore[union-attr]
        assert judge is not None
        assert judge.count == FIRST
        await running.press("2", "s", "down", "h", "x")
        assert judge.count == FIRST
        assert running.text.splitlines()[1].startswith(" ✔ nothing wrong seen")
        await running.take_samples(TOLD - FIRST)
        assert judge.count == TOLD
        assert running.text.splitlines()[1].startswith(" ▲ critical  java")
        await running.take_samples(LAST - TOLD + PATIENCE)
        assert running.text.splitlines()[1].startswith(" ✔ nothing wrong seen")

    play(scenario, ScriptedSource(leak_that_ends), samples=FIRST)


def test_the_state_explained_first_is_the_one_that_something_is_wrong_with() -> None:
    async def scenario(running: RunningScreen) -> None:
        assert running.app.highlighted is TcpState.CLOSE_WAIT

    play(scenario)


# -- Findings ----------------------------------------------------------------------------------------------------------


def test_a_finding_is_opened_and_its_evidence_leads_to_the_rows() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("d")
        await running.wait_for("[Findings]  Head-room  Counters")
        assert "R01" in running.text
        assert "since " in running.text
        await running.press("enter")
        await running.wait_for("Evidence")
        for label in ("first: ", "no help: ", "refuted by: ", "how sure: ", "Explained under CLOSE_WAIT"):
            assert label in running.text
        await running.press("enter")
        await running.wait_for("filter: state close-wait and pid 812")
        assert "[6 Connections]" in running.text or "6 Conns" in running.text
        await running.press("escape")
        await running.wait_for("[1 Peers]")
        assert "filter:" not in running.text

    play(scenario, size=(120, 40))


def test_back_leads_to_the_same_place_in_the_list_and_esc_to_the_panels() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("d", "j", "enter")
        await running.wait_for("Evidence")
        await running.press("backspace")
        await running.wait_for("Could not be checked")
        assert "▸i info  R35" in running.text
        await running.press("escape")
        assert running.app.screen is running.app._panel_screen

    play(scenario)


def test_the_mouse_opens_findings_pages_and_evidence() -> None:
    async def click(running: RunningScreen, text: str) -> None:
        await running.wait_for(text)
        lines = running.text.splitlines()
        y = next(y for y, line in enumerate(lines) if text in line)
        await running.pilot.click(offset=(lines[y].index(text) + 1, y))
        await running.pilot.pause()

    async def scenario(running: RunningScreen) -> None:
        await click(running, "▲ critical")
        await click(running, "Head-room")
        await running.wait_for("[Head-room]")
        await click(running, "Findings")
        await click(running, "▲ critical")
        await click(running, "· from ")
        await running.wait_for("filter: state close-wait")

    play(scenario, size=(120, 40))


def test_a_topic_lies_over_the_findings_which_do_nothing_meanwhile() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("d", "enter")
        screen = running.app.screen
        assert isinstance(screen, FindingsScreen)
        panel = screen.panel
        while panel.chosen_topic != "CLOSE_WAIT":
            await running.press("j")
        await running.press("enter")
        await running.wait_for("Which side is in it")
        made = panel.make_count
        await running.take_samples(3)
        assert panel.make_count == made
        await running.press("escape")
        assert running.app.screen is screen
        assert panel.make_count == made + 1

    play(scenario)


def test_closed_findings_do_nothing() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("d", "escape")
        assert not running.app._live_screens

    play(scenario)


def test_all_that_findings_lead_to_is_there() -> None:
    """The rules' own entries; evidence is checked with the rules."""
    for rule in RULES:
        assert find_topic(rule.explain) == rule.explain, rule.id


def test_what_has_gone_is_listed_with_its_times() -> None:
    samples = [leak_that_ends(number) for number in range(1, LAST + PATIENCE + 1)]
    presentation = presented(*samples)
    text = texts_of(findings_lines(presentation, 76))
    assert "Gone" in text
    assert "does not close 1,500" in text
    (episode,) = (each for each in presentation.episodes if each.finding.rule == "R01")
    assert isinstance(episode, Episode)
    opened = texts_of(finding_lines(presentation, episode.finding.key, 76))
    assert "Evidence" in opened


def test_where_nothing_is_wrong_all_that_was_checked_is_listed_and_why_the_rest_was_not() -> None:
    presentation = presented(healthy(0), healthy(1))
    assert presentation.judgement is not None
    text = texts_of(findings_lines(presentation, 76)).replace("\n", " ")
    for rule_id in presentation.judgement.diagnosis.checked:
        assert f"{rule_id}  " in text
    for each in presentation.judgement.diagnosis.unchecked:
        assert each.rule in text


def test_a_line_is_never_longer_than_the_panel() -> None:
    presentation = presented(*(leak_that_ends(number) for number in range(1, TOLD + 1)))
    key = presentation.judgement.alarms[0].finding.key if presentation.judgement else ("", "")
    for width in (56, 76, 104):
        lines = [*findings_lines(presentation, width), *finding_lines(presentation, key, width)]
        lines += room_lines(presentation, width)
        assert max(len(text_of(each.line)) for each in lines) <= width


# -- Head-room and counters --------------------------------------------------------------------------------------------


def test_head_room_is_told_with_its_limit_and_leads_to_who_takes_it() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("r")
        await running.wait_for("descriptors")
        assert "java (812)" in running.text
        assert "/ 8,192" in running.text
        rooms = [each.target for each in running.app.screen.query_one("#findings")._lines if each.target is not None]  # type: ignore[attr-defined]
        assert any(isinstance(target, Link) and target.filter == "pid 812" for target in rooms)

    play(scenario)


def test_counters_that_move_are_told_by_what_they_mean() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("i")
        await running.wait_for("Resets and aborts")
        line = next(line for line in running.text.splitlines() if "Tcp.OutRsts" in line)
        assert "3.0/s" in line
        assert "+6" in line
        await running.press("enter")
        await running.wait_for("Tcp.OutRsts ")

    play(scenario, ScriptedSource(lambda number: healthy(float(number))))


def test_a_source_without_counters_says_so() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("i")
        await running.wait_for("test does not tell counters.")

    play(scenario, ScriptedSource(lambda number: leaking(float(number))))


# -- Beside the state --------------------------------------------------------------------------------------------------


def test_what_was_found_of_a_state_is_said_before_what_the_state_means() -> None:
    async def scenario(running: RunningScreen) -> None:
        assert "Seen here" in running.text
        await running.press("x", "j", "enter")
        await running.wait_for("Evidence")
        await running.press("escape", "escape", "l")
        await running.wait_for(lambda text: "Seen here" not in text)

    play(scenario, size=(120, 40))


def test_the_gist_tells_what_the_verdict_does_not() -> None:
    async def scenario(running: RunningScreen) -> None:
        assert "i info  " not in running.text  # of the state under the cursor the verdict tells the worst
        while running.app.highlighted is not TcpState.TIME_WAIT:
            await running.press("l")
        assert "TIME_WAIT" in running.text

    play(scenario)


# -- The chart ---------------------------------------------------------------------------------------------------------


def test_the_chart_marks_where_something_began_and_ended_and_names_it() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.wait_for("something begins")
        edge = next(line for line in running.text.splitlines() if "┌" in line and "┐" in line and BEGUN[2] in line)
        assert edge.index(BEGUN[2]) < edge.index(ENDED)
        await running.press("H")
        for _ in range(20):
            await running.press("left")
            if "begins: java" in running.text:
                break
        assert "begins: java (900) does not close" in running.text
        assert running.text.count(BEGUN[2]) > 1  # in the chart, and beside its name

    play(scenario, ScriptedSource(leak_that_ends), size=(120, 40), samples=LAST + PATIENCE + 1)


def test_going_back_in_time_shows_the_verdict_of_then() -> None:
    async def scenario(running: RunningScreen) -> None:
        assert running.text.splitlines()[1].startswith(" ✔")
        await running.press("space")
        await running.wait_for("paused")
        for _ in range(PATIENCE + 1):
            await running.press("left")
        await running.wait_for(lambda text: text.splitlines()[1].startswith(" ▲ critical"))
        await running.press("left_parenthesis")
        await running.wait_for(lambda text: text.splitlines()[1].startswith(" ✔"))
        await running.press("d")
        await running.wait_for("nothing wrong seen")

    play(scenario, ScriptedSource(leak_that_ends), samples=LAST + PATIENCE + 1)

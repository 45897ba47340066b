"""Typing a filter: what is shown, offered, refused, remembered and explained."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from tcptui.model.sample import Sample
from tcptui.monitor.view import View
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import DemoSource
from tests.monitor.scripted_source import honouring
from tests.support.screens import RunningScreen, running_screen

Scenario = Callable[[RunningScreen], Awaitable[None]]

NAMES = Names(
    services={"http": 80, "https": 443},
    interfaces={"lo": 1, "eth0": 2},
    users={"root": 0, "www-data": 33},
    saved={"stuck": "state close-wait recvq > 0", "web": ":8080"},
)


class NarrowingSource(DemoSource):
    """The demo, but that it leaves out what was not asked for, as the kernel does, and notes what was asked."""

    def __init__(self) -> None:
        super().__init__("leak")
        self.requests: list[Request] = []

    def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
        self.requests.append(request)
        return honouring(request, super().sample(request))


def play(
    scenario: Scenario,
    *,
    source: DemoSource | None = None,
    view: View | None = None,
    width: int = 80,
    names: Names = NAMES,
) -> None:
    async def run() -> None:
        running_source = source or DemoSource("leak")
        async with running_screen(running_source, size=(width, 24), view=view, samples=3, names=names) as running:
            await scenario(running)

    asyncio.run(run())


def typed(running: RunningScreen) -> str:
    """What stands in the prompt."""
    prompt = running.app._prompt
    assert prompt is not None
    return prompt.input.value


def in_force(running: RunningScreen) -> str:
    """The filter that the screen narrows to."""
    assert running.app._view is not None
    return running.app._view.filter_text


def below(running: RunningScreen) -> tuple[str, str]:
    """The two lines under the input."""
    lines = running.text.split("\n")
    return lines[-2], lines[-1]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (" or", "something is missing after 'or'"),
        (" sport =", "something is missing after '='"),
        (" (", "something is missing after '('"),
        (" stat", "'stat' is no word of this language"),
        (" dst 10.0.x", "no host '10.0.x' in /etc/hosts"),
        (" @wbe", "no saved filter @wbe: did you mean @web?"),
        (" user nobdy", "no user 'nobdy' in /etc/passwd"),
        (" dev eth1", "no interface 'eth1' here: did you mean eth0?"),
    ],
)
def test_a_bad_filter_says_so_below_and_leaves_the_last_good_one_in_force(bad: str, said: str) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":8080")
        await running.wait_for(lambda text: text.count("filter: :8080") == 2)
        await running.press(*bad)
        await running.wait_for(said)
        assert in_force(running) == ":8080"
        await running.press("enter")
        assert running.app._prompt is not None
        assert running.app._prompt.purpose == "filter"
        assert in_force(running) == ":8080"
        await running.press("escape")
        await running.wait_for(lambda text: "filter:" not in text)
        assert in_force(running) == ""

    play(scenario, width=120)


def test_the_mark_stands_under_the_place() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":8080 and port 99999")
        await running.wait_for("does not exist")
        lines = running.text.splitlines()
        prompt_line = next(line for line in lines if line.startswith(" filter: :8080 and"))
        assert below(running)[0].index("^") == prompt_line.index("99999")

    play(scenario, width=120)


def test_a_long_filter_is_marked_where_it_can_be_seen() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *(":8080 or " * 12), *"port 99999")
        await running.wait_for("port 99999 does not exist")
        lines = running.text.splitlines()
        prompt_line = next(line for line in lines if line.startswith(" filter:"))
        assert below(running)[0].index("^") == prompt_line.index("99999")

    play(scenario)


def test_tab_completes_and_goes_on_to_the_next() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"state cl")
        await running.wait_for("Tab close-wait  closed  closing")
        await running.press("tab")
        assert typed(running) == "state close-wait"
        await running.wait_for("live  filter: state close-wait")
        await running.press("tab")
        assert typed(running) == "state closed"
        await running.press("tab", "tab")
        assert typed(running) == "state close-wait"
        await running.press("shift+tab")
        assert typed(running) == "state closing"
        await running.press("enter")
        assert in_force(running) == "state closing"

    play(scenario)


@pytest.mark.parametrize(
    ("start", "offered"),
    [
        ("", ["close-wait", "established"]),
        ("e", ["established", "exclude"]),
        ("sport = ht", ["http", "https"]),
        ("sport = :8", [":8080"]),
        ("dst 10.1.7", ["10.1.7.1", "10.1.7.2", "10.1.7.3"]),
        ("ja", ["java"]),
        ("process s", ["sshd"]),
        ("@", ["@stuck", "@web"]),
        ("user w", ["www-data"]),
        ("dev ", ["lo", "eth0"]),
        ("timer ", ["off", "on", "keepalive", "timewait", "persist"]),
        ("service ", ["java.service", "ssh.service"]),
        (":8080 ", ["and", "or"]),
        ("state ", ["close-wait", "established"]),
        ("not (state l", ["listening", "last-ack"]),
        ("sport = = ", []),
    ],
)
def test_what_is_offered_is_what_there_is_most_of_first(start: str, offered: list[str]) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *start)
        prompt = running.app._prompt
        assert prompt is not None
        await running.wait_for(lambda _: list(prompt.input.offers.words[: len(offered)]) == offered)
        if offered:
            await running.wait_for(f"Tab {offered[0]}")
        else:
            assert not prompt.input.offers.words

    play(scenario)


def test_what_is_offered_follows_the_samples() -> None:
    class Growing(DemoSource):
        """Has more remote ports with each sample."""

        count = 0

        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            sample = super().sample(request)
            self.count += 1
            sample.table.rows["remote_port"] = np.arange(len(sample.table.rows)) % self.count + 60_001
            return sample

    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"dport = :600")
        await running.wait_for("Tab :60001  :60002  :60003")
        assert ":60004" not in running.text
        await running.take_samples(5)
        await running.wait_for(":60008")
        await running.press("tab", "tab")
        await running.take_samples(5)
        assert typed(running) == "dport = :60002"
        assert ":60009" not in running.text

    play(scenario, source=Growing("leak"))


def test_tab_in_one_burst_with_what_comes_before_and_after() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"state clo", "tab", *" and ja", "tab", "enter")
        await running.wait_for("filter: state close-wait and java")
        assert in_force(running) == "state close-wait and java"

    play(scenario, width=120)


def test_tab_completes_the_word_that_the_cursor_has_been_moved_to() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"state cl and timer k")
        await running.wait_for("Tab keepalive")
        await running.press("home", *["right"] * len("state cl"))
        await running.wait_for("Tab close-wait  closed  closing")
        await running.press("tab")
        assert typed(running) == "state close-wait and timer k"
        await running.press("tab")
        assert typed(running) == "state closed and timer k"
        await running.press("end", "tab")
        assert typed(running) == "state closed and timer keepalive "

    play(scenario)


def test_tab_after_home_replaces_the_first_word() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"state cl")
        await running.wait_for("Tab close-wait  closed  closing")
        await running.press("home")
        await running.wait_for("Tab close-wait  established")
        await running.press("tab", "tab")
        assert typed(running) == "established cl"
        await running.press("shift+tab")
        assert typed(running) == "close-wait cl"

    play(scenario)


def test_a_last_word_that_may_become_another_is_waited_with_until_it_is_whole_or_final() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":8080 ")
        await running.wait_for("and  or  ")
        await running.press(*"ja")
        await running.wait_for("Tab java")
        assert in_force(running) == ":8080"
        await running.press("v", "a")
        assert in_force(running) == ":8080 java"
        await running.press("backspace", "backspace")
        await running.wait_for("Tab java")
        assert in_force(running) == ":8080 java"
        await running.press("space")
        assert in_force(running) == ":8080 ja"
        await running.press("backspace", "backspace")
        assert in_force(running) == ":8080 ja"
        await running.press(*"a", "enter")
        await running.wait_for("[1 Peers]")
        assert in_force(running) == ":8080 ja"

    play(scenario)


def test_enter_takes_a_last_word_as_it_is() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash")
        await running.wait_for("Tab close-wait")
        await running.press(*"ja")
        await running.wait_for("Tab java")
        assert in_force(running) == ""
        await running.press("enter")
        await running.wait_for("filter: ja")
        assert in_force(running) == "ja"

    play(scenario)


@pytest.mark.parametrize("size", [(59, 24), (80, 15), (40, 8), (20, 4)])
def test_typing_goes_on_in_a_terminal_that_became_too_small_and_back(size: tuple[int, int]) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":8080")
        await running.wait_for("live  filter: :8080")
        view = running.app._view
        assert view is not None
        await running.pilot.resize_terminal(*size)
        await running.wait_for("too small")
        await running.press(*" sq1w")
        assert not running.app._exit
        assert typed(running) == ":8080 sq1w"
        assert "filter: :8080 sq1w"[: size[0]] in running.text
        assert in_force(running) == ":8080 sq1w"
        await running.press("ctrl+w")
        await running.pilot.resize_terminal(80, 24)
        await running.wait_for("[1 Peers]")
        await running.press("enter")
        await running.wait_for("live  filter: :8080")
        assert running.app._view == View(view.kind, parse_filter(":8080"))

    play(scenario)


def test_no_key_acts_in_a_terminal_that_is_too_small_but_to_type() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":8080")
        await running.pilot.resize_terminal(50, 10)
        await running.wait_for("too small")
        await running.press("escape")
        await running.wait_for(lambda text: "filter:" not in text)
        assert in_force(running) == ""
        await running.pilot.resize_terminal(80, 24)
        await running.wait_for("[1 Peers]")

    play(scenario)


def test_the_arrows_bring_back_what_was_kept() -> None:
    async def scenario(running: RunningScreen) -> None:
        for text in (":8080", "java", ":8080"):
            await running.press("slash", "ctrl+u", *text, "enter")
        await running.press("slash", "ctrl+u", *"state t", "up")
        assert typed(running) == ":8080"
        await running.press("up")
        assert typed(running) == "java"
        await running.press("up", "up")
        assert typed(running) == "dst 10.1.7.1"
        await running.press("down", "down", "down")
        assert typed(running) == "state t"
        await running.press("down")
        assert typed(running) == "state t"
        await running.press("up", "enter")
        assert in_force(running) == ":8080"

    play(scenario, view=View(filter=parse_filter("dst 10.1.7.1")))


def test_a_saved_filter_in_the_input_and_in_the_palette() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"@st", "tab", "enter")
        await running.wait_for("filter: @stuck")
        assert running.app._table.frame is not None
        commands = {each.title: each for each in running.app.get_system_commands(running.app.screen)}
        assert commands["Filter @web"].help == ":8080"
        commands["Filter @web"].callback()
        await running.wait_for("filter: @web")
        assert in_force(running) == "@web"
        await running.press("slash", "up")
        assert typed(running) == "@web"

    play(scenario, width=120)


HOSTILE = {
    "path": 'process "[/usr/sbin/nginx]"',
    "link": 'process "[@click=app.quit]quit[/]"',
    "red": "\x1b[31m:8080",
}
"""Filters as a configuration may have them."""


def test_saved_filters_stand_in_the_palette_as_they_are() -> None:
    async def scenario(running: RunningScreen) -> None:
        for name, shown in (("path", HOSTILE["path"]), ("link", HOSTILE["link"]), ("red", "\\x1b[31m:8080")):
            await running.press("ctrl+p", *f"Filter @{name}")
            await running.wait_for(shown)
            assert "\x1b" not in running.text
            await running.press("escape")
            await running.wait_for("[1 Peers]")
        await running.press("ctrl+p", *"Filter @link")
        await running.wait_for(HOSTILE["link"])
        await running.press("enter")
        await running.wait_for("filter: @link")
        assert not running.app._exit

    play(scenario, names=Names(saved=HOSTILE), width=120)


def test_a_saved_filter_that_is_wrong_is_refused_in_the_last_line() -> None:
    async def scenario(running: RunningScreen) -> None:
        running.app._filter_by("@red")
        await running.wait_for("✖ ")
        await running.wait_for("the saved filter @red is wrong at its column 1: '\\x1b' cannot be seen")
        assert in_force(running) == ""

    play(scenario, names=Names(saved=HOSTILE), width=120)


def test_without_a_filter_the_saved_ones_are_listed_as_they_are() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("e")
        await running.wait_for("No filter is set")
        await running.press("end")
        for name, shown in (("path", HOSTILE["path"]), ("link", HOSTILE["link"]), ("red", "\\x1b[31m:8080")):
            await running.wait_for(f"@{name}")
            assert shown in running.text
        assert "\x1b" not in running.text

    play(scenario, names=Names(saved=HOSTILE), width=120)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("java and sport = ", "something is missing after '='", "expected a port"),
        ("state foo", "unknown state 'foo'", "write one such as time-wait"),
    ],
)
def test_what_is_wrong_with_what_is_being_typed_can_be_explained(text: str, said: str, hint: str) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *text, "f2")
        await running.wait_for("Esc closes")
        assert said in running.text
        assert hint in running.text
        await running.press("escape")
        await running.wait_for("Peers")
        assert typed(running) == text

    play(scenario)


@pytest.mark.parametrize("key", ["e", "f2"])
def test_a_key_explains_the_filter(key: str) -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("e" if key == "e" else "f2")
        await running.wait_for("No filter is set")
        await running.press("escape")
        await running.press("slash", *"java recvq > 0", "enter", key)
        await running.wait_for("a process named java holds the socket or held it")
        await running.wait_for("ss cannot select by Recv-Q or process: this shows more")
        await running.press("escape")
        await running.wait_for("[1 Peers]")

    play(scenario)


def test_what_is_being_typed_is_explained_though_it_waits_for_more() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"dport = :330", "f2")
        await running.wait_for("the remote port is 330")
        assert in_force(running) == ""

    play(scenario)


def test_what_is_being_typed_can_be_explained_without_leaving_it() -> None:
    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *"java", "f2")
        await running.wait_for("a process named java holds the socket or held it")
        await running.press("escape", *" :3306", "enter")
        await running.wait_for("filter: java :3306")

    play(scenario)


def test_a_kept_filter_narrows_the_samples_and_typing_another_widens_them_at_once() -> None:
    source = NarrowingSource()

    async def scenario(running: RunningScreen) -> None:
        await running.press("slash", *":8080")
        await running.wait_for("live  filter: :8080")
        assert all(request.scope is None for request in source.requests)
        await running.press("enter")
        running.source.allow(2)
        await running.wait_for(lambda _: source.requests[-1].scope == parse_filter(":8080").expression)
        await running.press("slash")
        running.source.allow(2)
        await running.wait_for(lambda _: source.requests[-1].scope is None)
        await running.press("ctrl+u", *":3306")
        await running.wait_for("live  filter: :3306")
        await running.press("escape")
        await running.wait_for("live  filter: :8080")

    play(scenario, source=source)


def test_widening_shows_nothing_wrong_while_the_whole_sample_is_awaited() -> None:
    source = NarrowingSource()

    async def scenario(running: RunningScreen) -> None:
        running.source.allow(2)
        await running.wait_for(lambda _: bool(source.requests) and source.requests[-1].scope is not None)
        await running.press("escape")
        await running.pilot.pause()
        assert in_force(running) == ""
        assert running.app._table.frame is not None
        assert running.app._table.frame.view.filter_text == ":8080"
        running.source.allow(3)
        await running.wait_for(lambda text: "filter:" not in text)
        assert source.requests[-1].scope is None

    play(scenario, source=source, view=View(filter=parse_filter(":8080")))


def test_a_paused_narrow_sample_says_why_it_cannot_be_widened() -> None:
    source = NarrowingSource()

    async def scenario(running: RunningScreen) -> None:
        await running.press("space")
        await running.wait_for("paused")
        await running.press("escape")
        await running.wait_for("Space goes on")
        await running.press("space")
        running.source.allow(3)
        await running.wait_for(lambda text: "filter:" not in text and "paused" not in text)

    play(scenario, source=source, view=View(filter=parse_filter(":8080")), width=120)


def test_a_configuration_that_cannot_be_read_is_told_where_a_saved_filter_is_asked_for() -> None:
    async def run() -> None:
        names = Names(saved_problem="config.toml: filtrs: unknown table: did you mean [filters]?")
        async with running_screen(DemoSource("leak"), size=(120, 24), names=names) as running:
            await running.press("f1", "end")
            await running.wait_for("config.toml: filtrs: unknown table: did you mean [filters]?")
            await running.press("escape")
            await running.press("slash", *"java @web")
            await running.wait_for("filtrs: unknown table")
            assert in_force(running) == "java"

    asyncio.run(run())

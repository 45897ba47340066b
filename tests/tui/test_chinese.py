"""The screen in Chinese: no word of English where there is a Chinese one, and every line as wide as the screen."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tcptui.monitor.view import View
from tcptui.sources.demo import DemoSource
from tcptui.text import cell_count
from tests.support.chinese import CHINESE, TYPED, foreign_words
from tests.support.languages import speaking
from tests.support.screens import RunningScreen, running_screen
from tests.tui.screens import check_screen

MADE_UP = frozenset(
    (
        *("app-1", "java", "sshd", "demo", "leak", "self", "tomcat", "shop.jar", "system.slice", "kernel", "Xmx2g"),
        *("Shift+Tab", "Ctrl+L", "Ctrl+Z", "Ctrl+P", "gt", "listening", "timer", "stat"),
        "tcptui-app-1-peers-20260102-030410.txt",
    )
)
"""Names of the made-up machine, keys, and what these tests type."""
NAMES = TYPED | MADE_UP

Step = Callable[[RunningScreen], Awaitable[None]]


async def nothing(running: RunningScreen) -> None:
    await running.pilot.pause()


def pressing(*keys: str) -> Step:
    async def press(running: RunningScreen) -> None:
        await running.press(*keys)
        await running.pilot.pause()

    return press


async def connection(running: RunningScreen) -> None:
    await running.press("6", "enter")
    await running.take_samples(2)


STEPS: dict[str, Step] = {
    "peers": nothing,
    "processes": pressing("2"),
    "services": pressing("3"),
    "listeners": pressing("4"),
    "ports": pressing("5"),
    "connections": pressing("6"),
    "namespaces": pressing("7"),
    "connection": connection,
    "explain": pressing("x"),
    "chart": pressing("c"),
    "topic": pressing("question_mark"),
    "columns": pressing("question_mark", "c"),
    "machine": pressing("m"),
    "help": pressing("f1"),
    "help_end": pressing("f1", "end"),
    "filter_words": pressing("e"),
    "explained_filter": pressing("slash", *"java :3306 recvq > 0", "enter", "e"),
    "bad_filter": pressing("slash", *"port 99999"),
    "slipped_filter": pressing("slash", *"java and stat"),
    "no_match": pressing("slash", *"10.99.99.99", "enter"),
    "saving": pressing("w"),
    "paused": pressing("space"),
    "palette": pressing("ctrl+p"),
}


def play(step: Step, check: Callable[[RunningScreen], None], size: tuple[int, int]) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=size, view=View(), samples=6) as running:
            await step(running)
            check(running)

    with speaking("zh"):
        asyncio.run(run())


WIDER = ("peers", "connections", "processes", "connection", "explain", "chart")
"""What is looked at on a large screen too."""


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, (80, 24)) for name in STEPS),
        *((name, (120, 40)) for name in WIDER),
        *((name, (60, 16)) for name in WIDER),
    ],
)
def test_no_word_is_english_and_no_frame_is_broken(name: str, size: tuple[int, int]) -> None:
    def check(running: RunningScreen) -> None:
        lines = running.text.splitlines()
        assert CHINESE.search(running.text)
        if size[0] > 60:  # where there is less room, words are cut
            assert {word for line in lines for word in foreign_words(line, NAMES)} == set()
        for line in lines:
            assert cell_count(line) <= size[0], line
            assert not line.startswith(("╭", "╰")) or cell_count(line) == size[0], line

    play(STEPS[name], check, size)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("name", ["peers", "connections", "topic", "machine"])
def test_looks(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    play(STEPS[name], lambda running: check_screen(running, f"zh_{name}-{size[0]}x{size[1]}", tmp_path), size)

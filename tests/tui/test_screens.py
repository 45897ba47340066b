"""How the screen looks, over a matrix of sizes, scenes and moments."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tcptui.errors import SourceError
from tcptui.model.sample import Sample
from tcptui.monitor.view import View
from tcptui.query.request import EVERYTHING_PLAIN, Request
from tcptui.sources.demo import DemoSource
from tests.model.random_tables import table_of
from tests.support.screens import RunningScreen, running_screen
from tests.tui.screens import check_screen

SIZES = [(80, 24), (120, 40), (200, 60)]


def name_of(what: str, size: tuple[int, int]) -> str:
    return f"{what}-{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", ["calm", "leak", "lastack"])
def test_scenes(scene: str, size: tuple[int, int], tmp_path: Path) -> None:
    async def run() -> None:
        async with running_screen(DemoSource(scene), size=size, samples=10) as running:
            check_screen(running, name_of(scene, size), tmp_path)

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["processes", "services", "listeners", "ports", "connections", "namespaces"])
def test_views(view: str, size: tuple[int, int], tmp_path: Path) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=size, view=View().of_kind(view), samples=2) as running:
            check_screen(running, name_of(view, size), tmp_path)

    asyncio.run(run())


async def explain(running: RunningScreen) -> None:
    await running.press("x")


async def chart(running: RunningScreen) -> None:
    await running.press("c", "y")


async def bad_filter(running: RunningScreen) -> None:
    await running.press("slash", *"port 99999")
    await running.wait_for("does not exist")


async def slipped_filter(running: RunningScreen) -> None:
    await running.press("slash", *"java and stat")
    await running.wait_for("is no word")


async def completed_filter(running: RunningScreen) -> None:
    await running.press("slash", *"java and state c", "tab", "tab")
    await running.wait_for("state closed")


async def explained_filter(running: RunningScreen) -> None:
    await running.press("slash", *"java :3306 recvq > 0", "enter", "e")
    await running.wait_for("ss cannot select")


async def filter_words(running: RunningScreen) -> None:
    await running.press("e")
    await running.wait_for("No filter is set")


async def no_such_process(running: RunningScreen) -> None:
    await running.press("slash", *"jav", "enter")
    await running.wait_for("No socket matches")


async def no_match(running: RunningScreen) -> None:
    await running.press("slash", *"10.99.99.99", "enter")
    await running.wait_for("No socket matches")


async def saving(running: RunningScreen) -> None:
    await running.press("w")
    await running.wait_for("Enter save")


async def looking_back(running: RunningScreen) -> None:
    await running.press("space", "left", "left")
    await running.wait_for("ago")


async def chart_cursor(running: RunningScreen) -> None:
    await running.take_samples(20)
    await running.press("H", *["left"] * 5)
    await running.wait_for("linear · ")


async def chart_choices(running: RunningScreen) -> None:
    await running.press("C")


async def panels(running: RunningScreen) -> None:
    await running.press("X")


async def ways(running: RunningScreen) -> None:
    await running.press("o")


async def found(running: RunningScreen) -> None:
    await running.press("f3", *"10.1.2.5")
    await running.wait_for("find:")


async def marked(running: RunningScreen) -> None:
    await running.press("t", "down", "t")
    await running.wait_for("2 marked")


async def help_screen(running: RunningScreen) -> None:
    await running.press("f1")


async def paused(running: RunningScreen) -> None:
    await running.press("space")
    await running.wait_for("paused")


async def drilled(running: RunningScreen) -> None:
    await running.press("down", "enter")
    await running.wait_for("[6 Connections]")


async def reasons(running: RunningScreen) -> None:
    await running.press("f1", "end")


async def sorted_by_round_trip(running: RunningScreen) -> None:
    """The columns out of tcp_info are fetched as soon as they are in sight."""
    await running.press("6", *["right"] * 12)
    await running.wait_for("RTT")


async def trouble(running: RunningScreen) -> None:
    running.source.trouble = SourceError("the kernel gives no sock_diag dump (No buffer space)", "use --source proc")
    running.source.allow()
    await running.wait_for("no new sample")


MOMENTS: list[Callable[[RunningScreen], Awaitable[None]]] = [
    *(explain, chart, bad_filter, slipped_filter, completed_filter, explained_filter, filter_words, no_such_process),
    *(no_match, saving, help_screen, reasons, paused, drilled, sorted_by_round_trip, trouble),
    *(looking_back, chart_cursor, chart_choices, panels, ways, found, marked),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda each: each.__name__)
def test_moments(
    moment: Callable[[RunningScreen], Awaitable[None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")  # it stands on the screen where something is saved

    async def run() -> None:
        async with running_screen(DemoSource("leak"), samples=5) as running:
            await moment(running)
            check_screen(running, name_of(moment.__name__, (80, 24)), tmp_path)

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("topic", ["question_mark"]),
        ("columns", ["4", "question_mark", "c"]),
        ("link", ["question_mark", *["down"] * 24]),
        ("machine", ["m"]),
        ("machine_moved", ["m", "left", "left", "left"]),
    ],
)
def test_over_the_panels(name: str, keys: list[str], size: tuple[int, int], tmp_path: Path) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=size, samples=5) as running:
            await running.press(*keys)
            await running.pilot.pause()
            check_screen(running, name_of(name, size), tmp_path)

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
def test_one_connection(size: tuple[int, int], tmp_path: Path) -> None:
    """From the processes to one's connections, and to all about one of them, while it lives."""

    async def run() -> None:
        async with running_screen(DemoSource("calm"), size=size, samples=3) as running:
            await running.press("2")
            await running.wait_for("[2 Processes]")
            await running.press("down", "enter")
            await running.wait_for("[6 Connections]")
            await running.press("f")
            await running.wait_for("state ESTABLISHED")
            await running.press(*["down"] * 8, "enter")
            await running.wait_for("Esc back")
            await running.take_samples(20)
            check_screen(running, name_of("connection", size), tmp_path)

    asyncio.run(run())


@pytest.mark.parametrize("size", [(60, 16), (59, 16), (60, 60), (80, 50), (100, 30), (110, 30)])
def test_limits_of_size(size: tuple[int, int], tmp_path: Path) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=size, samples=2) as running:
            check_screen(running, name_of("size", size), tmp_path)

    asyncio.run(run())


def test_before_the_first_sample(tmp_path: Path) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), samples=0) as running:
            check_screen(running, name_of("loading", (80, 24)), tmp_path)

    asyncio.run(run())


def test_no_sockets_at_all(tmp_path: Path) -> None:
    class Empty(DemoSource):
        def sample(self, request: Request = EVERYTHING_PLAIN) -> Sample:
            return replace(super().sample(request), table=table_of([]))

    async def run() -> None:
        async with running_screen(Empty("calm"), samples=2) as running:
            check_screen(running, name_of("empty", (80, 24)), tmp_path)

    asyncio.run(run())

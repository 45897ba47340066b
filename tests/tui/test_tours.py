"""Every command of the registry is reached by keys alone, and by the mouse alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from textual.actions import ActionParseResult, parse
from textual.command import CommandList
from textual.dom import DOMNode

import tcptui.tui.app
from tcptui.language import tr
from tcptui.sources.demo import DemoSource
from tcptui.tui.app import TcptuiApp
from tcptui.tui.commands import BY_ID, COMMANDS
from tcptui.tui.keymap import Keymap
from tests.support.screens import RunningScreen, running_screen

EVERY_COMMAND = frozenset(command.id for command in COMMANDS)
SIZE = (120, 40)
WHEEL_STEPS = 5
"""So few that no command is passed by: a step moves by less than a fifth of the list in sight."""


class RecordingApp(TcptuiApp):
    """Tells which commands were carried out."""

    CSS_PATH = str(Path(tcptui.tui.app.__file__).with_name("app.tcss"))
    reached: set[str]

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        name = parse(action)[1] if isinstance(action, str) else action[1]
        reached = await super().run_action(action, default_namespace, namespaces)
        if reached and name in EVERY_COMMAND:
            self.reached.add(name)
        return reached


def reached_of(running: RunningScreen) -> set[str]:
    assert isinstance(running.app, RecordingApp)
    return running.app.reached


def record(tour: Tour) -> set[str]:
    """The commands that a tour has reached."""

    async def run() -> set[str]:
        RecordingApp.reached = set()
        async with running_screen(DemoSource("leak"), size=SIZE, samples=3, application=RecordingApp) as running:
            await tour.walk(running)
            return reached_of(running)

    return asyncio.run(run())


class Tour:
    """A way through the program."""

    async def walk(self, running: RunningScreen) -> None:
        raise NotImplementedError


class KeyboardTour(Tour):
    """Keys, and what the screen then shows."""

    STEPS: tuple[tuple[Iterable[str], str], ...] = (
        (["2"], "[2 Processes]"),
        (["3"], "[3 Services]"),
        (["4"], "[4 Listeners]"),
        (["5"], "[5 Ports]"),
        (["6"], "[6 Connections]"),
        (["7"], "[7 Namespaces]"),
        (["1"], "[1 Peers]"),
        (["tab"], "[2 Processes]"),
        (["shift+tab"], "[1 Peers]"),
        (["down", "enter"], "[6 Connections]"),
        (["escape"], "[1 Peers]"),
        (["right", "left"], "▸CLOSE_WAIT"),
        (["f"], "filter: state CLOSE_WAIT"),
        (["escape"], "5,8"),
        (["slash", *":8080", "enter"], "filter: :8080"),
        (["e"], "kernel"),
        (["escape", "escape"], "[1 Peers]"),
        (["s"], "CHANGE▼"),
        (["S"], "CHANGE▲"),
        (["f3", *"10.1.2", "enter"], "? explain"),
        (["n", "N"], "? explain"),
        (["t"], "1 marked"),
        (["y"], "copied: 1 row"),
        (["Y"], "copied: the view"),
        (["F"], "1 marked"),
        (["escape", "T"], "[1 Peers]"),
        (["o"], "Go to"),
        (["escape", "0"], "? explain"),
        (["x", "x"], "? explain"),
        (["question_mark"], "Esc"),
        (["escape", "d"], "[Findings]"),
        (["escape", "r"], "[Head-room]"),
        (["escape", "i"], "[Counters]"),
        (["escape", "m"], "State machine"),
        (["escape", "z"], "[1 Peers]"),
        (["z", "X"], "show states"),
        (["escape", "L"], "layout: "),
        ([*["L"] * 3], "all panels"),
        (["greater_than_sign", "less_than_sign", "right_curly_bracket", "left_curly_bracket"], "History"),
        (["a"], "logarithmic"),
        (["A"], "only "),
        (["A", "comma"], "last 5 min"),
        (["full_stop"], "last 1 min"),
        (["C"], "only the highlighted state"),
        (["escape", "H", "left"], ":04:0"),
        (["escape", "H"], "? explain"),
        (["h", "l"], "? explain"),
        (["c", "c"], "History"),
        (["minus", "plus"], "every"),
        (["space"], "‖ paused"),
        (["left"], "1s ago"),
        (["right"], "‖ paused"),
        (["left_parenthesis"], "2s ago"),
        (["right_parenthesis"], "‖ paused"),
        (["left_square_bracket"], "2s ago"),
        (["right_square_bracket"], "‖ paused"),
        (["space"], "● live"),
        (["w", "c", "enter"], "✔ saved tcptui-app-1-"),
        (["W"], "-2.csv in "),
        (["f1"], "KEYS IN THE TABLE"),
        (["escape", "ctrl+l", "ctrl+z"], "? explain"),
        (["ctrl+p", "escape"], "? explain"),
    )

    async def walk(self, running: RunningScreen) -> None:
        for keys, shown in self.STEPS:
            await running.press(*keys)
            await running.wait_for(shown)
        await running.press("q")


class MouseTour(Tour):
    """Clicks and the wheel: what has a place of its own on the screen there, all else in the list of commands."""

    async def walk(self, running: RunningScreen) -> None:
        for text in ("? explain", "/ filter", "Enter open", "Tab view", "w save"):
            await self._click(running, text)
            await self._back_to_the_panels(running)
        for text in ("2 Proc", "6 Conn", "1 Peer"):
            await self._click(running, text)
            await running.wait_for(f"[{text}")
        for command_id in sorted(EVERY_COMMAND - {"quit", "command_palette"}):
            await self._choose_in_palette(running, command_id)
            await self._back_to_the_panels(running)
        await self._click(running, "q quit")

    async def _choose_in_palette(self, running: RunningScreen, command_id: str) -> None:
        await self._click(running, "^P all")
        await running.wait_for(tr("Search for commands…"))
        found = running.app.screen.query_one(CommandList)
        title = Keymap().say(BY_ID[command_id].help)[:60]
        for _ in range(50):
            await running.pilot.pause()
            line = next((y for y, text in enumerate(running.text.splitlines()) if title in text), None)
            if line is not None and line in range(found.region.y, found.region.bottom):
                await running.pilot.click(offset=(found.region.x + 4, line))
                await running.pilot.pause()
                return
            await running.turn_wheel(found, WHEEL_STEPS)
        raise AssertionError(f"{title!r} never came into sight; the screen shows:\n{running.text}")

    async def _back_to_the_panels(self, running: RunningScreen) -> None:
        """Click on what says that it closes, or beside a prompt."""
        while running.app.screen is not running.app._panel_screen:
            await self._click(running, "Esc", from_below=True)
        if running.app._prompt is not None and running.app._prompt.purpose is not None:
            await self._click(running, "0 States")

    async def _click(self, running: RunningScreen, text: str, *, from_below: bool = False) -> None:
        await running.wait_for(text)
        lines = running.text.splitlines()
        found = [y for y, line in enumerate(lines) if text in line]
        y = found[-1 if from_below else 0]
        await running.pilot.click(offset=(lines[y].index(text) + 1, y))
        await running.pilot.pause()


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what is saved does no harm."""
    monkeypatch.chdir(tmp_path)


def test_by_keyboard_alone() -> None:
    assert record(KeyboardTour()) == EVERY_COMMAND


@pytest.mark.timeout(300)
def test_by_mouse_alone() -> None:
    assert record(MouseTour()) == EVERY_COMMAND

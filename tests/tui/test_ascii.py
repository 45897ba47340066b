"""A screen of ASCII alone: everything that is drawn has something in its place, of the same width."""

import ast
import asyncio
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

import tcptui
from tcptui.model.states import TcpState
from tcptui.monitor.view import View
from tcptui.sources.demo import DemoSource
from tcptui.tui.chart_choice import GLYPHS
from tcptui.tui.glyphs import IN_ASCII, AsciiFilter
from tcptui.tui.keymap import Keymap
from tcptui.tui.preferences import Preferences, needs_ascii
from tcptui.tui.tabs import VIEW_ORDER
from tests.support.languages import speaking
from tests.support.screens import RunningScreen, running_screen

PROGRAM = Path(tcptui.__file__).parent
IN_ASCII_ALONE = Preferences(Keymap(has_arrows=False), is_ascii=True)
MOMENTS: dict[str, list[str]] = {
    "panels": [],
    "connection": ["6", "enter"],
    "chart": ["c"],
    "marks": ["t", "t"],
    "explanation": ["x"],
    "entry": ["question_mark"],
    "columns": ["question_mark", "c"],
    "machine": ["m"],
    "help": ["f1"],
    "list": ["X"],
    "filter": ["slash", *"state cl"],
    "wrong filter": ["slash", *"state x"],
    "filter explained": ["slash", *":443", "enter", "e"],
    "no match": ["slash", *":1", "enter"],
    "find": ["f3"],
    "save": ["w"],
    "palette": ["ctrl+p"],
    "palette without a match": ["ctrl+p", *"zzqqx"],
}


def strange(text: str) -> list[str]:
    """The lines that are not ASCII."""
    return [line for line in text.splitlines() if not line.isascii()]


async def _check(running: RunningScreen, keys: list[str]) -> None:
    await running.press(*keys)
    await running.pilot.pause()
    assert strange(running.text) == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
@pytest.mark.parametrize("name", MOMENTS)
def test_nothing_but_ascii_is_drawn(name: str, size: tuple[int, int]) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=size, samples=3, preferences=IN_ASCII_ALONE) as running:
            await _check(running, MOMENTS[name])

    asyncio.run(run())


def test_so_it_is_in_every_view() -> None:
    async def run() -> None:
        async with running_screen(DemoSource("calm"), size=(160, 50), samples=3, preferences=IN_ASCII_ALONE) as running:
            for name in VIEW_ORDER:
                running.app._show(View().of_kind(name))
                await running.take_samples(1)
                await _check(running, [])

    asyncio.run(run())


@pytest.mark.parametrize("keys", [[], ["space"], ["c"]])
def test_a_terminal_too_small_is_told_so_in_ascii(keys: list[str]) -> None:
    async def run() -> None:
        async with running_screen(DemoSource("calm"), size=(50, 12), preferences=IN_ASCII_ALONE) as running:
            await _check(running, keys)
            assert "50x12 is too small" in running.text

    asyncio.run(run())


def test_chinese_stays_chinese_and_its_glyphs_are_ascii() -> None:
    async def run() -> None:
        async with running_screen(DemoSource("leak"), size=(120, 40), preferences=IN_ASCII_ALONE) as running:
            letters = {char for char in running.text if not char.isascii()}
            assert letters
            assert {unicodedata.category(char) for char in letters} <= {"Lo", "Po", "Ps", "Pe"}

    with speaking("zh"):
        asyncio.run(run())


# -- The table ---------------------------------------------------------------------------------------------------------


def test_what_stands_for_a_glyph_is_ascii_of_its_width() -> None:
    assert all(char.isascii() and char.isprintable() for char in IN_ASCII.values())
    assert all(cell_len(glyph) == len(char) for glyph, char in IN_ASCII.items())


def test_every_glyph_in_the_program_is_in_the_table() -> None:
    """Of texts in the code and of the explanations in English; letters of other scripts are none."""
    texts = [
        node.value
        for path in PROGRAM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    texts += [path.read_text("utf-8") for path in (PROGRAM / "explain" / "data").glob("*.toml")]
    texts += [path.read_text("utf-8") for path in (PROGRAM / "explain" / "data" / "en").glob("*.toml")]
    other = {char for text in texts for char in text if not char.isascii()}
    drawn = {char for char in other if unicodedata.category(char)[0] not in "LC"}  # neither letters nor controls
    full_width = {char for char in drawn if unicodedata.east_asian_width(char) in "WF" and char not in IN_ASCII}
    assert drawn - full_width <= IN_ASCII.keys()


def test_states_in_the_chart_and_levels_stay_apart() -> None:
    marks = [IN_ASCII[GLYPHS[state]] for state in TcpState if state in GLYPHS]
    assert len(marks) == len(set(marks))
    assert len({IN_ASCII[char] for char in "▁▂▃▄▅▆▇█"}) == 8


def drawn(text: str, encoding: str = "utf-8") -> str:
    segments = AsciiFilter(encoding).apply([Segment(text)], Color(0, 0, 0))
    return "".join(segment.text for segment in segments)


def test_what_the_terminals_characters_lack_is_a_question_mark_for_each_cell() -> None:
    assert drawn("╭─ é 端口 ─╮") == "+- é 端口 -+"
    assert drawn("╭─ é 端口 ─╮", "latin-1") == "+- é ???? -+"
    assert drawn("╭─ é 端口 ─╮", "ascii") == "+- ? ???? -+"


@given(st.text())
def test_every_text_keeps_its_width(text: str) -> None:
    assert cell_len(drawn(text, "ascii")) == cell_len(text)
    assert drawn(text, "ascii").isascii() or not text.isprintable()


# -- When --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terminal", "encoding", "is_needed"),
    [
        ("xterm-256color", "utf-8", False),
        ("xterm", "UTF8", False),
        ("xterm-256color", "iso8859-1", True),
        ("xterm-256color", "gb18030", True),
        ("xterm", "ascii", True),
        ("linux", "utf-8", True),
        ("", "utf-8", False),
    ],
)
def test_ascii_is_chosen_where_nothing_else_can_be_trusted(terminal: str, encoding: str, is_needed: bool) -> None:  # noqa: FBT001
    assert needs_ascii({"TERM": terminal}, encoding) is is_needed

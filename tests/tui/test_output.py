"""What is written makes a terminal show what is wanted, in few bytes and no faster than the terminal takes it."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from tcptui.tui.output import ASK, Pace, Picture, look_of

SIZE = Size(24, 6)
STYLES = (
    Style(),
    Style(color="#112233", bgcolor="#445566"),
    Style(color="#aabbcc", bgcolor="#445566", bold=True),
    Style(color="#aabbcc", bgcolor="#000000", reverse=True),
    Style(bgcolor="#000000", underline=True),
)
PIECES = st.tuples(st.text("ab ─█状态é", min_size=1, max_size=12), st.sampled_from(STYLES))


@st.composite
def frames(draw: st.DrawFn) -> LayoutUpdate:
    return LayoutUpdate([[draw(strips(SIZE.width))] for _ in range(SIZE.height)], SIZE.region)


@st.composite
def updates(draw: st.DrawFn) -> CompositorUpdate:
    if draw(st.booleans()):
        return draw(frames())
    y, first = draw(st.integers(0, SIZE.height - 1)), draw(st.integers(0, SIZE.width - 1))
    end = draw(st.integers(first + 1, SIZE.width))
    chops: list[dict[int, Strip | None]] = [{} for _ in range(SIZE.height)]
    chops[y] = {first: draw(strips(end - first))}
    return ChopsUpdate(chops, [(y, first, end)], [[end] for _ in range(SIZE.height)])


@st.composite
def strips(draw: st.DrawFn, width: int) -> Strip:
    segments = [Segment(text, style) for text, style in draw(st.lists(PIECES, min_size=1, max_size=4))]
    return Strip(segments).adjust_cell_length(width)


def shown_by(update: CompositorUpdate, screen: pyte.Screen) -> None:
    """What Textual itself would have written."""
    console = Console(color_system="truecolor", force_terminal=True)
    pyte.Stream(screen).feed(update.render_segments(console))


def looks(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """All cells: characters, and what of their style can be seen."""
    return [[_look(screen.buffer[y][x]) for x in range(SIZE.width)] for y in range(SIZE.height)]


def _look(cell: pyte.screens.Char) -> tuple[object, ...]:
    seen_on_blanks = (cell.data, cell.bg, cell.reverse, cell.underscore)
    is_blank = cell.data in ("", " ") and not cell.reverse and not cell.underscore
    return seen_on_blanks if is_blank else (*seen_on_blanks, cell.fg, cell.bold)


@settings(max_examples=100, deadline=None)
@given(st.lists(updates(), max_size=6), frames(), st.integers(1, 400))
def test_a_terminal_shows_what_textual_would_have_written(
    parts: list[CompositorUpdate], last: LayoutUpdate, most: int
) -> None:
    """A whole frame comes last, as parts drawn by chance cut wide characters, which Textual's never do."""
    all_updates = [*parts, last]
    plain, lean = pyte.Screen(*SIZE), pyte.Screen(*SIZE)
    for screen in (plain, lean):
        screen.reset_mode(pyte.modes.DECAWM)  # as Textual does
    picture, stream = Picture(ColorSystem.TRUECOLOR), pyte.Stream(lean)
    for update in all_updates:
        shown_by(update, plain)
        picture.take(update, SIZE)
        stream.feed(picture.next_bytes(most))  # the rest waits, as over a slow line
    while not picture.is_sent:
        stream.feed(picture.next_bytes(most))
    assert looks(lean) == looks(plain)
    picture.take(all_updates[-1], SIZE)
    assert picture.next_bytes(10_000) == ""


def full(rows: list[str]) -> LayoutUpdate:
    return LayoutUpdate([[Strip([Segment(row.ljust(SIZE.width))])] for row in rows], SIZE.region)


def sent(picture: Picture) -> str:
    return picture.next_bytes(100_000)


def test_only_what_differs_is_written() -> None:
    picture = Picture(ColorSystem.TRUECOLOR)
    picture.take(full(["sockets 1,250", *[""] * 5]), SIZE)
    sent(picture)
    picture.take(full(["sockets 1,251", *[""] * 5]), SIZE)
    assert sent(picture) == "\x1b[1;13H1"
    picture.take(full(["sockets 1,251", *[""] * 5]), SIZE)
    assert picture.is_sent
    picture.forget()
    assert sent(picture).count("sockets 1,251") == 1


def test_what_changed_last_comes_first() -> None:
    picture = Picture(ColorSystem.TRUECOLOR)
    picture.take(full([f"line {y}" for y in range(6)]), SIZE)
    assert "line 0" in picture.next_bytes(1)
    picture.take(full([*(f"line {y}" for y in range(5)), "pressed"]), SIZE)
    assert "pressed" in picture.next_bytes(1)


def test_a_screen_of_another_size_is_written_whole() -> None:
    picture = Picture(ColorSystem.TRUECOLOR)
    picture.take(full([f"line {y}" for y in range(6)]), SIZE)
    sent(picture)
    picture.take(full([f"line {y}" for y in range(6)]), Size(SIZE.width + 1, SIZE.height))
    assert "line 5" in sent(picture)


@given(st.text(max_size=8))
def test_nothing_that_a_terminal_would_act_on_is_written(hostile: str) -> None:
    picture = Picture(ColorSystem.TRUECOLOR)
    picture.take(LayoutUpdate([[Strip([Segment(hostile)], SIZE.width)]], Region(0, 0, SIZE.width, 1)), SIZE)
    controls = sent(picture).replace("\x1b[", "")
    assert controls.isprintable()


def test_looks_go_by_what_the_terminal_can_show() -> None:
    style = Style(color="#ff0000", bold=True)
    assert look_of(style, ColorSystem.TRUECOLOR) == (("1",), "38;2;255;0;0", "")
    assert look_of(style, ColorSystem.EIGHT_BIT).foreground == "38;5;196"
    assert look_of(style, ColorSystem.STANDARD).foreground == "31"
    assert look_of(None, ColorSystem.TRUECOLOR) == ((), "", "")


@dataclass
class Line:
    """A line of some speed and length to a terminal, on a clock of its own."""

    bytes_per_s: float
    way_s: float
    does_answer: bool = True
    now_s: float = 0.0
    free_at_s: float = 0.0
    answers: deque[float] = field(default_factory=deque)
    under_way: deque[tuple[float, int]] = field(default_factory=deque)

    def send(self, text: str) -> None:
        for piece in text.partition(ASK) if text.startswith(ASK) else (text,):
            for each in _pieces(piece):
                self.free_at_s = max(self.free_at_s, self.now_s) + len(each) / self.bytes_per_s
                self.under_way.append((self.free_at_s, len(each)))
                if each == ASK and self.does_answer:
                    self.answers.append(self.free_at_s + 2 * self.way_s)

    def pass_time(self, seconds: float, pace: Pace) -> None:
        self.now_s += seconds
        while self.answers and self.answers[0] <= self.now_s:
            pace.answered(self.answers.popleft())
        while self.under_way and self.under_way[0][0] <= self.now_s:
            self.under_way.popleft()

    @property
    def bytes_under_way(self) -> int:
        return sum(count for _, count in self.under_way)


def _pieces(text: str) -> Iterator[str]:
    for before, separator in itertools.zip_longest(text.split(ASK), [ASK] * text.count(ASK)):
        yield from (each for each in (before, separator) if each)


def run(line: Line, pace: Pace, seconds: float) -> tuple[int, list[int]]:
    """Write as much as may be for some time: how much that was, and how much was under way at each moment."""
    written, under_way = 0, []
    for _ in range(int(seconds / 0.05)):
        line.pass_time(0.05, pace)
        allowance = pace.allowance(line.now_s)
        if allowance and line.bytes_under_way < 100_000:  # beyond that the operating system holds back
            text = pace.framed("x" * min(allowance, 50_000), line.now_s)
            line.send(text)
            written += len(text)
        under_way.append(line.bytes_under_way)
    return written, under_way


def test_a_slow_line_has_half_a_second_under_way() -> None:
    line, pace = Line(960, way_s=0.05), Pace()
    run(line, pace, 30)
    assert pace.is_slow
    assert pace.bytes_per_s is not None
    assert 800 < pace.bytes_per_s < 1000
    written, under_way = run(line, pace, 60)
    assert max(under_way) <= 960 * 0.6
    assert written > 960 * 60 * 0.6


def test_a_long_way_is_not_taken_for_a_slow_line() -> None:
    line, pace = Line(1_000_000, way_s=0.4), Pace()
    run(line, pace, 10)
    assert pace.bytes_per_s is not None
    assert not pace.is_slow
    assert 500_000 < pace.bytes_per_s < 1_100_000


def test_a_line_that_gets_slow_is_noticed() -> None:
    line, pace = Line(1_000_000, way_s=0.01), Pace()
    run(line, pace, 10)
    line.bytes_per_s = 2000
    run(line, pace, 120)
    assert pace.is_slow
    _, under_way = run(line, pace, 30)
    assert max(under_way) <= 2000 * 0.75


def test_a_terminal_that_does_not_answer_gets_everything() -> None:
    line, pace = Line(10_000_000, way_s=0.0, does_answer=False), Pace()
    written, _ = run(line, pace, 10)
    assert not pace.does_answer
    assert written >= 10 / Pace.FIRST_PATIENCE_S * Pace.FIRST_BYTES * 0.5


def test_a_lost_answer_does_not_stop_the_screen() -> None:
    line, pace = Line(960, way_s=0.05), Pace()
    run(line, pace, 30)
    line.answers.clear()
    line.does_answer = False
    written, _ = run(line, pace, 3 * Pace.PATIENCE_S)
    assert written > 0


def test_small_writes_ask_nothing_of_a_fast_line() -> None:
    line, pace = Line(1_000_000, way_s=0.0), Pace()
    run(line, pace, 5)
    assert pace.framed("x" * (Pace.WORTH_ASKING_BYTES - 1), line.now_s) == "x" * (Pace.WORTH_ASKING_BYTES - 1)

"""The drawn state machine: everything is there, in its place, once, and nothing breaks the frame."""

import dataclasses
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.explain.knowledge import DATA
from tcptui.explain.machine.canvas import cells_between
from tcptui.explain.machine.drawing import draw, fits, machine_text
from tcptui.explain.machine.edges import CLOSED_NAME, EDGES, Edge
from tcptui.explain.machine.figures import ABSENT, NOTHING, UNMEASURED, UNSEEN, short_count, short_rate
from tcptui.explain.machine.grid import COMPACT_GRID, LARGE_GRID
from tcptui.explain.machine.listing import LIST_WIDTH
from tcptui.explain.machine.pieces import Lines, plain
from tcptui.explain.machine.plan import Plan
from tcptui.explain.machine.view import MachineView, flow
from tcptui.explain.machine.words import machine_words, words_from
from tcptui.explain.reader import KnowledgeError
from tcptui.model.history import Transitions
from tcptui.model.states import ALL_STATES, DISPLAY_ORDER, STATE_COUNT, TcpState
from tcptui.text import cell_count

LANGUAGES = ("en", "zh")
COMPACT, LARGE = ((grid.least_width, grid.height) for grid in (COMPACT_GRID, LARGE_GRID))
LIST = (LIST_WIDTH, 60)
DRAWN = (COMPACT, (79, 21), (99, 40), LARGE, (116, 34), (121, 50))
SIZES = (*DRAWN, LIST, (77, 60), (200, 19), (60, 12), (40, 1))
MOVED = [edge for edge in EDGES if edge.sight == "moved"]
FIGURE = """
    CLOSE>LISTEN LISTEN>CLOSE CLOSE>SYN_SENT SYN_SENT>CLOSE LISTEN>SYN_RECV SYN_RECV>LISTEN LISTEN>SYN_SENT
    SYN_SENT>SYN_RECV SYN_RECV>ESTABLISHED SYN_SENT>ESTABLISHED SYN_RECV>FIN_WAIT1 ESTABLISHED>FIN_WAIT1
    ESTABLISHED>CLOSE_WAIT FIN_WAIT1>FIN_WAIT2 FIN_WAIT1>CLOSING FIN_WAIT2>TIME_WAIT CLOSING>TIME_WAIT
    TIME_WAIT>CLOSE CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSE
"""
"""RFC 9293, figure 5, as read by a person."""
NOTE_2 = "FIN_WAIT1>TIME_WAIT"
HEAVY = set("━┃┏┓┗┛┣┫┳┻╋╍┋┍┎┑┒┕┖┙┚┝┞┟┠┡┢┥┦┧┨┩┪┭┮┯┰┱┲┵┶┷┸┹┺╸╹╺╻╼╽╾╿")
HEADS = set("▲▶▼◀")

Pair = tuple[TcpState, TcpState]


def moves(
    opened: Mapping[TcpState, int] | None = None,
    closed: Mapping[TcpState, int] | None = None,
    moved: Mapping[Pair, int] | None = None,
    elapsed_s: float = 1.0,
    brief: int | None = None,
) -> Transitions:
    """A second in which so many sockets came, went and moved."""
    arrays = np.zeros(STATE_COUNT, np.int64), np.zeros(STATE_COUNT, np.int64)
    for array, numbers in zip(arrays, (opened, closed), strict=True):
        for state, number in (numbers or {}).items():
            array[state] = number
    matrix = np.zeros((STATE_COUNT, STATE_COUNT), np.uint32)
    for pair, number in (moved or {}).items():
        matrix[pair] = number
    return Transitions(*arrays, matrix, elapsed_s, brief)


def everything(number: int) -> Transitions:
    """The same number everywhere, in jumps too."""
    each = dict.fromkeys(ALL_STATES, number)
    return moves(each, each, {(before, after): number for before in ALL_STATES for after in ALL_STATES}, brief=number)


FULL = MachineView(dict.fromkeys(ALL_STATES, 999_999), everything(1234))
HUGE = MachineView(dict.fromkeys(ALL_STATES, 4_000_000_000), everything(999_499))
EMPTY = MachineView({})
VIEWS = (FULL, HUGE, EMPTY, *(MachineView({}, everything(7), state) for state in ALL_STATES))


def grid(lines: Lines) -> list[list[str]]:
    """Cells; the second one of a wide character is empty."""
    return [
        [cell for character in plain(line) for cell in (character, *[""] * (cell_count(character) - 1))]
        for line in lines
    ]


def plan_of(size: tuple[int, int]) -> tuple[Plan, int]:
    """Where things stand in the drawing of that size, and how far it is moved to the right."""
    plan = Plan(LARGE_GRID if fits(*size) == "large" else COMPACT_GRID, size[0])
    return plan, (size[0] - plan.width) // 2


def at(rows: list[list[str]], x: int, y: int) -> str:
    return rows[y][x] if x < len(rows[y]) else " "


def found(lines: Lines, text: str) -> list[tuple[int, int]]:
    """Where ``text`` starts, in cells."""
    return [
        (cell_count(plain(line)[: match.start()]), y)
        for y, line in enumerate(lines)
        for match in re.finditer(rf"(?<![\d,.]){re.escape(text)}", plain(line))
    ]


def rates_in(lines: Lines) -> list[float]:
    """Every number that is shown as a rate; no suffixes."""
    texts = " ".join(text for line in lines for text, tone, _ in line if tone == "rate")
    return [float(number) for number in re.findall(r"([\d.]+)/s", texts)]


# -- what is drawn ---------------------------------------------------------------------------------------------------


def test_the_edges_are_those_of_the_figure_and_its_note() -> None:
    assert Counter(f"{edge.before.name}>{edge.after.name}" for edge in EDGES) == Counter([*FIGURE.split(), NOTE_2])


@pytest.mark.parametrize("size", DRAWN)
def test_every_edge_has_a_line_from_box_to_box(size: tuple[int, int]) -> None:
    plan, margin = plan_of(size)
    assert {route.edge for route in plan.routes} == set(EDGES)
    rows = grid(draw(FULL, *size))
    for route in plan.routes:
        source = plan.boxes[route.edge.before]
        (x, y), (head_x, head_y) = route.points[0], route.points[-1]
        assert x in (source.x, source.right) or y in (source.y, source.bottom)
        assert at(rows, head_x + margin, head_y) in HEADS
        if route.edge.after is TcpState.CLOSE and head_y == plan.end.y:
            assert head_x in (plan.end.start - 1, plan.end.end)
        else:
            target = plan.boxes[route.edge.after]
            assert target.x - 1 <= head_x <= target.right + 1
            assert target.y <= head_y <= target.bottom


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", [FULL, HUGE, EMPTY])
@pytest.mark.parametrize("size", DRAWN)
def test_every_label_is_whole(size: tuple[int, int], view: MachineView, language: str) -> None:
    words = machine_words(language)
    runs = [text for line in draw(view, *size, language) for text, _, _ in line]
    pieces = Counter(part.strip(" ◂▸") for run in runs for part in re.split(" {2,}", run))
    expected: Counter[str] = Counter()
    for edge in EDGES:
        label = words.edges[edge.name]
        if fits(*size) == "compact" or edge.name == "SYN_RECV-LISTEN":
            expected[label.short] += 1
        elif edge.name in ("LISTEN-SYN_SENT", "SYN_SENT-SYN_RECV", "CLOSE-SYN_SENT"):
            expected[label.full] += 1
        else:
            expected.update(filter(None, (label.event, label.action)))
    assert expected <= pieces, expected - pieces
    once = [words.active_close, words.passive_close, words.opened, words.closed, words.unseen, words.absent]
    once += [words.passive_open, words.active_open, words.letters] if fits(*size) == "large" else []
    for text in once:
        assert pieces[text] == 1, text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [LIST, (60, 60)])
def test_the_list_has_every_edge_under_its_state(size: tuple[int, int], language: str) -> None:
    words = machine_words(language)
    state, listed = "", []
    for line in draw(FULL, *size, language):
        text = plain(line)
        if " → " in text:
            listed.append((state, text.split(" → ")[1].split()[0], text.split(" → ")[0].strip()))
        elif text:
            state = text.split()[0]
    names = {state: CLOSED_NAME if state is TcpState.CLOSE else state.name for state in ALL_STATES}
    assert Counter(listed) == Counter(
        (
            names[edge.before],
            names[edge.after],
            next(
                text
                for text in (words.edges[edge.name].full, words.edges[edge.name].event)
                if (names[edge.before], names[edge.after], text) in listed
            ),
        )
        for edge in EDGES
    )


@pytest.mark.parametrize("size", [*DRAWN, LIST, (77, 60)])
def test_marks_say_what_cannot_be_seen(size: tuple[int, int]) -> None:
    legend = f"{NOTHING}{UNMEASURED}{UNSEEN}{ABSENT}"
    marks = Counter(text for line in draw(EMPTY, *size) for text, tone, _ in line if text.strip() in legend)
    assert (marks[UNSEEN], marks[ABSENT]) == (2, 1)
    assert marks[UNMEASURED] >= len(MOVED)
    still = MachineView({}, moves())
    marks = Counter(text for line in draw(still, *size) for text, _, _ in line if text.strip() in legend)
    assert (marks[UNSEEN], marks[ABSENT], marks[UNMEASURED]) == (3, 1, 0)
    assert marks[NOTHING] >= len(MOVED)


# -- the frame -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_or_higher_than_asked(size: tuple[int, int], language: str) -> None:
    width, height = size
    for view in VIEWS:
        lines = draw(view, width, height, language)
        assert len(lines) <= height or fits(width, height) != "large"
        assert max(cell_count("".join(text for text, _, _ in line)) for line in lines) <= width


@given(st.integers(LIST_WIDTH, 220), st.integers(0, 70), st.sampled_from(LANGUAGES), st.sampled_from(VIEWS))
def test_nothing_is_wider_at_any_size(width: int, height: int, language: str, view: MachineView) -> None:
    lines = draw(view, width, height, language)
    assert len(lines) <= height or fits(width, height) != "large"
    assert all(cell_count("".join(text for text, _, _ in line)) <= width for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", DRAWN)
def test_frames_stay_closed_whatever_the_numbers(size: tuple[int, int], language: str) -> None:
    plan, margin = plan_of(size)
    for view in VIEWS:
        rows = grid(draw(view, *size, language))
        for state, box in plan.boxes.items():
            left, right = box.x + margin, box.right + margin
            corners = [at(rows, x, y) for y in (box.y, box.bottom) for x in (left, right)]
            assert "".join(corners) in ("╭╮╰╯", "┏┓┗┛")
            for y in range(box.y + 1, box.bottom):
                assert at(rows, left, y) in "│┃┊┋├┤┝┥┠┨┣┫"
                assert at(rows, right, y) in "│┃┊┋├┤┝┥┠┨┣┫"
            name = CLOSED_NAME if state is TcpState.CLOSE else state.name
            assert name in "".join(rows[box.y + 1][left:right])


def test_the_sizes_the_forms_are_made_for() -> None:
    assert fits(78, 20) == fits(80, 24) == fits(115, 33) == "compact"
    assert fits(116, 34) == fits(100, 34) == "large"
    assert fits(78, 1) == fits(200, 19) == "compact"
    assert fits(77, 50) == "list"


# -- the numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", MOVED, ids=lambda edge: edge.name)
@pytest.mark.parametrize("size", [COMPACT, (116, 34)])
def test_a_rate_stands_at_its_edge(size: tuple[int, int], edge: Edge) -> None:
    plan, margin = plan_of(size)
    route = next(route for route in plan.routes if route.edge == edge)
    lines = draw(MachineView({}, moves(moved={(edge.before, edge.after): 37})), *size)
    [(x, y)] = found(lines, "37/s")
    x -= margin
    slots = [slot for part, slot in route.over if part.endswith("rate")]
    if slots:
        assert slots[0].y == y
        assert slots[0].start <= x < slots[0].end
    else:
        column, top = min(route.points, key=lambda point: point[1])
        assert top < y < max(y for _, y in route.points)
        assert column < x < column + 2 + cell_count("close() 37/s")


@pytest.mark.parametrize("state", DISPLAY_ORDER)
@pytest.mark.parametrize("size", [COMPACT, (116, 34)])
def test_counts_and_comings_and_goings_stand_in_their_box(size: tuple[int, int], state: TcpState) -> None:
    plan, margin = plan_of(size)
    lines = draw(MachineView({state: 123_456}, moves({state: 37}, {state: 41})), *size)
    box = plan.boxes[state]
    for text in ("123,456", "+37/s", "−41/s"):
        [(x, y)] = found(lines, text)
        assert box.x < x - margin < box.right
        assert box.y <= y <= box.bottom


@pytest.mark.parametrize("edge", MOVED, ids=lambda edge: edge.name)
def test_the_list_has_numbers_on_their_line(edge: Edge) -> None:
    counts = {edge.before: 1234}
    view = MachineView(counts, moves({edge.before: 37}, {edge.before: 41}, {(edge.before, edge.after): 43}))
    texts = [plain(line) for line in draw(view, *LIST)]
    start = next(at for at, text in enumerate(texts) if text.startswith(edge.before.name))
    assert re.fullmatch(rf"{edge.before.name} +1,234 +\+37/s −41/s", texts[start])
    line = next(text for text in texts[start:] if f"→ {edge.after.name}" in text)
    assert line.endswith(" 43/s")


@pytest.mark.parametrize("size", [COMPACT, LARGE, LIST])
def test_closed_is_in_no_table_unless_something_says_so(size: tuple[int, int]) -> None:
    assert any("in no table" in plain(line) for line in draw(EMPTY, *size))
    lines = draw(MachineView({TcpState.CLOSE: 12}), *size)
    assert not any("in no table" in plain(line) for line in lines)
    assert found(lines, "12")


@pytest.mark.parametrize("size", [COMPACT, LARGE, LIST])
def test_jumps_and_brief_connections_are_told(size: tuple[int, int]) -> None:
    jumps = {(TcpState.SYN_SENT, TcpState.CLOSE_WAIT): 3, (TcpState.LISTEN, TcpState.SYN_RECV): 1}
    lines = draw(MachineView({}, moves(moved=jumps, brief=5)), *size)
    assert any(re.search(r"jumps over a state 4/s.*in no sample 5/s", plain(line)) for line in lines)
    if size != LIST:
        assert any("(SYN_SENT→CLOSE_WAIT 3/s, " in plain(line) for line in lines)
    missed = dataclasses.replace(moves(brief=5), is_brief_exact=False)
    told = draw(MachineView({}, missed), *size)
    assert any("in no sample ≥5/s" in plain(line) for line in told)


def spread(draw_number: st.SearchStrategy[int]) -> st.SearchStrategy[Transitions]:
    """A few numbers somewhere."""
    state = st.sampled_from(ALL_STATES)
    ends = st.dictionaries(state, draw_number, max_size=4)
    pairs = st.dictionaries(st.tuples(state, state), draw_number, max_size=6)
    return st.builds(moves, ends, ends, pairs, brief=st.none() | draw_number)


def total(transitions: Transitions) -> int:
    """All that came, went and moved."""
    stayed = int(np.trace(transitions.moved))
    ends = int(transitions.opened.sum() + transitions.closed.sum())
    return ends + int(transitions.moved.sum()) - stayed + (transitions.brief or 0)


@given(spread(st.integers(0, 60)), st.sampled_from([COMPACT, LARGE, (121, 50), LIST]), st.sampled_from(LANGUAGES))
def test_what_is_shown_is_all_there_is(transitions: Transitions, size: tuple[int, int], language: str) -> None:
    assert sum(rates_in(draw(MachineView({}, transitions), *size, language))) == total(transitions)


@given(spread(st.integers(0, 2**31)), st.floats(0.01, 3600))
def test_the_flow_holds_every_number_once(transitions: Transitions, elapsed_s: float) -> None:
    seen = flow(Transitions(transitions.opened, transitions.closed, transitions.moved, elapsed_s, transitions.brief))
    shown = sum([*seen.edges.values(), *seen.opened.values(), *seen.closed.values(), seen.jumps_per_s, seen.brief or 0])
    assert shown * elapsed_s == pytest.approx(total(transitions))


@pytest.mark.parametrize(
    ("per_s", "text"),
    [
        (0, NOTHING), (0.01, "<0.1/s"), (0.5, "0.5/s"), (1, "1/s"), (9.94, "9.9/s"), (9.96, "10/s"), (999.4, "999/s"),
        (999.6, "1k/s"), (1234, "1.2k/s"), (12_345, "12k/s"), (999_499, "999k/s"), (1.2e6, "1.2M/s"), (3e9, "3G/s"),
    ],
)  # fmt: skip
def test_rates(per_s: float, text: str) -> None:
    assert short_rate(per_s) == text


@given(st.floats(0, 1e14))
def test_no_rate_takes_more_than_six_cells(per_s: float) -> None:
    assert len(short_rate(per_s)) <= 6


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (1234, "1,234"), (999_999, "999,999"), (1_000_000, "1M"), (1_234_567, "1.2M")]
)
def test_counts(count: int, text: str) -> None:
    assert short_count(count) == text


# -- the highlighted state -------------------------------------------------------------------------------------------


def heavy_cells(lines: Lines) -> set[tuple[int, int]]:
    return {(x, y) for y, row in enumerate(grid(lines)) for x, cell in enumerate(row) if cell in HEAVY}


def border(plan: Plan, state: TcpState) -> Iterator[tuple[int, int]]:
    yield from cells_between(plan.boxes[state].corners)


@pytest.mark.parametrize("state", ALL_STATES)
@pytest.mark.parametrize("size", DRAWN)
def test_the_edges_of_the_highlighted_state_are_heavy(size: tuple[int, int], state: TcpState) -> None:
    plan, margin = plan_of(size)
    assert not heavy_cells(draw(FULL, *size))
    heavy = heavy_cells(draw(MachineView(FULL.counts, FULL.transitions, state), *size))
    expected = {(x + margin, y) for x, y in border(plan, state)}
    for route in plan.routes:
        if state in (route.edge.before, route.edge.after):
            path = {(x + margin, y) for x, y in cells_between(route.points)}
            assert path & heavy, route.edge
            expected |= path
    assert heavy <= expected


@pytest.mark.parametrize("state", ALL_STATES)
def test_the_list_marks_the_edges_of_the_highlighted_state(state: TcpState) -> None:
    lines = draw(MachineView({}, None, state), *LIST)
    marked = [plain(line) for line in lines if plain(line).startswith("▸ ")]
    touching = [edge for edge in EDGES if state in (edge.before, edge.after)]
    assert len(marked) == 1 + len(touching)
    assert plain(lines[0]) == marked[0]


@pytest.mark.parametrize("size", [COMPACT, LARGE])
def test_other_edges_fade_and_its_own_take_its_colour(size: tuple[int, int]) -> None:
    pieces = [piece for line in draw(MachineView({}, None, TcpState.LAST_ACK), *size) for piece in line]
    assert not [piece for piece in pieces if piece[1] == "edge" and piece[0] not in "◂▸"]
    assert any(tone == "strong" and state is TcpState.LAST_ACK and set(text) & HEAVY for text, tone, state in pieces)
    assert any(tone == "dim" and "─" in text for text, tone, _ in pieces)


# -- as text, and the words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_the_text_has_drawing_legend_and_notes(width: int, language: str) -> None:
    text = machine_text(MachineView(FULL.counts, FULL.transitions, TcpState.LISTEN), width, language)
    assert text.endswith("\n")
    assert max(cell_count(line) for line in text.splitlines()) <= width
    assert not set(text) & HEAVY
    joined = re.sub(r"\s", "", text)
    words = machine_words(language)
    for sentence in (words.title, words.letters, words.unseen, *words.notes):
        assert re.sub(r"\s", "", sentence) in joined


@pytest.mark.parametrize("width", [40, 78, 99])
def test_what_is_too_tall_is_whole_all_the_same(width: int) -> None:
    assert draw(EMPTY, width, 1) == draw(EMPTY, width, COMPACT[1])


def test_both_languages_have_every_word_and_differ() -> None:
    english, chinese = (machine_words(language) for language in LANGUAGES)
    assert len(english.notes) == len(chinese.notes)
    assert not re.search(r"[\u3000-\uffef]", repr(english))
    assert re.search(r"[\u4e00-\u9fff]", chinese.title)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{moves}", "moves", "jumps_listed: expected the placeholder"),
        ("title =", "titel =", "title: is missing"),
        ("CLOSE-LISTEN =", "CLOSE-CLOSING =", "CLOSE-LISTEN: is missing"),
        ('action = "" }\nLISTEN-CLOSE', 'action = "", x = 1 }\nLISTEN-CLOSE', "unknown key"),
    ],
)
def test_wrong_words_are_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = (DATA / "en" / "machine.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "machine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=problem):
        words_from(path)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KnowledgeError):
        machine_words("xx")


def test_nothing_heavy_is_loaded() -> None:
    program = (
        "import sys; from tcptui.explain.machine import drawing, view;"
        "drawing.machine_text(view.MachineView({}));"
        "assert not {'numpy', 'rich', 'textual'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

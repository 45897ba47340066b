"""Tables for people: plain text and Markdown."""

import re
import shlex
from dataclasses import replace

import pytest

from tcptui.analysis.attribution import attributed
from tcptui.analysis.grid import Grid
from tcptui.errors import ExitCode, RequestError
from tcptui.export.formats import Format, format_of_path, render
from tcptui.export.head import command_of
from tcptui.model.fields import INFO_FIELDS, Field, SortKey, ViewKind
from tcptui.model.sample import Sample
from tcptui.monitor.frame import build_frame
from tcptui.monitor.view import View
from tests.export.frames import DEGRADED, frame, sample
from tests.model.held import SSHD, whereabouts_of

every_kind = pytest.mark.parametrize("kind", ViewKind, ids=[kind.value for kind in ViewKind])


def test_a_table_stands_alone() -> None:
    """Where, when, how exact, the counts, the rows, and the command to see it again."""
    text = render(frame(ViewKind.PEERS, ":443", taken=sample(degraded=DEGRADED)), Format.TABLE)
    assert text.splitlines() == [
        "tcptui · web-3 · 6.18.44 · netns blue · 2026-01-02 03:04:05 UTC",
        "4 sockets by sock_diag in 12.4 ms · LISTEN 1  ESTABLISHED 2  FIN_WAIT1 1",
        "filter: :443",
        "! processes of other users have no name: run as root to see every process",
        "! these sockets are made up",
        "",
        "PEER          TOTAL  LISTEN  ESTABLISHED  FIN_WAIT1  RECV-Q  SEND-Q",
        "198.51.100.7      3       0            2          1       5       8",
        "0.0.0.0           1       1            0          0       0       0",
        "",
        "$ tcptui snapshot --view peers -N blue :443",
    ]


def test_a_text_file_stands_alone() -> None:
    """Where, when, how exact, what it cost, the counts, the rows, and the commands to see it again."""
    text = render(frame(ViewKind.PEERS, "nginx or :22", taken=sample(degraded=DEGRADED)), Format.TEXT, limit=1)
    assert text.splitlines() == [
        "tcptui · web-3 · peers",
        "",
        "host     web-3",
        "kernel   6.18.44",
        "taken    2026-01-02 03:04:05 UTC",
        "view     peers, by total, descending",
        "filter   nginx or :22",
        "netns    blue",
        "source   sock_diag",
        "cost     12.4 ms: the kernel's table 8.1, decoding 1.0, holders 0.0",
        "sockets  5",
        "states   LISTEN 2  ESTABLISHED 2  FIN_WAIT1 1",
        "caution  processes of other users have no name: run as root to see every process",
        "         these sockets are made up",
        "",
        "PEER          TOTAL  LISTEN  ESTABLISHED  FIN_WAIT1  RECV-Q  SEND-Q",
        "198.51.100.7      3       0            2          1       5       8",
        "(2 more rows)",
        "",
        "$ tcptui snapshot --view peers -N blue 'nginx or :22'",
        "$ ss -tanp -N blue",
        "# ss cannot select by process: this shows more",
    ]


def test_a_text_file_says_by_what_networks_and_in_what_order() -> None:
    shown = build_frame(View(ViewKind.PEERS, None, SortKey("LISTEN", descending=False), 24), sample())
    assert "view     peers, by networks of 24 bits, by LISTEN, ascending" in render(shown, Format.TEXT)


def test_an_order_that_takes_time_is_asked_of_the_screen() -> None:
    """One sample knows neither ages nor changes, and ``tcptui snapshot`` says so instead of showing rows."""
    connections, peers = ViewKind.CONNECTIONS, ViewKind.PEERS
    plain, aged = View(peers), View(peers, frame(peers, "age > 5m").view.filter)
    by_age = View(connections, sort=SortKey("age_ms", descending=True))
    by_change = View(peers, sort=SortKey("change", descending=True))
    for view in (by_age, aged, by_change):
        assert command_of(replace(frame(view.kind), view=view)).startswith("tcptui --view ")
    assert command_of(replace(frame(peers), view=plain)).startswith("tcptui snapshot --view ")


@every_kind
def test_no_line_of_a_table_ends_in_blanks_or_holds_a_tab(kind: ViewKind) -> None:
    for line in render(frame(kind), Format.TABLE).splitlines():
        assert line == line.rstrip()
        assert line.isprintable()


@every_kind
def test_the_rows_of_a_table_are_aligned(kind: ViewKind) -> None:
    """Each title stands over its column: numbers end where it ends, words begin where it begins."""
    text = render(frame(kind), Format.TABLE)
    table = text.split("\n\n")[1].splitlines()
    titles = [match.span() for match in re.finditer(r"\S+( \S+)*", table[0])]
    for line in table[1:]:
        cells = [match.span() for match in re.finditer(r"\S+( \S+)*", line)]
        under = [
            title
            for begin, end in cells
            for title, (title_begin, title_end) in enumerate(titles)
            if begin == title_begin or end == title_end
        ]
        assert len(under) == len(set(under)) == len(cells)
        is_unnamed = kind is ViewKind.PROCESSES and "(kernel)" in line
        assert len(cells) == len(titles) - 2 * is_unnamed  # such a row has neither user nor command


def test_a_table_says_how_many_rows_were_left_out() -> None:
    text = render(frame(ViewKind.CONNECTIONS), Format.TABLE, limit=2)
    assert "(5 more rows)" in text
    assert "more rows" not in render(frame(ViewKind.CONNECTIONS), Format.TABLE, limit=7)


def test_states_in_which_there_is_nobody_are_left_out_for_a_reader() -> None:
    assert "SYN_SENT" not in render(frame(ViewKind.PORTS), Format.TABLE)
    assert "SYN_SENT" in render(frame(ViewKind.PORTS), Format.CSV)


def titles_of(kind: ViewKind, taken: Sample) -> list[str]:
    header = render(frame(kind, taken=taken), Format.TABLE).split("\n\n")[1].splitlines()[0]
    return re.split(r"  +", header)


def test_what_was_not_fetched_is_no_column_for_a_reader() -> None:
    fetched, plain = sample(), sample(absent=INFO_FIELDS)
    assert set(titles_of(ViewKind.CONNECTIONS, fetched)) - set(titles_of(ViewKind.CONNECTIONS, plain)) == {
        *("RTT", "RETRANS SUM")
    }
    assert "rtt_us" in render(frame(ViewKind.CONNECTIONS, taken=plain), Format.CSV)


def test_ages_that_one_sample_does_not_know_are_no_column_for_a_reader() -> None:
    assert "IN STATE" not in titles_of(ViewKind.CONNECTIONS, sample())
    assert "age_ms" in render(frame(ViewKind.CONNECTIONS), Format.CSV)


def test_the_namespace_is_a_column_where_there_are_several() -> None:
    one = sample()
    several = replace(one, namespaces=("blue", "red"))
    for kind in (ViewKind.PEERS, ViewKind.PORTS, ViewKind.LISTENERS, ViewKind.CONNECTIONS):
        assert ("NETNS" in titles_of(kind, one), "NETNS" in titles_of(kind, several)) == (False, True)
    assert "NETNS" in titles_of(ViewKind.NAMESPACES, one)


def test_what_only_programs_ask_for_is_no_column_for_a_reader() -> None:
    titles = titles_of(ViewKind.PROCESSES, sample())
    assert titles[:3] == ["PROCESS", "PID", "FDS"]
    assert titles[-2:] == ["USER", "COMMAND"]
    header = render(frame(ViewKind.PROCESSES), Format.CSV).splitlines()[0]
    assert header.endswith("user,command,descriptor_limit,holders")


def test_a_process_cannot_break_out_of_a_markdown_table() -> None:
    hostile = replace(SSHD, name="_a|b`<c>*&lt;_")
    taken = attributed(replace(sample(), whereabouts=whereabouts_of({21: (hostile,)})))
    text = render(frame(ViewKind.CONNECTIONS, taken=taken), Format.MD)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert "\\_a\\|b\\`\\<c\\>\\*\\&lt;\\_" in text
    assert "| CLOSE_WAIT |" in text


def test_an_empty_table_says_so() -> None:
    assert "0 sockets by sock_diag in 12.4 ms · none" in render(frame(ViewKind.PEERS, "port 9"), Format.TABLE)


def test_what_is_unknown_is_a_question_mark() -> None:
    text = render(frame(ViewKind.LISTENERS, taken=sample(absent=frozenset({"backlog"}))), Format.TABLE)
    assert re.search(r"0\.0\.0\.0:443 +nginx \+1 +2 +\? ", text)


def test_a_markdown_table_has_one_cell_for_each_title_in_each_row() -> None:
    lines = render(frame(ViewKind.PEERS, taken=sample(degraded=DEGRADED)), Format.MD).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert lines[0] == "# tcptui · web-3 · peers"
    assert "- host: web-3" in lines
    assert [line for line in lines if line.startswith("- caution: ")] == [
        "- caution: processes of other users have no name: run as root to see every process",
        "- caution: these sockets are made up",
    ]
    assert table[0].startswith("| PEER | TOTAL | LISTEN |")
    assert set(table[1].split(" | ")[1:-1]) == {"---:"}
    assert len({line.count(" | ") for line in table}) == 1
    assert lines[-4:] == ["```sh", "tcptui snapshot --view peers -N blue", "ss -tan -N blue", "```"]


@every_kind
def test_no_cell_of_a_markdown_table_breaks_out(kind: ViewKind) -> None:
    table = [line for line in render(frame(kind), Format.MD).splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


class PipedGrid(Grid):
    """A grid whose texts hold what separates the cells of a Markdown table."""

    def human(self, row: int, field: Field) -> str:
        return f"{field.id}|{row}"


def test_a_cell_that_holds_a_pipe_stays_one_cell() -> None:
    shown = frame(ViewKind.PORTS)
    piped = replace(shown, grid=PipedGrid(**vars(shown.grid)))
    table = [line for line in render(piped, Format.MD).splitlines() if line.startswith("|")]
    assert "port\\|0" in table[2] + table[3] + table[4]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("a.txt", Format.TEXT),
        ("a.text", Format.TEXT),
        ("a.csv", Format.CSV),
        ("a.json", Format.JSON),
        ("a.jsonl", Format.JSONL),
        ("a.md", Format.MD),
        ("/x.y/A.JSON", Format.JSON),
        ("a.csv.md", Format.MD),
        ("a.html", Format.HTML),
        ("a.HTM", Format.HTML),
        ("report", Format.TEXT),
        (".json", Format.TEXT),
        ("", Format.TEXT),
    ],
)
def test_a_files_ending_asks_for_a_format(path: str, format: Format) -> None:
    assert format_of_path(path) is format


@pytest.mark.parametrize("path", ["a.xml", "a.\x1b[31m", "a.jsn"])
def test_an_ending_that_names_no_format_is_a_wrong_request(path: str) -> None:
    with pytest.raises(RequestError) as caught:
        format_of_path(path)
    assert caught.value.exit_code is ExitCode.REQUEST
    assert ".json" in caught.value.hint
    assert str(caught.value).isprintable()


def test_the_command_asks_for_the_same_view() -> None:
    view = View(ViewKind.PEERS, frame(ViewKind.PEERS, "dport = :443 or state time-wait").view.filter)
    shown = build_frame(View(view.kind, view.filter, SortKey("TIME_WAIT", descending=True), 24), sample())
    assert shlex.split(command_of(shown)) == [
        *("tcptui", "snapshot", "--view", "peers", "-N", "blue", "--prefix", "24", "--sort=-TIME_WAIT"),
        "dport = :443 or state time-wait",
    ]


@pytest.mark.parametrize("format", [Format.TABLE, Format.MD])
def test_no_filter_brings_an_escape_sequence_into_the_text(format: Format) -> None:
    try:
        shown = frame(ViewKind.PEERS, "dst ::1%\x1b[31mowned")
    except RequestError:
        return
    assert "\x1b" not in render(shown, format)

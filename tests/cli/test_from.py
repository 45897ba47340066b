"""``--from``: a text in place of this machine, from a file or standard input, for a snapshot and for the screen."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import COMMAND, DEADLINE_S, Ended, environment, side_by_side, tcptui
from tests.cli.test_imports import SCREEN_LIBRARIES, modules_after
from tests.support.terminal import terminal

LISTING = """\
State      Recv-Q Send-Q Local Address:Port Peer Address:Port Process
LISTEN     0      128          0.0.0.0:8080      0.0.0.0:*     users:(("java",pid=812,fd=7))
CLOSE-WAIT 1      0           10.0.0.1:8080     10.0.0.9:5001  users:(("java",pid=812,fd=8))
CLOSE-WAIT 1      0           10.0.0.1:8080     10.0.0.9:5002  users:(("java",pid=812,fd=9))
ESTAB      0      0           10.0.0.1:8080     web-7.lan:5003 users:(("nginx: worker",pid=9,fd=9))
"""
COUNTS = "TIME_WAIT 5002\nFIN_WAIT2 5786\n"


def from_stdin(text: bytes, *arguments: str) -> Ended:
    """Run the program with a text on its standard input."""
    done = subprocess.run(
        [*COMMAND, *arguments], input=text, capture_output=True, check=False, timeout=DEADLINE_S, env=environment()
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def listing(tmp_path: Path) -> str:
    path = tmp_path / "ss.txt"
    path.write_text(LISTING)
    return str(path)


def document(ended: Ended) -> dict[str, Any]:
    assert (ended.exit_code, ended.errors) == (0, "")
    parsed: dict[str, Any] = json.loads(ended.output)
    return parsed


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "standard input"])
def test_a_text_is_a_source_as_any_other(listing: str, *, is_piped: bool) -> None:
    arguments = ("snapshot", "--view", "peers", "--format", "json", "dst", "10.0.0.0/8", "and", "java")
    if is_piped:
        ended = from_stdin(LISTING.encode(), *arguments, "--from", "-")
    else:
        ended = tcptui(*arguments, "--from", listing)
    written = document(ended)
    assert written["rows"] == [
        {
            "peer": "10.0.0.9",
            "netns": None,
            "total": 2,
            "recv_queue_bytes": 2,
            "send_queue_bytes": 0,
            "states": {"CLOSE_WAIT": 2},
        }
    ]
    assert (written["host"], written["kernel"], written["taken_at"], written["netns"]) == (None, None, None, None)
    assert written["source"] == ("text stdin" if is_piped else f"text {listing}")


def test_what_is_known_by_name_is_filtered_by_name(listing: str) -> None:
    written = document(
        tcptui("snapshot", "--from", listing, "--view", "connections", "--format", "json", "dst", "WEB-7.lan")
    )
    assert [(row["remote_address"], row["process"], row["timer"]) for row in written["rows"]] == [
        ("web-7.lan", "nginx: worker", None)
    ]


def test_the_command_below_a_table_gives_the_same_table(listing: str) -> None:
    arguments = ("snapshot", "--from", listing, "--view", "processes", "--sort=-total")
    ended = tcptui(*arguments)
    assert ended.output.splitlines()[-1] == f"$ tcptui snapshot --view processes --from {listing} --sort=-total"
    assert "java" in ended.output
    assert "host unknown · time unknown" in ended.output


VIEWS = ("states", "processes", "services", "listeners", "ports", "connections")
SHOWN = [
    *(("peers", format) for format in ("table", "csv", "json", "jsonl", "md")),
    *((view, "json") for view in VIEWS),
]


@pytest.fixture(scope="module")
def counted() -> dict[tuple[str, str], Ended]:
    """Counts alone, in views and formats."""

    def show(each: tuple[str, str]) -> Ended:
        view, format = each
        return from_stdin(COUNTS.encode(), "snapshot", "--from", "-", "--view", view, "--format", format)

    return side_by_side(show, SHOWN)


@pytest.mark.parametrize(("view", "format"), SHOWN)
def test_counts_alone_can_be_shown_and_never_as_an_address(
    counted: dict[tuple[str, str], Ended], view: str, format: str
) -> None:
    ended = counted[view, format]
    assert ended.exit_code == 0
    assert "0.0.0.0" not in ended.output  # noqa: S104 - no place to bind
    assert "ff::" not in ended.output
    said = ended.output + ended.errors
    assert "no more than that they are counted" in said


@pytest.mark.parametrize(
    "option", [("-N", "blue"), ("--demo", "leak"), ("--source", "proc"), ("-4",), ("-6",)], ids=" ".join
)
def test_a_text_and_another_place_to_look_are_two_sources(listing: str, option: tuple[str, ...]) -> None:
    ended = tcptui("snapshot", "--from", listing, *option)
    assert ended.exit_code == 2
    assert ended.complaint.startswith(f"--from and {option[0]} are two sources: ")


def test_a_text_about_nothing_ends_with_2_and_says_what_would_be_understood() -> None:
    ended = from_stdin(b"\x1b[31mhello\x00\xff\n", "snapshot", "--from", "-")
    assert ended.exit_code == 2
    assert ended.complaint.startswith("stdin has nothing about TCP sockets in it: what ss, netstat, ")


@pytest.mark.parametrize("path", ["/no/such/file", "/", "/etc/\x1b[31m", ""])
def test_a_text_that_cannot_be_read_ends_with_3(path: str) -> None:
    ended = tcptui("snapshot", "--from", path)
    assert ended.exit_code == 3
    assert "cannot read " in ended.complaint


def test_a_snapshot_of_a_text_loads_nothing_of_the_screen(listing: str) -> None:
    packages, modules = modules_after("snapshot", "--from", listing)
    assert not packages & (SCREEN_LIBRARIES | {"psutil", "lark"})
    assert not any(name.startswith(("tcptui.tui", "tcptui.explain", "tcptui.sources.live")) for name in modules)


def test_the_text_is_opened_before_numbers_are_loaded() -> None:
    program = "import sys, tcptui.sources.pasted.opening; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(("path", "exit_code"), [("-", 2), ("/no/such/file", 3)])
def test_a_browser_cannot_be_shown_a_text_that_is_read_once_or_not_at_all(path: str, exit_code: int) -> None:
    ended = from_stdin(LISTING.encode(), "--web", "0", "--from", path)
    assert ended.exit_code == exit_code
    assert ended.complaint.startswith("--web and --from -" if path == "-" else "cannot read /no/such/file")


# -- On a terminal -----------------------------------------------------------------------------------------------------

SHELL = ("sh", "-c")


def test_the_screen_takes_its_keys_from_the_terminal_while_the_text_comes_through_a_pipe(listing: str) -> None:
    command = f"cat {listing} | {sys.executable} -m tcptui --from -"
    with terminal([*SHELL, command], columns=120, rows=30, environment=environment()) as running:
        running.wait_for("■ still", 30)
        assert "from stdin · time unknown · 4 sockets" in running.text
        running.type("6")
        running.wait_for("web-7.lan")
        running.type("q")
        assert running.wait_for_end() == 0


def test_a_text_that_the_screen_cannot_show_is_told_below_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    with terminal([*COMMAND, "--from", str(path)], columns=160, environment=environment()) as running:
        assert running.wait_for_end(30) == 2
        assert "has nothing about TCP sockets in it" in running.text.replace("\n", "")


def test_the_screen_does_not_wait_for_a_text_that_nobody_pipes() -> None:
    with terminal([*COMMAND, "--from", "-"], columns=160, environment=environment()) as running:
        assert running.wait_for_end(30) == 2
        assert "standard input is the terminal: pipe a text into it" in running.text


def test_without_a_terminal_there_are_no_keys() -> None:
    ended = from_stdin(LISTING.encode(), "--from", "-")
    assert ended.exit_code == 2
    assert "the screen needs a terminal" in ended.complaint

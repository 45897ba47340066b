"""What goes where when all is well."""

import json
import os
import re
import resource
import shlex
import socket
from pathlib import Path

import pytest

from tcptui import __version__
from tcptui.cli import main
from tests.cli.process import environment, tcptui

DEMO = ("--demo", "calm")


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_is_the_packages(flag: str) -> None:
    ended = tcptui(flag)
    assert (ended.exit_code, ended.output, ended.errors) == (0, f"tcptui {__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_shows_filters_options_and_commands(flag: str) -> None:
    ended = tcptui(flag)
    assert (ended.exit_code, ended.errors) == (0, "")
    for text in ("FILTER", "dport gt :1024", "--netns", "--interval", "--demo", "snapshot", "explain", "completion"):
        assert text in ended.output
    assert "Traceback" not in ended.output


def test_help_fits_a_terminal_of_80_columns() -> None:
    assert max(map(len, tcptui("--help").output.splitlines())) <= 80


@pytest.mark.parametrize("command", ["snapshot", "explain", "completion"])
def test_every_command_has_help(command: str) -> None:
    ended = tcptui(command, "--help")
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output.startswith(f"Usage: tcptui {command} ")


def test_data_goes_to_standard_output_alone() -> None:
    ended = tcptui("snapshot", *DEMO, "--format", "json")
    assert (ended.exit_code, ended.errors) == (0, "")
    assert json.loads(ended.output)["schema"] == "tcptui.snapshot/1"


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_what_a_format_has_no_place_for_goes_to_standard_error(format: str) -> None:
    ended = tcptui("snapshot", *DEMO, "--format", format)
    assert ended.exit_code == 0
    assert ended.errors == "tcptui: demo calm: these sockets are made up\n"
    assert "made up" not in ended.output


def test_this_machine_can_be_looked_at() -> None:
    ended = tcptui("snapshot", "--format", "json")
    document = json.loads(ended.output)
    assert (ended.exit_code, ended.errors) == (0, "")
    assert document["view"] == "states"
    assert document["total"] == sum(document["states"].values()) == sum(row["total"] for row in document["rows"])


@pytest.mark.parametrize("view", ["processes", "services", "namespaces", "connections", "listeners"])
def test_whom_the_sockets_of_this_machine_belong_to_can_be_asked(tmp_path: Path, view: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        text = f"sport = :{listener.getsockname()[1]} and pid {os.getpid()}"
        document = json.loads(snapshot(tmp_path, "--view", view, text))
    (row,) = document["rows"]
    assert document["total"] == row.get("total", 1) == 1
    if "pid" in row:
        assert row["pid"] == os.getpid()
    if view == "processes":
        assert row["descriptors"] > 0
        assert row["descriptor_limit"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize("reader", ["auto", "netlink", "proc"])
def test_the_source_can_be_chosen(reader: str) -> None:
    document = json.loads(tcptui("snapshot", "--source", reader, "--format", "json").output)
    assert document["source"] == ("/proc/net/tcp" if reader == "proc" else "sock_diag")
    assert document["degraded"] == []


def test_psutil_can_be_chosen() -> None:
    ended = tcptui("snapshot", "--source", "psutil", "--format", "json")
    assert ended.exit_code == 0
    assert json.loads(ended.output)["source"] == "psutil"


@pytest.mark.skipif(os.geteuid() != 0, reason="setns(2) takes CAP_SYS_ADMIN")
@pytest.mark.parametrize("asked", ["/proc/self/ns/net", str(os.getpid())], ids=["path", "pid"])
def test_a_namespace_is_named_as_it_was_asked_for(asked: str) -> None:
    ended = tcptui("snapshot", "-N", asked, "--format", "json")
    assert (ended.exit_code, ended.errors) == (0, "")
    assert json.loads(ended.output)["netns"] == asked


# -- In process: the same entry point, much cheaper --------------------------------------------------------------------


def snapshot(tmp_path: Path, *arguments: str, name: str = "out.json") -> str:
    path = tmp_path / name
    assert main(["snapshot", *arguments, "-o", str(path), "--force"]) == 0
    return path.read_text("utf-8")


@pytest.mark.parametrize("words", [("state", "time-wait", "or", "listen"), ("state time-wait or listen",)])
def test_the_words_of_a_filter_are_joined(tmp_path: Path, words: tuple[str, ...]) -> None:
    document = json.loads(snapshot(tmp_path, *DEMO, *words))
    assert document["filter"] == "state time-wait or listen"
    assert {name for name, count in document["states"].items() if count} == {"TIME_WAIT", "LISTEN"}


def test_what_follows_two_hyphens_is_the_filter(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert main(["snapshot", *DEMO, "-o", str(path), "--", ":443"]) == 0
    assert json.loads(path.read_text())["filter"] == ":443"


def test_options_of_the_screen_may_stand_before_the_command(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert main(["--demo", "leak", ":22", "snapshot", "-o", str(path)]) == 0
    document = json.loads(path.read_text())
    assert (document["source"], document["filter"]) == ("demo leak", ":22")


@pytest.mark.parametrize(
    ("arguments", "scene"),
    [
        (("--demo",), "calm"),
        (("--demo", "leak"), "leak"),
        (("--demo=flood",), "flood"),
        (("--demo", ":443"), "calm"),
        (("--demo", "--view", "ports"), "calm"),
    ],
)
def test_a_demo_without_a_scene_is_the_calm_one(tmp_path: Path, arguments: tuple[str, ...], scene: str) -> None:
    assert json.loads(snapshot(tmp_path, *arguments))["source"] == f"demo {scene}"


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.txt", "tcptui · "),
        ("a.csv", "state,total,"),
        ("a.json", "{\n"),
        ("a.jsonl", '{"state"'),
        ("a.md", "# tcptui · "),
        ("A.MD", "# "),
        ("a.html", "<!DOCTYPE html>"),
    ],
)
def test_a_files_ending_chooses_the_format(tmp_path: Path, name: str, start: str) -> None:
    assert snapshot(tmp_path, *DEMO, name=name).startswith(start)


@pytest.mark.parametrize("name", ["report.md", "report.csv", "report", "report.xml"])
def test_a_format_that_is_named_wins_over_the_ending(tmp_path: Path, name: str) -> None:
    assert snapshot(tmp_path, *DEMO, "--format", "json", name=name).startswith("{\n")


@pytest.mark.parametrize(("flags", "families"), [(("-4",), {4}), (("-6",), {6}), (("-4", "-6"), {4, 6}), ((), {4, 6})])
def test_a_family_can_be_left_out(tmp_path: Path, flags: tuple[str, ...], families: set[int]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as v4,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as v6,
    ):
        listening = {v4.getsockname()[1]: 4, v6.getsockname()[1]: 6}
        rows = json.loads(snapshot(tmp_path, *flags, "--view", "ports", "listen"))["rows"]
    assert {listening[row["port"]] for row in rows if row["port"] in listening} == families


def test_a_limit_of_none_writes_no_row(tmp_path: Path) -> None:
    document = json.loads(snapshot(tmp_path, *DEMO, "--limit", "0"))
    assert document["rows"] == []
    assert document["total"] > 0


def test_a_listener_is_known_although_the_filter_leaves_it_out(tmp_path: Path) -> None:
    """The kernel is asked for the states that the filter can mean, and for the listeners that are the rows."""
    document = json.loads(snapshot(tmp_path, *DEMO, "--view", "listeners", "state", "time-wait"))
    (row,) = document["rows"]
    assert (row["local"], row["backlog"], set(row["states"])) == ("[::]:443", 4096, {"TIME_WAIT"})


COMMANDS = [
    ("--demo", "calm"),
    ("--demo", "flood", "--view", "peers", "--prefix", "24"),
    ("--demo", "flood", "--view", "connections", "--sort=-retransmits", "(state syn-recv or listen) and not port 22"),
    ("--demo", "calm", "--view", "listeners", "--sort=backlog", "sport != 9100"),
    ("--demo", "leak", "--view", "processes", "--sort=-descriptors", "not state listen"),
    ("--demo", "leak", "--view", "services", "service java"),
    ("--demo", "timewait", "--view", "namespaces"),
    ("--demo", "calm", "--view", "connections", "--sort=-rtt_us", "process nginx and established"),
]


def command_in(table: str) -> str:
    """The first of the commands below a table."""
    return next(line.removeprefix("$ ") for line in table.splitlines() if line.startswith("$ "))


@pytest.mark.parametrize("arguments", COMMANDS, ids=[" ".join(each) for each in COMMANDS])
def test_the_command_under_a_table_shows_the_same_table(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    table = snapshot(tmp_path, *arguments, name="a.txt")
    first, *words = shlex.split(command_in(table))
    assert first == "tcptui"
    assert main([*words, "-o", str(tmp_path / "b.txt")]) == 0
    assert (tmp_path / "b.txt").read_text("utf-8") == table


@pytest.mark.parametrize("flags", [("-4",), ("-6",), ("--source", "proc")])
def test_the_command_under_a_table_asks_for_the_same_sockets(tmp_path: Path, flags: tuple[str, ...]) -> None:
    assert " ".join(flags) in command_in(snapshot(tmp_path, *flags, name="a.txt"))


def test_no_colour_and_no_escape_sequence_is_written_to_a_file_or_pipe() -> None:
    ended = tcptui("snapshot", *DEMO, environ=environment(TERM="xterm", FORCE_COLOR="1"))
    assert ended.exit_code == 0
    assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f]+", ended.output)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_output_is_utf_8_in_every_locale(locale: str) -> None:
    ended = tcptui("snapshot", *DEMO, environ=environment(LC_ALL=locale, PYTHONIOENCODING="ascii"))
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output.startswith("tcptui · web-3 · ")

"""The screen in a real terminal over real sockets, as a newcomer would use it."""

import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tcptui.model.states import DISPLAY_ORDER, TcpState
from tests.support.lab import Lab
from tests.support.terminal import Terminal, terminal

pytestmark = pytest.mark.live

SIZES = [(80, 24), (120, 40), (200, 60)]


@contextlib.contextmanager
def screen(
    lab: Lab, *arguments: str, size: tuple[int, int] = (80, 24), environment: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "tcptui", "-N", str(lab.box.path), *arguments]
    with terminal(command, columns=size[0], rows=size[1], environment=environment) as running:
        running.wait_for(lambda text: re.search("[●*] live", text) is not None)
        yield running


def shown_counts(text: str) -> dict[TcpState, int]:
    """The counts in the states panel."""
    found = re.findall(rf"\b({'|'.join(state.name for state in DISPLAY_ORDER)})\s+([\d,]+)\s", text)
    counts: dict[TcpState, int] = {}
    for name, count in found:
        counts.setdefault(TcpState[name], int(count.replace(",", "")))
    return counts


def parked_in_all_states(lab: Lab) -> dict[TcpState, int]:
    for number, state in enumerate(DISPLAY_ORDER, start=1):
        lab.park(state, 2 * number)
    lab.settle()
    return {state: lab.expected()[state] for state in DISPLAY_ORDER}


@pytest.mark.parametrize("size", SIZES)
def test_shows_the_ten_states_and_follows_a_change(lab: Lab, size: tuple[int, int]) -> None:
    expected = parked_in_all_states(lab)
    with screen(lab, size=size) as running:
        running.wait_for(lambda text: shown_counts(text) == expected)
        interval_s = 1.0
        parked = lab.park(TcpState.CLOSE_WAIT, 11)
        expected[TcpState.CLOSE_WAIT] += 11
        expected[TcpState.LISTEN] = lab.expected()[TcpState.LISTEN]
        running.wait_for(lambda text: shown_counts(text) == expected, timeout_s=2 * interval_s + 1)
        lab.release(parked)
        expected[TcpState.CLOSE_WAIT] -= 11
        running.wait_for(lambda text: shown_counts(text) == expected, timeout_s=2 * interval_s + 1)


@pytest.mark.parametrize("size", SIZES)
def test_narrows_as_one_types_and_saves_what_it_shows(lab: Lab, tmp_path: Path, size: tuple[int, int]) -> None:
    lab.park(TcpState.ESTABLISHED, 7, port=8080, role="server")
    other = lab.park(TcpState.CLOSE_WAIT, 5, role="client")
    # The listener on 8080 counts as well.
    on_port = {TcpState.ESTABLISHED: 7, TcpState.LISTEN: 1}
    with screen(lab, size=size) as running:
        running.type("/:8080")
        running.wait_for(lambda text: _only(text, on_port))
        running.type("\x15" + other.peer_address)
        running.wait_for(lambda text: _only(text, {TcpState.CLOSE_WAIT: 5}))
        running.type("\r6")
        running.wait_for("[6 Connections]")
        target = tmp_path / "view.json"
        running.type("w")
        running.wait_for("╭─ Save ─")
        running.type("\t\x15" + str(target) + "\r")
        running.wait_for(lambda text: target.exists() and "╭─ Save ─" not in text)
    document = json.loads(target.read_text())
    assert document["filter"] == other.peer_address
    assert [row["state"] for row in document["rows"]] == ["CLOSE_WAIT"] * 5
    assert {row["remote_address"] for row in document["rows"]} == {other.peer_address}


def _only(text: str, wanted: dict[TcpState, int]) -> bool:
    return {state: count for state, count in shown_counts(text).items() if count} == wanted


@pytest.mark.parametrize("ending", ["txt", "csv", "json", "jsonl", "md", "html", "svg"])
def test_every_format_can_be_saved(lab: Lab, tmp_path: Path, ending: str) -> None:
    lab.park(TcpState.CLOSE_WAIT, 5)
    target = tmp_path / f"view.{ending}"
    with screen(lab, environment={"XDG_STATE_HOME": str(tmp_path / "state")}) as running:
        running.type("w")
        running.wait_for("╭─ Save ─")
        running.type("\t\x15" + str(target) + "\r")
        running.wait_for(lambda text: target.exists() and "╭─ Save ─" not in text)
        first = target.read_text()
        assert "CLOSE" in first
        running.type("w")
        running.wait_for("it exists")
        running.type("\r")
        running.wait_for("exists: choose another name, or overwrite it with Ctrl+O")
        assert target.read_text() == first
        replaced = target.stat().st_ino
        running.type("\x0f")
        running.wait_for(lambda text: target.stat().st_ino != replaced and "╭─ Save ─" not in text)
        running.type("W")
        running.wait_for(f"saved view-2.{ending}")
    assert sorted(os.listdir(tmp_path)) == ["state", f"view-2.{ending}", target.name]


def test_a_place_that_cannot_be_written_is_said(lab: Lab, tmp_path: Path) -> None:
    with screen(lab, environment={"XDG_STATE_HOME": str(tmp_path)}) as running:
        running.type("w")
        running.wait_for("╭─ Save ─")
        running.type("\t\x15/nonexistent/place.txt\r")
        running.wait_for("folder first")
        running.type("\x1b")
        running.wait_for(lambda text: "╭─ Save ─" not in text)
        running.type("q")
        assert running.wait_for_end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_terminal_is_sane_after_a_signal(lab: Lab, number: int) -> None:
    with screen(lab) as running:
        os.kill(running.pid, number)
        status = running.wait_for_end()
        output = b"".join(data for _, data in running.written)
    assert status == 128 + number
    assert output.rfind(b"\x1b[?1049l") > output.rfind(b"\x1b[?1049h")
    assert output.rfind(b"\x1b[?25h") > output.rfind(b"\x1b[?25l")
    assert output.rfind(b"\x1b[?1000l") > output.rfind(b"\x1b[?1000h")


def test_a_terminal_that_goes_away_ends_the_program(lab: Lab) -> None:
    with screen(lab) as running:
        os.close(running.descriptor)
        running.descriptor = os.open(os.devnull, os.O_RDWR)
        pid, _ = os.waitpid(running.pid, 0)
        running.exit_status = 0
        assert pid == running.pid


def test_a_resize_storm_is_survived(lab: Lab) -> None:
    lab.park(TcpState.ESTABLISHED, 4)
    with screen(lab) as running:
        for number in range(60):
            running.resize(20 + number * 7 % 150, 3 + number * 5 % 60)
            running.pump(0.01)
        running.resize(30, 8)
        running.wait_for("too small")
        running.resize(80, 24)
        running.wait_for(lambda text: shown_counts(text).get(TcpState.ESTABLISHED) == 4)


def test_a_missing_namespace_is_told_without_a_screen() -> None:
    with terminal([sys.executable, "-m", "tcptui", "-N", "no-such-namespace"]) as running:
        assert running.wait_for_end() == 2
        output = b"".join(data for _, data in running.written)
    assert b"no network namespace named no-such-namespace" in output
    assert b"\x1b[?1049h" not in output


def test_a_host_name_cannot_write_to_the_screen(lab: Lab) -> None:
    """Text from outside that the screen shows in this version: host, kernel, namespace, filter."""
    assert socket.gethostname().isprintable()
    with screen(lab) as running:
        running.type("/\x1b[200~[red]x[/red] [/] \x1b]0;owned\x07\x1b[201~")
        running.wait_for("is no address")
        assert "[red]x[/red]" in running.text
        running.type("\x1b")
        running.wait_for(lambda text: "● live" in text)


def test_suspending_and_coming_back(lab: Lab) -> None:
    lab.park(TcpState.CLOSE_WAIT, 3)
    with terminal(["bash", "--norc", "-i"], environment={"PS1": "ready> "}) as running:
        running.wait_for("ready>")
        running.type(f"{sys.executable} -m tcptui -N {lab.box.path}\r")
        running.wait_for("● live")
        running.wait_for("CLOSE_WAIT  ")
        before = running.text.splitlines()[-1]
        running.type("\x1a")
        running.wait_for("Stopped")
        running.type("stty -a | grep -c -- ' icanon' ; echo here I am\r")
        running.wait_for("\nhere I am")
        # This terminal has no second page to switch to, so what is still there must be wiped off.
        running.screen.reset()
        running.type("fg\r")
        # Every line is painted again, those too that no sample changes.
        running.wait_for(lambda text: text.splitlines()[-1] == before and "● live" in text)
        running.wait_for("CLOSE_WAIT  ")
        running.screen.reset()
        running.type("q")
        running.wait_for("ready>")
        running.type("exit\r")
        assert running.wait_for_end() == 0


@pytest.mark.parametrize("environment", [{"TERM": "linux"}, {"NO_COLOR": "1"}, {"TERM": "vt100"}, {"LANG": "C"}])
def test_poor_terminals_show_the_same_text(lab: Lab, environment: dict[str, str]) -> None:
    expected = parked_in_all_states(lab)
    with screen(lab, environment=environment) as running:
        running.wait_for(lambda text: shown_counts(text) == expected)
        if environment.get("TERM") == "linux":  # whose font lacks the signs
            assert running.text.isascii()
        else:
            assert "▸" in running.text
        running.type("q")
        assert running.wait_for_end() == 0
    output = b"".join(data for _, data in running.written)
    if environment.get("TERM") in ("linux", "vt100"):
        assert b"38;2;" not in output
        assert b"38;5;" not in output

"""The screen: how soon it is there, how soon it answers, and what it writes and burns while nobody touches it."""

import re
import shutil
import statistics
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.bench.measuring import percentile, print_table
from tests.support.crowd import Crowd
from tests.support.netns import NetworkNamespace
from tests.support.privileges import require_live
from tests.support.terminal import terminal

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

ONE_LINE_APP = """
from textual.app import App
from textual.widgets import Static
class OneLine(App):
    def compose(self):
        yield Static("one line")
OneLine().run()
"""
TCPTUI = (sys.executable, "-m", "tcptui")
ROUNDS = 9


def seconds_until(command: tuple[str, ...], text: str) -> float:
    with terminal(command, columns=120, rows=40) as running:
        return running.wait_for(text) - running.started


def test_first_frame(tmp_path: Path) -> None:
    app = tmp_path / "one_line.py"
    app.write_text(ONE_LINE_APP)
    taken: dict[str, list[float]] = {"a Textual app with one line": [], "first frame": [], "first sample shown": []}
    for _ in range(ROUNDS):
        taken["a Textual app with one line"].append(seconds_until((sys.executable, str(app)), "one line"))
        taken["first frame"].append(seconds_until(TCPTUI, "0 States"))
        taken["first sample shown"].append(seconds_until(TCPTUI, "● live"))
    base = statistics.median(taken["a Textual app with one line"])
    rows = [("", "ms", "ratio")]
    rows += [
        (name, f"{statistics.median(each) * 1e3:.0f}", f"{statistics.median(each) / base:.2f} x")
        for name, each in taken.items()
    ]
    print_table("first frame, 120 x 40", rows)


def test_key_to_paint_while_polling_100_000_sockets() -> None:
    require_live()
    with NetworkNamespace("bench") as namespace, Crowd(namespace, 50_000, peers=1000) as crowd:
        crowd.settle()
        command = (*TCPTUI, "-N", str(namespace.path))
        with terminal(command, columns=120, rows=40) as running:
            running.wait_for("● live", timeout_s=30)
            running.wait_for(" of 1,00", timeout_s=30)
            moves = []
            for position in range(2, 202):
                typed = running.type("j")
                moves.append(running.wait_for(f" {position} of 1,0") - typed)
                running.watch(0.013)
            running.type("g")
            filters = []
            running.type("/:808")
            for digit in "0123456789" * 4:
                typed = running.type(digit)
                filters.append(running.wait_for(partial(_shows_twice, f"filter: :808{digit}")) - typed)
                running.type("\x7f")
                running.wait_for(lambda text: re.findall(r"filter: :808(\d?)", text) == ["", ""])
                running.watch(0.013)
            resident_mib = running.memory_mib()
    print_table("memory", [("the program at 100,000 sockets", f"{resident_mib:.0f} MiB")])
    rows = [("", "median ms", "95 % ms", "worst ms")]
    for name, times in (("cursor down", moves), ("character typed in the filter, result shown", filters)):
        rows.append(
            (
                name,
                f"{statistics.median(times) * 1e3:.1f}",
                f"{percentile(times, 95) * 1e3:.1f}",
                f"{max(times) * 1e3:.1f}",
            )
        )
    print_table("key to painted screen, 100,000 sockets every second", rows)


def _shows_twice(wanted: str, text: str) -> bool:
    """In the header and in the prompt."""
    return text.count(wanted) == 2


OTHERS = {
    "htop": ("htop", "-d10"),
    "btop": ("btop", "-p", "0"),
    "watch -n1 ss -s": ("watch", "-n1", "ss", "-s"),
}
"""What people look at once a second today."""


def test_a_steady_screen() -> None:
    require_live()
    rows = [("1,000 sockets in 40 peers, 1 s, 120 x 40", "bytes/s", "% of a core")]
    for share in (0.0, 0.05):
        with NetworkNamespace("bench") as namespace, Crowd(namespace, 500, peers=40) as crowd:
            crowd.settle()
            crowd.churn(share)
            rows.append(
                (f"tcptui, {share:.0%} change a second", *_spent((*TCPTUI, "-N", str(namespace.path)), "● live"))
            )
            if share:
                inside = ("nsenter", f"--net={namespace.path}")
                rows += [
                    (name, *_spent((*inside, *command)))
                    for name, command in OTHERS.items()
                    if shutil.which(command[0]) is not None
                ]
    print_table("steady screen", rows)


def _spent(command: tuple[str, ...], sign: str = "") -> tuple[str, str]:
    """Bytes a second and CPU of a program that nobody touches, from when it shows ``sign``."""
    seconds = 20
    with terminal(command, columns=120, rows=40, environment={"COLORTERM": "truecolor"}) as running:
        running.wait_for(lambda text: bool(text.strip()) and sign in text)
        running.watch(3)
        before = running.cpu_seconds()
        written = running.watch(seconds)
        used = running.cpu_seconds() - before
    return f"{written / seconds:.0f}", f"{used / seconds * 100:.2f}"


SLOW_BYTES_PER_S = 960
"""9,600 bit/s: a start and a stop bit with each byte."""


def test_a_line_of_9600_bits_a_second() -> None:
    require_live()
    rows = [("80 x 24, 1,000 sockets, 5 % changing a second", "s until it is shown")]
    with NetworkNamespace("bench") as namespace, Crowd(namespace, 500, peers=40) as crowd:
        crowd.settle()
        crowd.churn(0.05)
        command = (*TCPTUI, "-N", str(namespace.path))
        with terminal(command, bytes_per_s=SLOW_BYTES_PER_S) as running:
            rows.append(("first frame", f"{running.wait_for('0 States', timeout_s=60) - running.started:.1f}"))
            running.wait_for("of 4", timeout_s=60)
            running.watch(20)
            for name, keys, shown in SLOW_STEPS:
                taken = []
                for key, text in zip(keys, shown, strict=True):
                    typed = running.type(key)
                    taken.append(running.wait_for(text, timeout_s=60) - typed)
                    running.watch(3)
                rows.append((name, ", ".join(f"{each:.1f}" for each in taken)))
    print_table("a line of 9,600 bit/s", rows)


SLOW_STEPS = (
    ("cursor down", "jjjj", [f" {position} of 4" for position in range(2, 6)]),
    ("other view", "616161", ["[6 Conn", "[1 Peers]"] * 3),
    ("pause and go on", "    ", ["‖", "●", "‖", "●"]),
    ("help and back, the first line", ("\x1bOP", "\x1b"), ["Help", "0 States"]),
    ("a filter typed", "/:80", ["filter:", "filter: :", "filter: :8", "filter: :80"]),
)

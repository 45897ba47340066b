"""At the end of a slow line keys are answered before older changes, and nothing piles up on the way."""

import sys

from tests.support.terminal import Terminal, terminal

BYTES_PER_S = 960
"""9,600 bit/s: a start and a stop bit with each byte."""
MOST_BYTES = 2 * BYTES_PER_S
"""Between a key and its answer: two seconds' worth."""


def bytes_until(running: Terminal, key: str, shown: str) -> int:
    """What has come over the line from a key to what it shows."""
    before = running.bytes_written
    running.type(key)
    running.wait_for(shown, timeout_s=60)
    return running.bytes_written - before


def test_keys_are_answered_within_two_seconds_of_bytes() -> None:
    command = (sys.executable, "-m", "tcptui", "--demo", "leak")
    with terminal(command, bytes_per_s=BYTES_PER_S) as running:
        running.wait_for("of 20", timeout_s=60)
        running.watch(6)
        taken = {shown: bytes_until(running, key, shown) for key, shown in (("j", " 2 of 20"), ("j", " 3 of 20"))}
        taken["6"] = bytes_until(running, "6", "[6 Conn")
        taken["1"] = bytes_until(running, "1", "[1 Peers]")
        taken["help"] = bytes_until(running, "\x1bOP", "Help")
        running.wait_for("Esc closes", timeout_s=60)
        running.watch(2)
        taken["back"] = bytes_until(running, "\x1b", "0 States")
        taken["pause"] = bytes_until(running, " ", "‖")
    assert {shown: count for shown, count in taken.items() if count > MOST_BYTES} == {}

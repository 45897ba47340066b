"""A real kernel's words as text tell the same sockets as its netlink messages."""

from pathlib import Path

import numpy as np
import pytest

from tcptui.model.table import Rows
from tcptui.sources.pasted.source import Depth
from tests.sources.pasted.texts import lines, read
from tests.sources.test_tables import CAPTURE, described, from_netlink

SS = CAPTURE / "ss_tanoe.txt"
PROC = (CAPTURE / "proc_net_tcp.txt", CAPTURE / "proc_net_tcp6.txt")


def captured() -> Rows:
    return np.concatenate((from_netlink(4), from_netlink(6)))


def test_ss_tells_all_that_netlink_does() -> None:
    pasted = read(SS.read_bytes())
    rows, expected = pasted.sample.table.rows, captured()
    assert described(rows) == described(expected)
    assert lines(pasted) == {"ROW": len(expected)}
    assert pasted.depth is Depth.FULL
    rows, expected = (each[np.argsort(each["cookie"])] for each in (rows, expected))
    for name in ("cookie", "inode", "uid", "send_queue_bytes", "timer", "family"):
        assert rows[name].tolist() == expected[name].tolist(), name
    assert not {"timer", "inode", "cookie", "backlog"} & pasted.sample.absent_fields


def test_the_times_of_timers_are_those_of_netlink_as_far_as_they_are_printed() -> None:
    rows, expected = (
        each[np.argsort(each["cookie"])] for each in (read(SS.read_bytes()).sample.table.rows, captured())
    )
    for printed, told in zip(rows["timer_ms"].tolist(), expected["timer_ms"].tolist(), strict=True):
        assert (printed == 0) == (told == 0)
        assert abs(printed - told) <= max(1100, told // 10)


@pytest.mark.parametrize("texts", [PROC, PROC[::-1]], ids=["tcp tcp6", "tcp6 tcp"])
def test_proc_tells_what_netlink_does_but_for_the_backlog(texts: tuple[Path, ...]) -> None:
    pasted = read(b"".join(text.read_bytes() for text in texts))
    assert described(pasted.sample.table.rows) == described(captured())
    assert lines(pasted) == {"ROW": len(captured()), "HEADING": 2}
    assert "backlog" in pasted.sample.absent_fields
    assert not {"timer", "inode", "uid", "recv_queue_bytes"} & pasted.sample.absent_fields


def test_the_same_sockets_listed_three_times_are_there_once() -> None:
    pasted = read(b"".join(text.read_bytes() for text in (*PROC, SS)))
    assert described(pasted.sample.table.rows) == described(captured())
    assert "text.repeated" in [each.code for each in pasted.sample.degraded]
    assert pasted.ledger.numbers[0] == 2 * len(captured())

"""Real sockets as ``ss``, ``netstat`` and ``/proc`` write them, against what the kernel tells the live source."""

import io
import os
import socket
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from tcptui.analysis.attribution import attributed
from tcptui.model.owners import Standing
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.model.table import Rows
from tcptui.query.request import FOUND_BESIDE, Request
from tcptui.sources.live import LiveSource
from tcptui.sources.pasted.ledger import Kind
from tcptui.sources.pasted.source import Pasted, read_pasted
from tests.support.commands import run_command
from tests.support.lab import Lab

pytestmark = pytest.mark.live

STATES = (
    *(TcpState.LISTEN, TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.ESTABLISHED, TcpState.FIN_WAIT1),
    *(TcpState.FIN_WAIT2, TcpState.CLOSING, TcpState.TIME_WAIT, TcpState.CLOSE_WAIT, TcpState.LAST_ACK),
)
ENDS = ("state", "family", "local_hi", "local_lo", "local_port", "remote_hi", "remote_lo", "remote_port")
QUEUES = ("recv_queue_bytes", "send_queue_bytes")
MOVING = frozenset({TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING})
"""What is sent again meanwhile, so that timers and counters of retransmissions are others a moment later."""


def inside(lab: Lab, *command: str) -> str:
    return run_command(*lab.box.argv(*command))


COLLECTED: dict[str, tuple[Callable[[Lab], str], tuple[str, ...]]] = {
    "ss -tanoe": (lambda lab: inside(lab, "ss", "-tanoe"), (*ENDS, *QUEUES, "uid", "inode", "cookie")),
    "ss -tanp": (lambda lab: inside(lab, "ss", "-tanp"), (*ENDS, *QUEUES)),
    "ss -tani": (lambda lab: inside(lab, "ss", "-tani"), (*ENDS, *QUEUES)),
    "ss -tanoepimO": (lambda lab: inside(lab, "ss", "-tanoepimO"), (*ENDS, *QUEUES, "uid", "inode", "cookie")),
    "ss -an": (lambda lab: inside(lab, "ss", "-an"), (*ENDS, *QUEUES)),
    "ss -4tanH and ss -6tanH": (
        lambda lab: inside(lab, "ss", "-4tanH") + inside(lab, "ss", "-6tanH"),
        (*ENDS, *QUEUES),
    ),
    "netstat -tanW": (lambda lab: inside(lab, "netstat", "-tanW"), ENDS),
    "netstat -anpeoW": (lambda lab: inside(lab, "netstat", "-anpeoW"), (*ENDS, "uid", "inode")),
    "/proc/net/tcp": (
        lambda lab: inside(lab, "cat", "/proc/net/tcp", "/proc/net/tcp6"),
        (*ENDS, "recv_queue_bytes", "inode"),
    ),
}


@pytest.fixture
def full_lab(lab: Lab) -> Lab:
    """Sockets in each state, in both families."""
    for state in STATES:
        lab.park(state, 2)
        lab.park(state, 1, family=socket.AF_INET6)
    lab.settle()
    return lab


def described(rows: Rows, columns: tuple[str, ...]) -> Counter[tuple[int, ...]]:
    return Counter(zip(*(rows[name].tolist() for name in columns), strict=True))


def told_by(lab: Lab, name: str) -> Pasted:
    return read_pasted(io.BytesIO(COLLECTED[name][0](lab).encode()), name)


def test_every_program_tells_the_sockets_that_the_kernel_does(full_lab: Lab) -> None:
    source = LiveSource(netns=str(full_lab.box.path), counters=False)
    for name, (_, columns) in COLLECTED.items():
        before = source.sample().table.rows
        pasted = told_by(full_lab, name)
        after = source.sample().table.rows
        told = described(pasted.sample.table.rows, columns)
        assert told in (described(before, columns), described(after, columns)), name
        assert set(pasted.sample.table.rows["state"].tolist()) == set(STATES), name
        assert pasted.ledger.numbers[Kind.UNREAD] == pasted.ledger.numbers[Kind.STATELESS] == 0, name
    source.close()


def test_timers_are_those_of_the_kernel(full_lab: Lab) -> None:
    source = LiveSource(netns=str(full_lab.box.path), counters=False)
    for name in ("ss -tanoe", "netstat -anpeoW", "/proc/net/tcp"):
        kernel, told = source.sample().table.rows, told_by(full_lab, name).sample.table.rows
        for state in set(STATES) - MOVING:
            theirs, ours = (each[each["state"] == state] for each in (kernel, told))
            assert Counter(ours["timer"].tolist()) == Counter(theirs["timer"].tolist()), (name, state)
            assert abs(np.sort(ours["timer_ms"].astype(int)) - np.sort(theirs["timer_ms"].astype(int))).max() < 3000
    source.close()


@pytest.mark.parametrize("name", ["ss -tanp", "ss -tanoepimO", "netstat -anpeoW"])
def test_holders_are_those_that_the_live_source_finds(full_lab: Lab, name: str) -> None:
    source = LiveSource(netns=str(full_lab.box.path), counters=False)
    theirs = held(source.sample(Request(needs=FOUND_BESIDE)))
    source.close()
    assert held(told_by(full_lab, name).sample) == theirs
    assert {pid for _, pid in theirs} == {os.getpid()}


def held(sample: Sample) -> Counter[tuple[tuple[int, ...], int]]:
    """The ends of each socket that a process holds, and the id of that."""
    known = attributed(sample)
    assert known.attribution is not None
    at = np.flatnonzero(known.attribution.standing == Standing.HELD)
    ends = zip(*(known.table.rows[name][at].tolist() for name in ENDS), strict=True)
    pids = [known.attribution.groups[code][0].pid for code in known.attribution.codes[at].tolist()]
    return Counter(zip(ends, pids, strict=True))


def test_round_trip_times_come_with_the_information_of_tcp(full_lab: Lab) -> None:
    pasted = told_by(full_lab, "ss -tani")
    rows = pasted.sample.table.rows
    open_rows = np.flatnonzero(rows["state"] == TcpState.ESTABLISHED)
    assert (rows["rtt_us"][open_rows] > 0).all()
    assert all(pasted.sample.is_known("rtt_us", int(row)) for row in open_rows)
    assert not any(
        pasted.sample.is_known("rtt_us", int(row)) for row in np.flatnonzero(rows["state"] == TcpState.TIME_WAIT)
    )


@pytest.mark.parametrize("word", ["established", "time-wait", "close-wait", "listening"])
def test_the_state_that_ss_leaves_out_is_that_of_its_command(full_lab: Lab, word: str) -> None:
    printed = inside(full_lab, "ss", "-tan", "state", word)
    pasted = read_pasted(io.BytesIO(f"$ ss -tan state {word}\n{printed}".encode()), word)
    (state,) = set(pasted.sample.table.rows["state"].tolist())
    source = LiveSource(netns=str(full_lab.box.path), counters=False)
    kernel = source.sample().table.rows
    source.close()
    expected = kernel[kernel["state"] == state]
    assert described(pasted.sample.table.rows, ENDS) == described(expected, ENDS)


def test_the_classic_pipelines_count_what_the_kernel_has(full_lab: Lab) -> None:
    counted = full_lab.expected()
    for pipeline in (
        "netstat -ant | awk '/^tcp/ {++S[$6]} END {for(a in S) print a, S[a]}'",
        "netstat -ant | awk '{print $6}' | sort | uniq -c",
        "ss -tan | awk 'NR>1 {print $1}' | sort | uniq -c | sort -n",
    ):
        pasted = read_pasted(io.BytesIO(inside(full_lab, "sh", "-c", pipeline).encode()), "pipeline")
        numbers = pasted.sample.table.state_counts()
        assert {state: int(numbers[state]) for state in STATES} == {state: counted[state] for state in STATES}, pipeline
        assert pasted.ledger.numbers[Kind.UNREAD] == 0, pipeline

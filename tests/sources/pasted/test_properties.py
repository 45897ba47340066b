"""Whatever a text holds: nothing fails, every line is accounted for, and rows are read as they were written."""

import io
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptui.errors import RequestError
from tcptui.model.address import address_text
from tcptui.model.states import TcpState
from tcptui.model.table import ROW
from tcptui.sources.pasted.ledger import Kind
from tcptui.sources.pasted.lines import BLOCK_BYTES, LONGEST_LINE, lines_of
from tcptui.sources.pasted.reader import Reader
from tcptui.sources.pasted.source import Pasted
from tests.model.random_tables import Socket, sockets, table_of
from tests.sources.pasted.texts import counts, lines, read

ESTAB = "ESTAB 0 0 10.0.0.1:22 10.0.0.2:1"

SS_NAMES = {TcpState.ESTABLISHED: "ESTAB", TcpState.FIN_WAIT1: "FIN-WAIT-1", TcpState.FIN_WAIT2: "FIN-WAIT-2"}


def ss_end(socket: Socket, side: str, port: int) -> str:
    values = socket.values
    address = address_text(int(values[f"{side}_hi"]), int(values[f"{side}_lo"]))
    bracketed = f"[{address}]" if ":" in address else address
    if socket.family == 6 and ":" not in address:
        bracketed = f"[::ffff:{address}]"
    return f"{bracketed}:{port or '*'}"


def ss_line(socket: Socket) -> str:
    """A socket as ``ss -tanoe`` prints it."""
    state = SS_NAMES.get(socket.state, socket.state.name.replace("_", "-"))
    remote_port = 0 if socket.state is TcpState.LISTEN else socket.remote_port
    ends = f"{ss_end(socket, 'local', socket.local_port)} {ss_end(socket, 'remote', remote_port)}"
    uid = f"uid:{socket.uid} " if socket.uid else ""
    return f"{state} {socket.recv_queue} {socket.send_queue} {ends} {uid}ino:{socket.inode} sk:{socket.cookie:x}"


written = sockets.map(
    lambda each: [socket for socket in each if socket.state is not TcpState.CLOSE and socket.local_port]
)

COLUMNS = (
    *("state", "family", "local_hi", "local_lo", "local_port", "remote_hi", "remote_lo"),
    *("recv_queue_bytes", "send_queue_bytes", "uid", "inode", "cookie"),
)


@given(written)
def test_rows_that_are_printed_are_read_as_they_were(each: list[Socket]) -> None:
    text = "State Recv-Q Send-Q Local Address:Port Peer Address:Port\n" + "".join(f"{ss_line(one)}\n" for one in each)
    pasted = read(text)
    rows, expected = pasted.sample.table.rows, table_of(each).rows
    for name in COLUMNS:
        assert rows[name].tolist() == expected[name].tolist(), name
    assert lines(pasted) == {"HEADING": 1} | ({"ROW": len(each)} if each else {})


# -- Garbage -----------------------------------------------------------------------------------------------------------

FRAGMENTS = (
    *(
        "tcp",
        "tcp6",
        "TCP",
        "udp",
        "unix",
        "u_str",
        "`-",
        "ESTAB",
        "TIME-WAIT",
        "LISTEN",
        "UNCONN",
        "time_wait",
        "HALB",
    ),
    *("0", "1", "36", "5002", "99999999999", "4294967296", "-1", "1,423", "0x1f", "10.0.0.1:22", "[::1]:443", ":::80"),
    *(
        "*:*",
        "*.443",
        "x.x.x.6",
        "220.160.210.6",
        "web.lan:https",
        "fe80::1%eth0",
        "users:((",
        'users:(("a",pid=1,fd=2))',
    ),
    *("timer:(on,200ms,1)", "timer:(", "timer:(on,,)", "ino:5", "ino:x", "sk:zz", "cgroup:/a", "cgroup:unreachable:q"),
    *("rtt:0.5/0.2", "rtt:inf", "rtt:nan/1", "retrans:0/3", "retrans:x", "skmem:(r0)", "on (0.20/1/0)", "812/nginx"),
    *(
        "$ ss -tan state time-wait",
        "# netstat",
        "[root@a ~]#",
        "Proto",
        "State",
        "sl",
        "drops",
        "\x1b[31m",
        "\x1b]0;x\x07",
    ),
    *(
        "\t",
        "  ",
        "\u202e",
        "\u0000",
        "\ufffd",
        "\u00b2",
        "٣",
        "Every 2.0s: x",
        "2026-13-45T99:99:99+00:00",
        "Linux a 5.4",
    ),
    *(
        "0:",
        "0100000A:0016",
        "0200000A:15B3",
        "01",
        "00000000:00000000",
        "00:00000000",
        "[svchost.exe]",
        "> ",
        "=",
        ":",
    ),
)

garbage = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join),
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=8).map(" ".join),
    st.just(ESTAB),
)
garbage_texts = st.lists(garbage, max_size=30).map("\n".join) | st.binary(max_size=400).map(
    lambda each: each.decode("utf-8", "replace")
)


def read_or_none(text: str | bytes) -> Pasted | None:
    try:
        return read(text)
    except RequestError:
        return None


@settings(max_examples=200)
@given(garbage_texts)
def test_garbage_is_accounted_for_line_by_line(text: str) -> None:
    reader = Reader(dict)
    reader.read(lines_of(io.BytesIO(text.encode("utf-8", "surrogatepass"))))
    ledger = reader.ledger
    ended = text.split("\n")
    assert ledger.lines == len(ended) - (not ended[-1])
    assert ledger.numbers[Kind.ROW] == len(reader.store)
    assert all(
        (number > 0) == (first > 0) for number, first in zip(ledger.numbers, ledger.first, strict=True) if number
    )
    assert min(ledger.numbers) >= 0
    pasted = read_or_none(text.encode("utf-8", "surrogatepass"))
    if pasted is not None:
        assert all(each.reason.isprintable() and each.hint.isprintable() for each in pasted.sample.degraded)
        assert all(name.isprintable() for name in pasted.sample.address_names.values())
        assert pasted.sample.origin.host.isprintable()
        assert set(pasted.sample.table.rows["state"].tolist()) <= set(TcpState)


@given(st.lists(st.tuples(st.sampled_from(("counted", "listed")), st.sampled_from(list(TcpState)), st.integers(0, 40))))
def test_counts_and_rows_together_come_to_the_larger_of_both(parts: list[tuple[str, TcpState, int]]) -> None:
    counted: Counter[str] = Counter()
    listed: Counter[str] = Counter()
    text = []
    for kind, state, number in parts:
        if kind == "counted" and state.name not in counted:
            counted[state.name] = number
            text.append(f"{state.name} {number}")
        elif kind == "listed":
            remote = "*:0" if state is TcpState.LISTEN else "10.0.0.9:9"
            text += [f"tcp 0 0 10.0.0.1:{len(text) + 1} {remote} {state.name}"]
            listed[state.name] += 1
    pasted = read_or_none("\n".join(text))
    expected = counted | listed
    assert (counts(pasted) if pasted else Counter()) == +expected


@pytest.mark.parametrize(
    "word", ["rtt:inf", "rtt:nan", "rtt:1e400", "uid:99999999999", "retrans:0/99999999999", "sk:x"]
)
def test_no_number_is_too_strange(word: str) -> None:
    pasted = read(f"ESTAB 0 0 10.0.0.1:22 10.0.0.2:1 {word} ino:5\n{ESTAB}\n")
    assert sum(lines(pasted).values()) == 2


# -- Any size ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [BLOCK_BYTES - 7, BLOCK_BYTES, BLOCK_BYTES + 7, 3 * BLOCK_BYTES])
def test_lines_are_whole_where_blocks_of_the_file_end(size: int) -> None:
    line = f"{ESTAB}\n".encode()
    count = size // len(line) + 1
    pasted = read(line * count)
    assert lines(pasted) == {"ROW": count}


def test_a_line_without_an_end_takes_little_memory_and_hides_nothing_after_it() -> None:
    pasted = read(f"{ESTAB}\n{'x: ' * BLOCK_BYTES}\n{ESTAB.replace(':1', ':2')}\n")
    assert lines(pasted) == {"ROW": 2, "UNREAD": 1}
    assert max(len(line.text) for line in lines_of(io.BytesIO(b"y" * (3 * BLOCK_BYTES)))) == LONGEST_LINE


HOSTILE = {
    "digits": "1 " * 30_000,
    "colons": "a:" * 30_000,
    "brackets": "[" * 60_000,
    "escapes": "\x1b[" * 30_000,
    "processes": "ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 users:((" + '"a",pid=1,fd=2),(' * 3_500,
    "quotes": 'ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 users:(("' + '",pid=1,' * 7_000,
    "netstat": "tcp 0 0 10.0.0.1:1 10.0.0.2:2 ESTABLISHED " + "1/a " * 15_000,
    "prompts": "a@b:" + "x$ " * 20_000,
    "blanks": " " * 60_000 + "x",
    "marks": ">" * 60_000,
    "minutes": "ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 timer:(on," + "1" * 60_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_line_takes_more_time_than_its_length_is_worth(name: str) -> None:
    """The longest line that is taken, so that anything but linear would take minutes."""
    started = time.process_time()
    read_or_none(f"{ESTAB.replace('10.0.0.2', '10.9.9.9')}\n" + f"{HOSTILE[name]}\n" * 20)
    assert time.process_time() - started < 10


def test_a_row_takes_no_more_memory_the_more_there_are() -> None:
    """No object for each: the table, and what is known of each row."""
    text = "".join(f"ESTAB 0 0 10.0.0.1:443 10.1.{number >> 8}.{number & 255}:50000\n" for number in range(20_000))
    reader = Reader(dict)
    reader.read(lines_of(io.BytesIO(text.encode())))
    assert len(reader.store.rows()) == 20_000
    assert reader.store.rows().nbytes == 20_000 * ROW.itemsize
    assert len(np.unique(read(text).sample.table.rows["cookie"])) == 20_000

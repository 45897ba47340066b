"""The text of /proc/net/tcp and tcp6 to arrays."""

from collections import Counter
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcptui.kernel.procfs import PROC_NET_TCP_ROW, parse_proc_net_tcp
from tests.support.ss import parse_row

CAPTURE = Path(__file__).parent.parent / "data" / "capture"

HEADER = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode         \n"
LISTENING = (
    b"   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000005 00:00000000 00000000   112"
    b"        0 23481 1 0 100 0 0 10 0\n"
)
SENDING = (
    b"   1: 0500000A:01BB 6338C0C6:D431 01 0000FFFE:00000001 01:00000064 0000000F    33"
    b"        0 77120 2 0 20 4 30 10 -1\n"
)
WAITING = b"  10: 0500000A:01BB 6338C0C6:D432 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0\n"
V6 = (
    b"   0: B80D0120000000000000000001000000:1F90 B80D012066000000000000000200EFBE:C350 08 00000000:00000001"
    b" 00:00000000 00000000  1000        0 4294967295 1 0 20 4 30 10 -1\n"
)
MAPPED = (
    b"   1: 0000000000000000FFFF00000500000A:01BB 0000000000000000FFFF00006338C0C6:D433 09 00000001:00000000"
    b" 01:00000013 00000003     0        0 0 1 0 20 4 30 10 -1\n"
)


def read(*lines: bytes) -> list[dict[str, Any]]:
    """The rows of a table with these lines, all of which must be understood."""
    parsed = parse_proc_net_tcp(HEADER + b"".join(lines))
    assert parsed.malformed == 0
    names = PROC_NET_TCP_ROW.names or ()
    return [dict(zip(names, values, strict=True)) for values in parsed.rows.tolist()]


def address(row: dict[str, Any], end: str, size: int = 4) -> IPv4Address | IPv6Address:
    packed = row[f"{end}_hi"].to_bytes(8, "big") + row[f"{end}_lo"].to_bytes(8, "big")
    return IPv4Address(packed[:4]) if size == 4 else IPv6Address(packed)


def test_every_column_of_an_ipv4_line() -> None:
    """The kernel prints an address as a number of the host's byte order, ports and queues in hex, ticks of 1/100 s."""
    (row,) = read(SENDING)
    assert (address(row, "local"), row["local_port"]) == (IPv4Address("10.0.0.5"), 443)
    assert (address(row, "remote"), row["remote_port"]) == (IPv4Address("198.192.56.99"), 54321)
    assert row["local_lo"] == row["remote_lo"] == 0
    assert (row["state"], row["timer"], row["when_ms"], row["retransmits"]) == (1, 1, 1000, 15)
    assert (row["tx_queue"], row["rx_queue"], row["uid"], row["inode"]) == (65534, 1, 33, 77120)


def test_a_listener_shows_its_accept_queue() -> None:
    (row,) = read(LISTENING)
    assert (address(row, "local"), row["local_port"], row["state"]) == (IPv4Address("127.0.0.1"), 3306, 10)
    assert (row["rx_queue"], row["tx_queue"], row["uid"]) == (5, 0, 112)


def test_a_mini_sockets_line_is_shorter() -> None:
    (row,) = read(WAITING)
    assert (row["state"], row["timer"], row["when_ms"], row["inode"]) == (6, 3, 60_000, 0)


def test_every_column_of_an_ipv6_line() -> None:
    (row,) = read(V6)
    assert (address(row, "local", 16), row["local_port"]) == (IPv6Address("2001:db8::1"), 8080)
    assert (address(row, "remote", 16), row["remote_port"]) == (IPv6Address("2001:db8:0:66::beef:2"), 50000)
    assert (row["state"], row["rx_queue"], row["uid"], row["inode"]) == (8, 1, 1000, 2**32 - 1)


def test_a_mapped_address_keeps_its_mapping() -> None:
    """Which table it stood in is known; what to make of it is not decided here."""
    (row,) = read(MAPPED)
    assert address(row, "local", 16) == IPv6Address("::ffff:10.0.0.5")
    assert (row["state"], row["timer"], row["when_ms"], row["retransmits"]) == (9, 1, 190, 3)


def test_lines_come_in_their_order() -> None:
    assert [row["state"] for row in read(SENDING, LISTENING, WAITING)] == [1, 10, 6]


@pytest.mark.parametrize("text", [b"", HEADER, HEADER.rstrip(), b"\n"])
def test_a_table_without_sockets_has_no_rows(text: bytes) -> None:
    parsed = parse_proc_net_tcp(text)
    assert len(parsed.rows) == parsed.malformed == 0
    assert parsed.rows.dtype == PROC_NET_TCP_ROW


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"\n", id="blank"),
        pytest.param(SENDING[:40], id="cut short"),
        pytest.param(SENDING.replace(b"0500000A", b"0500000"), id="short address"),
        pytest.param(SENDING.replace(b"0500000A", b"0500000A0500000A"), id="address of eight bytes"),
        pytest.param(SENDING.replace(b"0500000A", b"0500 00A"), id="address with a gap"),
        pytest.param(SENDING.replace(b"0500000A", b"05x0000A"), id="address that is no number"),
        pytest.param(SENDING.replace(b" 01 ", b" 00 "), id="state 0"),
        pytest.param(SENDING.replace(b" 01 ", b" 1FF "), id="state above a byte"),
        pytest.param(SENDING.replace(b" 01 ", b" -1 "), id="negative state"),
        pytest.param(SENDING.replace(b":01BB", b":X1BB"), id="port that is no number"),
        pytest.param(SENDING.replace(b"0000FFFE:", b"1FFFFFFFF:"), id="queue above 32 bits"),
        pytest.param(SENDING.replace(b"0000FFFE:00000001", b"0000FFFE"), id="one queue"),
        pytest.param(SENDING.replace(b"    33 ", b"    -3 "), id="negative uid"),
        pytest.param(SENDING.replace(b" 77120 ", b" 4294967296 "), id="inode above 32 bits"),
        pytest.param(SENDING.replace(b" 77120 ", b" " + b"9" * 5000 + b" "), id="endless inode"),
        pytest.param(SENDING.replace(b" 77120 ", b" \xff\xfe "), id="inode in no script"),
    ],
)
def test_a_line_that_the_kernel_does_not_write_is_counted_and_costs_no_other(line: bytes) -> None:
    parsed = parse_proc_net_tcp(HEADER + LISTENING + line.rstrip(b"\n") + b"\n" + WAITING)
    assert parsed.malformed == 1
    assert parsed.rows["state"].tolist() == [10, 6]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(SENDING.replace(b" 01 ", b" 0D "), id="state that is in no table"),
        pytest.param(SENDING.replace(b" 01 ", b" C8 "), id="state that there is not"),
        pytest.param(SENDING.replace(b"A:01BB", b"AX01BB"), id="no colon before the port"),
        pytest.param(SENDING.replace(b":01BB", b":+1BB"), id="sign in a port"),
        pytest.param(SENDING.replace(b" 77120 ", b" 77_20 "), id="underscore in an inode"),
    ],
)
def test_a_line_that_only_python_takes_for_numbers_is_counted(line: bytes) -> None:
    """A row of an unknown state would pass here and then be dropped by the state mask without a word."""
    parsed = parse_proc_net_tcp(HEADER + LISTENING + line)
    assert parsed.malformed == 1
    assert parsed.rows["state"].tolist() == [10]


def test_a_last_line_without_an_end_is_read() -> None:
    assert len(read(LISTENING, WAITING.rstrip(b"\n"))) == 2


def test_a_timer_beyond_32_bits_of_milliseconds_stays_in_them() -> None:
    (row,) = read(SENDING.replace(b"01:00000064", b"01:FFFFFFFF"))
    assert row["when_ms"] == 2**32 - 1


word = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.sampled_from(
        LISTENING.split() + V6.split() + [b"01:00000064", b"0A", b"FFFFFFFF:FFFFFFFF", b"-1", b"1_0", b"+A"]
    ),
)
lines = st.lists(st.lists(word, max_size=14).map(b" ".join), max_size=6).map(b"\n".join)


@given(st.one_of(st.binary(max_size=300), lines).map(lambda text: HEADER + text))
@example(HEADER + V6 + b"\r" + MAPPED)
def test_arbitrary_bytes_are_rows_or_malformed_lines(text: bytes) -> None:
    parsed = parse_proc_net_tcp(text)
    assert len(parsed.rows) + parsed.malformed == len(text.splitlines()) - 1
    assert (parsed.rows["state"] > 0).all()


@pytest.mark.parametrize("name", ["proc_net_tcp.txt", "proc_net_tcp6.txt"])
def test_a_real_kernels_table_says_what_ss_said(name: str) -> None:
    """Timers apart, which move on in between."""
    parsed = parse_proc_net_tcp((CAPTURE / name).read_bytes())
    size = 16 if "6" in name else 4
    ours = Counter()  # type: Counter[object]
    for values in parsed.rows.tolist():
        row = dict(zip(PROC_NET_TCP_ROW.names or (), values, strict=True))
        backlog_unknown = None if row["state"] == 10 else row["tx_queue"]
        endpoints = (address(row, "local", size), row["local_port"], address(row, "remote", size), row["remote_port"])
        ours[(*endpoints, row["state"], row["rx_queue"], backlog_unknown, row["inode"])] += 1
    by_ss = Counter()  # type: Counter[object]
    address_of = IPv6Address if size == 16 else IPv4Address
    for line in (CAPTURE / "ss_tanoe.txt").read_text("utf-8").splitlines():
        seen = parse_row(line)
        if (":" in seen.local_address or seen.local_address == "*") == (size == 16):
            local, remote = (each.replace("*", "::") for each in (seen.local_address, seen.peer_address))
            endpoints = (address_of(local), seen.local_port, address_of(remote), seen.peer_port)
            send_q = None if seen.state == 10 else seen.send_q
            by_ss[(*endpoints, seen.state, seen.recv_q, send_q, seen.inode)] += 1
    assert parsed.malformed == 0
    assert ours == by_ss

"""Rows of ss as its versions spell them."""

import pytest

from tcptui.model.states import TcpState
from tests.support.ss import SsRow, SsTimer, parse_row


def test_a_plain_row() -> None:
    """Without further options only the seven columns are there."""
    row = parse_row("TIME-WAIT 0      0           10.77.0.1:38262    10.78.0.8:7000 ")

    assert row == SsRow(TcpState.TIME_WAIT, 0, 0, "10.77.0.1", 38262, "10.78.0.8", 7000)


def test_an_extended_row() -> None:
    """Timer, uid, inode and the hexadecimal cookie, with words between that are of no interest."""
    row = parse_row(
        "FIN-WAIT-1 0 1 [::ffff:10.77.0.1]:55542 [::ffff:10.78.0.6]:7000"
        " timer:(on,180ms,1) uid:33 ino:207285 sk:1a04 cgroup:/ v6only:0 <->"
    )

    assert row == SsRow(
        TcpState.FIN_WAIT1,
        0,
        1,
        "::ffff:10.77.0.1",
        55542,
        "::ffff:10.78.0.6",
        7000,
        timer=SsTimer("on", 180, 1),
        uid=33,
        inode=207285,
        cookie=0x1A04,
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [("0.0.0.0:*", "0.0.0.0"), ("[::]:*", "::"), ("*:*", "*")],  # noqa: S104 - not bound here
)
def test_a_listener_has_no_peer_port(text: str, address: str) -> None:
    """The star becomes port 0."""
    row = parse_row(f"LISTEN 0 128 127.0.0.1:80 {text}")

    assert (row.peer_address, row.peer_port) == (address, 0)


@pytest.mark.parametrize(
    ("span", "milliseconds"),
    [("59sec", 59_000), ("1min29sec", 89_000), ("17min", 1_020_000), ("324ms", 324), ("2.708ms", 2708), ("", 0)],
)
def test_time_left(span: str, milliseconds: int) -> None:
    """Version 6.1 writes ms for seconds with a fraction (FACTS section 1)."""
    timer = parse_row(f"ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 timer:(persist,{span},0)").timer

    assert timer == SsTimer("persist", milliseconds, 0)


def test_something_else_is_refused() -> None:
    """A header or a message of ss must not pass for a socket."""
    with pytest.raises(ValueError, match="not a row"):
        parse_row("Cannot open netlink socket")

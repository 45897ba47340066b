"""Counters and gauges of /proc/net."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.kernel.counters import parse_counter_table, parse_sockstat

SNMP = """\
Ip: Forwarding DefaultTTL InReceives
Ip: 1 64 1000
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens CurrEstab
Tcp: 1 200 120000 -1 72 9
UdpLite: InDatagrams
UdpLite: 0
"""
NETSTAT = """\
TcpExt: SyncookiesSent ListenOverflows TCPTimeWaitOverflow
TcpExt: 183 9 10
IpExt: InNoRoutes
IpExt: 3
MPTcpExt: MPCapableSYNRX
MPTcpExt: 5
"""
SOCKSTAT = """\
sockets: used 288
TCP: inuse 3 orphan 0 tw 4 alloc 12 mem 7
UDP: inuse 1 mem 0
FRAG: inuse 0 memory 0
"""
SOCKSTAT6 = "TCP6: inuse 2\nUDP6: inuse 0\n"


def test_tcp_counters_are_read_under_the_names_that_nstat_prints() -> None:
    assert parse_counter_table(SNMP) == {
        "Tcp.RtoAlgorithm": 1,
        "Tcp.RtoMin": 200,
        "Tcp.RtoMax": 120000,
        "Tcp.MaxConn": -1,
        "Tcp.ActiveOpens": 72,
        "Tcp.CurrEstab": 9,
    }
    assert parse_counter_table(NETSTAT) == {
        "TcpExt.SyncookiesSent": 183,
        "TcpExt.ListenOverflows": 9,
        "TcpExt.TCPTimeWaitOverflow": 10,
    }


def test_socket_gauges_are_read_for_both_families() -> None:
    assert parse_sockstat(SOCKSTAT + SOCKSTAT6) == {
        "sockstat.TCP.inuse": 3,
        "sockstat.TCP.orphan": 0,
        "sockstat.TCP.tw": 4,
        "sockstat.TCP.alloc": 12,
        "sockstat.TCP.mem": 7,
        "sockstat.TCP6.inuse": 2,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Tcp: A B\n",
        "Tcp: A B\nIp: 1 2\n",
        "Tcp: A\nTcp: x\n",
        "Tcp: A\nTcp: --1\n",
        "Tcp: A\nTcp: ١\n",
        "Tcp\nTcp\n",
    ],
)
def test_lines_that_do_not_fit_are_left_out(text: str) -> None:
    assert parse_counter_table(text) == {}


@pytest.mark.parametrize("text", ["", "TCP:", "TCP: inuse", "TCP: inuse x", "TCP inuse 3", "UDP: inuse 3"])
def test_gauges_that_do_not_fit_are_left_out(text: str) -> None:
    assert parse_sockstat(text) == {}


def test_what_fits_beside_what_does_not_is_kept() -> None:
    assert parse_counter_table("Tcp: A B C\nTcp: 1 x 3 4\n") == {"Tcp.A": 1, "Tcp.C": 3}
    assert parse_sockstat("TCP: inuse 3 orphan\n") == {"sockstat.TCP.inuse": 3}


words = st.one_of(st.text(max_size=8), st.sampled_from(["Tcp:", "TcpExt:", "TCP:", "TCP6:", "1", "-2", "inuse", "\n"]))


@given(st.one_of(st.text(max_size=200), st.lists(words, max_size=20).map(" ".join)))
def test_any_text_is_counters_or_nothing(text: str) -> None:
    words_of_text = set(text.replace(":", ": ").split())
    for name, value in {**parse_counter_table(text), **parse_sockstat(text)}.items():
        assert name.startswith(("Tcp", "sockstat.TCP"))
        assert name.rpartition(".")[2] in words_of_text
        assert value in {int(word) for word in words_of_text if word.lstrip("-").isdecimal()}

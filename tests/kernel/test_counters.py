"""Counters and gauges of /proc/net."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.kernel.counters import parse_conntrack_stat, parse_counter_table, parse_sockstat, parse_softnet_stat

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


def test_the_receive_path_is_summed_over_the_processors() -> None:
    """``net/core/net-procfs.c: softnet_seq_show()``; later kernels add columns."""
    text = "0000beef 00000002 0000000a 0 0 0 0 0 0 0 0 0 0\n0000cafe 00000001 00000001 0 0 0 0 0 0 0 0 0 1\n"
    assert parse_softnet_stat(text) == {"softnet.dropped": 3, "softnet.time_squeeze": 11}
    assert parse_softnet_stat("") == {"softnet.dropped": 0, "softnet.time_squeeze": 0}


def test_the_firewalls_table_tells_of_what_it_dropped_by_name() -> None:
    text = (
        "entries  clashres found new invalid ignore delete chain insert insert_failed drop early_drop icmp_error\n"
        "000000ff  00000000 0 0 0 0 0 0 0 00000003 0000000b 00000001 0\n"
        "000000ff  00000000 0 0 0 0 0 0 0 00000001 00000001 00000000 0\n"
    )
    assert parse_conntrack_stat(text) == {
        "conntrack.drop": 12,
        "conntrack.early_drop": 1,
        "conntrack.insert_failed": 4,
    }
    assert parse_conntrack_stat("") == {}


@given(st.text(alphabet="0123456789abcdef xyz\n-+", max_size=200))
def test_whatever_stands_there_is_read_without_an_error(text: str) -> None:
    assert all(value >= 0 for value in parse_softnet_stat(text).values())
    parse_conntrack_stat("drop early_drop\n" + text)

"""What the kernel tells of one socket, and of ``tcp_info`` for all of them: against ``ss -tiemn``."""

import contextlib
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ctypes import sizeof
from typing import Any, TypeVar

import pytest

from tcptui.kernel.sock_diag import DumpQuery, SockDiag, SocketId, lookup_request
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.states import TcpState
from tcptui.model.table import Rows
from tcptui.query.request import EVERYTHING_PLAIN, Need, Request
from tcptui.sources.reading import ProcNetReader, SockDiagReader
from tests.kernel.c_structs import LISTENERS_HAVE, CTcpInfo, expected_fields
from tests.support.commands import run_command
from tests.support.lab import Lab
from tests.support.limits import raise_descriptor_limit
from tests.support.netns import NetworkNamespace
from tests.support.parking import RECIPES, Family
from tests.support.waiting import wait_for

pytestmark = pytest.mark.live

WITH_INFO = Request(None, frozenset({Need.TCP_INFO}))
INFO_COLUMNS = {"rtt_us", "total_retransmits", "idle_ms"}
ALL_FAMILIES: list[Family] = [socket.AF_INET, socket.AF_INET6, "mapped"]
FAMILIES = pytest.mark.parametrize("family", ALL_FAMILIES)
T = TypeVar("T")

_COUNTS = {
    "backoff": "backoff",
    "mss": "snd_mss",
    "pmtu": "pmtu",
    "rcvmss": "rcv_mss",
    "advmss": "advmss",
    "cwnd": "snd_cwnd",
    "bytes_sent": "bytes_sent",
    "bytes_retrans": "bytes_retrans",
    "bytes_acked": "bytes_acked",
    "bytes_received": "bytes_received",
    "segs_out": "segs_out",
    "segs_in": "segs_in",
    "data_segs_out": "data_segs_out",
    "data_segs_in": "data_segs_in",
    "delivered": "delivered",
    "unacked": "unacked",
    "lost": "lost",
    "sacked": "sacked",
    "rcv_space": "rcv_space",
    "rcv_ssthresh": "rcv_ssthresh",
    "snd_wnd": "snd_wnd",
}
"""What ss prints as it is where it is not 0, with the kernel's name for it (``tcp_stats_print()``, ``misc/ss.c``)."""
_MEMORY = {
    "r": "rmem_alloc",
    "rb": "rcvbuf",
    "t": "wmem_alloc",
    "tb": "sndbuf",
    "f": "fwd_alloc",
    "w": "wmem_queued",
    "o": "optmem",
    "bl": "backlog",
    "d": "drops",
}
_MOVING = re.compile(r"(last(snd|rcv|ack)|timer|busy|ato):\S+")
"""What changes while nothing happens."""


@contextmanager
def reader_in(namespace: NetworkNamespace) -> Iterator[SockDiagReader]:
    with namespace.entered():
        reader = SockDiagReader((4, 6))
    try:
        yield reader
    finally:
        reader.close()


def key_of(row: Any) -> SocketKey:
    names = ("family", "local_hi", "local_lo", "local_port", "remote_hi", "remote_lo", "remote_port")
    numbers = [int(row[name]) for name in (*names, "interface", "cookie", "netns")]
    return SocketKey._make((*numbers, bool(row["state"] == TcpState.LISTEN)))


def keys_in(reader: SockDiagReader, state: TcpState | None = None) -> list[SocketKey]:
    return [key_of(row) for row in reader.read(EVERYTHING_PLAIN).rows if state is None or row["state"] == state]


def details_of(reader: SockDiagReader) -> dict[int, SocketDetail]:
    """All sockets of the namespace, by their cookies."""
    found = {key.cookie: reader.look_up(key) for key in keys_in(reader)}
    return {cookie: detail for cookie, detail in found.items() if detail is not None}


def said_by_ss(namespace: NetworkNamespace) -> dict[int, str]:
    """One line a socket, by its cookie."""
    lines = run_command("ss", "-N", namespace.name, "-tiemnaHO").splitlines()
    return {int(re.findall(r" sk:([0-9a-f]+)", line)[0], 16): line + " " for line in lines}


def looked_at_still(namespace: NetworkNamespace, look: Callable[[], T]) -> tuple[dict[int, str], T]:
    """What ss says, and what ``look`` sees while ss says the same before and after it."""
    lines, seen, _ = wait_for(
        lambda: (said_by_ss(namespace), look(), said_by_ss(namespace)),
        lambda looks: still_part(looks[0]) == still_part(looks[2]),
        wanted="ss to say the same twice",
    )
    return lines, seen


def still_part(lines: dict[int, str]) -> dict[int, str]:
    return {cookie: _MOVING.sub("", line) for cookie, line in lines.items()}


def word(line: str, name: str) -> list[float]:
    """The numbers behind a word of ss."""
    found = re.search(rf" {name}[: ]\(?([-0-9.,/]+)", line)
    return [float(number) for number in re.split("[,/]", found[1])] if found else []


def assert_same_info(detail: SocketDetail, line: str) -> None:
    """Compare what ss prints; it leaves out what is 0."""
    info = detail.info
    assert info is not None
    told = {name: sum(word(line, by_ss)) for by_ss, name in _COUNTS.items()}
    assert told == {name: info[name] for name in told}
    assert [round(ms * 1000) for ms in word(line, "rtt")] == ([info["rtt"], info["rttvar"]] if info["rtt"] else [])
    assert [round(ms * 1000) for ms in word(line, "rto")] == [info["rto"]]
    assert [round(ms * 1000) for ms in word(line, "minrtt")] == [info["min_rtt"]]
    assert word(line, "wscale") == [info["snd_wscale"], info["rcv_wscale"]]
    assert (word(line, "retrans") or [0, 0]) == [info["retrans"], info["total_retrans"]]
    assert word(line, "pacing_rate") == [info["pacing_rate"] * 8]
    assert sum(word(line, "delivery_rate")) == info["delivery_rate"] * 8
    assert (" app_limited " in line) == info["delivery_rate_app_limited"]


def assert_same_memory(detail: SocketDetail, line: str) -> None:
    (inner,) = re.findall(r"skmem:\((.*?)\)", line)
    by_ss = {_MEMORY[name]: int(number) for name, number in re.findall(r"([a-z]+)(\d+)", inner)}
    assert detail.memory == by_ss


# -- Connections -------------------------------------------------------------------------------------------------------


@FAMILIES
def test_an_established_connection_is_told_as_ss_tells_it(lab: Lab, family: Family) -> None:
    parked = lab.park(TcpState.ESTABLISHED, 2, family=family)
    for box, peer in zip(*lab.ends(parked), strict=True):
        box.sendall(b"x" * 5000)
        peer.recv(5000, socket.MSG_WAITALL)
        peer.sendall(b"y" * 300)
        box.recv(300, socket.MSG_WAITALL)
    with reader_in(lab.box) as reader:
        lines, details = looked_at_still(lab.box, lambda: details_of(reader))
    assert lines.keys() == details.keys()
    for cookie, detail in details.items():
        assert_same_info(detail, lines[cookie])
        assert_same_memory(detail, lines[cookie])
        assert f" {detail.congestion} " in lines[cookie]
        assert detail.info is not None
        assert (detail.info["bytes_sent"], detail.info["bytes_received"]) == (5000, 300)
        assert (detail.shutdown, detail.type_of_service) == (0, 0)
        assert detail.key.cookie == cookie


@FAMILIES
def test_tcp_info_is_what_the_program_itself_would_get(lab: Lab, family: Family) -> None:
    """Every field, also those that ss does not print, against getsockopt(TCP_INFO)."""
    parked = lab.park(TcpState.ESTABLISHED, 1, family=family)
    (box,), _ = lab.ends(parked)

    def both() -> tuple[Mapping[str, int], Mapping[str, int]]:
        (detail,) = details_of(reader).values()
        own = box.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, sizeof(CTcpInfo))
        return detail.info or {}, expected_fields(own)

    with reader_in(lab.box) as reader:
        told, own = wait_for(both, lambda looks: looks[0] == looks[1], wanted="one millisecond for both looks")
    assert told == own


@FAMILIES
def test_the_type_of_service_is_that_of_the_packets(lab: Lab, family: Family) -> None:
    """A mapped socket has a traffic class too, and sends IPv4."""
    parked = lab.park(TcpState.ESTABLISHED, 1, family=family)
    (box,), _ = lab.ends(parked)
    if family != socket.AF_INET6:
        box.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
    if family != socket.AF_INET:
        box.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0x20)
    with reader_in(lab.box) as reader:
        (detail,) = details_of(reader).values()
    assert detail.type_of_service == (0x20 if family == socket.AF_INET6 else 0x10)


def test_congestion_control_is_the_sockets_own(lab: Lab) -> None:
    parked = lab.park(TcpState.ESTABLISHED, 1)
    (box,), _ = lab.ends(parked)
    box.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    with reader_in(lab.box) as reader:
        (detail,) = details_of(reader).values()
    assert detail.congestion == "reno"


@pytest.mark.parametrize("state", RECIPES)
def test_every_socket_is_found_and_has_info_where_ss_has_it(lab: Lab, state: TcpState) -> None:
    """Mini-sockets and requests have none (FACTS section 6.2)."""
    lab.park(state, 2)
    with reader_in(lab.box) as reader:
        keys = keys_in(reader, state)
        details = [reader.look_up(key) for key in keys]
        lines = said_by_ss(lab.box)
    assert len(keys) == 2
    for key, detail in zip(keys, details, strict=True):
        assert detail is not None
        assert detail.key == key
        has_info = " cwnd:" in lines[key.cookie]
        assert (detail.info is not None) == has_info
        assert (detail.memory != {}, detail.congestion != "") == (has_info, has_info)
        if state in {TcpState.TIME_WAIT, TcpState.SYN_RECV}:
            assert detail == SocketDetail(key, state=int(state))


@FAMILIES
@pytest.mark.parametrize("state", [TcpState.TIME_WAIT, TcpState.SYN_RECV])
def test_what_is_no_full_socket_is_found_in_each_family(lab: Lab, family: Family, state: TcpState) -> None:
    lab.park(state, 1, family=family)
    with reader_in(lab.box) as reader:
        (key,) = keys_in(reader, state)
        assert reader.look_up(key) == SocketDetail(key, state=int(state))


def test_which_way_is_shut_down_is_told(lab: Lab) -> None:
    """Receiving is bit 1, sending bit 2 (``include/net/sock.h``)."""
    lab.park(TcpState.ESTABLISHED, 1)
    lab.park(TcpState.CLOSE_WAIT, 1)
    lab.park(TcpState.FIN_WAIT2, 1, half_closed=True)
    with reader_in(lab.box) as reader:
        for state, shutdown in ((TcpState.ESTABLISHED, 0), (TcpState.CLOSE_WAIT, 1), (TcpState.FIN_WAIT2, 2)):
            (key,) = keys_in(reader, state)
            detail = reader.look_up(key)
            assert detail is not None
            assert detail.shutdown == shutdown


@FAMILIES
def test_a_socket_that_is_gone_is_none(lab: Lab, family: Family) -> None:
    """And so is one in whose place another stands: the cookie tells."""
    staying = lab.park(TcpState.ESTABLISHED, 1, family=family)
    leaving = lab.park(TcpState.ESTABLISHED, 1, family=family)
    with reader_in(lab.box) as reader:
        keys = keys_in(reader)
        assert all(reader.look_up(key) for key in keys)
        lab.release(leaving)
        assert [reader.look_up(key) is None for key in keys].count(True) == 1
        assert all(reader.look_up(key._replace(cookie=key.cookie + 1)) is None for key in keys)
        lab.release(staying)
        assert [reader.look_up(key) for key in keys] == [None, None]


def test_a_connection_that_is_bound_to_a_device_is_found(namespace: NetworkNamespace) -> None:
    with contextlib.ExitStack() as opened:
        with namespace.entered():
            listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            client = opened.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
            client.connect(listener.getsockname())
        reader = opened.enter_context(reader_in(namespace))
        keys = keys_in(reader)
        assert sum(key.interface > 0 for key in keys) == 1
        assert all(reader.look_up(key) is not None for key in keys)


# -- Listeners ---------------------------------------------------------------------------------------------------------


@FAMILIES
def test_a_listener_tells_its_queue_and_none_of_a_connections_figures(lab: Lab, family: Family) -> None:
    parked = lab.park(TcpState.LISTEN, 1, family=family)
    (box,), _ = lab.ends(parked)
    box.listen(17)
    with reader_in(lab.box) as reader:
        lines, details = looked_at_still(lab.box, lambda: details_of(reader))
    ((cookie, detail),) = details.items()
    assert detail.info is not None
    assert detail.info.keys() == LISTENERS_HAVE
    assert (detail.info["unacked"], detail.info["sacked"]) == (0, 17)
    assert word(lines[cookie], "cwnd") == [detail.info["snd_cwnd"]]
    assert_same_memory(detail, lines[cookie])
    assert f" {detail.congestion} " in lines[cookie]


def test_listeners_that_share_a_port_are_told_apart(lab: Lab) -> None:
    """SO_REUSEPORT, in both families; an exact lookup would find any of them."""
    parked = [lab.park(TcpState.LISTEN, 3, family=family, port=8000) for family in (socket.AF_INET, socket.AF_INET6)]
    listeners = [box for group in parked for box in lab.ends(group)[0]]
    for backlog, listener in enumerate(listeners, start=11):
        listener.listen(backlog)
    with reader_in(lab.box) as reader:
        rows: Rows = reader.read(EVERYTHING_PLAIN).rows
        details = [reader.look_up(key_of(row)) for row in rows]
    assert [(each.info or {})["sacked"] for each in details if each] == rows["send_queue_bytes"].tolist()
    assert sorted(rows["send_queue_bytes"].tolist()) == list(range(11, 17))


def test_a_listener_that_is_closed_is_none_though_others_share_its_port(lab: Lab) -> None:
    parked = lab.park(TcpState.LISTEN, 2, port=8000)
    (first, second), _ = lab.ends(parked)
    with reader_in(lab.box) as reader:
        keys = keys_in(reader)
        first.close()
        assert sorted(reader.look_up(key) is None for key in keys) == [False, True]
        second.close()
        assert [reader.look_up(key) for key in keys] == [None, None]


# -- All of them -------------------------------------------------------------------------------------------------------


def test_the_columns_of_tcp_info_are_what_ss_says(lab: Lab) -> None:
    """With retransmissions: what the box sends is lost, and so its figures move on while we look."""
    for family in ALL_FAMILIES:
        lab.park(TcpState.ESTABLISHED, 3, family=family)
    for state in (TcpState.LISTEN, TcpState.TIME_WAIT, TcpState.SYN_RECV, TcpState.CLOSE_WAIT):
        lab.park(state, 2)
    losing = lab.park(TcpState.ESTABLISHED, 4)
    lab.lose(losing)
    for box in lab.ends(losing)[0]:
        box.sendall(b"x" * 100)
    wait_for(
        lambda: sum(word(line, "retrans")[-1] > 1 for line in said_by_ss(lab.box).values() if word(line, "retrans")),
        lambda count: count == 4,
        wanted="every lost packet to be sent again twice",
    )
    with reader_in(lab.box) as reader:
        lines, reading = looked_at_still(lab.box, lambda: reader.read(WITH_INFO))
    told = {
        row["cookie"]: (row["rtt_us"], row["total_retransmits"])
        for row in reading.rows[["cookie", "rtt_us", "total_retransmits"]]
    }
    expected = {
        cookie: (round((word(line, "rtt") or [0])[0] * 1000), (word(line, "retrans") or [0])[-1])
        for cookie, line in lines.items()
    }
    assert told == expected
    assert sum(retransmits > 1 for _, retransmits in told.values()) == 4
    assert reading.absent_fields == frozenset()


def test_what_was_not_asked_for_is_absent(lab: Lab) -> None:
    lab.park(TcpState.ESTABLISHED, 3)
    with reader_in(lab.box) as reader:
        reading = reader.read(EVERYTHING_PLAIN)
        assert not reader.absent_fields & INFO_COLUMNS
    assert reading.absent_fields == INFO_COLUMNS
    assert not reading.rows["rtt_us"].any()
    assert not reading.rows["total_retransmits"].any()


def test_proc_tells_nothing_of_it(lab: Lab) -> None:
    lab.park(TcpState.ESTABLISHED, 2)
    with lab.box.entered():
        reader = ProcNetReader((4, 6))
    rows = reader.read(WITH_INFO).rows
    assert ProcNetReader.absent_fields >= INFO_COLUMNS
    assert not rows["rtt_us"].any()
    assert [reader.look_up(key_of(row)) for row in rows] == [None, None]
    reader.close()


# -- After trouble -----------------------------------------------------------------------------------------------------


class GivenUpError(Exception):
    """Raised by a sink."""


def give_up(*_: object) -> None:
    raise GivenUpError


def id_of(key: SocketKey) -> SocketId:
    """For a socket of the IPv6 table, whose halves are the kernel's."""
    names = (key.local_port, key.remote_port, key.local_hi, key.local_lo, key.remote_hi, key.remote_lo)
    return SocketId(socket.AF_INET6, *names, key.interface, key.cookie, key.is_listener)


def test_a_dump_that_was_given_up_is_in_nobodys_way(lab: Lab) -> None:
    """More than one buffer full of listeners: the kernel has not told all when the sink gives up."""
    raise_descriptor_limit()
    lab.park(TcpState.LISTEN, 1500, family=socket.AF_INET6)
    connected = lab.park(TcpState.ESTABLISHED, 1, family=socket.AF_INET6)
    with reader_in(lab.box) as reader:
        keys = [*keys_in(reader, TcpState.LISTEN)[-1:], *keys_in(reader, TcpState.ESTABLISHED)]
    with lab.box.entered():
        sock_diag = SockDiag()
    query = DumpQuery(socket.AF_INET6, 1 << TcpState.LISTEN, wants_info=True)
    counts: list[int] = []
    for key in keys:
        with pytest.raises(GivenUpError):
            sock_diag.dump(query, give_up)
        assert sock_diag.look_up(id_of(key)) is not None
        with pytest.raises(GivenUpError):
            sock_diag.dump(query, give_up)
        report = sock_diag.dump(query, lambda rows, _: counts.append(len(rows)))
        assert (report.skipped, report.interrupted) == (0, False)
    assert sum(counts) == 2 * 1500
    assert connected.count == 1
    sock_diag.close()


def test_answers_that_nobody_took_and_that_overflowed_are_in_nobodys_way(lab: Lab) -> None:
    lab.park(TcpState.ESTABLISHED, 1, family=socket.AF_INET6)
    with reader_in(lab.box) as reader:
        (key,) = keys_in(reader)
    with lab.box.entered():
        sock_diag = SockDiag()
    for sequence in range(500):
        sock_diag._socket.send(lookup_request(id_of(key), sequence))
    found = sock_diag.look_up(id_of(key))
    assert found is not None
    assert found.row["idiag_cookie"] == key.cookie
    sock_diag.close()

"""One connection in words: what is said, with which unit, and what is left out."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tcptui.kernel.tcp_info import TCP_INFO, details
from tcptui.model.detail import SocketDetail, SocketKey
from tcptui.model.owners import NAMED, Process, Standing
from tcptui.model.states import TcpState
from tcptui.monitor.watch import Measure, Watch, Watcher
from tcptui.query.request import Request
from tcptui.sources.demo import SCENES, DemoSource
from tcptui.tui import detail_lines as words
from tcptui.tui.detail_lines import DetailLine, detail_lines, detail_title
from tcptui.tui.detail_panel import LABEL_WIDTH, Describer, broken, sparkline_width
from tests.model import profile
from tests.model.random_tables import Socket, sample_of, sockets

__all__ = ["profile"]

SERVED = Socket(cookie=77, inode=4242, uid=33)
AT_443 = (0, 0xFFFF << 32, 443)
JAVA = Process(812, 4100, "java", "/usr/bin/java -jar shop.jar", 91, "tomcat")
INFO = {
    "state": 1,
    "ca_state": 0,
    "rtt": 204_000,
    "rttvar": 3_100,
    "min_rtt": 180_400,
    "rto": 408_000,
    "snd_cwnd": 10,
    "snd_mss": 1448,
    "snd_ssthresh": 0x7FFFFFFF,
    "unacked": 3,
    "sacked": 1,
    "lost": 0,
    "reordering": 3,
    "notsent_bytes": 12_000,
    "retrans": 0,
    "total_retrans": 12,
    "bytes_retrans": 17_376,
    "bytes_sent": 12_345_678,
    "bytes_acked": 12_300_000,
    "data_segs_out": 8421,
    "segs_out": 9100,
    "bytes_received": 1_204_000,
    "data_segs_in": 903,
    "segs_in": 5120,
    "rcv_ooopack": 2,
    "dsack_dups": 1,
    "delivery_rate": 3_400_000,
    "delivery_rate_app_limited": 1,
    "pacing_rate": 6_800_000,
    "max_pacing_rate": 2**64 - 1,
    "last_data_sent": 3_200,
    "last_data_recv": 12,
    "last_ack_recv": 12,
    "busy_time": 12_300_000,
    "rwnd_limited": 4_920_000,
    "sndbuf_limited": 1_000,
    "snd_wnd": 64_000,
    "rcv_wnd": 65_280,
    "options": 0b1111,
    "snd_wscale": 7,
    "rcv_wscale": 8,
    "pmtu": 1500,
}
MEMORY = {"rmem_alloc": 0, "rcvbuf": 131_072, "wmem_queued": 2_304, "sndbuf": 87_040, "backlog": 0, "drops": 0}


def key_of(socket: Socket, netns: int = 0) -> SocketKey:
    values = socket.values
    named = {name: values[name] for name in SocketKey._fields if name in values}
    return SocketKey(**named, netns=netns, is_listener=socket.state is TcpState.LISTEN)


def detail_of(info: Mapping[str, int] | None, memory: Mapping[str, int] = MEMORY, **known: Any) -> SocketDetail:
    return SocketDetail(key_of(SERVED), info, {} if info is None else memory, **{"congestion": "cubic", **known})


def watch_of(socket: Socket = SERVED, **known: Any) -> Watch:
    """A watch of a socket in the first row, with its figures; ``known`` are other fields."""
    usual = {"row": 0, "state": socket.state, "detail": detail_of(INFO), "last_info": INFO}
    return Watch(key_of(socket), **{**usual, **known})


def said(watch: Watch, socket: Socket = SERVED, **known: Any) -> dict[str, str]:
    """Text by label; what goes on below a label stands there too. ``known`` are fields of the sample."""
    texts: dict[str, str] = {}
    label = ""
    for line in detail_lines(watch, replace(sample_of([socket], 100.0), **known)):
        label = line.label or label
        texts[label] = f"{texts[label]}\n{line.text}" if label in texts else line.text
    return texts


def tones(watch: Watch, socket: Socket = SERVED) -> dict[str, str]:
    return {line.label: line.tone for line in detail_lines(watch, sample_of([socket], 100.0)) if line.label}


# -- A full connection -------------------------------------------------------------------------------------------------


def test_everything_of_an_open_connection() -> None:
    series = {Measure.SENT: (None, 340_000), Measure.RECEIVED: (None, 0)}
    watch = watch_of(
        listener=AT_443,
        holders=(JAVA,),
        standing=Standing.HELD,
        cgroup="/system.slice/shop.service",
        age_ms=187_000,
        is_age_whole=True,
        series=series,
    )
    assert said(watch, replace(SERVED, send_queue=4000, timer=1, timer_ms=300)) == {
        "ends": "10.0.0.5:443 ← 198.51.100.7:40000, came in at 0.0.0.0:443",
        "state": "ESTABLISHED for 3m07s",
        "process": "java 812 · tomcat · /usr/bin/java -jar shop.jar",
        "service": "shop.service · /system.slice/shop.service",
        "timer": "on, fires in 300ms",
        "recv queue": "empty",
        "send queue": "4.0 kB not acknowledged",
        "round trip": "204ms ± 3.1ms · least 180ms · rto 408ms",
        "cwnd": "10 × 1,448 B = 14.5 kB · ssthresh none",
        "in flight": "unacked 3 · sacked 1 · lost 0 · reordering 3 · 12.0 kB not sent yet",
        "retransmits": "12 segments in all · 17.4 kB, <1 % of what was sent · 1 needless",
        "sent": "340 kB/s · 12.3 MB in all · 12.3 MB acked · 8,421 of 9,100 segments with data",
        "received": "0 B/s · 1.2 MB in all · 903 of 5,120 segments with data · 2 out of order",
        "delivery": "3.4 MB/s, limited by the program · pacing 6.8 MB/s",
        "last data": "sent 3.2s ago · received 12ms ago · acked 12ms ago",
        "waited": "busy 12s · 40 % of it for the peer's window · <1 % for the buffer",
        "windows": "the peer's 64.0 kB · ours 65.3 kB",
        "options": "cubic · timestamps · sack · ecn · wscale 7,8 · mss 1,448 · pmtu 1,500",
        "memory": "rmem 0 B of 131 kB · wmem 2.3 kB of 87.0 kB",
    }


def test_the_course_of_a_figure_stands_beside_it() -> None:
    series = {measure: (number,) for number, measure in enumerate(Measure)}
    lines = detail_lines(watch_of(series=series), sample_of([SERVED]))
    assert {line.label: Measure(list(Measure)[line.series[0]]) for line in lines if line.series} == {  # type: ignore[index]
        "round trip": Measure.RTT_US,
        "cwnd": Measure.CWND,
        "sent": Measure.SENT,
        "received": Measure.RECEIVED,
        "delivery": Measure.DELIVERY,
        "retransmits": Measure.RETRANSMITS,
        "recv queue": Measure.RECV_QUEUE,
        "send queue": Measure.SEND_QUEUE,
    }


@pytest.mark.parametrize(
    ("changed", "label", "expected"),
    [
        ({"rtt": 0}, "round trip", "not measured yet · least 180ms · rto 408ms"),
        ({"rtt": 840, "rttvar": 0}, "round trip", "840µs ± 0µs · least 180ms · rto 408ms"),
        ({"rtt": 3_200_000}, "round trip", "3.2s ± 3.1ms · least 180ms · rto 408ms"),
        ({"min_rtt": 2**32 - 1}, "round trip", "204ms ± 3.1ms · rto 408ms"),
        ({"snd_ssthresh": 7}, "cwnd", "10 × 1,448 B = 14.5 kB · ssthresh 7"),
        ({"ca_state": 4}, "cwnd", "10 × 1,448 B = 14.5 kB · ssthresh none · loss"),
        ({"ca_state": 99}, "cwnd", "10 × 1,448 B = 14.5 kB · ssthresh none"),
        ({"notsent_bytes": 0}, "in flight", "unacked 3 · sacked 1 · lost 0 · reordering 3"),
        ({"total_retrans": 0, "bytes_retrans": 0, "dsack_dups": 0}, "retransmits", "none"),
        ({"delivery_rate_app_limited": 0}, "delivery", "3.4 MB/s · pacing 6.8 MB/s"),
        ({"pacing_rate": 2**64 - 1}, "delivery", "3.4 MB/s, limited by the program · pacing unlimited"),
        ({"delivery_rate": 0}, "delivery", "not measured yet · pacing 6.8 MB/s"),
        (
            {"max_pacing_rate": 125_000, "delivery_rate": 0},
            "delivery",
            "not measured yet · pacing 6.8 MB/s · at most 125 kB/s",
        ),
        ({"data_segs_out": 0}, "last data", "never sent · received 12ms ago · acked 12ms ago"),
        ({"busy_time": 0}, "waited", "not measured"),
        ({"snd_wnd": 0}, "windows", "the peer's is shut · ours 65.3 kB"),
        ({"options": 32}, "options", "cubic · fast open · mss 1,448 · pmtu 1,500"),
    ],
)
def test_what_a_figure_can_say(changed: dict[str, int], label: str, expected: str) -> None:
    assert said(watch_of(detail=detail_of({**INFO, **changed})))[label] == expected


@pytest.mark.parametrize(
    ("changed", "label"), [({"snd_wnd": 0}, "windows"), ({"lost": 1}, "in flight"), ({"retrans": 1}, "retransmits")]
)
def test_what_is_wrong_now_stands_out(changed: dict[str, int], label: str) -> None:
    assert tones(watch_of())[label] == "text"
    assert tones(watch_of(detail=detail_of({**INFO, **changed})))[label] == "warning"


@pytest.mark.parametrize("name", sorted(INFO))
def test_what_this_kernel_does_not_have_is_left_out(name: str) -> None:
    """Each line without one field says a part of what it says with it, or is not there."""
    full = said(watch_of())
    fewer = said(watch_of(detail=detail_of({key: value for key, value in INFO.items() if key != name})))
    assert fewer.keys() <= full.keys()
    assert all(set(text.split(" · ")) <= set(full[label].split(" · ")) for label, text in fewer.items())


def test_an_old_kernel_has_fewer_lines() -> None:
    """The 104 bytes that ``struct tcp_info`` had at first."""
    oldest = details({2: np.full(TCP_INFO.itemsize, 1, np.uint8).tobytes()[:104]}).info
    labels = said(watch_of(detail=detail_of(oldest, {}))).keys()
    assert labels & {"sent", "received", "delivery", "waited", "windows", "memory"} == set()
    assert {"round trip", "cwnd", "in flight", "retransmits", "options"} <= labels


def test_packets_that_were_dropped_for_want_of_memory_stand_out() -> None:
    watch = watch_of(detail=detail_of(INFO, {**MEMORY, "drops": 3, "backlog": 700}))
    assert said(watch)["memory"] == "rmem 0 B of 131 kB · wmem 2.3 kB of 87.0 kB · backlog 700 B · 3 dropped"
    assert tones(watch)["memory"] == "warning"


def test_the_type_of_service_is_said_where_it_is_not_the_usual_one() -> None:
    assert said(watch_of(detail=detail_of(INFO, type_of_service=0x10)))["options"].endswith(" · tos 0x10")


def test_what_has_nobody_to_send_to_yet_says_only_what_it_knows() -> None:
    opening = replace(SERVED, state=TcpState.SYN_SENT, send_queue=1, timer=1, timer_ms=900, retransmits=2)
    info = {**INFO, "rtt": 0, "min_rtt": 2**32 - 1, "retrans": 1, "total_retrans": 2, "snd_wnd": 0, "dsack_dups": 0}
    texts = said(watch_of(opening, detail=detail_of({**info, "bytes_retrans": 0}, congestion="")), opening)
    assert texts["ends"] == "10.0.0.5:443 → 198.51.100.7:40000, opened from here"
    assert texts["timer"] == "on, fires in 900ms · sent again 2 × without an answer"
    assert texts["send queue"] == "only our SYN, not acknowledged"
    assert texts["round trip"] == "not measured yet · rto 408ms"
    assert texts["retransmits"] == "1 in flight · 2 segments in all"
    assert texts.keys() & {"windows", "last data", "sent", "delivery", "waited"} == set()


# -- State, timer and queues -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"age_ms": 187_000, "is_age_whole": True}, "ESTABLISHED for 3m07s"),
        ({"age_ms": 2_460_000}, "ESTABLISHED for ≥41m00s"),
        ({}, "ESTABLISHED"),
        ({"state": TcpState.CLOSE_WAIT, "row": None}, "CLOSE_WAIT, outside of the filter"),
        ({"state": None}, "unknown"),
        ({"detail": detail_of(INFO, shutdown=1)}, "ESTABLISHED, the program has shut down receiving"),
        ({"state": TcpState.CLOSE_WAIT, "detail": detail_of(INFO, shutdown=1)}, "CLOSE_WAIT"),
        (
            {"state": TcpState.FIN_WAIT2, "detail": detail_of(INFO, shutdown=2)},
            "FIN_WAIT2, half closed: the program may still receive",
        ),
        ({"state": TcpState.FIN_WAIT1, "detail": detail_of(INFO, shutdown=3)}, "FIN_WAIT1"),
        ({"gone_since_s": 88.0, "row": None}, "closed 12s ago, last seen in ESTABLISHED"),
        ({"gone_since_s": 100.0, "row": None}, "closed just now, last seen in ESTABLISHED"),
        ({"gone_since_s": 100.0, "row": None, "state": None}, "closed just now, never seen here"),
    ],
)
def test_the_state(known: dict[str, Any], expected: str) -> None:
    assert said(watch_of(**known))["state"] == expected


@pytest.mark.parametrize(
    ("timer", "count", "expected"),
    [
        (0, 0, "none runs"),
        (1, 0, "on, fires in 2.7s"),
        (1, 4, "on, fires in 2.7s · sent again 4 × without an answer"),
        (2, 0, "keepalive, fires in 2.7s"),
        (2, 3, "keepalive, fires in 2.7s · 3 probes without an answer"),
        (3, 0, "timewait, ends in 2.7s"),
        (4, 5, "persist, fires in 2.7s · 5 probes of the peer's shut window"),
        (5, 1, "5, fires in 2.7s"),
    ],
)
def test_the_timer(timer: int, count: int, expected: str) -> None:
    socket = replace(SERVED, timer=timer, timer_ms=2_708 if timer else 0, retransmits=count)
    assert said(watch_of(socket), socket)["timer"] == expected


@pytest.mark.parametrize(
    ("state", "received", "sent", "expected"),
    [
        (TcpState.ESTABLISHED, 0, 0, ("empty", "empty")),
        (TcpState.ESTABLISHED, 1, 1, ("1 B that the program has not read", "1 B not acknowledged")),
        (TcpState.ESTABLISHED, 70_000, 0, ("70.0 kB that the program has not read", "empty")),
        (TcpState.CLOSE_WAIT, 0, 0, ("empty: the program has read to the end, and does not close", "empty")),
        (TcpState.CLOSE_WAIT, 1, 0, ("only the peer's FIN, which the program has not read", "empty")),
        (
            TcpState.LAST_ACK,
            1,
            1,
            ("only the peer's FIN, which the program has not read", "only our FIN, not acknowledged"),
        ),
        (TcpState.FIN_WAIT1, 0, 14_600, ("empty", "14.6 kB not acknowledged")),
    ],
)
def test_the_queues(state: TcpState, received: int, sent: int, expected: tuple[str, str]) -> None:
    socket = replace(SERVED, state=state, recv_queue=received, send_queue=sent)
    texts = said(watch_of(socket), socket)
    assert (texts["recv queue"], texts["send queue"]) == expected


LISTENING = Socket(TcpState.LISTEN, remote_port=0, recv_queue=129, send_queue=128, cookie=5, inode=9)


def test_a_listener_tells_its_accept_queue() -> None:
    info = {"state": 10, "unacked": 129, "sacked": 128, "snd_cwnd": 10, "pacing_rate": 2**64 - 1}
    watch = watch_of(LISTENING, detail=detail_of(info), holders=(JAVA,), standing=Standing.HELD)
    texts = said(watch, LISTENING)
    assert detail_title(watch, sample_of([LISTENING])) == "10.0.0.5:443"
    assert texts == {
        "ends": "10.0.0.5:443, listens",
        "state": "LISTEN",
        "process": "java 812 · tomcat · /usr/bin/java -jar shop.jar",
        "accept queue": "129 of 128 connections wait to be accepted: it is full",
        "memory": "rmem 0 B of 131 kB · wmem 2.3 kB of 87.0 kB",
    }
    assert tones(watch, LISTENING)["accept queue"] == "warning"


def test_a_listeners_backlog_is_not_told_by_every_source() -> None:
    texts = said(watch_of(LISTENING, detail=None), LISTENING, absent_fields=frozenset({"backlog", "cookie"}))
    assert texts["accept queue"].startswith("129 connections wait to be accepted")


def test_what_the_source_cannot_know_is_left_out() -> None:
    absent = frozenset({"timer", "recv_queue_bytes", "send_queue_bytes", "cookie", "uid"})
    texts = said(watch_of(detail=None), absent_fields=absent)
    assert texts.keys() == {"ends", "state", "process"}


# -- Sockets without figures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "timer", "beginning"),
    [
        (TcpState.TIME_WAIT, 3, "Closed on both sides"),
        (TcpState.FIN_WAIT2, 3, "Closed by its program"),
        (TcpState.SYN_RECV, 1, "A request, not a connection yet"),
        (TcpState.LAST_ACK, 1, "The kernel keeps no figures"),
    ],
)
def test_what_has_no_figures_says_why_and_how_long_it_has(state: TcpState, timer: int, beginning: str) -> None:
    socket = replace(SERVED, state=state, inode=0, timer=timer, timer_ms=43_000)
    watch = watch_of(socket, detail=detail_of(None, congestion=""), last_info=None)
    texts = said(watch, socket)
    assert texts.keys() == {"ends", "state", "process", "timer"}
    when, why = texts["timer"].split("\n")
    assert when.endswith("in 43s")
    assert why.startswith(beginning)


def test_what_it_came_to_is_said_after_its_end() -> None:
    series = {Measure.SENT: (None, 340_000)}
    watch = watch_of(row=None, detail=None, gone_since_s=90.0, series=series)
    texts = said(watch)
    assert texts["sent"] == "12.3 MB in all · 12.3 MB acked · 8,421 of 9,100 segments with data"
    assert texts["process"].endswith("\nAs it was when the kernel last had figures:")
    assert texts.keys() == {"ends", "state", "process", "round trip", "retransmits", "sent", "received"}


@pytest.mark.parametrize(
    ("known", "absent", "expected"),
    [
        ({"unanswered": 1}, frozenset(), "reading …"),
        ({"unanswered": 7}, frozenset(), "The kernel has told no more of it in 7 samples."),
        ({"unanswered": 7}, {"cookie"}, "test tells no more of a socket than its row; sock_diag does."),
    ],
)
def test_what_is_not_there_is_said(known: dict[str, Any], absent: frozenset[str], expected: str) -> None:
    watch = watch_of(detail=None, last_info=None, **known)
    assert said(watch, absent_fields=frozenset(absent))["send queue"] == f"empty\n{expected}"


# -- Who ---------------------------------------------------------------------------------------------------------------


WORKERS = tuple(Process(812 + number, 9, "php-fpm", "sh -c pool", 33, "www-data") for number in range(3))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"holders": (JAVA,), "standing": Standing.HELD}, "java 812 · tomcat · /usr/bin/java -jar shop.jar"),
        ({"holders": WORKERS, "standing": Standing.HELD}, "php-fpm 812, 813, 814 · www-data · sh -c pool"),
        (
            {"holders": (WORKERS[0], JAVA), "standing": Standing.HELD},
            "php-fpm 812 · www-data · sh -c pool\njava 812 · tomcat · /usr/bin/java -jar shop.jar",
        ),
        (
            {"holders": (JAVA,), "standing": Standing.REMEMBERED},
            "was java 812 · tomcat · /usr/bin/java -jar shop.jar",
        ),
        (
            {"holders": (JAVA,), "standing": Standing.REMEMBERED, "ended": frozenset({JAVA})},
            "was java 812, which has exited · tomcat · /usr/bin/java -jar shop.jar",
        ),
        (
            {"holders": WORKERS, "standing": Standing.REMEMBERED, "ended": frozenset(WORKERS[1:])},
            "was php-fpm 812 · www-data · sh -c pool\nwas php-fpm 813, 814, which have exited · www-data · sh -c pool",
        ),
        (
            {"holders": (Process(7, 1, "java", "java"),), "standing": Standing.HELD, "gone_since_s": 1.0},
            "was java 7",
        ),
        ({"holders": (Process(7, 1, "", "", 33),), "standing": Standing.HELD}, "? 7 · uid 33"),
        ({}, "nobody has looked for it"),
    ],
)
def test_who_holds_it(known: dict[str, Any], expected: str) -> None:
    assert said(watch_of(last_info=None, **known))["process"] == expected


@pytest.mark.parametrize(
    ("state", "gone_since_s", "ending"),
    [
        (TcpState.SYN_RECV, None, "where it came in."),
        (TcpState.ESTABLISHED, None, "and it waits there to be accepted."),
        (TcpState.CLOSE_WAIT, None, "and it waits there to be accepted."),
        (TcpState.LAST_ACK, None, "but who accepted it was not seen."),
        (TcpState.ESTABLISHED, 1.0, "but who accepted it was not seen."),
    ],
)
def test_who_listens_where_it_came_in(state: TcpState, gone_since_s: float | None, ending: str) -> None:
    watch = watch_of(
        holders=(JAVA,), standing=Standing.LISTENER, state=state, gone_since_s=gone_since_s, last_info=None
    )
    holder, meaning = said(watch)["process"].split("\n")
    assert holder.endswith("java 812 · tomcat · /usr/bin/java -jar shop.jar")
    assert meaning.startswith("That is who listens")
    assert meaning.endswith(ending)


@pytest.mark.parametrize("standing", sorted(set(Standing) - NAMED))
def test_why_nobody_is_named_is_said_in_full(standing: Standing) -> None:
    unheld = replace(SERVED, inode=0)
    text = said(watch_of(unheld, standing=standing), unheld)["process"]
    assert text == words.UNNAMED[standing]
    assert text.endswith((".", ")"))
    assert said(watch_of(standing=standing))["process"] == f"{text} The socket belongs to uid 33."


def test_a_long_command_line_is_cut() -> None:
    holder = replace(JAVA, command="java " + "-D" * 4000)
    text = said(watch_of(holders=(holder,), standing=Standing.HELD))["process"]
    assert len(text) < 300
    assert text.endswith("…")


def test_the_namespace_is_said_where_there_are_several() -> None:
    assert "namespace" not in said(watch_of())
    watch = replace(watch_of(), key=key_of(SERVED, 1))
    assert said(watch, namespaces=("self", "blue"))["namespace"] == "blue"
    assert said(watch, namespaces=("self", ""))["namespace"] == "one that has ended"


def test_the_interface_that_it_is_bound_to_is_said() -> None:
    socket = replace(SERVED, interface=3)
    assert said(watch_of(socket), socket)["ends"].endswith("opened from here, bound to interface 3")


# -- Numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (3_400_000, "3.4 MB"),
        (2**40, "1.1 TB"),
        (2**64 - 1, "18.4 EB"),
    ],
)
def test_bytes_in_words(count: int, expected: str) -> None:
    assert words.size_text(count) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(0, 0, "0 %"), (0, 9, "0 %"), (1, 1000, "<1 %"), (1, 3, "33 %"), (5, 5, "100 %")]
)
def test_shares_in_words(part: int, whole: int, expected: str) -> None:
    assert words.share_text(part, whole) == expected


# -- Whatever the kernel says ------------------------------------------------------------------------------------------


def assert_readable(lines: list[DetailLine]) -> None:
    for line in lines:
        assert line.text.strip() == line.text != ""
        assert (line.text + line.label).isprintable()
        assert cell_len(line.label) < LABEL_WIDTH - 1
        assert not re.search(r"(^| )-\d", line.text)


NAMES = [*(name.removeprefix("tcpi_") for name in TCP_INFO.names or ()), "delivery_rate_app_limited", "snd_wscale"]
numbers = st.one_of(st.sampled_from((0, 1, 2**31 - 1, 2**32 - 1, 2**64 - 1)), st.integers(0, 2**64 - 1))
infos = st.dictionaries(st.sampled_from([*NAMES, "rcv_wscale"]), numbers)
memories = st.dictionaries(st.sampled_from([*MEMORY, "fwd_alloc", "optmem", "wmem_alloc"]), st.integers(0, 2**32 - 1))
series = st.lists(st.none() | numbers, max_size=5).map(tuple)


@given(
    st.data(),
    sockets.filter(bool),
    st.none() | infos,
    memories,
    st.none() | st.sampled_from(Standing),
    st.booleans(),
)
def test_whatever_the_kernel_tells_there_are_lines_to_read(
    data: st.DataObject,
    described: list[Socket],
    info: dict[str, int] | None,
    memory: dict[str, int],
    standing: Standing | None,
    is_gone: bool,  # noqa: FBT001 - drawn
) -> None:
    row = data.draw(st.integers(0, len(described) - 1))
    key = key_of(described[row])
    is_named = standing in NAMED
    watch = Watch(
        key,
        None if is_gone else data.draw(st.sampled_from((row, None))),
        None if is_gone else data.draw(st.none() | st.just(SocketDetail(key, info, memory, "bbr", 255, 3))),
        info,
        data.draw(st.integers(0, 9)),
        data.draw(st.none() | st.sampled_from(TcpState)),
        data.draw(st.floats(0, 200)) if is_gone else None,
        data.draw(st.none() | st.just(AT_443)),
        (JAVA, *WORKERS) if is_named else None,
        standing,
        frozenset({JAVA}),
        data.draw(st.sampled_from(("", "/", "/system.slice/a.service"))),
        data.draw(st.none() | st.integers(0, 2**40)),
        series=data.draw(st.dictionaries(st.sampled_from(Measure), series)),
    )
    absent = data.draw(st.frozensets(st.sampled_from(("cookie", "timer", "recv_queue_bytes", "backlog", "uid"))))
    sample = sample_of(described, 100.0, absent)
    assert_readable(detail_lines(watch, sample))
    assert detail_title(watch, sample).isprintable()


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_has_connections_to_look_at(scene: str) -> None:
    source = DemoSource(scene)
    for state in (TcpState.ESTABLISHED, TcpState.TIME_WAIT, TcpState.LISTEN):
        row = next(row for row in source.sample().table.rows if row["state"] == state)
        named = {name: int(row[name]) for name in SocketKey._fields if name != "is_listener"}
        watched = SocketKey(**named, is_listener=state is TcpState.LISTEN)
        watcher = Watcher()
        for _ in range(5):
            sample = source.sample(Request(watched=watched))
            watch = watcher.update(sample, watched)
            assert watch is not None
            assert watch.detail is not None or watch.gone_since_s is not None
            assert_readable(detail_lines(watch, sample))
            if state is TcpState.ESTABLISHED and watch.row is not None and watch.last_info is not None:
                told = (watch.last_info["rtt"], watch.last_info["total_retrans"])
                assert told == tuple(sample.table.rows[["rtt_us", "total_retransmits"]][watch.row])


# -- On the panel ------------------------------------------------------------------------------------------------------


def test_the_module_is_what_the_panel_asks_for() -> None:
    describer: Describer = words
    assert describer.detail_title(watch_of(), sample_of([SERVED])) == "10.0.0.5:443 → 198.51.100.7:40000"


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one · two · three", 40, ["one · two · three"]),
        ("one · two · three", 9, ["one · two", "three"]),
        ("a long part · two", 8, ["a long", "part", "two"]),
        ("a long part · two", 10, ["a long", "part · two"]),
        ("--no-break-at-hyphens -x", 14, ["--no-break-at-", "hyphens -x"]),
        ("see --no-break", 13, ["see", "--no-break"]),
        ("世界世界世界", 5, ["世界", "世界", "世界"]),
        ("", 5, [""]),
    ],
)
def test_lines_are_broken_where_they_say_something_else(text: str, width: int, expected: list[str]) -> None:
    assert broken(text, width) == expected


@given(st.text(st.characters(codec="utf-8").filter(str.isprintable), max_size=80), st.integers(2, 30))
def test_no_line_is_wider_than_the_panel(text: str, width: int) -> None:
    assert all(cell_len(line) <= width for line in broken(text, width))


def test_the_course_of_a_figure_leaves_room_for_the_text() -> None:
    assert [sparkline_width(width) for width in (58, 78, 118, 238)] == [13, 19, 31, 48]

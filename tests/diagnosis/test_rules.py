"""Each rule with a machine on which it must speak, and with a healthy one that looks like it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import pytest

from tcptui.analysis.attribution import attributed
from tcptui.diagnosis.finding import Confidence, Severity
from tcptui.diagnosis.rule import Rule
from tcptui.diagnosis.rules.catalogue import RULES
from tcptui.diagnosis.thresholds import DEFAULTS, Thresholds
from tcptui.explain.topics import find_topic
from tcptui.model.disk import DiskSetting
from tcptui.model.owners import Descriptors
from tcptui.model.sample import Sample
from tcptui.model.states import TcpState
from tcptui.query.parse import parse_filter
from tests.diagnosis.scenes import (
    JAVA,
    KEEPALIVE,
    NGINX,
    NO_INFO,
    OFF,
    ON,
    PERSIST,
    QUIET_COUNTERS,
    TIMEWAIT,
    Part,
    at,
    counted,
    fired,
    judged,
    listener,
    part,
)

S = TcpState


class Timer(TypedDict):
    timer: int
    timer_ms: int


WITH_SILENCE = NO_INFO - {"idle_ms"}
GAUGES = {"sockstat.TCP.inuse": 3, "sockstat.TCP6.inuse": 0, "sockstat.TCP.tw": 0, "sockstat.TCP.orphan": 0}


def grown(*parts: Part, seconds: float = 10.0, parameters: dict[str, str] | None = None, **by: int) -> list[Sample]:
    """Two samples between which counters have grown; the first of a name's underscores stands for a dot."""
    names = {name.replace("_", ".", 1): count for name, count in by.items()}
    now = {**QUIET_COUNTERS, **names}
    return [
        at(0, *parts, counters=dict.fromkeys(now, 0), parameters=parameters),
        at(seconds, *parts, counters=now, parameters=parameters),
    ]


def still(*parts: Part, seconds: float = 12.0) -> list[Sample]:
    """The same for a while."""
    return [at(moment, *parts) for moment in (0.0, seconds / 2, seconds)]


def gauged(**changed: int) -> list[Sample]:
    """Gauges by the part of their name behind ``sockstat.TCP.``."""
    gauges = {**GAUGES, **{f"sockstat.TCP.{name}": count for name, count in changed.items()}}
    return [at(0, listener(), gauges=gauges)]


def closed(count: int, seconds: int, send_queue_bytes: int = 0) -> list[Sample]:
    """CLOSE_WAIT that were last heard of so long ago."""
    waiting = part(S.CLOSE_WAIT, count, peers=3, holder=JAVA, idle_ms=seconds * 1000, send_queue_bytes=send_queue_bytes)
    return [at(0, waiting, absent=WITH_SILENCE)]


def with_file(name: str, value: str, *parts: Part, is_known: bool = True) -> list[Sample]:
    setting = DiskSetting(name, value, "/etc/sysctl.conf", 3, is_known=is_known)
    return [at(0, *parts, on_disk=[setting])]


def with_parameters(*parts: Part, **changed: str) -> list[Sample]:
    """Parameters by their name in ``net.ipv4``."""
    parameters = {f"net.ipv4.{name}": value for name, value in changed.items()}
    return [at(0, *parts, parameters=parameters)]


def ports_in_use(count: int, state: TcpState = S.TIME_WAIT, **changed: str) -> list[Sample]:
    busy = part(state, count, local_port=None, remote_port=11211, timer=TIMEWAIT, timer_ms=20_000)
    return with_parameters(busy, **changed)


def asking(count: int, peers: int, retransmits: int) -> list[Sample]:
    columns = {"timer": ON, "retransmits": retransmits, "send_queue_bytes": 1}
    made = part(S.SYN_SENT, count, local_port=None, remote="203.0.113.0", peers=peers, remote_port=5432, holder=JAVA)
    for name, value in columns.items():
        made.rows[name] = value
    return [at(0, made)]


def half_open(count: int, peers: int, retransmits: int) -> Part:
    return part(S.SYN_RECV, count, remote="192.0.2.0", peers=peers, timer=ON, retransmits=retransmits)


def leaking(*counts: int) -> list[Sample]:
    return [at(20.0 * number, leaks={JAVA: count}) for number, count in enumerate(counts)]


def descriptors(used: int, limit: int) -> list[Sample]:
    return [at(0, listener(), descriptors={NGINX.pid: Descriptors(used, limit)})]


def served_timewait(count: int, local_port: int = 443) -> list[Sample]:
    return [at(0, listener(443), part(S.TIME_WAIT, count, local_port=local_port, timer=TIMEWAIT, timer_ms=30_000))]


def growing_close_wait(*counts: int) -> list[Sample]:
    return [
        at(15.0 * number, part(S.CLOSE_WAIT, count, holder=JAVA), age_s=min(15.0 * number, 20))
        for number, count in enumerate(counts)
    ]


def full_queue(queue: int, backlog: int = 10, times: int = 2, **by: int) -> list[Sample]:
    counters = {**QUIET_COUNTERS, **{f"TcpExt.{name}": 0 for name in by}}
    grown_by = {f"TcpExt.{name}": count for name, count in by.items()}
    return [
        at(float(number), listener(80, queue, backlog), counters={**counters, **(grown_by if number else {})})
        for number in range(times)
    ]


@dataclass(frozen=True)
class Case:
    """A rule, a machine on which it speaks, and one on which it must not."""

    rule: str
    wrong: Callable[[], list[Sample]]
    sound: Callable[[], list[Sample]]
    severity: Severity = Severity.WARNING
    confidence: Confidence = Confidence.LIKELY
    thresholds: Thresholds = DEFAULTS


INFO, WARNING, CRITICAL = Severity
CERTAIN, POSSIBLE = Confidence.CERTAIN, Confidence.POSSIBLE
FIN_WAIT2: Timer = {"timer": TIMEWAIT, "timer_ms": 30_000}
FULL_QUEUE = listener(443, 12, 10)

CASES = {
    "old CLOSE_WAIT, not a short peak": Case("R01", lambda: closed(30, 600), lambda: closed(30, 5), confidence=CERTAIN),
    "CLOSE_WAIT without, not with something to send": Case(
        "R01", lambda: closed(30, 600), lambda: closed(30, 600, send_queue_bytes=500), confidence=CERTAIN
    ),
    "CLOSE_WAIT that grow, not that come and go": Case(
        "R01", lambda: growing_close_wait(30, 40, 60, 90), lambda: growing_close_wait(30, 60, 20, 40)
    ),
    "thousands of CLOSE_WAIT": Case("R01", lambda: closed(2000, 600), lambda: closed(2000, 1), CRITICAL, CERTAIN),
    "one CLOSE_WAIT for an hour, not for a minute": Case("R01", lambda: closed(1, 3600), lambda: closed(1, 60), INFO),
    "CLOSE_WAIT that fill the descriptors": Case(
        "R01",
        lambda: [
            at(
                0,
                part(S.CLOSE_WAIT, 90, holder=JAVA, idle_ms=90_000),
                absent=WITH_SILENCE,
                descriptors={JAVA.pid: Descriptors(95, 100)},
            )
        ],
        lambda: [
            at(
                0,
                part(S.CLOSE_WAIT, 9, holder=JAVA, idle_ms=90_000),
                absent=WITH_SILENCE,
                descriptors={JAVA.pid: Descriptors(95, 100)},
            )
        ],
        CRITICAL,
        CERTAIN,
    ),
    "CLOSE_WAIT behind a queue, not behind an empty one": Case(
        "R02",
        lambda: [at(0, listener(443, 8, 10), part(S.CLOSE_WAIT, 8))],
        lambda: [at(0, listener(443, 0, 10), part(S.CLOSE_WAIT, 8, holder=NGINX))],
        confidence=CERTAIN,
    ),
    "sockets in no table that grow": Case(
        "R03", lambda: leaking(30, 45, 60), lambda: leaking(5, 6, 7), confidence=CERTAIN
    ),
    "sockets in no table that stay": Case("R03", lambda: leaking(30, 30), lambda: leaking(19, 19)),
    "FIN_WAIT2 of late peers, not of prompt ones": Case(
        "R04",
        lambda: [at(0, part(S.FIN_WAIT2, 800, peers=300, **FIN_WAIT2), part(S.ESTABLISHED, 900))],
        lambda: [at(0, part(S.FIN_WAIT2, 800, peers=300, timer=TIMEWAIT, timer_ms=59_500), part(S.ESTABLISHED, 900))],
    ),
    "some FIN_WAIT2 beside many open ones": Case(
        "R04",
        lambda: [at(0, part(S.FIN_WAIT2, 260, **FIN_WAIT2), part(S.ESTABLISHED, 1200))],
        lambda: [at(0, part(S.FIN_WAIT2, 260, **FIN_WAIT2), part(S.ESTABLISHED, 1400))],
        INFO,
    ),
    "half-closed for long, not for a minute": Case(
        "R05",
        lambda: [at(0, part(S.FIN_WAIT2, 6, holder=JAVA, idle_ms=900_000), absent=WITH_SILENCE)],
        lambda: [at(0, part(S.FIN_WAIT2, 6, holder=JAVA, idle_ms=60_000), absent=WITH_SILENCE)],
    ),
    "half-closed without keepalive, not with it": Case(
        "R05",
        lambda: [at(0, part(S.FIN_WAIT2, 2, holder=JAVA, idle_ms=900_000), absent=WITH_SILENCE)],
        lambda: [at(0, part(S.FIN_WAIT2, 2, holder=JAVA, timer=KEEPALIVE, idle_ms=900_000), absent=WITH_SILENCE)],
        INFO,
    ),
    "FINs sent again, not just sent": Case(
        "R06",
        lambda: [at(0, part(S.FIN_WAIT1, 80, timer=ON, retransmits=4), part(S.ESTABLISHED, 700))],
        lambda: [at(0, part(S.FIN_WAIT1, 80, timer=ON, retransmits=1), part(S.ESTABLISHED, 700))],
    ),
    "FINs unanswered, not a floor of mobile clients": Case(
        "R06",
        lambda: [at(0, part(S.LAST_ACK, 400, timer=ON, retransmits=4), part(S.ESTABLISHED, 700))],
        lambda: [at(0, part(S.LAST_ACK, 60, timer=ON, retransmits=4), part(S.ESTABLISHED, 700))],
        CRITICAL,
    ),
    "closing against closed windows, not a few": Case(
        "R07",
        lambda: [at(0, part(S.FIN_WAIT1, 25, timer=PERSIST, send_queue_bytes=9000))],
        lambda: [at(0, part(S.FIN_WAIT1, 9, timer=PERSIST, send_queue_bytes=9000))],
    ),
    "a flood, not a burst of clients that answer": Case(
        "R08",
        lambda: [at(0, listener(), half_open(450, 450, 2))],
        lambda: [at(0, listener(), half_open(450, 450, 0))],
    ),
    "a flood, not clients whose cookies come back": Case(
        "R08",
        lambda: grown(listener(), half_open(450, 450, 2), TcpExt_SyncookiesSent=900, TcpExt_SyncookiesRecv=3),
        lambda: grown(listener(), half_open(450, 450, 2), TcpExt_SyncookiesSent=900, TcpExt_SyncookiesRecv=880),
    ),
    "a flood that shuts others out": Case(
        "R08",
        lambda: grown(listener(backlog=16), half_open(17, 17, 2), TcpExt_TCPReqQFullDrop=800),
        lambda: grown(listener(backlog=4096), half_open(17, 17, 2)),
        CRITICAL,
    ),
    "handshakes held up, not half-open ones beside room": Case(
        "R09",
        lambda: grown(FULL_QUEUE, half_open(5, 5, 1), TcpExt_ListenOverflows=9, TcpExt_ListenDrops=9),
        lambda: grown(listener(443, 2, 10), half_open(5, 5, 1), TcpExt_ListenOverflows=0),
    ),
    "few sources that never answer, not many": Case(
        "R10",
        lambda: [at(0, listener(), half_open(60, 4, 3))],
        lambda: [at(0, listener(), half_open(60, 60, 3))],
    ),
    "lost answers, not slow ones": Case(
        "R10",
        lambda: [at(0, listener(), half_open(60, 4, 3))],
        lambda: [at(0, listener(), half_open(60, 4, 0))],
    ),
    "a queue over its backlog": Case(
        "R11", lambda: full_queue(11, times=1), lambda: full_queue(5, times=1), confidence=CERTAIN
    ),
    "a queue that stays nearly full, not one that was once": Case(
        "R11", lambda: full_queue(8, times=2), lambda: full_queue(8, times=1), confidence=CERTAIN
    ),
    "a queue that runs over": Case(
        "R11", lambda: full_queue(11, ListenOverflows=7), lambda: full_queue(0, ListenOverflows=0), CRITICAL, CERTAIN
    ),
    "an overflow that nobody saw": Case(
        "R11", lambda: full_queue(0, ListenOverflows=7), lambda: full_queue(3), confidence=CERTAIN
    ),
    "a busy small backlog, not an idle one": Case(
        "R12",
        lambda: grown(listener(backlog=128), part(S.ESTABLISHED, 5, holder=NGINX), Tcp_PassiveOpens=900),
        lambda: grown(listener(backlog=128), part(S.ESTABLISHED, 5, holder=NGINX), Tcp_PassiveOpens=20),
        INFO,
    ),
    "a backlog that somaxconn holds down, not one that nobody needs": Case(
        "R12",
        lambda: grown(listener(queue=500, backlog=4096), part(S.ESTABLISHED, 5, holder=NGINX), Tcp_PassiveOpens=900),
        lambda: grown(listener(queue=5, backlog=4096), part(S.ESTABLISHED, 5, holder=NGINX), Tcp_PassiveOpens=900),
        INFO,
    ),
    "a small backlog of the listener that is busy, not of one beside it": Case(
        "R12",
        lambda: grown(listener(backlog=128), part(S.ESTABLISHED, 50, holder=NGINX), Tcp_PassiveOpens=900),
        lambda: grown(
            *(listener(backlog=4096), part(S.ESTABLISHED, 50, holder=NGINX)),
            *(listener(22, backlog=128), part(S.ESTABLISHED, 3, local_port=22)),
            Tcp_PassiveOpens=900,
        ),
        INFO,
    ),
    "drops beside the queues, not of the queues": Case(
        "R13",
        lambda: grown(TcpExt_ListenDrops=50, TcpExt_ListenOverflows=10),
        lambda: grown(TcpExt_ListenDrops=50, TcpExt_ListenOverflows=50),
        confidence=CERTAIN,
    ),
    "a scan, not a crawler that is answered": Case("R14", lambda: asking(80, 80, 2), lambda: asking(80, 80, 0)),
    "a scan, not one upstream": Case("R14", lambda: asking(80, 80, 2), lambda: asking(80, 2, 2)),
    "one dead upstream, not many": Case("R15", lambda: asking(8, 1, 3), lambda: asking(8, 8, 3)),
    "a dead upstream, not one that starts again": Case("R15", lambda: asking(8, 1, 3), lambda: asking(8, 1, 1)),
    "refused connects, not those of others": Case(
        "R16",
        lambda: grown(Tcp_AttemptFails=90, Tcp_ActiveOpens=100),
        lambda: grown(Tcp_AttemptFails=90, TcpExt_EmbryonicRsts=90, Tcp_ActiveOpens=100),
    ),
    "ports that run out, not ports of a server": Case(
        "R17",
        lambda: ports_in_use(27_000),
        lambda: served_timewait(27_000),
        CRITICAL,
        CERTAIN,
    ),
    "ports of one destination, not of many": Case(
        "R17",
        lambda: ports_in_use(21_000),
        lambda: [at(0, part(S.TIME_WAIT, 21_000, local_port=None, peers=50, remote_port=80, timer=TIMEWAIT))],
        confidence=CERTAIN,
    ),
    "fewer ports than it seems": Case(
        "R17",
        lambda: ports_in_use(15_000, ip_local_reserved_ports="50000-59999"),
        lambda: ports_in_use(15_000),
        confidence=CERTAIN,
    ),
    "ports that may be taken again are no alarm": Case(
        "R17", lambda: ports_in_use(27_000, tcp_tw_reuse="1"), lambda: ports_in_use(9_000), INFO, CERTAIN
    ),
    "ports bound before connect()": Case(
        "R17",
        lambda: [
            at(
                0,
                part(S.ESTABLISHED, 11_000, local_port=None, remote="10.0.0.8", remote_port=80, holder=JAVA),
                _shifted(11_000, 11_000),
            )
        ],
        lambda: [
            at(
                0,
                part(S.ESTABLISHED, 11_000, local_port=None, remote="10.0.0.8", remote_port=80, holder=JAVA),
                _shifted(11_000, 0),
            )
        ],
    ),
    "TIME_WAIT of a server": Case("R18", lambda: served_timewait(900), lambda: served_timewait(300), INFO),
    "TIME_WAIT of a server, not of a client": Case(
        "R18", lambda: served_timewait(900), lambda: served_timewait(900, local_port=40_000), INFO
    ),
    "a full table of TIME_WAIT": Case("R19", lambda: gauged(tw=120_000), lambda: gauged(tw=90_000), confidence=CERTAIN),
    "closes cut short": Case(
        "R19",
        lambda: [
            at(0, counters={"TcpExt.TCPTimeWaitOverflow": 3}, gauges=GAUGES),
            at(9, counters={"TcpExt.TCPTimeWaitOverflow": 8}, gauges=GAUGES),
        ],
        lambda: [at(moment, counters={"TcpExt.TCPTimeWaitOverflow": 3}, gauges=GAUGES) for moment in (0, 9)],
        CRITICAL,
        CERTAIN,
    ),
    "memory pressure": Case("R20", lambda: gauged(mem=400_000), lambda: gauged(mem=300_000), confidence=CERTAIN),
    "the end of memory": Case("R20", lambda: gauged(mem=550_000), lambda: gauged(mem=300_000), CRITICAL, CERTAIN),
    "buffers that would not fit": Case(
        "R20",
        lambda: [_memory_unknown(300_000)],
        lambda: [_memory_unknown(2_000)],
        INFO,
        POSSIBLE,
    ),
    "many orphans": Case("R21", lambda: gauged(orphan=110_000), lambda: gauged(orphan=90_000), confidence=CERTAIN),
    "few descriptors left": Case(
        "R22", lambda: descriptors(850, 1024), lambda: descriptors(700, 1024), confidence=CERTAIN
    ),
    "no descriptors left": Case(
        "R22", lambda: descriptors(1020, 1024), lambda: descriptors(700, 1024), CRITICAL, CERTAIN
    ),
    "few files left": Case(
        "R23",
        lambda: [at(0, parameters={"fs.file-nr": "85000 0 100000", "fs.file-max": "100000"})],
        lambda: [at(0, parameters={"fs.file-nr": "85000 0 9223372036854775807", "fs.file-max": "9223372036854775807"})],
        confidence=CERTAIN,
    ),
    "a full firewall, not one that is not in use": Case(
        "R24", lambda: [_conntrack(250_000)], lambda: [_conntrack(0)], CRITICAL, CERTAIN
    ),
    "a firewall that fills up": Case(
        "R24", lambda: [_conntrack(220_000)], lambda: [_conntrack(150_000)], confidence=CERTAIN
    ),
    "old timestamps, not a few": Case("R25", lambda: grown(TcpExt_PAWSEstab=40), lambda: grown(TcpExt_PAWSEstab=3)),
    "a parameter that is gone": Case(
        "R26",
        lambda: with_file("net.ipv4.tcp_tw_recycle", "1", is_known=False),
        lambda: with_file("net.ipv4.tcp_tw_reuse", "1"),
        INFO,
        CERTAIN,
    ),
    "a parameter that never was, not one of a module": Case(
        "R26",
        lambda: with_file("net.ipv4.tcp_fin_timeouts", "1", is_known=False),
        lambda: with_file("net.netfilter.nf_conntrack_max", "1", is_known=False),
        INFO,
        CERTAIN,
    ),
    "a time in FIN_WAIT2 that is shorter than asked": Case(
        "R27",
        lambda: with_parameters(tcp_fin_timeout="65"),
        lambda: with_parameters(tcp_fin_timeout="30"),
        INFO,
        CERTAIN,
    ),
    "8 retries meant as none, not a default": Case(
        "R27",
        lambda: with_file("net.ipv4.tcp_orphan_retries", "0"),
        lambda: with_parameters(tcp_orphan_retries="0"),
        INFO,
        CERTAIN,
    ),
    "no cookies": Case("R27", lambda: with_parameters(tcp_syncookies="0"), with_parameters, INFO, CERTAIN),
    "reuse without timestamps": Case(
        "R27",
        lambda: with_parameters(tcp_tw_reuse="1", tcp_timestamps="0"),
        lambda: with_parameters(tcp_tw_reuse="1"),
        INFO,
        CERTAIN,
    ),
    "listeners where connect() takes its ports": Case(
        "R27",
        lambda: with_parameters(listener(8080), ip_local_port_range="1024 65000"),
        lambda: with_parameters(listener(8080), ip_local_port_range="1024 65000", ip_local_reserved_ports="8080"),
        INFO,
    ),
    "peers that do not read, not for a moment": Case(
        "R28",
        lambda: still(part(S.ESTABLISHED, 6, timer=PERSIST, timer_ms=900, send_queue_bytes=9000, holder=NGINX)),
        lambda: still(
            part(S.ESTABLISHED, 6, timer=PERSIST, timer_ms=900, send_queue_bytes=9000, holder=NGINX), seconds=4
        ),
    ),
    "a probe that is far away tells by itself": Case(
        "R28",
        lambda: still(part(S.ESTABLISHED, 1, timer=PERSIST, timer_ms=70_000, send_queue_bytes=9000), seconds=0.2),
        lambda: still(part(S.ESTABLISHED, 1, timer=PERSIST, timer_ms=3000, send_queue_bytes=9000), seconds=0.2),
    ),
    "no acknowledgement, not one lost segment": Case(
        "R29",
        lambda: [at(0, part(S.ESTABLISHED, 4, timer=ON, retransmits=5, send_queue_bytes=9000))],
        lambda: [at(0, part(S.ESTABLISHED, 4, timer=ON, retransmits=1, send_queue_bytes=9000))],
    ),
    "some dead peers among thousands are no alarm": Case(
        "R29",
        lambda: [at(0, part(S.ESTABLISHED, 4, timer=ON, retransmits=5, send_queue_bytes=9), part(S.ESTABLISHED, 4000))],
        lambda: [at(0, part(S.ESTABLISHED, 4004))],
        INFO,
    ),
    "a tiny queue that stays full, not one that is full for a moment": Case(
        "R11", lambda: full_queue(1, 0, times=2), lambda: full_queue(1, 0, times=1), confidence=CERTAIN
    ),
    "a program that does not read, not one that is slow": Case(
        "R30",
        lambda: still(part(S.ESTABLISHED, 1, recv_queue_bytes=200_000, holder=JAVA)),
        lambda: [
            at(moment, part(S.ESTABLISHED, 1, recv_queue_bytes=200_000 - int(moment), holder=JAVA))
            for moment in (0, 6, 12)
        ],
    ),
    "silence without keepalive, not with it": Case(
        "R31",
        lambda: [_silent(30, OFF)],
        lambda: [_silent(30, KEEPALIVE)],
        confidence=POSSIBLE,
    ),
    "peers given up": Case(
        "R32",
        lambda: grown(TcpExt_TCPAbortOnTimeout=50, TcpExt_TCPTimeouts=200),
        lambda: grown(TcpExt_TCPTimeouts=200),
        confidence=CERTAIN,
    ),
    "resets": Case(
        "R33",
        lambda: grown(Tcp_EstabResets=300, Tcp_PassiveOpens=1000),
        lambda: grown(Tcp_EstabResets=30, Tcp_PassiveOpens=1000),
        confidence=CERTAIN,
    ),
    "resets to strangers are no alarm": Case(
        "R33",
        lambda: grown(Tcp_OutRsts=300, Tcp_PassiveOpens=1000),
        lambda: grown(Tcp_OutRsts=30, Tcp_PassiveOpens=40),
        INFO,
        CERTAIN,
    ),
    "loss, not needless repetition": Case(
        "R34",
        lambda: grown(Tcp_RetransSegs=200, Tcp_OutSegs=10_000),
        lambda: grown(Tcp_RetransSegs=200, Tcp_OutSegs=10_000, TcpExt_TCPDSACKRecv=190),
    ),
    "loss, not unanswered handshakes": Case(
        "R34",
        lambda: grown(Tcp_RetransSegs=200, Tcp_OutSegs=10_000),
        lambda: grown(Tcp_RetransSegs=200, Tcp_OutSegs=10_000, TcpExt_TCPSynRetrans=190),
    ),
    "bad loss, not of a few segments": Case(
        "R34",
        lambda: grown(Tcp_RetransSegs=900, Tcp_OutSegs=10_000),
        lambda: grown(Tcp_RetransSegs=90, Tcp_OutSegs=900),
        CRITICAL,
    ),
    "one peer has it": Case(
        "R35",
        lambda: [at(0, part(S.LAST_ACK, 80, remote="192.0.2.7"), part(S.LAST_ACK, 40, peers=40))],
        lambda: [at(0, part(S.LAST_ACK, 120, peers=40))],
        INFO,
    ),
    "balancers, not clients": Case(
        "R36",
        lambda: [at(0, part(S.FIN_WAIT2, 3000, peers=12, **FIN_WAIT2))],
        lambda: [at(0, part(S.FIN_WAIT2, 3000, peers=3000, **FIN_WAIT2))],
        INFO,
    ),
    "drops on the way in, not one": Case("R37", lambda: grown(softnet_dropped=500), lambda: grown(softnet_dropped=4)),
    "no time on the way in": Case("R37", lambda: grown(softnet_time_squeeze=500), grown, INFO),
    "nothing is pooled": Case("R38", lambda: ports_in_use(9_000), lambda: ports_in_use(9_000, S.ESTABLISHED), INFO),
    "table and gauges differ for long, not once": Case(
        "R39", lambda: gauged(inuse=900) * 2 + _later(inuse=900), lambda: _later(inuse=900), INFO, POSSIBLE
    ),
    "keepalive for CLOSE_WAIT": Case(
        "R40",
        lambda: with_file("net.ipv4.tcp_keepalive_time", "30", part(S.CLOSE_WAIT, 300)),
        lambda: with_file("net.ipv4.tcp_keepalive_time", "30", part(S.CLOSE_WAIT, 3)),
        INFO,
        CERTAIN,
    ),
    "fin_timeout for TIME_WAIT": Case(
        "R40",
        lambda: with_file("net.ipv4.tcp_fin_timeout", "15", part(S.TIME_WAIT, 9000)),
        lambda: with_file("net.ipv4.tcp_fin_timeout", "15", part(S.TIME_WAIT, 900)),
        INFO,
        CERTAIN,
    ),
}


def _shifted(count: int, by: int) -> Part:
    """Connections to a second destination, whose local ports begin so much further on."""
    made = part(S.ESTABLISHED, count, local_port=None, remote="10.0.0.9", remote_port=80, holder=JAVA)
    made.rows["local_port"] += by
    return made


def _memory_unknown(count: int) -> Sample:
    return at(0, part(S.ESTABLISHED, count), parameters={"net.ipv4.tcp_rmem": "4096 131072 33554432"})


def _conntrack(count: int) -> Sample:
    names = {"net.netfilter.nf_conntrack_count": str(count), "net.netfilter.nf_conntrack_max": "262144"}
    return at(0, parameters=names)


def _silent(count: int, timer: int) -> Sample:
    return at(
        0,
        listener(),
        part(S.ESTABLISHED, count, holder=NGINX, timer=timer, idle_ms=3 * 3600_000),
        absent=WITH_SILENCE,
    )


def _later(**changed: int) -> list[Sample]:
    gauges = {**GAUGES, **{f"sockstat.TCP.{name}": count for name, count in changed.items()}}
    return [at(1, listener(), gauges=gauges)]


@pytest.mark.parametrize("name", CASES)
def test_it_speaks_where_something_is_wrong(name: str) -> None:
    case = CASES[name]
    finding = fired(judged(*case.wrong(), thresholds=case.thresholds)).get(case.rule)
    assert finding is not None
    assert (finding.severity, finding.confidence) == (case.severity, case.confidence)
    assert finding.evidence


@pytest.mark.parametrize("name", CASES)
def test_it_is_silent_where_it_only_looks_so(name: str) -> None:
    case = CASES[name]
    assert case.rule not in fired(judged(*case.sound(), thresholds=case.thresholds))


def test_every_rule_has_such_a_case() -> None:
    assert {case.rule for case in CASES.values()} == {rule.id for rule in RULES}
    assert [rule.id for rule in RULES] == [f"R{number:02}" for number in range(1, 41)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_explains_it_can_be_asked_for(rule: Rule) -> None:
    assert find_topic(rule.explain) == rule.explain


@pytest.mark.parametrize("name", CASES)
def test_its_evidence_can_be_shown_and_explained(name: str) -> None:
    """Each filter of a link is one that the filter language takes, and means some of the rows; topics are there."""
    for finding in judged(*CASES[name].wrong()).findings:
        assert find_topic(finding.explain)
        for fact in finding.evidence:
            assert fact.text.isprintable()
            if fact.topic and not fact.topic.startswith(("softnet.", "conntrack.")):
                assert find_topic(fact.topic)
            if fact.link is not None and fact.link.filter:
                parse_filter(fact.link.filter)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_left_unsaid(name: str) -> None:
    for finding in judged(*CASES[name].wrong()).findings:
        for text in (finding.verdict, finding.first, finding.not_, finding.refuted_by):
            assert text.strip() == text != ""
            assert text.isprintable()
            assert "{" not in text


def test_a_rule_that_cannot_be_judged_says_why() -> None:
    diagnosis = judged(counted({S.ESTABLISHED: 5}))
    reasons = {each.rule: each.reason for each in diagnosis.unchecked}
    assert reasons["R11"] == "backlogs are not known"
    assert reasons["R22"] == "descriptors and their limits are not known"
    assert reasons["R25"] == "counters are not known"
    assert reasons["R27"] == "kernel parameters are not known"
    assert "R01" in diagnosis.checked
    assert len(diagnosis.checked) + len(diagnosis.unchecked) == 40


NAMED_BY_TEXT = NO_INFO | {"inode", "uid", "timer", "timer_ms", "retransmits", "cgroup_id", "cookie"}
"""What ``ss -tanp`` does not tell."""


def test_a_text_that_names_holders_and_no_inodes_names_who_leaks() -> None:
    sample = at(0, part(S.CLOSE_WAIT, 200, holder=JAVA), part(S.CLOSE_WAIT, 150), part(S.ESTABLISHED, 20))
    named = attributed(replace(sample, absent_fields=NAMED_BY_TEXT))
    found = [finding for finding in judged(named).findings if finding.rule == "R01"]
    assert [(finding.subject, finding.size, finding.confidence) for finding in found] == [
        ("900", 200, Confidence.POSSIBLE),
        ("", 150, Confidence.POSSIBLE),
    ]


@pytest.mark.parametrize(("is_watched", "expected"), [(False, {"R01"}), (True, set())])
def test_what_was_there_before_the_watching_began_may_be_old(*, is_watched: bool, expected: set[str]) -> None:
    """Without ``tcp_info`` a few seconds of watching say nothing of it; those that came meanwhile are a peak."""
    sample = at(5, part(S.CLOSE_WAIT, 300, holder=JAVA), age_s=5)
    sample = replace(sample, is_watched=np.full(300, is_watched))
    found = fired(judged(at(0), sample))
    assert {rule for rule in found if rule == "R01"} == expected
    assert all(found[rule].confidence is Confidence.POSSIBLE for rule in expected)


@pytest.mark.parametrize(
    ("rule", "by"),
    [
        ("R16", {"Tcp.AttemptFails": 400, "Tcp.ActiveOpens": 400}),
        ("R33", {"Tcp.EstabResets": 300, "Tcp.PassiveOpens": 500}),
        ("R32", {"TcpExt.TCPAbortOnTimeout": 90, "TcpExt.TCPTimeouts": 90}),
        ("R25", {"TcpExt.PAWSEstab": 300}),
        ("R13", {"TcpExt.ListenDrops": 300}),
    ],
)
def test_a_restart_is_no_alarm_and_what_goes_on_is(rule: str, by: dict[str, int]) -> None:
    """A burst of one second, and the same second after second."""
    burst = [at(second, counters={**QUIET_COUNTERS, **(by if second > 2 else {})}) for second in range(6)]
    lasting = [
        at(second, counters={**QUIET_COUNTERS, **{name: count * second for name, count in by.items()}})
        for second in range(6)
    ]
    found, going_on = fired(judged(*burst)), fired(judged(*lasting))
    assert rule not in found or found[rule].severity is Severity.INFO
    assert going_on[rule].severity is Severity.WARNING


def test_a_table_of_one_family_is_not_compared_with_gauges_of_both() -> None:
    samples = [*gauged(inuse=900), *_later(inuse=900)]
    narrow = [replace(each, origin=replace(each.origin, options=("-6",))) for each in samples]
    assert "R39" in fired(judged(*samples))
    assert "R39" not in fired(judged(*narrow))


def test_rates_take_two_samples() -> None:
    reasons = {each.rule: each.reason for each in judged(at(0, counters=QUIET_COUNTERS)).unchecked}
    assert reasons["R34"] == "rates take two samples"


def test_connections_that_are_known_to_end_so_are_given_up_without_another_alarm() -> None:
    dead = part(S.LAST_ACK, 60, timer=ON, retransmits=3, send_queue_bytes=1)
    counters = [
        {**QUIET_COUNTERS, "TcpExt.TCPAbortOnTimeout": 20 * second, "TcpExt.TCPTimeouts": 90 * second}
        for second in range(6)
    ]
    alone = fired(judged(*(at(second, counters=each) for second, each in enumerate(counters))))
    assert alone["R32"].severity is WARNING
    beside = fired(judged(*(at(second, dead, counters=each) for second, each in enumerate(counters))))
    assert (beside["R06"].severity, beside["R32"].severity) == (CRITICAL, INFO)


def test_the_worst_comes_first() -> None:
    diagnosis = judged(*closed(2000, 600))
    severities = [finding.severity for finding in diagnosis.findings]
    assert severities == sorted(severities, reverse=True)
    assert diagnosis.verdict_line == "java (900) does not close 2,000 connections that its peers have closed"


def test_a_threshold_of_the_users_is_in_force() -> None:
    assert "R01" not in fired(judged(*closed(30, 600), thresholds=Thresholds({"R01.least": 50, "R01.forgotten": 9999})))

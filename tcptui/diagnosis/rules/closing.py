"""Connections on their way out: FIN_WAIT1, FIN_WAIT2, CLOSING, LAST_ACK and TIME_WAIT."""

from collections.abc import Iterator

import numpy as np

from tcptui.diagnosis.capacity import port_rooms, time_wait_room
from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Link, Severity
from tcptui.diagnosis.rule import (
    WITH_LISTENERS,
    WITH_TIMERS,
    Input,
    Rule,
    Seen,
    counter_fact,
    parameter_fact,
    peer_facts,
    share_text,
)
from tcptui.diagnosis.sockets import TIMER_ON, TIMER_PERSIST, TIMER_TIMEWAIT, Index, by_peer, condition, connections
from tcptui.language import mark, tr, tr_n
from tcptui.model.fields import ViewKind, duration_text
from tcptui.model.states import TcpState

_FIN_WAIT2, _TIME_WAIT, _OPEN = TcpState.FIN_WAIT2, TcpState.TIME_WAIT, TcpState.ESTABLISHED
_UNACKNOWLEDGED = (TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING)
_TIME_WAIT_S = 60
_MINI_SOCKET_BYTES = 256
_ORPHAN_RETRIES = 8
"""What 0 stands for (FACTS section 2.1, tcp_orphan_retries)."""


def orphaned_fin_wait2(evidence: Evidence) -> Iterator[Seen]:
    """R04: this end has closed, and many peers acknowledge that and do not close."""
    late = _late_fin_wait2(evidence)
    if late is None:
        return
    sockets = evidence.sockets
    count, open_ = len(late), sockets.count(_OPEN)
    also = "inode 0 and timer timewait" if sockets.knows("inode", "timer") else ""
    verdict = tr(
        "{count:,} FIN_WAIT2 beside {open:,} ESTABLISHED: peers acknowledge the close and do not close their end",
        count=count,
        open=open_,
    )
    limit_s = evidence.parameter("net.ipv4.tcp_fin_timeout")
    facts = [Fact(tr("{count:,} in FIN_WAIT2", count=count), connections(_FIN_WAIT2, also=also))]
    if limit_s:
        per_s = count / limit_s
        facts.append(
            Fact(
                tr(
                    "each ends by itself after {seconds} s: at least {rate:,.0f} closes a second",
                    seconds=limit_s,
                    rate=per_s,
                ),
                topic="net.ipv4.tcp_fin_timeout",
            )
        )
    if sockets.knows("timer"):
        left = float(np.mean(sockets.column("timer_ms", late)))
        facts.append(
            Fact(tr("they end in {time} on average", time=duration_text(left)), connections(_FIN_WAIT2, also=also))
        )
    facts += peer_facts(evidence, late, by_peer(_FIN_WAIT2))
    buckets = evidence.parameter("net.ipv4.tcp_max_tw_buckets")
    is_much = count >= evidence.threshold("R04.much") * open_ or _fills(evidence, count, buckets)
    missing = (tr(WITH_TIMERS),) if not sockets.knows("timer") else ()
    confidence = Confidence.POSSIBLE if missing else Confidence.LIKELY
    severity = Severity.WARNING if is_much else Severity.INFO
    yield Seen(severity, confidence, verdict, tuple(facts), size=count, missing=missing)


def _late_fin_wait2(evidence: Evidence) -> Index | None:
    """The orphaned FIN_WAIT2 where they are many and their peers late; None where not."""
    sockets = evidence.sockets
    index = sockets.at(_FIN_WAIT2)
    if sockets.knows("inode", "timer"):
        index = sockets.orphaned(sockets.where(index, timer=TIMER_TIMEWAIT))
    count = len(index)
    buckets = evidence.parameter("net.ipv4.tcp_max_tw_buckets")
    is_many = count >= evidence.threshold("R04.least") and (
        count >= evidence.threshold("R04.share") * sockets.count(_OPEN) or _fills(evidence, count, buckets)
    )
    return index if is_many and not _is_prompt(evidence, index) else None


def _fills(evidence: Evidence, count: int, buckets: int | None) -> bool:
    return bool(buckets) and count >= evidence.threshold("R04.buckets") * (buckets or 0)


def _is_prompt(evidence: Evidence, index: Index) -> bool:
    """Whether the peers close within a few seconds, as far as the timers tell: they count down from tcp_fin_timeout."""
    limit_s = evidence.parameter("net.ipv4.tcp_fin_timeout")
    if limit_s is None or limit_s > _TIME_WAIT_S or not evidence.sockets.knows("timer"):
        return False
    ages_s = limit_s - evidence.sockets.column("timer_ms", index) / 1000
    return float(np.median(ages_s)) < min(evidence.threshold("R04.late"), limit_s / 2)


def balancers(evidence: Evidence) -> Iterator[Seen]:
    """R36: the late peers are few and each has many: load balancers or hosts that map ports."""
    late = _late_fin_wait2(evidence)
    if late is None:
        return
    _, counts = evidence.sockets.peers(late)
    many = counts[counts >= evidence.threshold("R36.least")]
    if not 0 < len(many) <= evidence.threshold("R36.peers") or many.sum() < len(late) / 2:
        return
    verdict = tr(
        "{peers:,} peers have {count:,} of {total:,} FIN_WAIT2: load balancers or hosts that map ports",
        peers=len(many),
        count=int(many.sum()),
        total=len(late),
    )
    facts = peer_facts(evidence, late, by_peer(_FIN_WAIT2))
    missing = () if evidence.sockets.knows("timer") else (tr(WITH_TIMERS),)
    confidence = Confidence.POSSIBLE if missing else Confidence.LIKELY
    yield Seen(Severity.INFO, confidence, verdict, facts, size=float(many.sum()), missing=missing)


def unacknowledged_fins(evidence: Evidence) -> Iterator[Seen]:
    """R06: peers are gone, or the path to them loses packets, and the kernel repeats their FINs."""
    sockets = evidence.sockets
    index, knows_timers = sockets.at(*_UNACKNOWLEDGED), sockets.knows("timer", "retransmits")
    if knows_timers:
        index = sockets.where(index, timer=TIMER_ON)
    count, open_ = len(index), sockets.count(_OPEN)
    if count < max(evidence.threshold("R06.least"), evidence.threshold("R06.share") * open_):
        return
    facts = [Fact(_split(evidence, index), connections(*_UNACKNOWLEDGED))]
    if knows_timers:
        repeated = sockets.column("retransmits", index) >= evidence.threshold("R06.retransmits")
        if repeated.mean() < 0.5:
            return
        text = tr("{count:,} of them were sent again twice or oftener", count=int(repeated.sum()))
        facts.append(Fact(text, connections(*_UNACKNOWLEDGED, also="retrans >= 2")))
    unsent = int((sockets.column("send_queue_bytes", index) > 1).sum())
    if unsent:
        text = tr("{count:,} have undelivered data besides the FIN (Send-Q above 1)", count=unsent)
        facts.append(Fact(text, connections(*_UNACKNOWLEDGED, also="sendq > 1")))
    facts += peer_facts(evidence, index, by_peer(*_UNACKNOWLEDGED))
    facts += _orphan_limits(evidence)
    facts += counter_fact(evidence, "TcpExt.TCPTimeouts", "TcpExt.TCPAbortOnTimeout")
    verdict = tr(
        "{count:,} connections wait for the acknowledgement of their FIN beside {open:,} ESTABLISHED: peers "
        "are gone or the path loses packets",
        count=count,
        open=open_,
    )
    severity = Severity.CRITICAL if count >= evidence.threshold("R06.much") * open_ else Severity.WARNING
    missing = () if knows_timers else (tr(WITH_TIMERS),)
    confidence = Confidence.LIKELY if knows_timers else Confidence.POSSIBLE
    yield Seen(severity, confidence, verdict, tuple(facts), size=count, missing=missing)


def _split(evidence: Evidence, index: Index) -> str:
    states = evidence.sockets.column("state", index)
    parts = [(state, int((states == state).sum())) for state in _UNACKNOWLEDGED]
    return tr(", ").join(f"{state.name} {count:,}" for state, count in parts if count)


def _orphan_limits(evidence: Evidence) -> list[Fact]:
    """For how long the kernel repeats the FIN of an orphan, and how many of those it keeps."""
    facts = []
    retries = evidence.parameter("net.ipv4.tcp_orphan_retries")
    if retries is not None and evidence.is_known_kernel:
        seconds = (2 ** (min(retries or _ORPHAN_RETRIES, 15) + 1) - 1) * 0.2
        text = tr(
            "tcp_orphan_retries = {retries}: an orphan is given up after {seconds:.0f} s at the earliest",
            retries=retries,
            seconds=seconds,
        )
        facts.append(Fact(text, topic="net.ipv4.tcp_orphan_retries"))
    orphans, limit = evidence.gauge("sockstat.TCP.orphan"), evidence.parameter("net.ipv4.tcp_max_orphans")
    if orphans is not None and limit:
        text = tr("{count:,} orphans on the machine, of {limit:,} that there may be", count=orphans, limit=limit)
        facts.append(Fact(text, topic="net.ipv4.tcp_max_orphans"))
    return facts


def closing_against_zero_window(evidence: Evidence) -> Iterator[Seen]:
    """R07: closed connections whose peers have stopped reading."""
    sockets = evidence.sockets
    states = (TcpState.FIN_WAIT1, TcpState.LAST_ACK)
    index = sockets.where(sockets.at(*states), timer=TIMER_PERSIST)
    if len(index) < evidence.threshold("R07.least"):
        return
    unsent = int(sockets.column("send_queue_bytes", index).astype(np.int64).sum())
    verdict = tr(
        "{count:,} closed connections still hold {size:,} bytes for peers that have stopped reading",
        count=len(index),
        size=unsent,
    )
    facts = (
        Fact(tr("{count:,} with the timer persist", count=len(index)), connections(*states, also="timer persist")),
        *peer_facts(evidence, index, by_peer(*states)),
        *counter_fact(evidence, "TcpExt.TCPWinProbe"),
    )
    yield Seen(Severity.WARNING, Confidence.LIKELY, verdict, facts, size=len(index))


def harmless_time_wait(evidence: Evidence) -> Iterator[Seen]:
    """R18: TIME_WAIT of a server that closes first."""
    sockets = evidence.sockets
    index = sockets.at(_TIME_WAIT)
    count = len(index)
    buckets = evidence.parameter("net.ipv4.tcp_max_tw_buckets")
    if count < evidence.threshold("R18.least") or (buckets and count >= evidence.threshold("R18.buckets") * buckets):
        return
    knows_ports, knows_listeners = sockets.knows("local_port"), sockets.knows_listeners
    if knows_ports:
        served = int((sockets.served(index) if knows_listeners else sockets.shared(index)).sum())
        if served <= evidence.threshold("R18.served") * count:
            return
        if any(room.share >= evidence.threshold("R17.warn") for room in port_rooms(evidence)):
            return
    verdict = tr(
        "{count:,} TIME_WAIT are normal for a server that closes first: {rate:,.0f} closes a second",
        count=count,
        rate=count / _TIME_WAIT_S,
    )
    facts = [
        Fact(
            tr("{count:,} in TIME_WAIT, {size:,} KiB of memory", count=count, size=count * _MINI_SOCKET_BYTES // 1024),
            connections(_TIME_WAIT),
        ),
    ]
    if knows_listeners:
        text = tr("{share} of them at a port that is listened on", share=share_text(served, count))
        facts.append(Fact(text, Link(ViewKind.PORTS, condition(_TIME_WAIT))))
    facts += parameter_fact(evidence, "net.ipv4.tcp_max_tw_buckets")
    confidence = Confidence.LIKELY if knows_listeners else Confidence.POSSIBLE
    yield Seen(
        Severity.INFO,
        confidence,
        verdict,
        tuple(facts),
        size=count,
        missing=() if knows_listeners else (tr(WITH_LISTENERS),),
    )


def time_wait_overflow(evidence: Evidence) -> Iterator[Seen]:
    """R19: the table of TIME_WAIT is full, and closes are cut short."""
    room = time_wait_room(evidence)
    overflows = evidence.window.of("TcpExt.TCPTimeWaitOverflow")
    if not overflows and (room is None or room.share < evidence.threshold("R19.near")):
        return
    facts = (
        *(
            [
                Fact(
                    tr("{used:,} of {limit:,} places are taken", used=room.used, limit=room.limit),
                    connections(_TIME_WAIT),
                    room.topic,
                )
            ]
            if room
            else []
        ),
        *counter_fact(evidence, "TcpExt.TCPTimeWaitOverflow", "Tcp.OutRsts"),
    )
    if overflows:
        verdict = tr_n(
            "the table of TIME_WAIT is full: {count:,} close was cut short",
            "the table of TIME_WAIT is full: {count:,} closes were cut short",
            overflows,
            count=overflows,
        )
    else:
        assert room is not None
        verdict = tr("the table of TIME_WAIT is {share:.0%} full", share=room.share)
    severity = Severity.CRITICAL if overflows else Severity.WARNING
    yield Seen(severity, Confidence.CERTAIN, verdict, facts, size=room.used if room else overflows)


RULES = (
    Rule(
        "R04",
        mark("Orphaned FIN_WAIT2"),
        orphaned_fin_wait2,
        "FIN_WAIT2",
        mark(
            "Have the peers close when they see the end, or let them close first: their program, their idle timeouts."
        ),
        mark("Keepalive and tcp_tw_reuse do not touch FIN_WAIT2; a lower tcp_fin_timeout only ends the rows sooner."),
        mark("The rows are gone within a round trip or two: then they are no more than the usual rate of closes."),
        (_FIN_WAIT2,),
    ),
    Rule(
        "R06",
        mark("FINs that nobody acknowledges"),
        unacknowledged_fins,
        "FIN_WAIT1",
        mark(
            "Look at the way back first: a firewall that drops, a network that loses, clients that vanish. "
            "Then TCP_USER_TIMEOUT in the program, or tcp_orphan_retries 2 or 3."
        ),
        mark(
            "tcp_fin_timeout, tcp_retries2 for orphans, keepalive and timeouts of the firewall's table: none "
            "of them ends these states."
        ),
        mark("Retransmissions are 0 or 1: then the connections are just closing."),
        _UNACKNOWLEDGED,
    ),
    Rule(
        "R07",
        mark("Closing against a zero window"),
        closing_against_zero_window,
        "LAST_ACK",
        mark(
            "Let the program wait for its data to be taken with a time limit before it closes, or set TCP_USER_TIMEOUT."
        ),
        mark(
            "tcp_orphan_retries: while the peer answers the probes it has no effect, and the kernel holds on for 342 s."
        ),
        mark("The rows go within seconds: a few slow downloads at their end."),
        (TcpState.FIN_WAIT1, TcpState.LAST_ACK),
        (Input.TIMERS, Input.QUEUES),
    ),
    Rule(
        "R18",
        mark("Harmless TIME_WAIT"),
        harmless_time_wait,
        "TIME_WAIT",
        mark(
            "Nothing has to be done. If it should be less, let the clients close, or keep connections open for longer."
        ),
        mark(
            "tcp_fin_timeout does not change TIME_WAIT, tcp_tw_reuse helps clients only, and a lower "
            "tcp_max_tw_buckets breaks closes."
        ),
        mark("This machine opens the connections itself: then ports run out towards one destination (R17)."),
        (_TIME_WAIT,),
    ),
    Rule(
        "R19",
        mark("Table of TIME_WAIT full"),
        time_wait_overflow,
        "net.ipv4.tcp_max_tw_buckets",
        mark("Raise tcp_max_tw_buckets, or close fewer connections: pooling, keep-alive."),
        mark("tcp_fin_timeout and tcp_tw_reuse make no room in the table for what a server closes."),
        mark("TCPTimeWaitOverflow stands still: the table is large enough."),
        (_TIME_WAIT,),
        (Input.GAUGES,),
        is_about_sockets=False,
    ),
    Rule(
        "R36",
        mark("Load balancers that close late"),
        balancers,
        "FIN_WAIT2",
        mark(
            "Align the idle timeouts: those of this server longer than those of the balancers, so that they "
            "close first."
        ),
        mark("Any parameter of this machine: the other end decides when it closes."),
        mark("The addresses are those of ordinary clients behind one large NAT."),
        (_FIN_WAIT2,),
        (Input.PEERS,),
    ),
)

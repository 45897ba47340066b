"""Open connections that do not move: a peer or a program that does not read, a path that loses, a peer that is gone."""

from collections.abc import Iterator

import numpy as np

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import Input, Rule, Seen, counter_fact, peer_facts, with_ages
from tcptui.diagnosis.sockets import TIMER_OFF, TIMER_ON, TIMER_PERSIST, Index, by_peer
from tcptui.diagnosis.sockets import connections as connections_in
from tcptui.language import mark, tr, tr_n
from tcptui.model.fields import duration_text
from tcptui.model.states import TcpState

_OPEN, _WAIT = TcpState.ESTABLISHED, TcpState.CLOSE_WAIT
_RETRIES2 = "net.ipv4.tcp_retries2"


def zero_window(evidence: Evidence) -> Iterator[Seen]:
    """R28: the program at the other end does not read what is sent to it."""
    sockets = evidence.sockets
    index = sockets.where(sockets.at(_OPEN, _WAIT), timer=TIMER_PERSIST)
    index = index[sockets.column("send_queue_bytes", index) > 0]
    # The time between two probes doubles: one that is far away means that it has lasted for as long already.
    still_s = np.maximum(evidence.still_s(evidence.past.sending, index), sockets.column("timer_ms", index) / 1000)
    is_still = still_s >= evidence.threshold("R28.still")
    index, still_s = index[is_still], still_s[is_still]
    if not len(index):
        return
    size = _bytes(evidence, index, "send_queue_bytes")
    verdict = tr_n(
        "{count:,} connection holds {size:,} bytes for a peer that does not read, for {time} at least",
        "{count:,} connections hold {size:,} bytes for peers that do not read, for {time} at least",
        len(index),
        count=len(index),
        size=size,
        time=duration_text(float(still_s.max()) * 1000),
    )
    facts = (
        Fact(
            tr("{count:,} with the timer persist", count=len(index)),
            connections_in(_OPEN, _WAIT, also="timer persist and sendq > 0"),
        ),
        *peer_facts(evidence, index, by_peer(_OPEN, also="timer persist")),
        *counter_fact(evidence, "TcpExt.TCPWinProbe"),
    )
    open_ = sockets.count(_OPEN, _WAIT)
    is_much = len(index) >= max(evidence.threshold("R28.least"), evidence.threshold("R28.share") * open_)
    is_much |= bool(still_s.max() >= evidence.threshold("R28.long"))
    severity = Severity.WARNING if is_much else Severity.INFO
    yield Seen(severity, Confidence.LIKELY, verdict, facts, size=len(index))


def stuck_by_loss(evidence: Evidence) -> Iterator[Seen]:
    """R29: data is sent again and again, and nobody acknowledges it."""
    sockets = evidence.sockets
    index = sockets.where(sockets.at(_OPEN), timer=TIMER_ON)
    again = sockets.column("retransmits", index)
    index = index[(again >= evidence.threshold("R29.retransmits")) & (sockets.column("send_queue_bytes", index) > 0)]
    if not len(index):
        return
    least = int(evidence.threshold("R29.retransmits"))
    much = max(evidence.threshold("R29.least"), evidence.threshold("R29.share") * sockets.count(_OPEN))
    verdict = tr_n(
        "{count:,} connection gets no acknowledgement: the path or the peer is dead",
        "{count:,} connections get no acknowledgement: the path or the peer is dead",
        len(index),
        count=len(index),
    )
    retries = evidence.parameter(_RETRIES2)
    facts = (
        Fact(
            tr(
                "{count:,} with {least} retransmissions or more, at most {most}",
                count=len(index),
                least=least,
                most=int(sockets.column("retransmits", index).max()),
            ),
            connections_in(_OPEN, also=f"timer on and retrans >= {least}"),
        ),
        *peer_facts(evidence, index, by_peer(_OPEN, also=f"timer on and retrans >= {least}")),
        *(
            [
                Fact(
                    tr(
                        "the kernel gives up after {time} at the earliest (tcp_retries2 = {retries})",
                        time=duration_text(_give_up_s(retries) * 1000),
                        retries=retries,
                    ),
                    topic=_RETRIES2,
                )
            ]
            if retries is not None
            else []
        ),
        *counter_fact(evidence, "TcpExt.TCPTimeouts", "Tcp.RetransSegs"),
    )
    severity = Severity.WARNING if len(index) >= much else Severity.INFO
    yield Seen(severity, Confidence.LIKELY, verdict, facts, size=len(index))


def _give_up_s(retries: int) -> float:
    """The model of ``retransmits_timed_out()``: timeouts double from 0.2 s to 120 s (FACTS section 1.1)."""
    doubling = min(retries, 9)
    return (2 ** (doubling + 1) - 1) * 0.2 + max(retries - doubling, 0) * 120


def reader_stalls(evidence: Evidence) -> Iterator[Seen]:
    """R30: a program of this machine does not read what has come."""
    sockets = evidence.sockets
    index = sockets.owned(sockets.at(_OPEN))
    index = index[sockets.column("recv_queue_bytes", index) > evidence.threshold("R30.unread")]
    index = index[evidence.still_s(evidence.past.unread, index) >= evidence.threshold("R30.still")]
    for held in sockets.by_holder(index):
        size = _bytes(evidence, held.index, "recv_queue_bytes")
        verdict = tr_n(
            "{process} does not read: {size:,} bytes wait in {count:,} connection",
            "{process} does not read: {size:,} bytes wait in {count:,} connections",
            len(held),
            process=held.name,
            size=size,
            count=len(held),
        )
        facts = (
            Fact(tr("{count:,} whose Recv-Q stands still", count=len(held)), held.link(_OPEN, also="recvq > 64k")),
            *peer_facts(evidence, held.index, held.by_peer(_OPEN, also="recvq > 64k")),
            *counter_fact(evidence, "TcpExt.TCPToZeroWindowAdv", "TcpExt.TCPRcvCollapsed"),
        )
        yield Seen(Severity.WARNING, Confidence.LIKELY, verdict, facts, held.key, size)


def half_open_suspects(evidence: Evidence) -> Iterator[Seen]:
    """R31: connections of a server that have been silent for hours, where nothing asks whether the peer is there."""
    sockets = evidence.sockets
    index = sockets.owned(sockets.where(sockets.at(_OPEN), timer=TIMER_OFF))
    index = index[sockets.served(index)]
    silence = sockets.silence_s(index)
    if silence is None:
        silence = np.zeros(len(index)) if evidence.sample.age_ms is None else evidence.sample.age_ms[index] / 1000
    is_silent = silence > evidence.threshold("R31.silent")
    index, silence = index[is_silent], silence[is_silent]
    for held in sockets.by_holder(index):
        longest = float(silence[np.isin(index, held.index)].max())
        verdict = tr_n(
            "{process} holds {count:,} connection that has been silent for {time}: its peer may be gone",
            "{process} holds {count:,} connections that have been silent for up to {time}: their peers may be gone",
            len(held),
            process=held.name,
            count=len(held),
            time=duration_text(longest * 1000),
        )
        facts = (
            Fact(
                tr(
                    "{count:,} ESTABLISHED without a timer: no keepalive asks whether the peer is there",
                    count=len(held),
                ),
                held.link(_OPEN, also="timer off"),
            ),
            *peer_facts(evidence, held.index, held.by_peer(_OPEN, also="timer off")),
        )
        severity = Severity.WARNING if len(held) >= evidence.threshold("R31.least") else Severity.INFO
        missing = () if sockets.knows("idle_ms") else (with_ages(evidence),)
        yield Seen(severity, Confidence.POSSIBLE, verdict, facts, held.key, len(held), missing)


def _bytes(evidence: Evidence, index: Index, column: str) -> int:
    return int(evidence.sockets.column(column, index).astype(np.int64).sum())


RULES = (
    Rule(
        "R28",
        mark("Peers that do not read"),
        zero_window,
        "ESTABLISHED",
        mark("Look at the program at the other end; here a limit for writing, or TCP_USER_TIMEOUT."),
        mark("Larger buffers and tcp_retries2: while the peer answers the probes, the kernel waits without end."),
        mark("The peer pauses on purpose, as a player or a consumer does that is behind."),
        (_OPEN, _WAIT),
        (Input.TIMERS, Input.QUEUES),
    ),
    Rule(
        "R29",
        mark("No acknowledgement"),
        stuck_by_loss,
        "ESTABLISHED",
        mark("Check the path to these peers; set TCP_USER_TIMEOUT, so that the program hears of it sooner."),
        mark("Keepalive: it is not sent while data is on its way."),
        mark("The retransmissions are gone in the next sample: a short break."),
        (_OPEN,),
        (Input.TIMERS, Input.QUEUES),
    ),
    Rule(
        "R30",
        mark("A program that does not read"),
        reader_stalls,
        "recv_queue_bytes",
        mark("See what the program is doing instead: a lock, a slow disk, too few workers."),
        mark("A larger tcp_rmem: it holds more, and is full again."),
        mark("It reads in large batches, and Recv-Q falls at once when it does."),
        (_OPEN,),
        (Input.OWNERS, Input.QUEUES, Input.TWO_SAMPLES),
    ),
    Rule(
        "R31",
        mark("Silent connections"),
        half_open_suspects,
        "SO_KEEPALIVE",
        mark("Have the program ask its peers now and then, or set SO_KEEPALIVE with a short TCP_KEEPIDLE."),
        mark("A lower tcp_keepalive_time alone: only sockets with SO_KEEPALIVE are asked."),
        mark("They are meant to be idle, as ssh and message queues are."),
        (_OPEN,),
        (Input.OWNERS, Input.TIMERS, Input.AGES),
    ),
)

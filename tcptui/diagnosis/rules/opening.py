"""Connections on their way in or out: SYN_RECV, SYN_SENT, and connects that are refused."""

from collections.abc import Iterator

import numpy as np

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import (
    RATES,
    WITH_COUNTERS,
    WITH_PEERS,
    WITH_TIMERS,
    Input,
    Rule,
    Seen,
    counter_fact,
    parameter_fact,
    peer_facts,
    share_text,
)
from tcptui.diagnosis.sockets import Destination, Held, Index, by_peer, connections
from tcptui.language import mark, tr, tr_n
from tcptui.model.states import TcpState

_HALF_OPEN, _ASKING, _OPEN = TcpState.SYN_RECV, TcpState.SYN_SENT, TcpState.ESTABLISHED
_COOKIES = ("TcpExt.SyncookiesSent", "TcpExt.SyncookiesRecv", "TcpExt.SyncookiesFailed")
_QUEUE_FULL = ("TcpExt.TCPReqQFullDoCookies", "TcpExt.TCPReqQFullDrop")
_DROPS, _OVERFLOWS = "TcpExt.ListenDrops", "TcpExt.ListenOverflows"
_ANSWERED_COOKIES = 0.8
"""Of the cookies sent, from which on it is real clients that come."""
_MAJORITY = 0.5
_FEW = 20
"""SYN_SENT below which connects are refused rather than unanswered."""
_MOST_NAMED = 3


def syn_flood(evidence: Evidence) -> Iterator[Seen]:
    """R08: half-open connections of many sources that never answer fill a listener's backlog."""
    if not _knows_half_open(evidence):
        yield from _half_open_by_count(evidence, _FLOOD_THIN)
        return
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    queue_full = evidence.past.window.total(*_QUEUE_FULL)
    if _are_real_clients(evidence):
        return
    waiting = sockets.at(_HALF_OPEN)
    for end in np.flatnonzero(listeners.half_open >= evidence.threshold("R08.least")).tolist():
        index = waiting[listeners.half_open_of == end]
        room = int(listeners.room[end])
        is_full = len(index) >= evidence.threshold("R08.share") * room
        if not (is_full or queue_full) or listeners.queue[end] > listeners.backlog[end]:
            continue
        unanswered = float((sockets.column("retransmits", index) >= 1).mean())
        distinct = sockets.distinct_peers(index) / len(index)
        if unanswered <= evidence.threshold("R08.unanswered") or distinct <= evidence.threshold("R10.distinct"):
            continue
        yield _flood(evidence, end, index, unanswered, distinct)


def _flood(evidence: Evidence, end: int, index: Index, unanswered: float, distinct: float) -> Seen:
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    also = f"sport = :{listeners.port(end)}"
    dropped = evidence.window.of("TcpExt.TCPReqQFullDrop")
    name = sockets.listener_name(end)
    verdict = tr(
        "{count:,} half-open connections fill the backlog of {listener}, and their sources do not answer",
        count=len(index),
        listener=name,
    )
    facts = (
        Fact(
            tr("{count:,} SYN_RECV, room for {room:,}", count=len(index), room=int(listeners.room[end])),
            connections(_HALF_OPEN, also=also),
        ),
        Fact(
            tr("{share} of the SYN-ACKs were sent again", share=f"{unanswered:.0%}"),
            connections(_HALF_OPEN, also=f"{also} and retrans >= 1"),
        ),
        Fact(tr("{share} have a source of their own", share=f"{distinct:.0%}"), by_peer(_HALF_OPEN, also=also)),
        *counter_fact(evidence, *_COOKIES, *_QUEUE_FULL, "TcpExt.ListenDrops"),
        *parameter_fact(evidence, "net.ipv4.tcp_syncookies", "net.core.somaxconn"),
    )
    is_wide = distinct > evidence.threshold("R08.distinct")
    severity = Severity.CRITICAL if dropped else Severity.WARNING
    confidence = Confidence.LIKELY if is_wide else Confidence.POSSIBLE
    missing = () if is_wide else (tr("whether the sources are real: some of them come again"),)
    return Seen(severity, confidence, verdict, facts, listeners.name(end), len(index), missing)


def _are_real_clients(evidence: Evidence) -> bool:
    """Whether the cookies that are sent come back: a burst of real clients."""
    sent, back = (evidence.window.of(name) for name in _COOKIES[:2])
    return sent > 0 and back >= _ANSWERED_COOKIES * sent


def _knows_half_open(evidence: Evidence) -> bool:
    return evidence.sockets.knows("retransmits", "remote_address", "backlog")


_FLOOD_THIN = mark("{count:,} SYN_RECV: a flood of SYNs, or handshakes that are lost on the way back")
_LOSS_THIN = mark("{count:,} SYN_RECV: SYN-ACKs or their answers are lost on the way, or it is a flood")


def _half_open_by_count(evidence: Evidence, verdict: str) -> Iterator[Seen]:
    """What a histogram says: many are half-open, and it does not tell why."""
    count, open_ = evidence.sockets.count(_HALF_OPEN), evidence.sockets.count(_OPEN)
    is_many = count >= evidence.threshold("R08.thin") or (
        count >= evidence.threshold("R08.thin_least") and count >= open_
    )
    if is_many:
        fact = Fact(
            tr("{count:,} SYN_RECV beside {open:,} ESTABLISHED", count=count, open=open_), connections(_HALF_OPEN)
        )
        missing = (tr(WITH_TIMERS), tr(WITH_PEERS))
        yield Seen(
            Severity.WARNING, Confidence.POSSIBLE, tr(verdict, count=count), (fact,), size=count, missing=missing
        )


def slow_accept(evidence: Evidence) -> Iterator[Seen]:
    """R09: the last ACK of clients is ignored, since the accept queue is full."""
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    overflows = evidence.window.of("TcpExt.ListenOverflows")
    if not overflows:
        return
    for end in np.flatnonzero((listeners.half_open > 0) & (listeners.queue > listeners.backlog)).tolist():
        count = int(listeners.half_open[end])
        verdict = tr_n(
            "{count:,} client of {listener} thinks that it is connected: the accept queue is full and its "
            "ACK is ignored",
            "{count:,} clients of {listener} think that they are connected: its accept queue is full and "
            "their ACK is ignored",
            count,
            count=count,
            listener=sockets.listener_name(end),
        )
        also = f"sport = :{listeners.port(end)}"
        facts = (
            Fact(tr("{count:,} SYN_RECV", count=count), connections(_HALF_OPEN, also=also)),
            Fact(
                tr(
                    "{queue:,} connections wait, of {backlog:,} that may",
                    queue=int(listeners.queue[end]),
                    backlog=int(listeners.backlog[end]),
                ),
                listeners.link(end),
            ),
            *counter_fact(evidence, "TcpExt.ListenOverflows"),
        )
        yield Seen(Severity.WARNING, Confidence.LIKELY, verdict, facts, listeners.name(end), count)


def return_path_loss(evidence: Evidence) -> Iterator[Seen]:
    """R10: few sources never answer SYN-ACKs: these, or the answers, are lost."""
    if not _knows_half_open(evidence):
        yield from _half_open_by_count(evidence, _LOSS_THIN)
        return
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    if evidence.window.total(*_QUEUE_FULL, "TcpExt.SyncookiesSent"):
        return
    waiting = sockets.at(_HALF_OPEN)
    for end in np.flatnonzero(listeners.half_open >= evidence.threshold("R10.least")).tolist():
        index = waiting[listeners.half_open_of == end]
        unanswered = float((sockets.column("retransmits", index) >= 1).mean())
        distinct = sockets.distinct_peers(index) / len(index)
        few = distinct <= evidence.threshold("R10.distinct")
        if listeners.queue[end] or unanswered <= evidence.threshold("R08.unanswered") or not few:
            continue
        verdict = tr(
            "{count:,} connections of few sources to {listener} stay half-open: SYN-ACKs or their answers are lost",
            count=len(index),
            listener=sockets.listener_name(end),
        )
        also = f"sport = :{listeners.port(end)}"
        facts = (
            *peer_facts(evidence, index, by_peer(_HALF_OPEN, also=also)),
            Fact(
                tr("{share} of the SYN-ACKs were sent again", share=f"{unanswered:.0%}"),
                connections(_HALF_OPEN, also=f"{also} and retrans >= 1"),
            ),
            *counter_fact(evidence, "TcpExt.TCPSynRetrans"),
        )
        yield Seen(Severity.WARNING, Confidence.LIKELY, verdict, facts, listeners.name(end), len(index))


def other_listen_drops(evidence: Evidence) -> Iterator[Seen]:
    """R13: SYNs are dropped at listeners for another reason than a full accept queue."""
    growth, recent = evidence.window, evidence.recent
    others = growth.of(_DROPS) - growth.of(_OVERFLOWS)
    lately = recent.of(_DROPS) - recent.of(_OVERFLOWS)
    if others <= 0 or lately <= 0:
        return
    verdict = tr_n(
        "{count:,} SYN was dropped at a listener although its accept queue had room",
        "{count:,} SYNs were dropped at listeners although their accept queues had room",
        others,
        count=others,
    )
    facts = (
        *counter_fact(evidence, "TcpExt.ListenDrops", "TcpExt.ListenOverflows", "TcpExt.TCPReqQFullDrop"),
        *parameter_fact(evidence, "net.ipv4.tcp_syncookies", "net.ipv4.tcp_max_syn_backlog"),
    )
    per_s = others / growth.elapsed_s
    rate = evidence.threshold("R13.rate")
    is_lasting = evidence.is_lasting(lambda step: step.per_s(_DROPS) - step.per_s(_OVERFLOWS) >= rate)
    severity = Severity.WARNING if is_lasting else Severity.INFO
    yield Seen(severity, Confidence.CERTAIN, verdict, facts, size=per_s)


def fan_out(evidence: Evidence) -> Iterator[Seen]:
    """R14: one process waits for many addresses that do not answer: a scan, or a list of dead targets."""
    sockets = evidence.sockets
    index = sockets.at(_ASKING)
    least = evidence.threshold("R14.least")
    if len(index) < least:
        return
    groups = sockets.by_holder(index) if sockets.knows_holders else [Held((), tr("a process"), "", index)]
    for held in groups:
        peers = sockets.distinct_peers(held.index)
        if len(held) < least or peers < least:
            continue
        failing = _failing(evidence, held.index)
        if failing is not None and failing < _MAJORITY:
            continue
        verdict = tr(
            "{process} waits for {peers:,} addresses that do not answer: a scan, or a list of dead targets",
            process=held.name,
            peers=peers,
        )
        ports = len(np.flatnonzero(np.bincount(sockets.column("remote_port", held.index))))
        facts = (
            Fact(
                tr(
                    "{count:,} SYN_SENT to {peers:,} addresses, {ports:,} ports",
                    count=len(held),
                    peers=peers,
                    ports=ports,
                ),
                held.link(_ASKING),
            ),
            *(
                [
                    Fact(
                        tr("{share} of them without an answer", share=f"{failing:.0%}"),
                        held.link(_ASKING, also="retrans >= 1"),
                    )
                ]
                if failing is not None
                else []
            ),
            *counter_fact(evidence, "Tcp.ActiveOpens", "Tcp.AttemptFails", "TcpExt.TCPAbortOnTimeout"),
        )
        confidence = Confidence.LIKELY if failing is not None else Confidence.POSSIBLE
        missing = () if failing is not None else (tr(WITH_TIMERS), tr(WITH_COUNTERS))
        yield Seen(Severity.WARNING, confidence, verdict, facts, held.key, len(held), missing)


def _failing(evidence: Evidence, index: Index) -> float | None:
    """Which part of these connects gets no answer, or of all of them that ended; None where nothing tells."""
    growth = evidence.window
    opened = growth.of("Tcp.ActiveOpens")
    failed = growth.total("Tcp.AttemptFails", "TcpExt.TCPAbortOnTimeout")
    shares = []
    if evidence.sockets.knows("retransmits"):
        shares.append(float((evidence.sockets.column("retransmits", index) >= 1).mean()))
    if opened >= evidence.threshold("R14.least") and failed >= evidence.threshold("R14.failing") * opened:
        shares.append(failed / opened)
    return min(max(shares), 1.0) if shares else None


def dead_upstream(evidence: Evidence) -> Iterator[Seen]:
    """R15: one destination does not answer."""
    sockets = evidence.sockets
    knows_retransmits = sockets.knows("retransmits")
    least = int(evidence.threshold("R15.least" if knows_retransmits else "R15.thin"))
    for each in sockets.destinations(sockets.at(_ASKING), least):
        if knows_retransmits:
            again = sockets.column("retransmits", each.index)
            # One retransmission is one second: the destination may have been starting just then.
            if (again >= 1).mean() <= _MAJORITY or again.max() < 2:
                continue
        yield _dead(evidence, each, is_sure=knows_retransmits)


def _dead(evidence: Evidence, destination: Destination, *, is_sure: bool) -> Seen:
    sockets = evidence.sockets
    holders = sockets.by_holder(destination.index) if sockets.knows_holders else []
    who = tr(", ").join(held.name for held in holders[:_MOST_NAMED])
    verdict = tr(
        "{remote} does not answer: {count:,} connects wait for it", remote=destination.remote, count=destination.used
    )
    also = destination.filter
    facts = [Fact(tr("{count:,} SYN_SENT", count=destination.used), connections(_ASKING, also=also))]
    if is_sure:
        unanswered = sockets.column("retransmits", destination.index) >= 1
        text = tr("{share} of them without an answer", share=share_text(int(unanswered.sum()), destination.used))
        facts.append(Fact(text, connections(_ASKING, also=f"{also} and retrans >= 1")))
    if who:
        facts.append(Fact(tr("opened by {processes}", processes=who), connections(_ASKING, also=also)))
    facts += counter_fact(evidence, "TcpExt.TCPSynRetrans", "Tcp.AttemptFails")
    facts += parameter_fact(evidence, "net.ipv4.tcp_syn_retries")
    confidence = Confidence.LIKELY if is_sure else Confidence.POSSIBLE
    missing = () if is_sure else (tr(WITH_TIMERS),)
    return Seen(
        Severity.WARNING,
        confidence,
        verdict,
        tuple(facts),
        f"{destination.local} {destination.remote}",
        destination.used,
        missing,
    )


def refused_connects(evidence: Evidence) -> Iterator[Seen]:
    """R16: connects are answered with a reset: nothing listens there."""
    growth = evidence.window
    # Handshakes that peers break off are no connects of ours.
    refused = growth.of("Tcp.AttemptFails") - growth.of("TcpExt.EmbryonicRsts") - growth.of("TcpExt.TCPAbortOnTimeout")
    per_s = refused / growth.elapsed_s
    is_ours = growth.of("Tcp.ActiveOpens") >= refused
    if per_s < evidence.threshold("R16.rate") or not is_ours or evidence.sockets.count(_ASKING) >= _FEW:
        return
    verdict = tr("{rate:,.0f} connects a second are refused: nothing listens where they go", rate=per_s)
    facts = counter_fact(evidence, "Tcp.AttemptFails", "Tcp.ActiveOpens", "TcpExt.EmbryonicRsts")
    rate = evidence.threshold("R16.rate")
    is_lasting = evidence.is_lasting(lambda step: step.per_s("Tcp.AttemptFails") >= rate)
    yield Seen(Severity.WARNING if is_lasting else Severity.INFO, Confidence.LIKELY, verdict, facts, size=per_s)


RULES = (
    Rule(
        "R08",
        mark("SYN flood"),
        syn_flood,
        "SYN_RECV",
        mark(
            "Keep tcp_syncookies at 1, give listen() a larger backlog and raise somaxconn, and have the SYNs "
            "filtered before they come here."
        ),
        mark(
            "tcp_max_syn_backlog while tcp_syncookies is 1, netdev_max_backlog, tcp_abort_on_overflow; a "
            "higher tcp_synack_retries keeps the rows for longer."
        ),
        mark(
            "SyncookiesRecv keeps up with SyncookiesSent and retransmissions are 0: then it is a burst of real clients."
        ),
        (_HALF_OPEN,),
    ),
    Rule(
        "R09",
        mark("Handshakes held up by a slow accept()"),
        slow_accept,
        "SYN_RECV",
        mark("Let the program accept faster; see R11."),
        mark("SYN cookies: the accept queue is what is full."),
        mark("The queue is below its backlog in the next sample."),
        (_HALF_OPEN, TcpState.LISTEN),
        (Input.BACKLOG, *RATES),
    ),
    Rule(
        "R10",
        mark("SYN-ACKs lost on the way back"),
        return_path_loss,
        "SYN_RECV",
        mark("Look at the way back to these networks: routes, a firewall that sees one direction only, rp_filter."),
        mark("A larger backlog: the handshakes do not end however many may wait."),
        mark("The clients are far away, and their handshakes end after a second or two."),
        (_HALF_OPEN,),
    ),
    Rule(
        "R13",
        mark("SYNs dropped for other reasons"),
        other_listen_drops,
        "TcpExt.ListenDrops",
        mark("Set tcp_syncookies to 1; then see memory and routes."),
        mark("A faster accept(): the accept queues are not full."),
        mark("The counter stands still in the next samples."),
        (TcpState.LISTEN,),
        RATES,
        is_about_sockets=False,
    ),
    Rule(
        "R14",
        mark("Scan, or dead targets"),
        fan_out,
        "SYN_SENT",
        mark("See what the process is and whether it should connect to so many; stop it if not."),
        mark("Parameters of this machine: the targets do not answer."),
        mark("It is a crawler, a health checker or a scanner that is meant to do this."),
        (_ASKING,),
        (Input.PEERS,),
    ),
    Rule(
        "R15",
        mark("One dead upstream"),
        dead_upstream,
        "SYN_SENT",
        mark(
            "See whether the service runs and a firewall drops SYNs; give connect() a timeout, and stop "
            "trying for a while after failures."
        ),
        mark("The local somaxconn, tcp_tw_reuse and keepalive: none of them brings an answer."),
        mark("It was restarted just now, and the next samples show no SYN_SENT."),
        (_ASKING,),
        (Input.PEERS,),
    ),
    Rule(
        "R16",
        mark("Refused connects"),
        refused_connects,
        "Tcp.AttemptFails",
        mark("Check the port that the program connects to, and that the service listens there."),
        mark("Longer timeouts: the answer comes at once, and it is no."),
        mark("EmbryonicRsts grows as fast: then peers break off handshakes with this machine."),
        (_ASKING,),
        RATES,
        is_about_sockets=False,
    ),
)

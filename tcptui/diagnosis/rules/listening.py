"""Listeners: accept queues that run over, and backlogs that are small."""

from collections.abc import Iterator

import numpy as np

from tcptui.diagnosis.evidence import Evidence, QueuePast
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import (
    RATES,
    WITH_COUNTERS,
    Input,
    Rule,
    Seen,
    counter_fact,
    descriptor_facts,
    parameter_fact,
)
from tcptui.language import mark, tr, tr_n
from tcptui.model.states import TcpState

_OVERFLOWS, _DROPS = "TcpExt.ListenOverflows", "TcpExt.ListenDrops"
_SOMAXCONN = "net.core.somaxconn"
_NO_PAST = QueuePast()


def accept_queue(evidence: Evidence) -> Iterator[Seen]:
    """R11: a program accepts too slowly, and its queue is full or nearly so."""
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    overflows = evidence.window.of(_OVERFLOWS)
    found = False
    for end in np.flatnonzero(listeners.queue > 0).tolist():
        past = evidence.past.queues.get(listeners.key(end), _NO_PAST)
        queue, backlog = int(listeners.queue[end]), int(listeners.backlog[end])
        # A queue that is meant to be tiny is full whenever somebody comes.
        is_tiny = queue < evidence.threshold("R11.least")
        is_over = queue > backlog and (not is_tiny or past.over > 1)
        if not is_over and past.near < evidence.threshold("R11.samples"):
            continue
        found = True
        is_lasting = past.over > 1 and not is_tiny
        severity = Severity.CRITICAL if is_over and (overflows or is_lasting) else Severity.WARNING
        name = sockets.listener_name(end)
        verdict = tr(
            "{listener} accepts too slowly: {queue:,} connections wait, of {backlog:,} that may",
            listener=name,
            queue=queue,
            backlog=backlog,
        )
        facts = (
            Fact(
                tr(
                    "accept queue {queue:,} of {backlog:,}, at most {peak:,} so far",
                    queue=queue,
                    backlog=backlog,
                    peak=max(past.peak, queue),
                ),
                listeners.link(end),
                "listen_backlog",
            ),
            *counter_fact(evidence, _OVERFLOWS, _DROPS),
            *_holder_descriptors(evidence, end),
        )
        missing = () if evidence.window.knows(_OVERFLOWS) else (tr(WITH_COUNTERS),)
        yield Seen(severity, Confidence.CERTAIN, verdict, facts, listeners.name(end), queue, missing)
    if overflows and not found:
        yield _overflowed_before(evidence, overflows)


def _overflowed_before(evidence: Evidence, overflows: int) -> Seen:
    """The counter has moved, and no queue is full now."""
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    peaks = evidence.past.queues
    order = sorted(range(len(listeners)), key=lambda end: -peaks.get(listeners.key(end), _NO_PAST).peak)
    fullest = [end for end in order if listeners.key(end) in peaks][:1]
    facts = [
        Fact(
            tr(
                "{listener}: at most {peak:,} waited, of {backlog:,} that may",
                listener=sockets.listener_name(end),
                peak=peaks[listeners.key(end)].peak,
                backlog=int(listeners.backlog[end]),
            ),
            listeners.link(end),
        )
        for end in fullest
    ]
    verdict = tr_n(
        "an accept queue ran over: {count:,} connection was dropped",
        "an accept queue ran over: {count:,} connections were dropped",
        overflows,
        count=overflows,
    )
    facts += counter_fact(evidence, _OVERFLOWS, _DROPS)
    missing = (tr("which listener it is: the counter is the namespace's; watch the accept queues in tcptui"),)
    return Seen(Severity.WARNING, Confidence.CERTAIN, verdict, tuple(facts), size=overflows, missing=missing)


def _holder_descriptors(evidence: Evidence, end: int) -> tuple[Fact, ...]:
    """How many descriptors are left to the program: without any it cannot accept."""
    (held, *_) = evidence.sockets.by_holder(evidence.sockets.listeners.first[end : end + 1])
    return descriptor_facts(evidence, held)


def small_backlog(evidence: Evidence) -> Iterator[Seen]:
    """R12: a busy listener whose backlog is small, or as large as somaxconn lets it be and in use."""
    if evidence.window.per_s("Tcp.PassiveOpens") <= evidence.threshold("R12.rate"):
        return
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    somaxconn = evidence.parameter(_SOMAXCONN)
    index = sockets.at(TcpState.ESTABLISHED, TcpState.TIME_WAIT)
    index = index[sockets.served(index)]
    served = np.bincount(sockets.column("local_port", index), minlength=1 << 16)
    much = max(evidence.threshold("R12.share") * len(index), 1)
    for end in range(len(listeners)):
        backlog = int(listeners.backlog[end])
        past = evidence.past.queues.get(listeners.key(end))
        is_capped = backlog == somaxconn and past is not None and past.peak >= evidence.threshold("R12.used") * backlog
        is_busy = served[listeners.port(end)] >= much or past is not None
        if not is_busy or not (is_capped or backlog <= evidence.threshold("R12.small")):
            continue
        verdict = tr(
            "{listener} is busy and may have only {backlog:,} connections wait",
            listener=sockets.listener_name(end),
            backlog=backlog,
        )
        facts = (
            Fact(tr("backlog {backlog:,}", backlog=backlog), listeners.link(end), "listen_backlog"),
            *parameter_fact(evidence, _SOMAXCONN),
            *counter_fact(evidence, "Tcp.PassiveOpens"),
        )
        yield Seen(Severity.INFO, Confidence.LIKELY, verdict, facts, listeners.name(end), backlog)


RULES = (
    Rule(
        "R11",
        mark("Accept queue overflow"),
        accept_queue,
        "LISTEN",
        mark(
            "Speed up the accept loop or add workers, and see whether descriptors have run out; then a "
            "larger backlog and somaxconn, and listen() again."
        ),
        mark("tcp_max_syn_backlog and tcp_abort_on_overflow: new SYNs are dropped either way."),
        mark("The queue is empty in the next samples and ListenOverflows stands still: it was one burst."),
        (TcpState.LISTEN,),
        (Input.BACKLOG,),
    ),
    Rule(
        "R12",
        mark("Small backlog"),
        small_backlog,
        "net.core.somaxconn",
        mark(
            "Raise the program's listen() backlog and somaxconn, then restart it or let it listen() again: "
            "the limit is fixed there."
        ),
        mark("somaxconn alone: a socket that listens already keeps its backlog."),
        mark("The accept queue is always empty: then the backlog is large enough."),
        (TcpState.LISTEN,),
        (Input.BACKLOG, *RATES),
    ),
)

"""Sockets that a program has forgotten: CLOSE_WAIT, half-closed ones, and those that no table shows."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Link, Severity
from tcptui.diagnosis.rule import (
    WITH_OWNERS,
    Input,
    Rule,
    Seen,
    descriptor_facts,
    descriptor_use,
    peer_facts,
    with_ages,
)
from tcptui.diagnosis.sockets import TIMER_OFF, Held, Index, connections
from tcptui.diagnosis.trend import is_rising
from tcptui.language import mark, tr, tr_n
from tcptui.model.fields import ViewKind, duration_text
from tcptui.model.states import TcpState

RISING_OVER_S = 30.0
"""What has grown for so long without falling is growing."""

_WAIT = TcpState.CLOSE_WAIT


def close_wait_leak(evidence: Evidence) -> Iterator[Seen]:
    """R01: a process does not close what its peers have closed.

    A text may name holders and tell no inodes: those that have none there are judged by their count alone.
    """
    sockets = evidence.sockets
    waiting = sockets.at(_WAIT)
    owned = sockets.owned(waiting)
    if not sockets.knows("inode"):
        yield from _leak_by_count(evidence, waiting[sockets.column("inode", waiting) == 0])
    # One that still has something to send is at work.
    for held in sockets.by_holder(owned[sockets.column("send_queue_bytes", owned) == 0]):
        seen = _leak_of(evidence, held)
        if seen is not None:
            yield seen


def _leak_by_count(evidence: Evidence, index: Index) -> Iterator[Seen]:
    count = len(index)
    if count < max(evidence.threshold("R01.thin"), evidence.sockets.count(TcpState.ESTABLISHED)):
        seen = _listed(evidence, Held((), tr("a process"), "", index))
        yield from () if seen is None else (seen,)
        return
    verdict = tr(
        "{count:,} CLOSE_WAIT beside {open:,} ESTABLISHED: a program does not close what its peers have closed",
        count=count,
        open=evidence.sockets.count(TcpState.ESTABLISHED),
    )
    facts = (Fact(tr("{count:,} in CLOSE_WAIT", count=count), connections(_WAIT)),)
    severity = Severity.CRITICAL if count >= evidence.threshold("R01.many") else Severity.WARNING
    missing = (tr(WITH_OWNERS), with_ages(evidence))
    yield Seen(severity, Confidence.POSSIBLE, verdict, facts, size=count, missing=missing)


def _leak_of(evidence: Evidence, held: Held) -> Seen | None:
    """What to say of the CLOSE_WAIT of one process; None where it may be at work on them."""
    ages = evidence.sockets.age_s(held.index) if evidence.knows_ages else None
    points = evidence.past.close_waits.get(held.key, ())
    if len(held) < evidence.threshold("R01.least"):
        return _forgotten_few(evidence, held, ages)
    is_old = ages is not None and float(np.median(ages)) > evidence.threshold("R01.old")
    grows = is_rising(points, RISING_OVER_S)
    if not is_old and not grows:
        if _untold(evidence, held.index) < evidence.threshold("R01.thin"):
            return _listed(evidence, held) if ages is None else None
        confidence = Confidence.POSSIBLE
    else:
        confidence = Confidence.CERTAIN if is_old else Confidence.LIKELY
    oldest = tr("the oldest for {age} at least", age=duration_text(ages.max() * 1000)) if ages is not None else ""
    verdict = tr(
        "{process} does not close {count:,} connections that its peers have closed", process=held.name, count=len(held)
    )
    facts = [
        Fact(tr("{count:,} CLOSE_WAIT of {process}", count=len(held), process=held.name), held.link(_WAIT)),
        *([Fact(oldest, held.link(_WAIT))] if oldest else []),
        Fact(_classes(evidence, held.index), held.link(_WAIT)),
        *peer_facts(evidence, held.index, held.by_peer(_WAIT)),
        *(
            [
                Fact(
                    tr(
                        "{count:,} more than {seconds:.0f} s ago",
                        count=points[-1][1] - points[0][1],
                        seconds=points[-1][0] - points[0][0],
                    )
                )
            ]
            if grows
            else []
        ),
    ]
    used = descriptor_use(evidence, held)
    facts += descriptor_facts(evidence, held)
    is_critical = len(held) >= evidence.threshold("R01.many") or (
        used is not None and used[0] >= evidence.threshold("R22.warn") * used[1]
    )
    severity = Severity.CRITICAL if is_critical else Severity.WARNING
    missing = () if confidence is not Confidence.POSSIBLE else (with_ages(evidence),)
    return Seen(severity, confidence, verdict, tuple(facts), held.key, len(held), missing)


def _untold(evidence: Evidence, index: Index) -> int:
    """How many of these may have been in their state for hours: they were there already when they were first seen."""
    if evidence.sockets.knows("idle_ms"):
        return 0
    watched = evidence.sample.is_watched
    return len(index) if watched is None else int(np.count_nonzero(~watched[index]))


def _forgotten_few(evidence: Evidence, held: Held, ages: NDArray[np.float64] | None) -> Seen | None:
    """Few, but for a time after which nobody will come back to them."""
    if ages is None:
        return _listed(evidence, held)
    old = held.index[ages >= evidence.threshold("R01.forgotten")]
    if not len(old):
        return None
    age = duration_text(float(ages.max()) * 1000)
    verdict = tr("{process} has {count} CLOSE_WAIT, the oldest for {age}", process=held.name, count=len(old), age=age)
    facts = (
        Fact(tr("{count:,} CLOSE_WAIT of {process}", count=len(old), process=held.name), held.link(_WAIT)),
        Fact(_classes(evidence, old), held.link(_WAIT)),
        *peer_facts(evidence, old, held.by_peer(_WAIT)),
    )
    return Seen(Severity.INFO, Confidence.LIKELY, verdict, facts, held.key, len(old))


def _listed(evidence: Evidence, held: Held) -> Seen | None:
    """What to say of CLOSE_WAIT that a text lists without telling for how long; None for others."""
    told = evidence.sockets.told("remote_address", held.index)
    if not len(told) or not evidence.sample.origin.is_still or not evidence.sockets.knows("remote_address"):
        return None
    verdict = tr_n(
        "{process} has {count:,} CLOSE_WAIT: forgotten, if it is there in a minute still",
        "{process} has {count:,} CLOSE_WAIT: forgotten, if they are there in a minute still",
        len(told),
        process=held.name,
        count=len(told),
    )
    facts = (
        Fact(tr("{count:,} CLOSE_WAIT of {process}", count=len(told), process=held.name), held.link(_WAIT)),
        *([Fact(_classes(evidence, told), held.link(_WAIT))] if evidence.sockets.knows("recv_queue_bytes") else []),
        *peer_facts(evidence, told, held.by_peer(_WAIT)),
    )
    missing = () if held.holders else (tr(WITH_OWNERS),)
    return Seen(
        Severity.INFO,
        Confidence.POSSIBLE,
        verdict,
        facts,
        held.key,
        len(told),
        (*missing, with_ages(evidence)),
    )


def _classes(evidence: Evidence, index: Index) -> str:
    """What the program has read of them (FACTS section 1.8)."""
    queues = evidence.sockets.column("recv_queue_bytes", index)
    parts = (
        (int((queues == 1).sum()), mark("{count:,} whose end was not read (Recv-Q 1)")),
        (int((queues == 0).sum()), mark("{count:,} whose end was read and which were forgotten (Recv-Q 0)")),
        (int((queues > 1).sum()), mark("{count:,} with data unread (Recv-Q above 1)")),
    )
    return tr("; ").join(tr(text, count=count) for count, text in parts if count)


def never_accepted(evidence: Evidence) -> Iterator[Seen]:
    """R02: clients that went away while they waited for accept()."""
    sockets, listeners = evidence.sockets, evidence.sockets.listeners
    left = sockets.orphaned(sockets.at(_WAIT))
    ports = sockets.column("local_port", left)
    for end in np.flatnonzero(listeners.queue > 0).tolist():
        port = listeners.port(end)
        count = int((ports == port).sum())
        if not count:
            continue
        name = sockets.listener_name(end)
        verdict = tr_n(
            "{count:,} client of {listener} gave up while it waited for accept()",
            "{count:,} clients of {listener} gave up while they waited for accept()",
            count,
            count=count,
            listener=name,
        )
        queue = tr(
            "{queue:,} connections wait, of {backlog:,} that may",
            queue=int(listeners.queue[end]),
            backlog=int(listeners.backlog[end]),
        )
        facts = (
            Fact(
                tr("{count:,} CLOSE_WAIT without a descriptor", count=count),
                connections(_WAIT, also=f"inode 0 and sport = :{port}"),
            ),
            Fact(queue, listeners.link(end), "listen_backlog"),
        )
        severity = Severity.WARNING if count >= evidence.threshold("R02.least") else Severity.INFO
        yield Seen(severity, Confidence.CERTAIN, verdict, facts, listeners.name(end), count)


def invisible_leak(evidence: Evidence) -> Iterator[Seen]:
    """R03: sockets that the kernel has taken out of its tables and whose program keeps the descriptors."""
    for process, count in (evidence.sample.leaks or {}).items():
        if count < evidence.threshold("R03.least"):
            continue
        points = evidence.past.leaks.get(process, ())
        grows = is_rising(points, RISING_OVER_S)
        name = f"{process.name} ({process.pid})"
        verdict = tr(
            "{process} holds {count:,} sockets that are closed in the kernel already", process=name, count=count
        )
        facts = (
            Fact(
                tr(
                    "{count:,} descriptors of TCP sockets that no table shows: ls -l /proc/{pid}/fd",
                    count=count,
                    pid=process.pid,
                ),
                Link(ViewKind.PROCESSES, f"pid {process.pid}"),
            ),
            Fact(
                tr(
                    "{count:,} more than {seconds:.0f} s ago",
                    count=points[-1][1] - points[0][1],
                    seconds=points[-1][0] - points[0][0],
                )
                if grows
                else tr("their number does not grow at present")
            ),
        )
        confidence = Confidence.CERTAIN if grows else Confidence.LIKELY
        yield Seen(Severity.WARNING, confidence, verdict, facts, str(process.pid), count)


def half_closed(evidence: Evidence) -> Iterator[Seen]:
    """R05: a program has shut down sending and waits for the peer without a limit."""
    sockets = evidence.sockets
    index = sockets.owned(sockets.where(sockets.at(TcpState.FIN_WAIT2), timer=TIMER_OFF))
    ages = sockets.age_s(index)
    if ages is None:
        return
    old = index[ages > evidence.threshold("R05.old")]
    for held in sockets.by_holder(old):
        age = duration_text(float(ages.max()) * 1000)
        verdict = tr_n(
            "{process} has shut down sending on {count:,} connection and waits for its peer without a limit",
            "{process} has shut down sending on {count:,} connections and waits for their peers without a limit",
            len(held),
            process=held.name,
            count=len(held),
        )
        facts = (
            Fact(
                tr(
                    "{count:,} FIN_WAIT2 with a descriptor and without a timer, the oldest for {age}",
                    count=len(held),
                    age=age,
                ),
                held.link(TcpState.FIN_WAIT2, also="timer off"),
            ),
        )
        severity = Severity.WARNING if len(held) >= evidence.threshold("R05.least") else Severity.INFO
        yield Seen(severity, Confidence.LIKELY, verdict, facts, held.key, len(held))


RULES = (
    Rule(
        "R01",
        mark("CLOSE_WAIT leak"),
        close_wait_leak,
        "CLOSE_WAIT",
        mark(
            "Close the socket in every path of the program: in finally, on end of file, when a pool checks "
            "it. A restart helps until then."
        ),
        mark(
            "No kernel parameter ends CLOSE_WAIT. Keepalive acts only with SO_KEEPALIVE and frees no "
            "descriptor; a higher RLIMIT_NOFILE only delays the end."
        ),
        mark("The count falls by itself while the program works on, or Send-Q is above 0: it still sends its answer."),
        (_WAIT,),
    ),
    Rule(
        "R02",
        mark("CLOSE_WAIT that was never accepted"),
        never_accepted,
        "CLOSE_WAIT",
        mark("Let the program accept faster: see its accept loop, its workers and its descriptors."),
        mark("A timeout of the kernel: connections in the accept queue have none."),
        mark("The queue empties and these rows go within a second."),
        (_WAIT, TcpState.LISTEN),
        (Input.OWNERS, Input.BACKLOG),
    ),
    Rule(
        "R03",
        mark("Sockets that no table shows"),
        invisible_leak,
        "CLOSE",
        mark("Close them in the program: read() or write() on each has failed or has told of its end."),
        mark("Nothing in the kernel: the connections are over, and only descriptors are left."),
        mark("They are sockets that the program has made and not connected yet, as in a pool that is filled ahead."),
        (TcpState.CLOSE,),
        (Input.LEAKS, Input.EVERYTHING),
        is_about_sockets=False,
    ),
    Rule(
        "R05",
        mark("Half-closed FIN_WAIT2"),
        half_closed,
        "FIN_WAIT2",
        mark(
            "Give the program a time limit for reading after shutdown(SHUT_WR), or SO_KEEPALIVE for peers "
            "that are gone."
        ),
        mark("tcp_fin_timeout: it is for sockets that no process holds any more."),
        mark("The protocol closes one direction first and goes on in the other, as rsync and tunnels do."),
        (TcpState.FIN_WAIT2,),
        (Input.OWNERS, Input.TIMERS, Input.AGES),
    ),
)

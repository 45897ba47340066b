"""Limits of the machine and of processes: memory, orphans, descriptors, files, the firewall's table, the way in."""

from collections.abc import Iterator

from tcptui.diagnosis.capacity import conntrack_room, descriptor_rooms, file_room, orphan_room
from tcptui.diagnosis.evidence import PAGE_BYTES, Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import RATES, WITH_COUNTERS, Input, Rule, Seen, counter_fact, parameter_fact
from tcptui.diagnosis.sockets import connections
from tcptui.language import mark, tr
from tcptui.model.states import TcpState

_MEMORY, _ON_MEMORY = "net.ipv4.tcp_mem", "TcpExt.TCPAbortOnMemory"
_PRESSURES = "TcpExt.TCPMemoryPressures"
_MIB = 1024 * 1024
_CLOSING = (TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING)
_CONNTRACK_DROPS = ("conntrack.drop", "conntrack.early_drop", "conntrack.insert_failed")
_WAY_IN_DROPS = ("TcpExt.TCPBacklogDrop", "TcpExt.TCPRcvQDrop", "softnet.dropped")


def memory_pressure(evidence: Evidence) -> Iterator[Seen]:
    """R20: the buffers of all sockets come near what TCP may have."""
    used = evidence.gauge("sockstat.TCP.mem")
    marks = [evidence.parameter(_MEMORY, at) for at in range(3)]
    _, pressure, most = marks
    if pressure is None or most is None:
        return
    if used is None:
        yield from _memory_by_count(evidence, most)
        return
    pressures, aborts = evidence.window.of(_PRESSURES), evidence.window.of(_ON_MEMORY)
    is_over = used > pressure
    is_at_end = used > evidence.threshold("R20.near") * most or (is_over and aborts > 0)
    if not (is_over or pressures or is_at_end):
        return
    verdict = tr(
        "the buffers of TCP take {used:,} MiB; from {pressure:,} MiB on the kernel saves memory, at {most:,} "
        "MiB it drops",
        used=used * PAGE_BYTES // _MIB,
        pressure=pressure * PAGE_BYTES // _MIB,
        most=most * PAGE_BYTES // _MIB,
    )
    facts = (
        Fact(tr("{pages:,} pages in use", pages=used), topic="sockstat.TCP.mem"),
        *parameter_fact(evidence, _MEMORY),
        Fact(tr("sockets with much in their queues"), connections(also="recvq > 64k or sendq > 64k")),
        *counter_fact(evidence, _PRESSURES, "TcpExt.TCPRcvQDrop", "TcpExt.RcvPruned", _ON_MEMORY),
    )
    severity = Severity.CRITICAL if is_at_end else Severity.WARNING
    yield Seen(severity, Confidence.CERTAIN, verdict, facts, size=used)


def _memory_by_count(evidence: Evidence, most: int) -> Iterator[Seen]:
    """Whether the buffers that connections begin with would not fit, where nothing tells how much is in use."""
    count, start = evidence.sockets.count(TcpState.ESTABLISHED), evidence.parameter("net.ipv4.tcp_rmem", 1)
    if start is None or count * start <= most * PAGE_BYTES:
        return
    verdict = tr(
        "the receive buffers of {count:,} connections may grow to {needed:,} MiB, and TCP may have {most:,} MiB",
        count=count,
        needed=count * start // _MIB,
        most=most * PAGE_BYTES // _MIB,
    )
    facts = (
        Fact(tr("{count:,} ESTABLISHED", count=count), connections(TcpState.ESTABLISHED)),
        *parameter_fact(evidence, _MEMORY, "net.ipv4.tcp_rmem"),
    )
    missing = (tr("how much is in use: the line TCP of /proc/net/sockstat, mem in pages"),)
    yield Seen(Severity.INFO, Confidence.POSSIBLE, verdict, facts, size=count, missing=missing)


def orphan_limit(evidence: Evidence) -> Iterator[Seen]:
    """R21: nearly as many orphans as the machine may have; above that they are reset."""
    room = orphan_room(evidence)
    if room is None or room.share < evidence.threshold("R21.near"):
        return
    verdict = tr(
        "{used:,} of {limit:,} orphans: above that closed connections are reset", used=room.used, limit=room.limit
    )
    facts = (
        Fact(
            tr("{count:,} in FIN_WAIT1, LAST_ACK and CLOSING here", count=evidence.sockets.count(*_CLOSING)),
            connections(*_CLOSING),
        ),
        *parameter_fact(evidence, "net.ipv4.tcp_max_orphans"),
        *counter_fact(evidence, _ON_MEMORY),
    )
    is_over = room.share >= 1 or evidence.window.of(_ON_MEMORY) > 0
    yield Seen(Severity.CRITICAL if is_over else Severity.WARNING, Confidence.CERTAIN, verdict, facts, size=room.used)


def descriptor_limit(evidence: Evidence) -> Iterator[Seen]:
    """R22: a process is near its limit of open descriptors."""
    for room in descriptor_rooms(evidence, evidence.threshold("R22.warn")):
        verdict = tr(
            "{process} has {used:,} of {limit:,} descriptors open",
            process=room.subject,
            used=room.used,
            limit=room.limit,
        )
        facts = (Fact(tr("at the limit accept(), connect() and open() fail with EMFILE"), room.link, room.topic),)
        severity = Severity.CRITICAL if room.share >= evidence.threshold("R22.full") else Severity.WARNING
        yield Seen(severity, Confidence.CERTAIN, verdict, facts, room.subject, room.used)


def file_table(evidence: Evidence) -> Iterator[Seen]:
    """R23: the machine is near its limit of open files."""
    room = file_room(evidence)
    if room is None or room.share < evidence.threshold("R23.near"):
        return
    verdict = tr("the machine has {used:,} of {limit:,} files open", used=room.used, limit=room.limit)
    facts = parameter_fact(evidence, "fs.file-nr", "fs.file-max")
    severity = Severity.CRITICAL if room.share >= evidence.threshold("R22.full") else Severity.WARNING
    yield Seen(severity, Confidence.CERTAIN, verdict, facts, size=room.used)


def conntrack_table(evidence: Evidence) -> Iterator[Seen]:
    """R24: the firewall's table is nearly full; new connections are dropped then."""
    room = conntrack_room(evidence)
    if room is None:
        return
    dropped = evidence.window.total("conntrack.drop", "conntrack.early_drop")
    if room.share < evidence.threshold("R24.warn") and not dropped:
        return
    verdict = tr(
        "the firewall remembers {used:,} of {limit:,} connections: above that new ones are dropped",
        used=room.used,
        limit=room.limit,
    )
    facts = (
        *parameter_fact(evidence, "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"),
        *counter_fact(evidence, *_CONNTRACK_DROPS),
    )
    is_full = room.share >= evidence.threshold("R24.full") or dropped > 0
    yield Seen(Severity.CRITICAL if is_full else Severity.WARNING, Confidence.CERTAIN, verdict, facts, size=room.used)


def way_in(evidence: Evidence) -> Iterator[Seen]:
    """R37: packets are dropped before a socket gets them, since a processor or a socket cannot keep up."""
    growth = evidence.window
    dropped, squeezed = growth.total(*_WAY_IN_DROPS), growth.of("softnet.time_squeeze")
    least, rate = evidence.threshold("R37.least"), evidence.threshold("R37.rate") * growth.elapsed_s
    if max(dropped, squeezed) < max(least, rate):
        return
    is_dropping = dropped >= max(least, rate)
    verdict = (
        tr("{count:,} packets were dropped on the way in: the receive path cannot keep up", count=dropped)
        if is_dropping
        else tr("{count:,} times the receive path had no time left for its packets", count=squeezed)
    )
    facts = counter_fact(evidence, *_WAY_IN_DROPS, "softnet.time_squeeze")
    missing = () if growth.knows("softnet.dropped") else (tr(WITH_COUNTERS),)
    severity = Severity.WARNING if is_dropping else Severity.INFO
    yield Seen(severity, Confidence.LIKELY, verdict, facts, size=max(dropped, squeezed), missing=missing)


RULES = (
    Rule(
        "R20",
        mark("TCP memory pressure"),
        memory_pressure,
        "net.ipv4.tcp_mem",
        mark("Find the sockets with much in their queues (R28, R30); then raise tcp_mem."),
        mark("rmem_max and wmem_max: they limit what a program asks for, not what all sockets have together."),
        mark("The use falls by itself, and TCPMemoryPressures stands still: it was one burst."),
        (TcpState.ESTABLISHED,),
        (Input.PARAMETERS,),
        is_about_sockets=False,
    ),
    Rule(
        "R21",
        mark("Limit of orphans"),
        orphan_limit,
        "net.ipv4.tcp_max_orphans",
        mark("See why they are not acknowledged (R06, R07); raising tcp_max_orphans costs up to 64 KiB each."),
        mark("tcp_fin_timeout: an orphan in FIN_WAIT2 or TIME_WAIT is not among them."),
        mark("Their number falls within two minutes, the time after which the kernel gives an orphan up."),
        _CLOSING,
        (Input.GAUGES, Input.PARAMETERS),
        is_about_sockets=False,
    ),
    Rule(
        "R22",
        mark("Descriptors of a process"),
        descriptor_limit,
        "RLIMIT_NOFILE",
        mark("See whether sockets leak (R01, R03) and close them; if all are in use, raise the limit and restart."),
        mark("fs.file-max: it is the machine's limit. Connections that wait for accept() do not go away."),
        mark("The number goes up and down with the load and stays below the limit."),
        (),
        (Input.DESCRIPTORS,),
        is_about_sockets=False,
    ),
    Rule(
        "R23",
        mark("Open files of the machine"),
        file_table,
        "fs.file-max",
        mark("Find who has so many open: the view Processes, column FDS."),
        mark("RLIMIT_NOFILE of one process: it is the sum over all that counts here."),
        mark("file-max is huge, as systemd sets it: then this cannot be."),
        (),
        (Input.FILES,),
        is_about_sockets=False,
    ),
    Rule(
        "R24",
        mark("Firewall's table full"),
        conntrack_table,
        "net.netfilter.nf_conntrack_max",
        mark(
            "Raise nf_conntrack_max with its buckets, shorten the timeout of established connections, or "
            "exempt flows (NOTRACK)."
        ),
        mark("TCP's own parameters: the packets are dropped before TCP sees them."),
        mark("The count stays away from the limit and drop stands still."),
        (),
        (Input.PARAMETERS, Input.CONNTRACK),
        is_about_sockets=False,
    ),
    Rule(
        "R37",
        mark("Receive path overloaded"),
        way_in,
        "net.core.netdev_max_backlog",
        mark("Spread interrupts or packets over processors (RPS); then netdev_max_backlog and netdev_budget."),
        mark("Larger socket buffers: the packets do not come that far."),
        mark("The counters stand still: it was a single event."),
        (),
        RATES,
        is_about_sockets=False,
    ),
)

"""Local ports towards one destination: nearly used up, or used up by closing again and again."""

from collections.abc import Iterator

from tcptui.diagnosis.capacity import Room, port_rooms
from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import Input, Rule, Seen, counter_fact, parameter_fact, share_text
from tcptui.diagnosis.sockets import LEAST_BUSY, by_peer, connections
from tcptui.language import mark, tr
from tcptui.model.fields import duration_text
from tcptui.model.states import TcpState

_TIME_WAIT_S = 60
_PARAMETERS = (
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_timestamps",
)


def port_exhaustion(evidence: Evidence) -> Iterator[Seen]:
    """R17: nearly all ports towards one destination are taken."""
    warn = evidence.threshold("R17.warn")
    for room in port_rooms(evidence):
        if room.used < warn * room.limit:
            continue
        severity = _severity(evidence, room)
        is_bound = room.kind == "bound_ports"
        verdict = (
            tr(
                "{used:,} of {limit:,} ports of {local} are taken by bind() before connect()",
                used=room.used,
                limit=room.limit,
                local=room.subject,
            )
            if is_bound
            else tr(
                "{used:,} of {limit:,} ports are taken for {tuple}",
                used=room.used,
                limit=room.limit,
                tuple=room.subject,
            )
        )
        facts = [
            Fact(tr("{share} of the ports there are", share=share_text(room.used, room.limit)), room.link, room.topic)
        ]
        if room.time_waits:
            facts.append(Fact(tr("{count:,} of them in TIME_WAIT", count=room.time_waits), room.link))
        if room.reusable:
            facts.append(
                Fact(
                    tr("{count:,} of those may be taken once more (tcp_tw_reuse)", count=room.reusable),
                    topic="net.ipv4.tcp_tw_reuse",
                )
            )
        if room.wall_s is not None and room.per_s is not None:
            facts.append(
                Fact(
                    tr(
                        "{rate:,.1f} more a second: none is left in {time}",
                        rate=room.per_s,
                        time=duration_text(room.wall_s * 1000),
                    )
                )
            )
        facts += parameter_fact(evidence, *_PARAMETERS)
        facts += counter_fact(evidence, "TcpExt.TWRecycled")
        confidence = Confidence.LIKELY if is_bound else Confidence.CERTAIN
        yield Seen(severity, confidence, verdict, tuple(facts), f"{room.kind} {room.subject}", room.used)


def _severity(evidence: Evidence, room: Room) -> Severity:
    if room.share >= evidence.threshold("R17.full"):
        return Severity.CRITICAL
    return Severity.WARNING if room.share >= evidence.threshold("R17.warn") else Severity.INFO


def churn(evidence: Evidence) -> Iterator[Seen]:
    """R38: this end opens and closes connections to one destination all the time."""
    least = evidence.threshold("R38.rate")
    if evidence.window.knows("Tcp.ActiveOpens") and evidence.window.per_s("Tcp.ActiveOpens") < least:
        return
    for each in evidence.sockets.busy_destinations(LEAST_BUSY):
        waiting = evidence.sockets.where(each.index, state=TcpState.TIME_WAIT)
        per_s = len(waiting) / _TIME_WAIT_S
        if per_s < least:
            continue
        most_per_s = evidence.sockets.port_count / _TIME_WAIT_S
        verdict = tr(
            "{rate:,.0f} connections a second to {remote} are opened and closed by this end: nothing is pooled",
            rate=per_s,
            remote=each.remote,
        )
        facts = (
            Fact(
                tr("{count:,} TIME_WAIT towards it", count=len(waiting)),
                connections(TcpState.TIME_WAIT, also=each.filter),
            ),
            Fact(
                tr("the ports last for {rate:,.0f} a second", rate=most_per_s),
                by_peer(also=each.filter),
                "net.ipv4.ip_local_port_range",
            ),
            *counter_fact(evidence, "Tcp.ActiveOpens"),
        )
        yield Seen(Severity.INFO, Confidence.LIKELY, verdict, facts, f"{each.local} {each.remote}", per_s)


RULES = (
    Rule(
        "R17",
        mark("Ephemeral ports run out"),
        port_exhaustion,
        "net.ipv4.ip_local_port_range",
        mark(
            "Keep connections open and pool them; then tcp_tw_reuse = 1 with timestamps, more addresses at "
            "either end, a wider range, IP_BIND_ADDRESS_NO_PORT."
        ),
        mark("tcp_fin_timeout: TIME_WAIT lasts 60 s whatever it says. tcp_tw_recycle is gone since Linux 4.12."),
        mark("connect() goes on without EADDRNOTAVAIL: other destinations, or ports that may be taken once more."),
        (TcpState.TIME_WAIT, TcpState.ESTABLISHED),
        (Input.PEERS, Input.PARAMETERS),
    ),
    Rule(
        "R38",
        mark("Connection churn"),
        churn,
        "TIME_WAIT",
        mark("Use keep-alive or a pool; for a local service a Unix socket."),
        mark("Kernel parameters: they move the ceiling, not the cost of a connection for each request."),
        mark("It is a load generator that is meant to do this."),
        (TcpState.TIME_WAIT,),
        (Input.PEERS, Input.PARAMETERS),
    ),
)

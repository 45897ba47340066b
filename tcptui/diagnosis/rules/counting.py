"""What the kernel's counters tell by themselves, and whether they agree with the table."""

from collections.abc import Iterator

from tcptui.diagnosis.course import table_and_gauges
from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import RATES, Input, Rule, Seen, counter_fact, share_text
from tcptui.diagnosis.rules.closing import unacknowledged_fins
from tcptui.diagnosis.sockets import by_peer
from tcptui.language import mark, tr, tr_n
from tcptui.model.states import TcpState

_PAWS = ("TcpExt.PAWSActive", "TcpExt.PAWSEstab", "TcpExt.PAWSTimewait")
_GIVEN_UP = "TcpExt.TCPAbortOnTimeout"
_CAUSES = (
    *("TcpExt.TCPAbortOnData", "TcpExt.TCPAbortOnClose", "TcpExt.TCPAbortOnLinger", "TcpExt.TCPAbortOnMemory"),
    "TcpExt.TCPAbortOnTimeout",
)
_OPENS = ("Tcp.ActiveOpens", "Tcp.PassiveOpens")
_RESETS, _RESETS_SENT, _AGAIN, _SENT = "Tcp.EstabResets", "Tcp.OutRsts", "Tcp.RetransSegs", "Tcp.OutSegs"
_NEEDLESS, _HANDSHAKES = "TcpExt.TCPDSACKRecv", "TcpExt.TCPSynRetrans"


def old_timestamps(evidence: Evidence) -> Iterator[Seen]:
    """R25: segments are dropped since their timestamp is older than the last one of that connection."""
    per_s = evidence.window.per_s(*_PAWS)
    if per_s < evidence.threshold("R25.rate"):
        return
    verdict = tr("{rate:,.1f} segments a second are dropped for an old timestamp", rate=per_s)
    facts = (
        *counter_fact(evidence, *_PAWS),
        Fact(tr("peers with the most TIME_WAIT"), by_peer(TcpState.TIME_WAIT)),
    )
    rate = evidence.threshold("R25.rate")
    severity = Severity.WARNING if evidence.is_lasting(lambda step: step.per_s(*_PAWS) >= rate) else Severity.INFO
    yield Seen(severity, Confidence.LIKELY, verdict, facts, size=per_s)


def dead_peers(evidence: Evidence) -> Iterator[Seen]:
    """R32: the kernel has given connections up, since their peers did not answer."""
    growth = evidence.window
    given_up = growth.of(_GIVEN_UP)
    if not given_up or not growth.total("TcpExt.TCPKeepAlive", "TcpExt.TCPTimeouts"):
        return
    verdict = tr_n(
        "the kernel has given up {count:,} connection whose peer did not answer",
        "the kernel has given up {count:,} connections whose peers did not answer",
        given_up,
        count=given_up,
    )
    facts = counter_fact(evidence, _GIVEN_UP, "TcpExt.TCPTimeouts", "TcpExt.TCPKeepAlive")
    per_s = given_up / growth.elapsed_s
    rate = evidence.threshold("R32.rate")
    is_lasting = evidence.is_lasting(lambda step: step.per_s(_GIVEN_UP) >= rate)
    # Where R06 has said so already, these are what becomes of its connections.
    is_news = is_lasting and not any(unacknowledged_fins(evidence))
    yield Seen(Severity.WARNING if is_news else Severity.INFO, Confidence.CERTAIN, verdict, facts, size=per_s)


def resets(evidence: Evidence) -> Iterator[Seen]:
    """R33: many connections end by a reset."""
    growth = evidence.window
    opens = growth.total(*_OPENS)
    cut, sent = growth.of(_RESETS), growth.of(_RESETS_SENT)
    if opens < evidence.threshold("R33.least") or max(cut, sent) < evidence.threshold("R33.share") * opens:
        return
    share = max(cut, sent) / opens
    verdict = (
        tr("{share:.0%} of the new connections end by a reset", share=cut / opens)
        if cut >= sent
        else tr("{count:,} resets were sent, {share:.0%} of the new connections", count=sent, share=share)
    )
    facts = counter_fact(evidence, _RESETS, _RESETS_SENT, "Tcp.ActiveOpens", "Tcp.PassiveOpens", *_CAUSES)
    # What is sent to closed ports belongs to no connection.
    much = evidence.threshold("R33.much")
    is_much = evidence.is_lasting(lambda step: step.of(_RESETS) >= max(much * step.total(*_OPENS), 1))
    yield Seen(Severity.WARNING if is_much else Severity.INFO, Confidence.CERTAIN, verdict, facts, size=share)


def loss(evidence: Evidence) -> Iterator[Seen]:
    """R34: many segments are sent again."""
    growth = evidence.window
    sent = growth.of(_SENT)
    # What a peer tells to have got twice was sent again without need, and handshakes are for R08, R10 and R15.
    again = growth.of(_AGAIN) - growth.of(_NEEDLESS) - growth.of(_HANDSHAKES)
    if sent < evidence.threshold("R34.least") or again <= evidence.threshold("R34.warn") * sent:
        return
    verdict = tr("{share} of the segments are sent again: the network loses them", share=f"{again / sent:.1%}")
    facts = (
        *counter_fact(evidence, _AGAIN, _SENT, "TcpExt.TCPTimeouts", "TcpExt.TCPFastRetrans", "TcpExt.TCPLossProbes"),
        *counter_fact(evidence, "TcpExt.TCPSpuriousRtxHostQueues", _NEEDLESS),
        Fact(tr("connections that wait for an acknowledgement"), by_peer(also="retrans > 0")),
    )
    is_bad = again > evidence.threshold("R34.bad") * sent
    severity = Severity.CRITICAL if is_bad else Severity.WARNING
    yield Seen(severity, Confidence.LIKELY, verdict, facts, size=again / sent)


def disagreement(evidence: Evidence) -> Iterator[Seen]:
    """R39: the table has another number of sockets than the gauges."""
    told, found = table_and_gauges(evidence)
    if evidence.past.mismatches < 2 or not told:
        return
    verdict = tr("the gauges tell of {told:,} sockets, the table has {found:,}", told=told, found=found)
    facts = (
        *(
            Fact(f"{name} = {evidence.sample.counters[name]:,}", topic=name)
            for name in ("sockstat.TCP.inuse", "sockstat.TCP6.inuse", "sockstat.TCP.tw")
        ),
        Fact(tr("a difference of {share}", share=share_text(abs(told - found), told))),
    )
    yield Seen(Severity.INFO, Confidence.POSSIBLE, verdict, facts, size=abs(told - found))


RULES = (
    Rule(
        "R25",
        mark("Old timestamps"),
        old_timestamps,
        "TcpExt.PAWSEstab",
        mark("Look for hosts behind one NAT that use the same ports, and for a box that changes timestamps."),
        mark(
            "Setting clocks: TCP timestamps are counters with a random start, and have nothing to do with "
            "the time of day."
        ),
        mark("The rate is a few in a minute: old duplicates are normal."),
        (TcpState.TIME_WAIT,),
        RATES,
        is_about_sockets=False,
    ),
    Rule(
        "R32",
        mark("Peers given up"),
        dead_peers,
        "TcpExt.TCPAbortOnTimeout",
        mark("Check the path if there are many; a few are clients that have gone."),
        mark("Longer timeouts: the peers do not answer."),
        mark("The counter stands still after a network's failure has ended."),
        (),
        RATES,
        is_about_sockets=False,
    ),
    Rule(
        "R33",
        mark("Resets"),
        resets,
        "Tcp.EstabResets",
        mark(
            "See which of the causes grows: AbortOnData is SO_LINGER 0 or data after close, AbortOnClose is "
            "unread data. Fix the order in which the program closes."
        ),
        mark("Kernel parameters: the program or the peer resets."),
        mark("They are the health checks of a load balancer, which end in a reset."),
        (TcpState.ESTABLISHED,),
        RATES,
        is_about_sockets=False,
    ),
    Rule(
        "R34",
        mark("Retransmissions"),
        loss,
        "Tcp.RetransSegs",
        mark("Look at the network: a bad link, a full one, wrong MTU. Group the waiting connections by peer."),
        mark("Timeouts and retries of TCP: they only change how long it waits."),
        mark("TCPDSACKRecv grows as fast: then the segments had arrived, late or twice."),
        (),
        RATES,
        is_about_sockets=False,
    ),
    Rule(
        "R39",
        mark("Table and gauges disagree"),
        disagreement,
        "sockstat.TCP.inuse",
        mark("Look at all network namespaces (-N all); sockets of MPTCP are counted elsewhere."),
        mark("Looking again at once: it has been so for two samples."),
        mark("They agree in the next sample: a dump is not a single moment."),
        (),
        (Input.GAUGES, Input.EVERYTHING, Input.TWO_SAMPLES),
        is_about_sockets=False,
    ),
)

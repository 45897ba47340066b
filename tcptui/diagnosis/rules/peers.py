"""Whether one peer has most of what is wrong."""

from collections.abc import Iterator

from tcptui.diagnosis.evidence import Evidence
from tcptui.diagnosis.finding import Confidence, Fact, Severity
from tcptui.diagnosis.rule import Input, Rule, Seen, share_text
from tcptui.diagnosis.sockets import by_peer, connections
from tcptui.language import mark, tr
from tcptui.model.states import TcpState

BAD_STATES = (
    *(TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.CLOSE_WAIT, TcpState.FIN_WAIT1, TcpState.LAST_ACK),
    TcpState.CLOSING,
)
"""States in which nobody should be for long."""


def concentration(evidence: Evidence) -> Iterator[Seen]:
    """R35: one peer has more than half of a bad state."""
    sockets = evidence.sockets
    for state in BAD_STATES:
        index = sockets.at(state)
        if len(index) < evidence.threshold("R35.least"):
            continue
        names, counts = sockets.peers(index)
        if not len(counts) or counts[0] <= evidence.threshold("R35.share") * len(index):
            continue
        verdict = tr(
            "{peer} has {count:,} of {total:,} in {state}",
            peer=names[0],
            count=int(counts[0]),
            total=len(index),
            state=state.name,
        )
        facts = (
            Fact(tr("{share} of them are of this peer", share=share_text(int(counts[0]), len(index))), by_peer(state)),
            Fact(
                tr("{count:,} in {state}", count=int(counts[0]), state=state.name),
                connections(state, also=f"dst {names[0]}"),
            ),
        )
        yield Seen(
            Severity.INFO,
            Confidence.LIKELY,
            verdict,
            facts,
            f"{state.name} {names[0]}",
            float(counts[0]),
            explain=state.name,
            states=(state,),
        )


RULES = (
    Rule(
        "R35",
        mark("One peer"),
        concentration,
        "topics",
        mark("Look at that peer first, and at the NAT or balancer that it may be."),
        mark("Changes for all peers, where one has the trouble."),
        mark("It is the only peer that there is, as a proxy or a database is."),
        BAD_STATES,
        (Input.PEERS,),
    ),
)

"""Text to tree."""

import pytest
from hypothesis import given, settings

from tcptui.model.address import parse_network
from tcptui.model.states import TcpState
from tcptui.query.parse import parse_filter
from tcptui.query.syntax import And, Comparison, EndpointTest, Expression, Not, Or, PortTest, Side, StateTest
from tests.query.expressions import Written, filters

EQUAL, LESS, GREATER = Comparison.EQUAL, Comparison.LESS, Comparison.GREATER


def port(number: int, side: Side = Side.EITHER, comparison: Comparison = EQUAL) -> Expression:
    return PortTest(side, comparison, number)


def at(text: str, side: Side = Side.EITHER, number: int | None = None) -> Expression:
    return EndpointTest(side, parse_network(text), number)


def state(name: str) -> Expression:
    return StateTest(frozenset({TcpState[name]}))


A, B, C = port(1), port(2), port(3)

ACCEPTED: dict[str, Expression] = {
    # What a person would type.
    ":443": port(443),
    "443": port(443),
    "port 443": port(443),
    "port=443": port(443),
    "10.1.2.3": at("10.1.2.3"),
    "10.0.0.0/8": at("10.0.0.0/8"),
    "10.1.2.3:443": at("10.1.2.3", number=443),
    "10.0.0.0/8:443": at("10.0.0.0/8", number=443),
    "::1": at("::1"),
    "[::1]": at("::1"),
    "[::1]:22": at("::1", number=22),
    "fe80::/10": at("fe80::/10"),
    "[fe80::]/10": at("fe80::/10"),
    "::ffff:10.1.2.3": at("10.1.2.3"),
    "ip 10.1.2.3": at("10.1.2.3"),
    "established": state("ESTABLISHED"),
    "TIME-WAIT": state("TIME_WAIT"),
    # As ss(8) has it.
    "dport = :443": port(443, Side.REMOTE),
    "sport = :22": port(22, Side.LOCAL),
    "sport gt :1024": port(1024, Side.LOCAL, GREATER),
    "sport > :1024": port(1024, Side.LOCAL, GREATER),
    "dport lt 1024": port(1024, Side.REMOTE, LESS),
    "dport ge :80": port(80, Side.REMOTE, Comparison.GREATER_OR_EQUAL),
    "dport leq :80": port(80, Side.REMOTE, Comparison.LESS_OR_EQUAL),
    "dport eq :80": port(80, Side.REMOTE),
    "dport neq :80": Not(port(80, Side.REMOTE)),
    "dport :443": port(443, Side.REMOTE),
    "dport 443": port(443, Side.REMOTE),
    "dport:443": port(443, Side.REMOTE),
    "dst 10.0.0.0/8": at("10.0.0.0/8", Side.REMOTE),
    "dst = 10.1.2.3": at("10.1.2.3", Side.REMOTE),
    "dst != 10.1.2.3": Not(at("10.1.2.3", Side.REMOTE)),
    "dst 10.1.2.3:443": at("10.1.2.3", Side.REMOTE, 443),
    "dst :443": port(443, Side.REMOTE),
    "src [::1]:22": at("::1", Side.LOCAL, 22),
    "src 127.0.0.1": at("127.0.0.1", Side.LOCAL),
    "state established": state("ESTABLISHED"),
    "state fin-wait-2": state("FIN_WAIT2"),
    "state SYN_RCVD": state("SYN_RECV"),
    "exclude time-wait": Not(state("TIME_WAIT")),
    "state established dport = :443": And((state("ESTABLISHED"), port(443, Side.REMOTE))),
    "( dport = :443 or sport = :443 )": Or((port(443, Side.REMOTE), port(443, Side.LOCAL))),
    # Joining, and what binds tighter.
    ":1 and :2": And((A, B)),
    ":1 & :2": And((A, B)),
    ":1 && :2": And((A, B)),
    ":1 :2": And((A, B)),
    ":1 or :2": Or((A, B)),
    ":1 | :2": Or((A, B)),
    ":1||:2": Or((A, B)),
    ":1 and :2 and :3": And((A, B, C)),
    ":1 or :2 or :3": Or((A, B, C)),
    ":1 or :2 and :3": Or((A, And((B, C)))),
    ":1 and :2 or :3": Or((And((A, B)), C)),
    ":1 :2 or :3": Or((And((A, B)), C)),
    "(:1 or :2) and :3": And((Or((A, B)), C)),
    "(:1 or :2) :3": And((Or((A, B)), C)),
    ":1 and (:2 and :3)": And((A, And((B, C)))),
    "not :1": Not(A),
    "!:1": Not(A),
    "! :1": Not(A),
    "not :1 and :2": And((Not(A), B)),
    "not :1 or :2": Or((Not(A), B)),
    "not (:1 or :2)": Not(Or((A, B))),
    "not not :1": A,
    "not not not :1": Not(A),
    "not exclude listen": state("LISTEN"),
    "not port != 1": A,
    ":1 not :2": And((A, Not(B))),
    ":1 !:2": And((A, Not(B))),
    # Numbers and spelling at their edges.
    "port 0": port(0),
    "port 65535": port(65535),
    "port 00080": port(80),
    "PORT 1": A,
    "State Established": state("ESTABLISHED"),
    "  :1  ": A,
    "((((:1))))": A,
    "0.0.0.0/0": at("0.0.0.0/0"),
    "::/0": at("::/0"),
    "10.1.2.3/8": at("10.0.0.0/8"),
}


@pytest.mark.parametrize(("text", "tree"), ACCEPTED.items(), ids=ACCEPTED)
def test_a_filter_means_what_it_says(text: str, tree: Expression) -> None:
    assert parse_filter(text).expression == tree


@settings(max_examples=150)
@given(filters)
def test_any_filter_becomes_the_tree_it_was_written_from(written: Written) -> None:
    assert parse_filter(written.text).expression == written.tree


@given(filters)
def test_a_filter_keeps_the_text_it_was_written_as(written: Written) -> None:
    """On one line, with single blanks."""
    parsed = parse_filter(f"  {written.text} ")
    assert parsed.text == " ".join(written.text.split())
    assert parse_filter(parsed.text) == parsed

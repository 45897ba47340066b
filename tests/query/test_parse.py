"""Text to tree."""

import pytest
from hypothesis import given, settings

from tcptui.model.address import parse_network
from tcptui.model.states import TcpState
from tcptui.query.names import Names
from tcptui.query.parse import parse_filter
from tcptui.query.syntax import (
    NO_LIMIT,
    AgeTest,
    AmountTest,
    And,
    AutoboundTest,
    CgroupTest,
    EndpointTest,
    Expression,
    FamilyTest,
    InterfaceTest,
    MarkTest,
    NetnsTest,
    Not,
    Or,
    PidTest,
    PortTest,
    ProcessTest,
    ServiceTest,
    Side,
    Span,
    StateTest,
    TimerTest,
    UserTest,
)
from tests.query.expressions import NAMES, Written, filters, tests

LOCAL, REMOTE, EITHER = Side.LOCAL, Side.REMOTE, Side.EITHER


def port(low: int, side: Side = EITHER, high: int | None = None) -> Expression:
    return PortTest(side, Span(low, low if high is None else high))


def at(text: str, side: Side = EITHER, number: int | None = None) -> Expression:
    return EndpointTest(side, parse_network(text), None if number is None else Span(number, number))


def state(*names: str) -> Expression:
    return StateTest(frozenset(TcpState[name] for name in names))


def other_states(*names: str) -> Expression:
    return StateTest(frozenset(TcpState) - {TcpState[name] for name in names})


def amount(field_id: str, low: int, high: int = NO_LIMIT) -> Expression:
    return AmountTest(field_id, Span(low, high))


A, B, C = port(1), port(2), port(3)
ANYWHERE = port(0, EITHER, 65535)

ACCEPTED: dict[str, Expression] = {
    # What a person would type.
    ":443": port(443),
    "443": port(443),
    "8000-8100": port(8000, EITHER, 8100),
    "port 443": port(443),
    "port=443": port(443),
    "port 8000-8100": port(8000, EITHER, 8100),
    "port ssh": port(22),
    "10.1.2.3": at("10.1.2.3"),
    "10.0.0.0/8": at("10.0.0.0/8"),
    "10/8": at("10.0.0.0/8"),
    "192.168/16": at("192.168.0.0/16"),
    "10.0.0.0/255.0.0.0": at("10.0.0.0/8"),
    "10.1.2.3:443": at("10.1.2.3", number=443),
    "10.0.0.0/8:443": at("10.0.0.0/8", number=443),
    "10.1.2.3:https": at("10.1.2.3", number=443),
    "10.1.2.3:*": at("10.1.2.3"),
    "::1": at("::1"),
    "[::1]": at("::1"),
    "[::1]:22": at("::1", number=22),
    "fe80::/10": at("fe80::/10"),
    "[fe80::]/10": at("fe80::/10"),
    "[fe80::/10]:22": at("fe80::/10", number=22),
    "::ffff:10.1.2.3": at("10.1.2.3"),
    "ip 10.1.2.3": at("10.1.2.3"),
    "web-1:443": Or((at("10.0.0.5", number=443), at("2001:db8::1", number=443))),
    "dst DB": at("192.0.2.1", REMOTE),
    "established": state("ESTABLISHED"),
    "TIME-WAIT": state("TIME_WAIT"),
    "nginx": ProcessTest("nginx"),
    "https": ProcessTest("https"),
    "java*": ProcessTest("java*"),
    '"Web Content"': ProcessTest("Web Content"),
    '"443"': ProcessTest("443"),
    '"Ünïcode"': ProcessTest("Ünïcode"),
    "process listen": ProcessTest("listen"),
    "process port": ProcessTest("port"),
    'process "="': ProcessTest("="),
    "process != nginx": Not(ProcessTest("nginx")),
    "pid 812": PidTest(Span(812, 812)),
    "pid < 100": PidTest(Span(0, 99)),
    "pid >= 0x10": PidTest(Span(16, NO_LIMIT)),
    "user www-data": UserTest(33, "www-data"),
    "user 1000": UserTest(1000, "1000"),
    "service nginx.service": ServiceTest("nginx.service"),
    "cgroup /sys/fs/cgroup/system.slice/ssh.service": CgroupTest("/system.slice/ssh.service"),
    "cgroup /sys/fs/cgroup/unified/user.slice/": CgroupTest("/user.slice"),
    "cgroup /": CgroupTest("/"),
    "netns blue": NetnsTest("blue"),
    "netns self": NetnsTest("self"),
    "NETNS 812": NetnsTest("812"),
    "netns = b*": NetnsTest("b*"),
    "netns != blue": Not(NetnsTest("blue")),
    "netns a or netns b": Or((NetnsTest("a"), NetnsTest("b"))),
    'netns "pid 812 nginx"': NetnsTest("pid 812 nginx"),
    "netns state": NetnsTest("state"),
    "recvq > 0": amount("recv_queue_bytes", 1),
    "sendq >= 64k": amount("send_queue_bytes", 65536),
    "sendq<1MiB": amount("send_queue_bytes", 0, 2**20 - 1),
    "recvq < 0": amount("recv_queue_bytes", 0, -1),
    "retrans != 0": Not(amount("retransmits", 0, 0)),
    "inode 0": amount("inode", 0, 0),
    "age > 5m": AgeTest(Span(300_001, NO_LIMIT)),
    "age <= 1h30m": AgeTest(Span(0, 5_400_000)),
    "age < 1.5s": AgeTest(Span(0, 1499)),
    "timer keepalive": TimerTest(2),
    "timer time-wait": TimerTest(3),
    "timer = TIME_WAIT": TimerTest(3),
    "timer != OFF": Not(TimerTest(0)),
    "@web": Or((port(443), port(8080))),
    "@quiet listening": And((Not(state("LISTEN")), state("LISTEN"))),
    "not @both": And((Or((port(443), port(8080))), Not(state("LISTEN")))),
    # As ss(8) has it.
    "dport = :443": port(443, REMOTE),
    "sport = :22": port(22, LOCAL),
    "sport = ssh": port(22, LOCAL),
    "sport gt :1024": port(1025, LOCAL, 65535),
    "sport > :1024": port(1025, LOCAL, 65535),
    "dport lt 1024": port(0, REMOTE, 1023),
    "dport ge :80": port(80, REMOTE, 65535),
    "dport leq :80": port(0, REMOTE, 80),
    "dport eq :80": port(80, REMOTE),
    "dport neq :80": Not(port(80, REMOTE)),
    "dport != 8000-8100": Not(port(8000, REMOTE, 8100)),
    "dport > :65535": port(65536, REMOTE, 65535),
    "dport :443": port(443, REMOTE),
    "dport 443": port(443, REMOTE),
    "sport = *:22": port(22, LOCAL),
    "sport *": port(0, LOCAL, 65535),
    "sport = inet6:*:22": And((FamilyTest(6), port(22, LOCAL))),
    "dst 10.0.0.0/8": at("10.0.0.0/8", REMOTE),
    "dst = 10.1.2.3": at("10.1.2.3", REMOTE),
    "dst != 10.1.2.3": Not(at("10.1.2.3", REMOTE)),
    "dst 10.1.2.3:443": at("10.1.2.3", REMOTE, 443),
    "dst :443": port(443, REMOTE),
    "dst *:443": port(443, REMOTE),
    "src *": port(0, LOCAL, 65535),
    "src [::1]:22": at("::1", LOCAL, 22),
    "src 127.0.0.1": at("127.0.0.1", LOCAL),
    "src inet:*:22": And((FamilyTest(4), port(22, LOCAL))),
    "inet6:": And((FamilyTest(6), ANYWHERE)),
    "dst != inet6:[::1]": Not(And((FamilyTest(6), at("::1", REMOTE)))),
    "state established": state("ESTABLISHED"),
    "state fin-wait-2": state("FIN_WAIT2"),
    "state SYN_RCVD": state("SYN_RECV"),
    "state bucket": state("SYN_RECV", "TIME_WAIT"),
    "state connected": other_states("LISTEN", "CLOSE"),
    "state synchronized": other_states("LISTEN", "CLOSE", "SYN_SENT"),
    "state big": other_states("SYN_RECV", "TIME_WAIT"),
    "state all": other_states(),
    "exclude time-wait": Not(state("TIME_WAIT")),
    "excl bucket": Not(state("SYN_RECV", "TIME_WAIT")),
    "autobound": AutoboundTest(),
    "dev eth0": InterfaceTest(2, "eth0"),
    "dev != lo": Not(InterfaceTest(1, "lo")),
    "dev 9": InterfaceTest(9, "9"),
    "fwmark 1": MarkTest(1, 0xFFFFFFFF),
    "fwmark = 0x01/0x03": MarkTest(1, 3),
    "state established dport = :443": And((state("ESTABLISHED"), port(443, REMOTE))),
    "( dport = :443 or sport = :443 )": Or((port(443, REMOTE), port(443, LOCAL))),
    # States side by side add up, as on the command line of ss.
    "state listen state time-wait": state("LISTEN", "TIME_WAIT"),
    "listen time-wait": state("LISTEN", "TIME_WAIT"),
    "state connected exclude established exclude time-wait": other_states(
        "LISTEN", "CLOSE", "ESTABLISHED", "TIME_WAIT"
    ),
    "exclude listen exclude closed": other_states("LISTEN", "CLOSE"),
    "exclude bucket state time-wait": other_states("SYN_RECV"),
    "state listen :22 state established": And((state("LISTEN"), port(22), state("ESTABLISHED"))),
    "state listen :22": And((state("LISTEN"), port(22))),
    "listen time-wait :22": And((state("LISTEN", "TIME_WAIT"), port(22))),
    "state listen and state time-wait": And((state("LISTEN"), state("TIME_WAIT"))),
    "state listen or state time-wait": Or((state("LISTEN"), state("TIME_WAIT"))),
    "(state listen) state time-wait": And((state("LISTEN"), state("TIME_WAIT"))),
    "not state listen state time-wait": And((Not(state("LISTEN")), state("TIME_WAIT"))),
    ":1 or listen time-wait": Or((A, state("LISTEN", "TIME_WAIT"))),
    "not (listen time-wait)": Not(state("LISTEN", "TIME_WAIT")),
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
    "(:1)(:2)": And((A, B)),
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
    "autobound and not :1": And((AutoboundTest(), Not(A))),
    # Numbers and spelling at their edges.
    "port 0": port(0),
    "port 65535": port(65535),
    "port 0x1bb": port(443),
    "PORT 1": A,
    "State Established": state("ESTABLISHED"),
    "NOT :1 AND :2 OR :3": Or((And((Not(A), B)), C)),
    "  :1  ": A,
    ":1\t\n:2": And((A, B)),
    "((((:1))))": A,
    "0.0.0.0/0": at("0.0.0.0/0"),
    "::/0": at("::/0"),
    "10.1.2.3/8": at("10.0.0.0/8"),
}


@pytest.mark.parametrize(("text", "tree"), ACCEPTED.items(), ids=ACCEPTED)
def test_a_filter_means_what_it_says(text: str, tree: Expression) -> None:
    assert parse_filter(text, NAMES).expression == tree


@pytest.mark.parametrize("name", ["node", "tor", "agent", "sshd", "java", "postgres", "x11", "usr", "port-scan"])
def test_a_short_word_that_is_not_much_like_ours_is_a_process(name: str) -> None:
    assert parse_filter(name).expression == ProcessTest(name)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('"close wait"', ProcessTest("close wait")),
        ('process "it\'s"', ProcessTest("it's")),
        ("process close", ProcessTest("close")),
        ("process time wait", And((ProcessTest("time"), ProcessTest("wait")))),
        ("netns time wait", And((NetnsTest("time"), ProcessTest("wait")))),
        ("process = fin :1", And((ProcessTest("fin"), A))),
        ("recvq > 64 killall", And((AmountTest("recv_queue_bytes", Span(65, NO_LIMIT)), ProcessTest("killall")))),
        ("pid 5 mysqld", And((PidTest(Span(5, 5)), ProcessTest("mysqld")))),
    ],
)
def test_what_only_looks_torn_is_taken_as_it_stands(text: str, tree: Expression) -> None:
    assert parse_filter(text).expression == tree


@settings(max_examples=120)
@given(tests)
def test_any_test_becomes_the_tree_it_was_written_from(written: Written) -> None:
    assert parse_filter(written.text, NAMES).expression == written.tree


@settings(max_examples=120)
@given(filters)
def test_any_filter_becomes_the_tree_it_was_written_from(written: Written) -> None:
    assert parse_filter(written.text, NAMES).expression == written.tree


@given(filters)
def test_a_filter_keeps_the_text_it_was_written_as(written: Written) -> None:
    """On one line, with single blanks."""
    parsed = parse_filter(f"  {written.text}\t", NAMES)
    assert parsed.text == " ".join(written.text.split())
    assert parsed.text.isprintable()
    assert parse_filter(parsed.text, NAMES) == parsed


def test_blanks_within_quotes_stay_as_they_are() -> None:
    parsed = parse_filter('"a  b"   "c   d"')
    assert parsed.text == '"a  b" "c   d"'
    assert parsed.expression == And((ProcessTest("a  b"), ProcessTest("c   d")))


def test_saved_filters_may_stand_for_others() -> None:
    saved = {"a": "@b or :1", "b": "not @c", "c": ":2"}
    assert parse_filter("@a and :3", Names(saved=saved)).expression == And((Or((Not(B), A)), C))


def test_a_saved_filter_may_stand_often() -> None:
    names = Names(saved={"a": ":1 or :2"})
    assert parse_filter(" | ".join(["@a"] * 500), names).expression == Or((Or((A, B)),) * 500)


def test_a_host_has_the_addresses_that_can_be_read() -> None:
    """Some systems list addresses with a zone."""
    names = Names(hosts={"router": ("fe80::1%eth0", "192.0.2.1")})
    assert parse_filter("dst router", names).expression == at("192.0.2.1", REMOTE)


def test_a_user_may_be_named_like_a_number() -> None:
    """As in chown(1), the name goes first."""
    assert parse_filter("user 33", Names(users={"33": 1033})).expression == UserTest(1033, "33")

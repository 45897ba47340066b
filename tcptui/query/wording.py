"""A filter in words: what each test of it says."""

from collections.abc import Callable
from typing import Any

from tcptui.model.address import ADDRESS_BITS, IPV4_BITS, Network, address_text
from tcptui.model.fields import duration_text
from tcptui.model.owners import LIKELY_LEAD
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.model.table import TIMER_NAMES
from tcptui.query.mask import prefix_length
from tcptui.query.syntax import (
    HIGHEST_PORT,
    NO_LIMIT,
    AgeTest,
    AmountTest,
    And,
    AutoboundTest,
    CgroupTest,
    Constant,
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
    Test,
    TimerTest,
    UserTest,
)
from tcptui.query.values import LARGEST_U32
from tcptui.query.words import AMOUNT_FIELDS

_INDENT = "  "
_SIDE_WORDS = {Side.LOCAL: "the local", Side.REMOTE: "the remote", Side.EITHER: "either"}
_AMOUNT_WORDS = {
    "recv_queue_bytes": ("the receive queue (a listener's accept queue) is", ""),
    "send_queue_bytes": ("the send queue (a listener's backlog) is", ""),
    "retransmits": ("the count of retransmissions or probes is", ""),
    "inode": ("the inode is", ""),
}


def outline(expression: Expression, indent: str = "") -> list[str]:
    """The expression as lines, what belongs together indented under a heading."""
    if isinstance(expression, Not):
        if isinstance(expression.operand, (And, Or)):
            heading = "not all of" if isinstance(expression.operand, And) else "none of"
            return [indent + heading, *_below(expression.operand, indent)]
        return [f"{indent}not: {in_words(expression.operand)}"]
    if isinstance(expression, (And, Or)):
        return [indent + ("all of" if isinstance(expression, And) else "any of"), *_below(expression, indent)]
    return [indent + in_words(expression)]


def _below(expression: And | Or, indent: str) -> list[str]:
    return [line for each in expression.operands for line in outline(each, indent + _INDENT)]


def in_words(test: Expression) -> str:
    """What one test says; a combination as one line."""
    if isinstance(test, Not):
        return f"not ({in_words(test.operand)})"
    if isinstance(test, (And, Or)):
        joint = " and " if isinstance(test, And) else " or "
        return joint.join(
            f"({in_words(each)})" if isinstance(each, (And, Or)) else in_words(each) for each in test.operands
        )
    return _WORDS[type(test)](test)


def states_in_words(states: frozenset[TcpState]) -> str:
    """``any``, ``LISTEN``, ``any but TIME_WAIT``, ``one of CLOSE_WAIT, LAST_ACK``."""
    others = [state.name for state in ALL_STATES if state not in states]
    names = [state.name for state in ALL_STATES if state in states]
    if not others:
        return "any"
    if len(others) <= 2:
        return f"any but {' and '.join(others)}"
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}" if names else "none"


def span_in_words(
    span: Span, highest: int, show: Callable[[int], str] = str, ends: tuple[str, str] = ("or above", "or below")
) -> str:
    """``443``, ``from 8000 to 8100``, ``1024 or above``, ``any``; ``ends`` follow the only end of an open span."""
    if span.low > span.high:
        return "none at all"
    if span.low == span.high:
        return show(span.low)
    if span.high >= highest:
        return f"{show(span.low)} {ends[0]}" if span.low > 0 else "any"
    return f"from {show(span.low)} to {show(span.high)}" if span.low > 0 else f"{show(span.high)} {ends[1]}"


def network_text(network: Network) -> str:
    """``10.1.2.3``, ``10.0.0.0/8``, ``fe80::/10``."""
    text = address_text(network.hi, network.lo)
    bits = prefix_length(network)
    if "." in text and ":" not in text:
        bits -= ADDRESS_BITS - IPV4_BITS
        return text if bits == IPV4_BITS else f"{text}/{bits}"
    return text if bits == ADDRESS_BITS else f"{text}/{bits}"


def _port(test: PortTest) -> str:
    return f"{_SIDE_WORDS[test.side]} port is {span_in_words(test.ports, HIGHEST_PORT)}"


def _endpoint(test: EndpointTest) -> str:
    network = network_text(test.network)
    text = f"{_SIDE_WORDS[test.side]} address is {'in ' if '/' in network else ''}{network}"
    return text if test.ports is None else f"{text}, the port beside it {span_in_words(test.ports, HIGHEST_PORT)}"


def _amount(test: AmountTest) -> str:
    before, after = _AMOUNT_WORDS[test.field_id]
    return f"{before} {span_in_words(test.amounts, NO_LIMIT, '{:,}'.format)}{after}"


def _age(test: AgeTest) -> str:
    time = span_in_words(test.ages, NO_LIMIT, duration_text, ("or longer", "or less"))
    return f"the socket has been in its state for {time}, as far as it was watched"


def _timer(test: TimerTest) -> str:
    return f"the {TIMER_NAMES[test.timer]} timer runs" if test.timer else "no timer runs"


def _mark(test: MarkTest) -> str:
    bits = "" if test.mask == LARGEST_U32 else f" in the bits {test.mask:#x}"
    return f"the firewall mark is {test.mark:#x}{bits}"


def _process(test: ProcessTest) -> str:
    if test.name.startswith("("):
        return f"the table says {test.name} instead of a process"
    if test.name.startswith(LIKELY_LEAD):
        return f"a process named {test.name.removeprefix(LIKELY_LEAD)} is likely to have held the socket"
    return f"a process named {test.name} holds the socket or held it"


def _service(test: ServiceTest) -> str:
    if test.name.startswith("("):
        return f"the table says {test.name} instead of a service"
    if test.name.startswith(LIKELY_LEAD):
        return f"the socket is likely to have belonged to the service {test.name.removeprefix(LIKELY_LEAD)}"
    return f"the socket belongs to the service {test.name} or to one below it"


_WORDS: dict[type[Test], Callable[[Any], str]] = {
    Constant: lambda test: "always" if test.value else "never",
    StateTest: lambda test: f"the state is {states_in_words(test.states)}",
    PortTest: _port,
    EndpointTest: _endpoint,
    FamilyTest: lambda test: f"the socket is an IPv{test.family} one",
    AmountTest: _amount,
    AgeTest: _age,
    TimerTest: _timer,
    InterfaceTest: lambda test: f"the socket is bound to the interface {test.name} (index {test.index})",
    MarkTest: _mark,
    AutoboundTest: lambda _test: "the kernel chose the local port",
    CgroupTest: lambda test: f"the socket was made in the cgroup {test.path}",
    ServiceTest: _service,
    NetnsTest: lambda test: f"the socket is in the network namespace {test.name}",
    UserTest: lambda test: f"the user {test.name} (uid {test.uid}) owns the socket",
    PidTest: lambda test: f"a process whose id is {span_in_words(test.pids, NO_LIMIT)} holds the socket or held it",
    ProcessTest: _process,
}

_FIELD_WORDS = {field_id: word for word, field_id in AMOUNT_FIELDS.items()}
_TEST_WORDS: dict[type[Test], str] = {
    AgeTest: "age",
    TimerTest: "timer",
    InterfaceTest: "dev",
    MarkTest: "fwmark",
    AutoboundTest: "autobound",
    CgroupTest: "cgroup",
    ServiceTest: "service",
    NetnsTest: "netns",
    UserTest: "user",
    PidTest: "pid",
    ProcessTest: "process",
}


def word_of(test: Test) -> str:
    """The word of the language that a test is written with; empty for those that have several."""
    return _FIELD_WORDS[test.field_id] if isinstance(test, AmountTest) else _TEST_WORDS.get(type(test), "")

"""A filter in words: what each test of it says."""

from collections.abc import Callable
from typing import Any

from tcptui.language import mark, tr
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
_SIDE_WORDS = {Side.LOCAL: mark("the local"), Side.REMOTE: mark("the remote"), Side.EITHER: mark("either")}
_AMOUNT_WORDS = {
    "recv_queue_bytes": mark("the receive queue (a listener's accept queue) is {amount}"),
    "send_queue_bytes": mark("the send queue (a listener's backlog) is {amount}"),
    "retransmits": mark("the count of retransmissions or probes is {amount}"),
    "inode": mark("the inode is {amount}"),
}

ANY_STATE = (mark("any state"), mark("any state but {state}"), mark("any state but {state} and {other}"))
"""For ``states_in_words``, where nothing else says that they are states."""


def outline(expression: Expression, indent: str = "") -> list[str]:
    """The expression as lines, what belongs together indented under a heading."""
    if isinstance(expression, Not):
        if isinstance(expression.operand, (And, Or)):
            heading = tr("not all of") if isinstance(expression.operand, And) else tr("none of")
            return [indent + heading, *_below(expression.operand, indent)]
        return [indent + tr("not: {test}", test=in_words(expression.operand))]
    if isinstance(expression, (And, Or)):
        heading = tr("all of") if isinstance(expression, And) else tr("any of")
        return [indent + heading, *_below(expression, indent)]
    return [indent + in_words(expression)]


def _below(expression: And | Or, indent: str) -> list[str]:
    return [line for each in expression.operands for line in outline(each, indent + _INDENT)]


def in_words(test: Expression) -> str:
    """What one test says; a combination as one line."""
    if isinstance(test, Not):
        return tr("not ({test})", test=in_words(test.operand))
    if isinstance(test, (And, Or)):
        joint = tr(" and ") if isinstance(test, And) else tr(" or ")
        return joint.join(
            f"({in_words(each)})" if isinstance(each, (And, Or)) else in_words(each) for each in test.operands
        )
    return _WORDS[type(test)](test)


def states_in_words(
    states: frozenset[TcpState],
    any_of: tuple[str, str, str] = (mark("any"), mark("any but {state}"), mark("any but {state} and {other}")),
) -> str:
    """``any``, ``LISTEN``, ``any but TIME_WAIT``, ``one of CLOSE_WAIT, LAST_ACK``.

    ``any_of`` are the messages for all states, for all but one, and for all but two.
    """
    others = [state.name for state in ALL_STATES if state not in states]
    names = [state.name for state in ALL_STATES if state in states]
    if not others:
        return tr(any_of[0])
    if len(others) == 1:
        return tr(any_of[1], state=others[0])
    if len(others) == 2:
        return tr(any_of[2], state=others[0], other=others[1])
    if len(names) > 1:
        return tr("one of {states}", states=tr(", ").join(names))
    return names[0] if names else tr("none")


def span_in_words(
    span: Span,
    highest: int,
    show: Callable[[int], str] = str,
    open_ends: tuple[str, str] = (mark("{end} or above"), mark("{end} or below")),
) -> str:
    """``443``, ``from 8000 to 8100``, ``1024 or above``, ``any``; ``open_ends`` are the messages for one end alone."""
    if span.low > span.high:
        return tr("none at all")
    if span.low == span.high:
        return show(span.low)
    if span.high >= highest:
        return tr(open_ends[0], end=show(span.low)) if span.low > 0 else tr("any")
    if span.low > 0:
        return tr("from {low} to {high}", low=show(span.low), high=show(span.high))
    return tr(open_ends[1], end=show(span.high))


def network_text(network: Network) -> str:
    """``10.1.2.3``, ``10.0.0.0/8``, ``fe80::/10``."""
    text = address_text(network.hi, network.lo)
    bits = prefix_length(network)
    if "." in text and ":" not in text:
        bits -= ADDRESS_BITS - IPV4_BITS
        return text if bits == IPV4_BITS else f"{text}/{bits}"
    return text if bits == ADDRESS_BITS else f"{text}/{bits}"


def _port(test: PortTest) -> str:
    ports = span_in_words(test.ports, HIGHEST_PORT)
    return tr("{side} port is {ports}", side=tr(_SIDE_WORDS[test.side]), ports=ports)


def _endpoint(test: EndpointTest) -> str:
    network = network_text(test.network)
    message = mark("{side} address is in {network}") if "/" in network else mark("{side} address is {network}")
    text = tr(message, side=tr(_SIDE_WORDS[test.side]), network=network)
    if test.ports is None:
        return text
    return tr("{address}, the port beside it {ports}", address=text, ports=span_in_words(test.ports, HIGHEST_PORT))


def _amount(test: AmountTest) -> str:
    return tr(_AMOUNT_WORDS[test.field_id], amount=span_in_words(test.amounts, NO_LIMIT, "{:,}".format))


def _age(test: AgeTest) -> str:
    time = span_in_words(test.ages, NO_LIMIT, duration_text, (mark("{end} or longer"), mark("{end} or less")))
    return tr("the socket has been in its state for {time}, as far as it was watched", time=time)


def _timer(test: TimerTest) -> str:
    return tr("the {timer} timer runs", timer=TIMER_NAMES[test.timer]) if test.timer else tr("no timer runs")


def _mark(test: MarkTest) -> str:
    if test.mask == LARGEST_U32:
        return tr("the firewall mark is {mark:#x}", mark=test.mark)
    return tr("the firewall mark is {mark:#x} in the bits {mask:#x}", mark=test.mark, mask=test.mask)


def _process(test: ProcessTest) -> str:
    if test.name.startswith("("):
        return tr("the table says {reason} instead of a process", reason=tr(test.name))
    if test.name.startswith(LIKELY_LEAD):
        name = test.name.removeprefix(LIKELY_LEAD)
        return tr("a process named {name} is likely to have held the socket", name=name)
    return tr("a process named {name} holds the socket or held it", name=test.name)


def _service(test: ServiceTest) -> str:
    if test.name.startswith("("):
        return tr("the table says {reason} instead of a service", reason=tr(test.name))
    if test.name.startswith(LIKELY_LEAD):
        name = test.name.removeprefix(LIKELY_LEAD)
        return tr("the socket is likely to have belonged to the service {name}", name=name)
    return tr("the socket belongs to the service {name} or to one below it", name=test.name)


def _interface(test: InterfaceTest) -> str:
    return tr("the socket is bound to the interface {name} (index {index})", name=test.name, index=test.index)


def _pid(test: PidTest) -> str:
    return tr("a process whose id is {pid} holds the socket or held it", pid=span_in_words(test.pids, NO_LIMIT))


_WORDS: dict[type[Test], Callable[[Any], str]] = {
    Constant: lambda test: tr("always") if test.value else tr("never"),
    StateTest: lambda test: tr("the state is {states}", states=states_in_words(test.states)),
    PortTest: _port,
    EndpointTest: _endpoint,
    FamilyTest: lambda test: tr("the socket is an IPv{family} one", family=test.family),
    AmountTest: _amount,
    AgeTest: _age,
    TimerTest: _timer,
    InterfaceTest: _interface,
    MarkTest: _mark,
    AutoboundTest: lambda _test: tr("the kernel chose the local port"),
    CgroupTest: lambda test: tr("the socket was made in the cgroup {path}", path=test.path),
    ServiceTest: _service,
    NetnsTest: lambda test: tr("the socket is in the network namespace {name}", name=test.name),
    UserTest: lambda test: tr("the user {name} (uid {uid}) owns the socket", name=test.name, uid=test.uid),
    PidTest: _pid,
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

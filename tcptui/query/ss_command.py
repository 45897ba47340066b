"""The nearest ``ss(8)`` command of a filter, ready to paste."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tcptui.language import mark, tr
from tcptui.model.address import parse_network
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.mask import OWN_NAMESPACE, is_ipv4_network, namespace_test, prefix_length, surrounds_ipv4
from tcptui.query.simplify import all_of, any_of, by_state, replaced
from tcptui.query.syntax import (
    EVERYTHING,
    HIGHEST_PORT,
    NOTHING,
    AgeTest,
    AmountTest,
    And,
    AutoboundTest,
    CgroupTest,
    Constant,
    EndpointTest,
    Expression,
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
    Test,
    TimerTest,
    UserTest,
    conjuncts,
    tests_in,
)
from tcptui.query.wording import network_text
from tcptui.query.words import STATE_GROUPS, STATE_WORDS

_MOST_COMMANDS = 3
_ALL_IPV4, _ALL_IPV6 = parse_network("0.0.0.0/0"), parse_network("::/0")
_ANY_PORT = Span(0, HIGHEST_PORT)
_EVERYWHERE = "all"
"""What our ``-N`` takes for every namespace, and that of ``ss`` does not."""
_NAMED_NAMESPACES = "/run/netns/"
_ROOT_CGROUP = "/"
"""``ss`` looks for a path in the file system first, so that it takes this one for another directory."""
_PORT_WORDS = {Side.LOCAL: "sport", Side.REMOTE: "dport"}
_HOST_WORDS = {Side.LOCAL: "src", Side.REMOTE: "dst"}

_BEYOND_SS: dict[type[Test], tuple[str, str]] = {
    PidTest: (mark("process"), "-p"),
    ProcessTest: (mark("process"), "-p"),
    TimerTest: (mark("timer"), "-o"),
    UserTest: (mark("user"), "-e"),
    ServiceTest: (mark("service"), "--cgroup"),
}
"""What ``ss`` cannot select by, as a message, and the option that at least shows it."""
_BEYOND_SS_AMOUNTS = {
    "recv_queue_bytes": ("Recv-Q", ""),
    "send_queue_bytes": ("Send-Q", ""),
    "retransmits": (mark("retransmissions"), "-o"),
    "inode": ("inode", "-e"),
}


class _MappedEndpointTest(EndpointTest):
    """One whose IPv4 network is written in its mapped form."""


@dataclass(frozen=True)
class SsCommands:
    """What to type instead of a filter."""

    commands: tuple[str, ...]
    """Lines for a shell; several where the states of one filter need different conditions. Empty: nothing matches."""
    remarks: tuple[str, ...]
    """Where what they show differs from what the filter means."""


def ss_commands(expression: Expression, options: Sequence[str] = (), *, shows: str = "") -> SsCommands:
    """The nearest commands for ``expression``; ``options`` are ours for where to look: ``-N``, ``-4``, ``-6``.

    ``shows`` are letters of options by which ``ss`` shows more of each socket.
    """
    place = _place(expression, options)
    expression, options = place.expression, place.options
    tests = list(tests_in(expression))
    beyond = {_beyond(test) for test in tests} - {("", "")}
    groups, is_wider = _groups(expression, [family for family in (4, 6) if f"-{family}" in options] or [4, 6])
    before, shared = _prefix(options, sees_cgroups=any(isinstance(test, CgroupTest) for test in tests))
    letters = "".join(sorted({*shows, *(option[1:] for _, option in beyond if option[1:].isalpha())}))
    shared += ["--cgroup"] * any(option == "--cgroup" for _, option in beyond)
    commands = tuple(
        before + shlex.join(["ss", f"-tan{letters}", *shared, *family, *_state_words(states), *_condition(condition)])
        for family, states, condition in groups
    )
    remarks = []
    if beyond:
        names = _listed(tr(name) for name in sorted(name for name, _ in beyond))
        remarks.append(tr("ss cannot select by {names}: this shows more", names=names))
    elif is_wider:
        remarks.append(tr("ss has one list of states for the whole filter: this shows more"))
    if _denies_autobound(expression):
        remarks.append(tr("ss leaves out of ! autobound what it takes for neither, such as accepted connections"))
    return SsCommands(commands, (*remarks, *place.remarks))


@dataclass(frozen=True)
class _Place:
    """The network namespace that ``ss`` is to look into, and what of a filter is left to say there."""

    expression: Expression
    options: Sequence[str]
    remarks: tuple[str, ...] = ()


def _place(expression: Expression, options: Sequence[str]) -> _Place:
    """Where the options say, unless that is everywhere or here: then where the filter says, if that is one place."""
    words = list(options)
    where = words[words.index("-N") + 1] if "-N" in words else ""
    if where not in ("", _EVERYWHERE):
        return _Place(_told_in(where, expression), words)
    words = [word for word in words if word not in ("-N", _EVERYWHERE)]
    asked = list(dict.fromkeys(test for test in tests_in(expression) if isinstance(test, NetnsTest)))
    if len(asked) == 1 and asked[0] in conjuncts(expression):
        name = asked[0].name
        if name.lower() == OWN_NAMESPACE:
            return _Place(_told_in(name, expression), words)
        if _is_of_ip_netns(name):
            return _Place(_told_in(name, expression), [*words, "-N", name])
    return _Place(expression, words, (_one_namespace(expression),) if asked or where else ())


def _told_in(label: str, expression: Expression) -> Expression:
    """What is left of ``expression`` for sockets of the namespace with this label."""

    def outcome(test: Test) -> Expression:
        return Constant(namespace_test(test.name)(label)) if isinstance(test, NetnsTest) else test

    return replaced(expression, outcome)


def _one_namespace(expression: Expression) -> str:
    """That ``ss`` does not look into several namespaces, with the options for those that are asked for."""
    names = [test.name for test in _not_denied(expression) if isinstance(test, NetnsTest)]
    options = [f"-N {shlex.quote(name)}" for name in names if _is_of_ip_netns(name)]
    ways = [tr("add {options} for it", options=_listed(options))] if options else []
    ways += [tr("put nsenter -t {pid} -n before it", pid=name) for name in names if name.isdecimal()]
    ways = ways or [tr("add -N NAME for another")]
    return tr("ss looks into one namespace: {ways}", ways=_listed(ways))


def _not_denied(expression: Expression) -> Iterator[Test]:
    """The tests that stand under no "not"."""
    if isinstance(expression, (And, Or)):
        for operand in expression.operands:
            yield from _not_denied(operand)
    elif not isinstance(expression, Not):
        yield expression


def _is_of_ip_netns(name: str) -> bool:
    """Whether ``name`` looks like one of ip-netns(8), rather than like a pattern or a part of another label."""
    return not (name.isdecimal() or name.lower() == OWN_NAMESPACE or set(name) & set("*?/ "))


def _groups(
    expression: Expression, families: Sequence[int]
) -> tuple[list[tuple[list[str], frozenset[TcpState], Expression]], bool]:
    """Options, states and condition of each command, and whether they show more for want of commands."""
    told = {family: _told_to(family, expression) for family in families}
    by_family = {family: by_state(told[family], ss_can_tell, family, most=len(ALL_STATES)) for family in families}
    is_wider = any(len(found) > _MOST_COMMANDS for found in by_family.values())
    if is_wider:
        by_family = {family: by_state(told[family], ss_can_tell, family, most=1) for family in families}
    first, *others = by_family.values()
    told_apart = any(found != first for found in others)
    groups = []
    for family, found in by_family.items() if told_apart else [(families[0] if not others else 0, first)]:
        option = [f"-{family}"] if told_apart else []
        for condition, states in found.items():
            groups.append((option, states, replaced(condition, _in_mapped_form) if family == 6 else condition))
    return groups, is_wider


def _told_to(family: int, expression: Expression) -> Expression:
    """``expression`` for the sockets of one family, without networks of all its addresses.

    Where no bit of an address counts, ``ss`` takes those of the other family for members too, and so denies too much.
    """

    def outcome(test: Test) -> Expression:
        if not isinstance(test, EndpointTest):
            return test
        return any_of(_endpoint_told_to(family, replace(test, side=end)) for end in test.side.ends)

    return replaced(expression, outcome)


def _endpoint_told_to(family: int, test: EndpointTest) -> Expression:
    ports = EVERYTHING if test.ports is None or test.ports == _ANY_PORT else PortTest(test.side, test.ports)
    if family == 4 and not is_ipv4_network(test.network):
        return NOTHING
    if family == 4 and test.network == _ALL_IPV4:
        return ports
    if not surrounds_ipv4(test.network):
        return replace(test, ports=None) if ports == EVERYTHING else test
    is_within = EVERYTHING if test.network == _ALL_IPV6 else EndpointTest(test.side, test.network)
    return all_of((is_within, Not(EndpointTest(test.side, _ALL_IPV4)), ports))


def ss_can_tell(test: Test) -> bool:
    """Whether ``ss`` has a word for a test that depends on neither state nor family."""
    if isinstance(test, CgroupTest):
        return test.path != _ROOT_CGROUP
    return isinstance(test, (PortTest, EndpointTest, InterfaceTest, MarkTest, AutoboundTest))


def _beyond(test: Test) -> tuple[str, str]:
    if isinstance(test, AmountTest):
        return _BEYOND_SS_AMOUNTS[test.field_id]
    if isinstance(test, AgeTest):
        return mark("time in a state"), ""
    if isinstance(test, CgroupTest) and not ss_can_tell(test):
        return mark("the root cgroup"), "--cgroup"
    return _BEYOND_SS.get(type(test), ("", ""))


def _listed(names: Iterable[str]) -> str:
    *first, last = dict.fromkeys(names)
    return tr("{first} or {last}", first=tr(", ").join(first), last=last) if first else last


def _denies_autobound(expression: Expression, *, is_denied: bool = False) -> bool:
    """Whether "the kernel chose the port" stands under an odd number of "not"."""
    if isinstance(expression, Not):
        return _denies_autobound(expression.operand, is_denied=not is_denied)
    if isinstance(expression, (And, Or)):
        return any(_denies_autobound(operand, is_denied=is_denied) for operand in expression.operands)
    return is_denied and isinstance(expression, AutoboundTest)


def _prefix(options: Sequence[str], *, sees_cgroups: bool) -> tuple[str, list[str]]:
    """What goes before ``ss`` to be in the right namespace, and the options that ``ss`` shares with us.

    With ``-N`` it has a fresh ``/sys``, in which no cgroup tree is mounted (``netns_switch()``, iproute2).
    """
    words = list(options)
    shared = [word for word in words if word in ("-4", "-6")]
    if "-N" not in words:
        return "", shared
    netns = words[words.index("-N") + 1]
    if sees_cgroups and "/" not in netns and not netns.isdecimal():
        netns = _NAMED_NAMESPACES + netns
    if netns.isdecimal() or "/" in netns:
        return command_inside(netns) + " ", shared
    return "", ["-N", netns, *shared]


def command_inside(netns: str) -> str:
    """What goes before any command to run it in the namespace that our ``-N`` names; empty for our own and for all."""
    if netns in ("", OWN_NAMESPACE, _EVERYWHERE):
        return ""
    if netns.isdecimal():
        return shlex.join(["nsenter", "-t", netns, "-n"])
    return shlex.join(["nsenter", f"--net={netns}"] if "/" in netns else ["ip", "netns", "exec", netns])


def _state_words(states: frozenset[TcpState]) -> list[str]:
    group = next((name for name, members in STATE_GROUPS.items() if members == states), None)
    if group == "all":
        return []
    if group is not None:
        return ["state", group]
    others = [STATE_WORDS[state] for state in ALL_STATES if state not in states]
    names = [STATE_WORDS[state] for state in ALL_STATES if state in states]
    word, listed = ("exclude", others) if len(others) < len(names) else ("state", names)
    return [each for name in listed for each in (word, name)]


def _condition(condition: Expression) -> list[str]:
    return [] if condition == EVERYTHING else [_text(condition)]


def _in_mapped_form(test: Test) -> Expression:
    """The same for a command with ``-6``, which takes no IPv4 address, but the mapped form of it."""
    return _MappedEndpointTest(test.side, test.network, test.ports) if isinstance(test, EndpointTest) else test


def _text(expression: Expression) -> str:
    """The expression in the words of ``ss``, which wants blanks around everything."""
    if isinstance(expression, Not):
        return f"! {_operand(expression.operand)}"
    if isinstance(expression, And):
        return " and ".join(map(_operand, expression.operands))
    if isinstance(expression, Or):
        return " or ".join(map(_operand, expression.operands))
    return _test_text(expression)


def _operand(expression: Expression) -> str:
    """The same as a part of a longer one; some tests take several words of ``ss``."""
    text = _text(expression)
    return f"( {text} )" if " and " in text or " or " in text else text


def _test_text(test: Test) -> str:
    if isinstance(test, (PortTest, EndpointTest)) and len(test.side.ends) > 1:
        return _text(Or(tuple(replace(test, side=end) for end in test.side.ends)))
    if isinstance(test, PortTest):
        return _ports_text(_PORT_WORDS[test.side], test.ports)
    if isinstance(test, EndpointTest):
        return _endpoint_text(test)
    if isinstance(test, InterfaceTest):
        return f"dev = {test.name}"
    if isinstance(test, MarkTest):
        return f"fwmark = {test.mark:#x}/{test.mask:#x}"
    if isinstance(test, CgroupTest):
        return f"cgroup = {test.path}"
    return "autobound"


def _ports_text(word: str, ports: Span) -> str:
    if ports.low == ports.high:
        return f"{word} = :{ports.low}"
    limits = [f"{word} >= :{ports.low}"] * (ports.low > 0) + [f"{word} <= :{ports.high}"] * (ports.high < HIGHEST_PORT)
    return " and ".join(limits)


def _endpoint_text(test: EndpointTest) -> str:
    word = _HOST_WORDS[test.side]
    network = network_text(test.network)
    if isinstance(test, _MappedEndpointTest) and is_ipv4_network(test.network):
        network = f"::ffff:{network.partition('/')[0]}/{prefix_length(test.network)}"
    host = f"[{network}]" if ":" in network else network
    if test.ports is not None and test.ports.low == test.ports.high:
        host += f":{test.ports.low}"
    parts = [f"{word} {host}"]
    if test.ports is not None and test.ports.low != test.ports.high:
        parts.append(_ports_text(_PORT_WORDS[test.side], test.ports))
    return " and ".join(parts)

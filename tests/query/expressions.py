"""Random filters, each in three forms: the text, the tree it must become, and a plain predicate of what it means."""

import ipaddress
import operator
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from tcptui.model.address import parse_network
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.syntax import And, Comparison, EndpointTest, Expression, Not, Or, PortTest, Side, StateTest
from tests.model.random_tables import ADDRESSES, PORTS, Address, Socket, mapped, plain

Predicate = Callable[[Socket], bool]

SIDE_WORDS = {"src": Side.LOCAL, "dst": Side.REMOTE, "ip": Side.EITHER}
PORT_WORDS = {"sport": Side.LOCAL, "dport": Side.REMOTE, "port": Side.EITHER}
SIGNS: dict[str, tuple[Comparison, Callable[[int, int], bool]]] = {
    **dict.fromkeys(("=", "==", "eq", ""), (Comparison.EQUAL, operator.eq)),
    **dict.fromkeys(("<", "lt"), (Comparison.LESS, operator.lt)),
    **dict.fromkeys(("<=", "le", "leq"), (Comparison.LESS_OR_EQUAL, operator.le)),
    **dict.fromkeys((">", "gt"), (Comparison.GREATER, operator.gt)),
    **dict.fromkeys((">=", "ge", "geq"), (Comparison.GREATER_OR_EQUAL, operator.ge)),
}
DIFFERS = ("!=", "ne", "neq")
_STATE_WORDS = {
    **{state.name: state for state in ALL_STATES},
    **{state.ss_name.lower(): state for state in ALL_STATES},
    "SYN_RCVD": TcpState.SYN_RECV,
    "timewait": TcpState.TIME_WAIT,
}


@dataclass(frozen=True)
class Written:
    """A filter in its three forms."""

    text: str
    tree: Expression
    holds: Predicate


def _ends(side: Side, socket: Socket) -> list[tuple[Address, int]]:
    local, remote = (socket.local, socket.local_port), (socket.remote, socket.remote_port)
    return {Side.LOCAL: [local], Side.REMOTE: [remote], Side.EITHER: [local, remote]}[side]


def _state(word: str, spelling: str) -> Written:
    state = _STATE_WORDS[word]
    tree = StateTest(frozenset({state}))
    if spelling == "exclude":
        return Written(f"exclude {word}", Not(tree), lambda socket: socket.state is not state)
    text = f"state {word}" if spelling == "state" else word
    return Written(text, tree, lambda socket: socket.state is state)


def _port(word: str, sign: str, blank: str, colon: str, port: int) -> Written:
    side = PORT_WORDS[word]
    if not sign or sign.isalpha():
        blank = " "
    text = f"{word}{blank}{sign}{blank}{colon}{port}"
    if sign in DIFFERS:
        tree = Not(PortTest(side, Comparison.EQUAL, port))
        return Written(text, tree, lambda socket: all(each != port for _, each in _ends(side, socket)))
    comparison, compare = SIGNS[sign]
    return Written(
        text,
        PortTest(side, comparison, port),
        lambda socket: any(compare(each, port) for _, each in _ends(side, socket)),
    )


def _bare_port(text: str, port: int) -> Written:
    tree = PortTest(Side.EITHER, Comparison.EQUAL, port)
    return Written(text.format(port), tree, lambda socket: port in (socket.local_port, socket.remote_port))


def _endpoint(word: str, sign: str, address: Address, prefix: int | None, port: int | None) -> Written:
    """``dst 10.0.0.0/8``, ``src != [::1]:22``, ``10.1.2.3:443``."""
    side = SIDE_WORDS.get(word, Side.EITHER)
    network_text = str(address)
    bits: int = address.max_prefixlen
    if prefix is not None:
        bits = min(prefix, bits)
        network_text = f"{address}/{bits}"
    value = network_text
    if port is not None:
        value = f"{network_text}:{port}" if address.version == 4 else f"[{network_text}]:{port}"
    network = ipaddress.IPv6Network((mapped(address), bits + (96 if address.version == 4 else 0)), strict=False)
    tree = EndpointTest(side, parse_network(network_text), port)

    def holds(socket: Socket) -> bool:
        return any(
            ipaddress.IPv6Address(mapped(plain(each))) in network and port in (None, each_port)
            for each, each_port in _ends(side, socket)
        )

    text = " ".join(part for part in (word, sign, value) if part)
    if sign in DIFFERS:
        return Written(text, Not(tree), lambda socket: not holds(socket))
    return Written(text, tree, holds)


_addresses = st.sampled_from(ADDRESSES)
_ports = st.sampled_from((*PORTS, 40000))
_optional_ports = st.one_of(st.none(), _ports)
_prefixes = st.one_of(st.none(), st.sampled_from((0, 8, 24, 32, 33, 48, 64, 104, 128)))

tests = st.one_of(
    st.builds(_state, st.sampled_from(sorted(_STATE_WORDS)), st.sampled_from(("state", "exclude", ""))),
    st.builds(
        _port,
        st.sampled_from(sorted(PORT_WORDS)),
        st.sampled_from((*SIGNS, *DIFFERS)),
        st.sampled_from(("", " ", "  ")),
        st.sampled_from(("", ":")),
        _ports,
    ),
    st.builds(_bare_port, st.sampled_from((":{}", "{}", "ip :{}")), _ports),
    st.builds(
        _endpoint,
        st.sampled_from(sorted(SIDE_WORDS)),
        st.sampled_from(("", "=", "==", "eq", *DIFFERS)),
        _addresses,
        _prefixes,
        _optional_ports,
    ),
    st.builds(_endpoint, st.just(""), st.just(""), _addresses, _prefixes, _optional_ports),
)


def _enclosed(written: Written, *, within: type[Not | And | Or]) -> str:
    """The text as an operand, in parentheses where it would be read otherwise without."""
    is_joined = isinstance(written.tree, Or) or (isinstance(written.tree, And) and within is not Or)
    return f"({written.text})" if is_joined else written.text


def _negated(sign: str, operand: Written) -> Written:
    inner = operand.tree
    return Written(
        f"{sign}{_enclosed(operand, within=Not)}",
        inner.operand if isinstance(inner, Not) else Not(inner),
        lambda socket: not operand.holds(socket),
    )


def _joined(signs: list[str], operands: list[Written], kind: type[And | Or]) -> Written:
    parts = [_enclosed(operands[0], within=kind)]
    for sign, operand in zip(signs, operands[1:], strict=False):
        parts += [sign, _enclosed(operand, within=kind)]
    decide = all if kind is And else any
    return Written(
        "".join(parts),
        kind(tuple(operand.tree for operand in operands)),
        lambda socket: decide(operand.holds(socket) for operand in operands),
    )


def _combined(children: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    several = st.lists(children, min_size=2, max_size=4)
    ands = st.lists(st.sampled_from((" and ", " & ", "&&", " AND ", " ", "\t")), min_size=3, max_size=3)
    ors = st.lists(st.sampled_from((" or ", " | ", "||", " Or ")), min_size=3, max_size=3)
    return st.one_of(
        st.builds(_negated, st.sampled_from(("not ", "!", "! ", "NOT ")), children),
        st.builds(_joined, ands, several, st.just(And)),
        st.builds(_joined, ors, several, st.just(Or)),
        children.map(lambda each: Written(f"( {each.text} )", each.tree, each.holds)),
    )


filters = st.recursive(tests, _combined, max_leaves=8)

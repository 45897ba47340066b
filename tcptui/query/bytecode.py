"""What the kernel can decide of a filter, as it wants to be asked: states, two header ports, and a program.

The program is INET_DIAG_REQ_BYTECODE (``include/uapi/linux/inet_diag.h``, ``net/ipv4/inet_diag.c:
inet_diag_bc_run()``, FACTS section 6.4): operations of 4 bytes ``{code u8, yes u8, no u16}``, some with an operand
behind. Both jumps count bytes from the operation's own start and only lead forwards; ``yes`` is always the length of
the operation, so that the kernel's audit can follow it. A socket is accepted where the program ends exactly, and
rejected by a jump to 4 bytes behind that.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tcptui.model.address import ADDRESS_BITS, IPV4_BITS, Network
from tcptui.model.states import TcpState
from tcptui.query.mask import is_ipv4_network, prefix_length, surrounds_ipv4
from tcptui.query.simplify import all_of, by_state, widened
from tcptui.query.syntax import (
    EVERYTHING,
    HIGHEST_PORT,
    And,
    AutoboundTest,
    EndpointTest,
    Expression,
    InterfaceTest,
    MarkTest,
    Not,
    Or,
    PortTest,
    Side,
    Span,
    Test,
    conjuncts,
)

_JMP = 1
_S_GE, _S_LE, _D_GE, _D_LE = 2, 3, 4, 5
_AUTO = 6
_S_COND, _D_COND = 7, 8
_DEV_COND = 9
_MARK_COND = 10
_PORT_CODES = {Side.LOCAL: (_S_GE, _S_LE), Side.REMOTE: (_D_GE, _D_LE)}
_HOST_CODES = {Side.LOCAL: _S_COND, Side.REMOTE: _D_COND}
_OPERATION_BYTES = 4
_ANY_PORT = -1
_LONGEST_PROGRAM = 32 * 1024
"""Both the jumps and the attribute that holds the program are 16 bits long; half of that is plenty."""

_IPV4_BEGINNING = ADDRESS_BITS - IPV4_BITS
"""Bits of a mapped address in front of the IPv4 one."""


@dataclass(frozen=True)
class KernelQuery:
    """One question to the kernel about the sockets of one family."""

    family: int
    """4 or 6."""
    states: frozenset[TcpState]
    local_port: int = 0
    """This port alone; 0 is any. The kernel compares it before it runs the program."""
    remote_port: int = 0
    condition: Expression = EVERYTHING
    """What ``bytecode`` says."""
    bytecode: bytes = b""


@dataclass(frozen=True)
class _Operation:
    """One step of a program: what it is, and where to go if it fails; None is on to the next."""

    code: int
    operand: bytes = b""
    target: _Label | None = None

    @property
    def size(self) -> int:
        return _OPERATION_BYTES + len(self.operand)


class _Label:
    """A place in a program; compared by identity."""


_Program = list["_Operation | _Label"]


def kernel_can_tell(test: Test) -> bool:
    """Whether a test that depends on neither state nor family can be part of a program."""
    return isinstance(test, (PortTest, EndpointTest, InterfaceTest, MarkTest))


def kernel_queries(expression: Expression, family: int) -> list[KernelQuery]:
    """The questions whose answers together hold every socket of ``family`` that ``expression`` means.

    And every listener: the kernel keeps those in a table of their own, so that they cost next to nothing, and views
    show connections by listener whatever the filter says.
    """
    found = by_state(expression, kernel_can_tell, family)
    listening = frozenset({TcpState.LISTEN})
    if EVERYTHING in found:
        found[EVERYTHING] |= listening
    queries = [] if EVERYTHING in found else [KernelQuery(family, listening)]
    for condition, states in found.items():
        asked = states if condition == EVERYTHING else states - listening
        if asked:
            queries.append(kernel_query(family, asked, condition))
    return queries


def for_other_namespaces(expression: Expression) -> Expression:
    """What to ask for where the interfaces that ``expression`` means are not: their indices are others' there."""
    return widened(expression, lambda test: not isinstance(test, InterfaceTest))


def split_by_autobound(query: KernelQuery) -> list[KernelQuery]:
    """``query`` for the sockets whose port the kernel did not choose, and for the others: no dump tells which is which.

    In this order: a socket that becomes a mini-socket in between, which always counts as autobound, is seen twice
    rather than never.
    """
    parts = (Not(AutoboundTest()), AutoboundTest())
    return [_with_condition(query, all_of((query.condition, part))) for part in parts]


def _with_condition(query: KernelQuery, condition: Expression) -> KernelQuery:
    return replace(query, condition=condition, bytecode=assemble(condition))


def kernel_query(family: int, states: frozenset[TcpState], condition: Expression) -> KernelQuery:
    """One question, in the cheapest form: ports that must be equal go into the request's header."""
    local, condition = _header_port(condition, Side.LOCAL)
    remote, condition = _header_port(condition, Side.REMOTE)
    bytecode = assemble(condition)
    if len(bytecode) > _LONGEST_PROGRAM:
        condition, bytecode = EVERYTHING, b""
    return KernelQuery(family, states, local, remote, condition, bytecode)


def _header_port(condition: Expression, side: Side) -> tuple[int, Expression]:
    """The port of ``side`` that ``condition`` insists on, and what else it says; 0 if there is none."""
    parts = conjuncts(condition)
    for part in parts:
        if isinstance(part, PortTest) and part.side is side and part.ports.low == part.ports.high != 0:
            return part.ports.low, all_of(each for each in parts if each != part)
    return 0, condition


def assemble(condition: Expression) -> bytes:
    """The program for ``condition``; none at all for what is always true.

    Raises:
        TypeError: there is an operation for each of ``kernel_can_tell`` and for AutoboundTest only.
    """
    if condition == EVERYTHING:
        return b""
    reject = _Label()
    program = _when(condition, reject)
    places: dict[_Label, int] = {}
    size = 0
    for each in program:
        if isinstance(each, _Label):
            places[each] = size
        else:
            size += each.size
    places[reject] = size + _OPERATION_BYTES
    code = bytearray()
    for each in program:
        if isinstance(each, _Operation):
            jump = each.size if each.target is None else places[each.target] - len(code)
            yes = _OPERATION_BYTES if each.code == _JMP else each.size
            code += struct.pack("=BBH", each.code, yes, min(jump, 0xFFFF)) + each.operand
    return bytes(code)


def _when(condition: Expression, otherwise: _Label) -> _Program:
    """Go on behind the program if ``condition`` holds, to ``otherwise`` if it does not."""
    if isinstance(condition, And):
        return [step for each in condition.operands for step in _when(each, otherwise)]
    if isinstance(condition, Or):
        return _when_any(condition.operands, otherwise)
    if isinstance(condition, Not):
        holds = _Label()
        return [*_when(condition.operand, holds), _Operation(_JMP, target=otherwise), holds]
    return _test(condition, otherwise)


def _when_any(operands: Iterable[Expression], otherwise: _Label) -> _Program:
    *first, last = operands
    accepted = _Label()
    program: _Program = []
    for each in first:
        following = _Label()
        program += [*_when(each, following), _Operation(_JMP, target=accepted), following]
    return [*program, *_when(last, otherwise), accepted]


def _test(test: Test, otherwise: _Label) -> _Program:
    if isinstance(test, (PortTest, EndpointTest)) and len(test.side.ends) > 1:
        return _when_any((replace(test, side=end) for end in test.side.ends), otherwise)
    if isinstance(test, PortTest):
        return _ports(test.side, test.ports, otherwise)
    if isinstance(test, EndpointTest):
        ports = [] if test.ports is None else _ports(test.side, test.ports, otherwise)
        return [*_host(test.side, test.network, otherwise), *ports]
    if isinstance(test, InterfaceTest):
        return [_Operation(_DEV_COND, struct.pack("=I", test.index), otherwise)]
    if isinstance(test, MarkTest):
        return [_Operation(_MARK_COND, struct.pack("=II", test.mark, test.mask), otherwise)]
    if isinstance(test, AutoboundTest):
        return [_Operation(_AUTO, target=otherwise)]
    raise TypeError(f"the kernel has no operation for {type(test).__name__}")


def _ports(side: Side, ports: Span, otherwise: _Label) -> _Program:
    """Two comparisons, also for one port: S_EQ and D_EQ are younger than many a kernel in use."""
    codes = _PORT_CODES[side]
    limits = ((codes[0], ports.low, 0), (codes[1], ports.high, HIGHEST_PORT))
    return [
        _Operation(code, struct.pack("=HH", 0, port), otherwise) for code, port, open_end in limits if port != open_end
    ]


def _host(side: Side, network: Network, otherwise: _Label) -> _Program:
    """The conditions for one end's address.

    The kernel takes a mapped address for IPv4 where the condition is, but for IPv6 where that is, so that an IPv6
    network needs telling that it has none of them.
    """
    code = _HOST_CODES[side]
    length = prefix_length(network)
    if is_ipv4_network(network):
        address = struct.pack("!I", network.lo & 0xFFFFFFFF)
        return [_Operation(code, _host_condition(socket.AF_INET, length - _IPV4_BEGINNING, address), otherwise)]
    address = struct.pack("!QQ", network.hi, network.lo)
    program: _Program = [_Operation(code, _host_condition(socket.AF_INET6, length, address), otherwise)]
    if surrounds_ipv4(network):
        is_ipv6 = _Label()
        any_ipv4 = _host_condition(socket.AF_INET, 0, bytes(4))
        program += [_Operation(code, any_ipv4, is_ipv6), _Operation(_JMP, target=otherwise), is_ipv6]
    return program


def _host_condition(family: int, prefix_length: int, address: bytes) -> bytes:
    """``struct inet_diag_hostcond``."""
    return struct.pack("=BBxxi", family, prefix_length, _ANY_PORT) + address

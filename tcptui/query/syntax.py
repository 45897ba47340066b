"""The syntax tree of a filter. Immutable values: two equal filters compare equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias

from tcptui.model.address import Network
from tcptui.model.states import TcpState

HIGHEST_PORT = 65535


class Side(Enum):
    """Which end of a connection."""

    LOCAL = "local"
    REMOTE = "remote"
    EITHER = "either"

    @property
    def ends(self) -> tuple[Side, ...]:
        """The ends of which one must pass a test."""
        return (Side.LOCAL, Side.REMOTE) if self is Side.EITHER else (self,)


class Span(NamedTuple):
    """Whole numbers from ``low`` to ``high``, both included; none where ``low`` is the greater."""

    low: int
    high: int


@dataclass(frozen=True)
class PortTest:
    """The port of ``side`` is within ``ports``; for either side one of the two is."""

    side: Side
    ports: Span


@dataclass(frozen=True)
class EndpointTest:
    """The address of ``side`` is in ``network`` and, where ``ports`` is given, the port beside it is one of those."""

    side: Side
    network: Network
    ports: Span | None = None


@dataclass(frozen=True)
class FamilyTest:
    """The socket belongs to the kernel's table of this family, 4 or 6, whatever its addresses."""

    family: int


@dataclass(frozen=True)
class StateTest:
    """The state is one of ``states``."""

    states: frozenset[TcpState]


@dataclass(frozen=True)
class AmountTest:
    """A number that the table has for each socket is within ``amounts``; ``high`` may be ``NO_LIMIT``."""

    field_id: str
    amounts: Span


@dataclass(frozen=True)
class AgeTest:
    """The time in the present state, as far as it has been watched, is within ``ages``, in milliseconds."""

    ages: Span


@dataclass(frozen=True)
class TimerTest:
    """The timer that runs is the one with this code of ``model.table.TIMER_NAMES``."""

    timer: int


@dataclass(frozen=True)
class InterfaceTest:
    """The socket is bound to the interface with this index (``SO_BINDTODEVICE``), of several namespaces in our own."""

    index: int
    name: str


@dataclass(frozen=True)
class MarkTest:
    """The firewall mark (``SO_MARK``) equals ``mark`` in the bits of ``mask``."""

    mark: int
    mask: int


@dataclass(frozen=True)
class AutoboundTest:
    """The kernel chose the local port, out of ``net.ipv4.ip_local_port_range``."""


@dataclass(frozen=True)
class CgroupTest:
    """The socket was made in the cgroup at ``path``, not in one below it."""

    path: str


@dataclass(frozen=True)
class ServiceTest:
    """The socket was made in a cgroup that is, or is below, one with this name; ``*`` and ``?`` as in a shell."""

    name: str


@dataclass(frozen=True)
class NetnsTest:
    """The socket is in a network namespace with this label, or with this word in it; ``*`` and ``?`` as in a shell."""

    name: str


@dataclass(frozen=True)
class UserTest:
    """The socket's owner is the user with this id."""

    uid: int
    name: str


@dataclass(frozen=True)
class PidTest:
    """A process whose id is within ``pids`` holds the socket."""

    pids: Span


@dataclass(frozen=True)
class ProcessTest:
    """A process of this name holds the socket; ``*`` and ``?`` as in a shell."""

    name: str


@dataclass(frozen=True)
class Constant:
    """True or false of every socket: what is left of a test whose outcome is known beforehand."""

    value: bool


@dataclass(frozen=True)
class Not:
    """The opposite of ``operand``."""

    operand: Expression


@dataclass(frozen=True)
class And:
    """All of ``operands``."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Or:
    """At least one of ``operands``."""

    operands: tuple[Expression, ...]


Test: TypeAlias = (
    "PortTest | EndpointTest | FamilyTest | StateTest | AmountTest | AgeTest | TimerTest | InterfaceTest | MarkTest"
    " | AutoboundTest | CgroupTest | ServiceTest | NetnsTest | UserTest | PidTest | ProcessTest | Constant"
)
Expression: TypeAlias = "Test | Not | And | Or"

EVERYTHING = Constant(value=True)
NOTHING = Constant(value=False)
NO_LIMIT = 2**63 - 1
"""Upper end of a span without one."""


@dataclass(frozen=True)
class Filter:
    """A filter with the text it was written as."""

    text: str
    expression: Expression


def depth(expression: Expression) -> int:
    """How many levels of and, or, not stand above the deepest test."""
    if isinstance(expression, Not):
        return 1 + depth(expression.operand)
    if isinstance(expression, (And, Or)):
        return 1 + max(depth(operand) for operand in expression.operands)
    return 0


def tests_in(expression: Expression) -> Iterator[Test]:
    """Every test of ``expression``, from left to right."""
    if isinstance(expression, Not):
        yield from tests_in(expression.operand)
    elif isinstance(expression, (And, Or)):
        for operand in expression.operands:
            yield from tests_in(operand)
    else:
        yield expression


def conjuncts(expression: Expression) -> tuple[Expression, ...]:
    """What must all hold for ``expression`` to hold."""
    if isinstance(expression, And):
        return tuple(each for operand in expression.operands for each in conjuncts(operand))
    return (expression,)

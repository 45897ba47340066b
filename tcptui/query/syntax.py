"""The syntax tree of a filter. Immutable values: two equal filters compare equal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from tcptui.model.address import Network
from tcptui.model.states import TcpState


class Side(Enum):
    """Which end of a connection."""

    LOCAL = "local"
    REMOTE = "remote"
    EITHER = "either"


class Comparison(Enum):
    """How a number is compared; the value is the sign."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


@dataclass(frozen=True)
class PortTest:
    """The port of ``side`` compared with ``port``; for either side one of the two must pass."""

    side: Side
    comparison: Comparison
    port: int


@dataclass(frozen=True)
class EndpointTest:
    """The address of ``side`` is in ``network`` and, where ``port`` is given, the port beside it equals that."""

    side: Side
    network: Network
    port: int | None = None


@dataclass(frozen=True)
class StateTest:
    """The state is one of ``states``."""

    states: frozenset[TcpState]


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


Expression: TypeAlias = "PortTest | EndpointTest | StateTest | Not | And | Or"


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

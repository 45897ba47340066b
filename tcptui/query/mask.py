"""Which rows of a table a filter means."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcptui.model.address import Network
from tcptui.model.states import ALL_STATES, TcpState
from tcptui.model.table import Mask, Rows
from tcptui.query.syntax import And, Comparison, Expression, Not, Or, PortTest, Side, StateTest

_COMPARE: dict[Comparison, Callable[[NDArray[Any], int], Mask]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
}

_ENDS = {Side.LOCAL: ("local",), Side.REMOTE: ("remote",), Side.EITHER: ("local", "remote")}


def mask_of(expression: Expression, rows: Rows) -> Mask:
    """One truth value a row: whether ``expression`` holds for it."""
    if isinstance(expression, And):
        return np.logical_and.reduce([mask_of(each, rows) for each in expression.operands])
    if isinstance(expression, Or):
        return np.logical_or.reduce([mask_of(each, rows) for each in expression.operands])
    if isinstance(expression, Not):
        return ~mask_of(expression.operand, rows)
    if isinstance(expression, StateTest):
        return _in_states(expression.states, rows)
    test = _port_mask if isinstance(expression, PortTest) else _endpoint_mask
    return np.logical_or.reduce([test(expression, end, rows) for end in _ENDS[expression.side]])


def _in_states(states: frozenset[TcpState], rows: Rows) -> Mask:
    wanted = np.zeros(256, bool)
    wanted[list(states)] = True
    return wanted[rows["state"]]


def _port_mask(test: Any, end: str, rows: Rows) -> Mask:
    return _COMPARE[test.comparison](rows[f"{end}_port"], test.port)


def _endpoint_mask(test: Any, end: str, rows: Rows) -> Mask:
    mask = _in_network(test.network, rows[f"{end}_hi"], rows[f"{end}_lo"])
    return mask if test.port is None else mask & (rows[f"{end}_port"] == test.port)


def _in_network(network: Network, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> Mask:
    high = (hi & np.uint64(network.mask_hi)) == np.uint64(network.hi)
    return high & ((lo & np.uint64(network.mask_lo)) == np.uint64(network.lo))


def possible_states(expression: Expression) -> frozenset[TcpState]:
    """The states that a row which ``expression`` holds for may be in.

    Never too few: asking the kernel for these alone loses no row.
    """
    if isinstance(expression, StateTest):
        return expression.states
    if isinstance(expression, And):
        return frozenset.intersection(*(possible_states(each) for each in expression.operands))
    if isinstance(expression, Or):
        return frozenset.union(*(possible_states(each) for each in expression.operands))
    if isinstance(expression, Not) and isinstance(expression.operand, StateTest):
        return frozenset(ALL_STATES) - expression.operand.states
    return frozenset(ALL_STATES)

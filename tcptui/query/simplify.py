"""Filters rewritten: what is left of one where something is known, and the widest that someone else can decide."""

from collections.abc import Callable, Iterable

from tcptui.model.states import ALL_STATES, TcpState
from tcptui.query.mask import is_ipv4_network
from tcptui.query.syntax import (
    EVERYTHING,
    HIGHEST_PORT,
    NOTHING,
    And,
    Constant,
    EndpointTest,
    Expression,
    FamilyTest,
    Not,
    Or,
    PortTest,
    StateTest,
    Test,
    conjuncts,
)

MOST_PARTS = 2
"""How many questions to the kernel, each of which walks its whole table, a filter is worth for each family."""

_ALL_PORTS = (0, HIGHEST_PORT)


def replaced(expression: Expression, outcome: Callable[[Test], Expression]) -> Expression:
    """``expression`` with each test replaced by its ``outcome``, without what that makes superfluous."""
    if isinstance(expression, Not):
        return negated(replaced(expression.operand, outcome))
    if isinstance(expression, And):
        return all_of(replaced(each, outcome) for each in expression.operands)
    if isinstance(expression, Or):
        return any_of(replaced(each, outcome) for each in expression.operands)
    return outcome(expression)


def all_of(operands: Iterable[Expression]) -> Expression:
    """The shortest expression for "and": constants are settled, repetitions left out."""
    kept = [part for each in operands for part in conjuncts(each) if part != EVERYTHING]
    if NOTHING in kept:
        return NOTHING
    distinct = tuple(dict.fromkeys(kept))
    return And(distinct) if len(distinct) > 1 else distinct[0] if distinct else EVERYTHING


def any_of(operands: Iterable[Expression]) -> Expression:
    """The shortest expression for "or"."""
    kept = [each for each in operands if each != NOTHING]
    if EVERYTHING in kept:
        return EVERYTHING
    distinct = tuple(dict.fromkeys(kept))
    return Or(distinct) if len(distinct) > 1 else distinct[0] if distinct else NOTHING


def negated(expression: Expression) -> Expression:
    """The shortest expression for "not"."""
    if isinstance(expression, Constant):
        return Constant(not expression.value)
    return expression.operand if isinstance(expression, Not) else Not(expression)


def given(expression: Expression, state: TcpState, family: int | None = None) -> Expression:
    """What is left to decide about a socket in ``state``, of ``family`` (4 or 6) if that is known too."""

    def outcome(test: Test) -> Expression:
        if isinstance(test, StateTest):
            return Constant(state in test.states)
        if isinstance(test, FamilyTest) and family is not None:
            return Constant(family == test.family)
        if isinstance(test, EndpointTest) and family == 4 and not is_ipv4_network(test.network):
            return NOTHING
        if isinstance(test, PortTest) and test.ports == _ALL_PORTS:
            return EVERYTHING
        if isinstance(test, PortTest) and test.ports.low > test.ports.high:
            return NOTHING
        return test

    return replaced(expression, outcome)


def widened(expression: Expression, can_tell: Callable[[Test], bool]) -> Expression:
    """The narrowest expression that ``can_tell`` decides and that holds wherever ``expression`` does."""
    return _approximated(expression, can_tell, EVERYTHING)


def _approximated(expression: Expression, can_tell: Callable[[Test], bool], unknown: Constant) -> Expression:
    """``expression`` with ``unknown`` for what can't be told; under "not" the other way round."""
    if isinstance(expression, Not):
        return negated(_approximated(expression.operand, can_tell, Constant(not unknown.value)))
    if isinstance(expression, (And, Or)):
        joined = all_of if isinstance(expression, And) else any_of
        return joined(_approximated(each, can_tell, unknown) for each in expression.operands)
    return expression if isinstance(expression, Constant) or can_tell(expression) else unknown


def by_state(
    expression: Expression, can_tell: Callable[[Test], bool], family: int | None = None, most: int = MOST_PARTS
) -> dict[Expression, frozenset[TcpState]]:
    """The states that a matching socket can be in, by what must still hold in them.

    Each condition is the widest that ``can_tell`` decides. States in which nothing can match are left out. With more
    than ``most`` different conditions all states come under one that holds wherever any of them does.
    """
    found: dict[Expression, frozenset[TcpState]] = {}
    for state in ALL_STATES:
        condition = widened(given(expression, state, family), can_tell)
        if condition != NOTHING:
            found[condition] = found.get(condition, frozenset()) | {state}
    if len(found) > most:
        return {any_of(found): frozenset().union(*found.values())}
    return found
